import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/generated/types.ts';
import { BURST_REPLICAS, planReplicas, podsToDelete } from './replica-plan.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

interface Traits {
  readonly node?: string;
  readonly phase?: string;
  /** Seconds for which it has been ready. */
  readonly ready?: number;
  readonly cost?: string;
  readonly restarts?: number;
  readonly age?: number;
}

const pod = (
  name: string,
  { node = 'n1', phase = 'Running', ready, cost, restarts = 0, age = 100 }: Traits = {},
): Pod => ({
  metadata: {
    name,
    uid: name,
    creationTimestamp: ago(age),
    ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}),
  },
  spec: { containers: [], nodeName: node },
  status: {
    phase,
    conditions: ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: ago(ready) }],
    containerStatuses: [{ name: 'a', image: '', imageID: '', ready: true, restartCount: restarts }],
  },
});

test.each([
  [0, 3, 3, 0],
  [3, 3, 0, 0],
  [5, 3, 0, 2],
  [0, 2000, BURST_REPLICAS, 0],
  [600, 0, 0, BURST_REPLICAS],
])('%i of %i', (has, wanted, create, doomed) => {
  expect(planReplicas(has, wanted)).toEqual({ create, delete: doomed });
});

describe('of two Pods the first goes', () => {
  const check = (why: string, first: Traits, second: Traits, related: readonly Pod[] = []) =>
    test(why, () => {
      const goes = (active: readonly Pod[]) =>
        podsToDelete(active, 1, () => related, NOW).map(({ metadata }) => metadata.name);
      expect(goes([pod('a', first), pod('z', second)])).toEqual(['a']);
      expect(goes([pod('a', second), pod('z', first)])).toEqual(['z']);
    });
  check('not bound', { node: '', phase: 'Pending' }, { phase: 'Pending' });
  check('pending', { phase: 'Pending' }, { phase: 'Running' });
  check('not ready', {}, { ready: 1 });
  check('cheaper', { ready: 1, cost: '-1' }, { ready: 1 });
  check('with more company', { ready: 1, node: 'n2' }, { ready: 1 }, [pod('r', { node: 'n2' })]);
  check('ready for a shorter time', { ready: 10 }, { ready: 1000 });
  check('restarted more often', { ready: 10, restarts: 2 }, { ready: 10, restarts: 1 });
  check('younger', { age: 10 }, { age: 1000 });
  test('of the same order of age: the one of the smaller uid', () => {
    const plan = podsToDelete([pod('z', { age: 100 }), pod('a', { age: 110 })], 1, () => [], NOW);
    expect(plan.map(({ metadata }) => metadata.name)).toEqual(['a']);
  });
});
