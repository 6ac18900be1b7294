import { expect, test } from 'vitest';
import type { Pod } from '#api/generated/types.ts';
import { PodTally } from './pod-tally.ts';

const LABELS = { app: 'web' };
const pod = (
  uid: string,
  { ready = false, ...changes }: { ready?: boolean; kind?: string } & Partial<Pod['metadata']> = {},
): Pod => {
  const { kind = 'ReplicaSet', ...metadata } = changes;
  return {
    metadata: {
      uid,
      labels: LABELS,
      ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'web', uid: 'owner', controller: true }],
      ...metadata,
    },
    spec: { containers: [] },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
};

test('counts what is active, by owner and labels', () => {
  const tally = new PodTally('ReplicaSet');
  const counts = () => [...tally.of('owner')].map(([labels, count]) => [labels, count.active, count.ready]);
  const other = { app: 'other' };
  tally.put(pod('a'));
  tally.put(pod('b', { ready: true }));
  tally.put(pod('c', { labels: other }));
  tally.put(pod('d', { kind: 'Job' }));
  expect(counts()).toEqual([
    [LABELS, 2, 1],
    [other, 1, 0],
  ]);
  tally.put(pod('a', { ready: true }));
  tally.put(pod('c', { labels: other, deletionTimestamp: 'now' }));
  expect(counts()).toEqual([[LABELS, 2, 2]]);
  tally.remove(pod('b'));
  tally.put(pod('a', { ownerReferences: [] }));
  tally.remove(pod('unknown'));
  expect(counts()).toEqual([]);
});
