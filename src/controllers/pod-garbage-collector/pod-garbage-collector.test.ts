import { expect, test } from 'vitest';
import type { Node, Pod } from '#api/generated/types.ts';
import { isStuckTerminating, planTerminated } from './pod-garbage-collector.ts';

const node = (ready?: string, changes: Partial<Node> = {}): Node => ({
  metadata: { name: 'n', creationTimestamp: '1970-01-01T00:00:00Z' },
  spec: {},
  ...(ready ? { status: { conditions: [{ type: 'Ready', status: ready, lastHeartbeatTime: 'h1' }] } } : {}),
  ...changes,
});

const pod = (
  name: string,
  status: Pod['status'],
  created = '2026-01-01T00:00:00Z',
  changes: Partial<Pod['metadata']> = {},
): Pod => ({
  metadata: { name, creationTimestamp: created, ...changes },
  spec: { containers: [], terminationGracePeriodSeconds: 30 },
  status,
});

test('too many ended: evicted ones first, then by age and name', () => {
  const all = [
    pod('b', { phase: 'Succeeded' }),
    pod('a', { phase: 'Failed' }),
    pod('new', { phase: 'Failed' }, '2026-01-02T00:00:00Z'),
    pod('evicted', { phase: 'Failed', reason: 'Evicted' }, '2026-01-03T00:00:00Z'),
  ];
  expect(planTerminated(all, 1).map(({ metadata }) => metadata.name)).toEqual(['evicted', 'a', 'b']);
  expect([planTerminated(all, 4), planTerminated(all, 0)]).toEqual([[], []]);
});
test('nobody will end them', () => {
  const ending = { deletionTimestamp: 'now' };
  const outOfService = { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] };
  const placed = (changes: Partial<Pod['metadata']>) => ({
    ...pod('p', {}, '', changes),
    spec: { containers: [], nodeName: 'n' },
  });
  expect(isStuckTerminating(pod('p', {}, '', ending), undefined)).toBe(true);
  expect(isStuckTerminating(placed(ending), node('Unknown', { spec: outOfService }))).toBe(true);
  expect(isStuckTerminating(placed(ending), node('True', { spec: outOfService }))).toBe(false);
  expect(isStuckTerminating(placed(ending), undefined)).toBe(false);
  expect(isStuckTerminating(placed({}), node('Unknown', { spec: outOfService }))).toBe(false);
});
