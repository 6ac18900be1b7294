import { describe, expect, test } from 'vitest';
import type { Deployment, ReplicaSet } from '#api/generated/types.ts';
import { podTemplateHash } from './revision.ts';
import { planCleanup, planRolling, planScaling, type Scaling } from './rollout-plan.ts';

const deployment = (
  replicas: number,
  rolling: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string } = {},
  revisionHistoryLimit = 10,
): Deployment => ({
  metadata: { name: 'web' },
  spec: {
    replicas,
    revisionHistoryLimit,
    selector: {},
    template: {},
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%', ...rolling } },
  },
});

/** `sized` is what the Deployment could have at most when the ReplicaSet was last sized. */
const set = (name: string, replicas: number, available = replicas, sized?: number, revision = 1): ReplicaSet => ({
  metadata: {
    name,
    generation: 1,
    annotations: {
      'deployment.kubernetes.io/revision': String(revision),
      ...(sized === undefined ? {} : { 'deployment.kubernetes.io/max-replicas': String(sized) }),
    },
  },
  spec: { replicas, selector: {} },
  status: { replicas, availableReplicas: available, observedGeneration: 1 },
});

const texts = (plan: readonly Scaling[]) =>
  plan.map(({ replicaSet, replicas }) => `${replicaSet.metadata.name} ${replicas}`);

describe('rolling', () => {
  const check = (why: string, of: Deployment, next: ReplicaSet, old: readonly ReplicaSet[], ...steps: string[]) =>
    test(why, () => expect(texts(planRolling(of, next, old))).toEqual(steps));
  check('up by the surge', deployment(4), set('new', 0), [set('old', 4)], 'new 1');
  check('old ones down by what may be unavailable', deployment(4), set('new', 1, 0), [set('old', 4)], 'old 3');
  check('up again in the room that is made', deployment(4), set('new', 1, 0), [set('old', 3)], 'new 2');
  check('waits for what is new', deployment(4), set('new', 2, 0), [set('old', 3)]);
  check('goes on when it is available', deployment(4), set('new', 2, 1), [set('old', 3)], 'old 2');
  check('one replica: up first', deployment(1), set('new', 0), [set('old', 1)], 'new 1');
  check('one replica: down when the new one is available', deployment(1), set('new', 1, 0), [set('old', 1)]);
  check('one replica: then', deployment(1), set('new', 1), [set('old', 1)], 'old 0');
  check(
    'those that are no use first',
    deployment(10, { maxSurge: 3, maxUnavailable: 2 }),
    set('new', 5, 5),
    [set('a', 4, 4), set('b', 4, 1)],
    'b 1',
    'a 2',
  );
  check(
    'one old ReplicaSet twice',
    deployment(2, { maxSurge: 0, maxUnavailable: 2 }),
    set('new', 0),
    [set('old', 2, 1)],
    'old 1',
    'old 0',
  );
  check('too many new ones', deployment(2), set('new', 3), [], 'new 2');
  check('done', deployment(3), set('new', 3), [set('old', 0)]);
});

describe('scaling', () => {
  const check = (
    why: string,
    of: Deployment,
    next: ReplicaSet | undefined,
    old: readonly ReplicaSet[],
    ...steps: string[]
  ) => test(why, () => expect(texts(planScaling(of, next, old))).toEqual(steps));
  check('the only one takes all', deployment(5), set('new', 3), [set('old', 0)], 'new 5');
  check('the newest when none is active', deployment(5), undefined, [set('a', 0), set('b', 0)], 'b 5');
  check('shares', deployment(20, { maxSurge: 0 }), set('new', 5, 5, 10), [set('old', 5, 5, 10)], 'old 10', 'new 10');
  check(
    'the rest goes to the largest',
    deployment(15, { maxSurge: 3 }),
    set('new', 5, 5, 13),
    [set('old', 8, 8, 13)],
    'old 11',
    'new 7',
  );
  check('down', deployment(5, { maxSurge: 0 }), set('new', 4, 4, 10), [set('old', 6, 6, 10)], 'old 3', 'new 2');
  check('to nothing', deployment(0), set('new', 4, 4, 10), [set('old', 6, 6, 10)], 'old 0', 'new 0');
});

test('the lowest revisions beyond the limit go, when nothing runs', () => {
  const old = [set('c', 0, 0, 1, 3), set('a', 0, 0, 1, 1), set('b', 1, 1, 1, 2), set('d', 0, 0, 1, 4)];
  const names = (limit: number) => planCleanup(deployment(1, {}, limit), old).map(({ metadata }) => metadata.name);
  expect([names(2), names(0), names(4), names(2147483647)]).toEqual([['a'], ['a', 'c', 'd'], [], []]);
});

test('hashes are the same for the same template', () => {
  const template = { metadata: { labels: { a: 'b', c: 'd' } }, spec: { containers: [{ name: 'x' }] } };
  const same = { spec: { containers: [{ name: 'x' }] }, metadata: { labels: { c: 'd', a: 'b' } } };
  expect(podTemplateHash(template, undefined)).toMatch(/^[bcdf4-9]{1,10}$/);
  expect(podTemplateHash(same, undefined)).toBe(podTemplateHash(template, undefined));
  expect(podTemplateHash(same, 1)).not.toBe(podTemplateHash(template, undefined));
});
