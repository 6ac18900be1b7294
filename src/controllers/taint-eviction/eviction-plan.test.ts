import { describe, expect, test } from 'vitest';
import type { Taint, Toleration } from '#api/generated/types.ts';
import { planEviction, tolerationMs } from './eviction-plan.ts';

describe('evictions', () => {
  const taints: readonly Taint[] = [
    { key: 'a', effect: 'NoExecute' },
    { key: 'b', effect: 'NoExecute' },
  ];
  const check = (name: string, tolerations: readonly Toleration[], expected: number) =>
    test(name, () => expect(tolerationMs(taints, tolerations)).toBe(expected));
  check('not tolerated', [{ key: 'a', operator: 'Exists' }], 0);
  check('for ever', [{ operator: 'Exists' }], Number.POSITIVE_INFINITY);
  const forSeconds = (key: string, tolerationSeconds: number) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  });
  check('the shortest counts', [forSeconds('a', 300), forSeconds('b', 20)], 20_000);
  check('not at all', [forSeconds('a', 300), forSeconds('b', -1)], 0);

  test('an earlier plan stays', () => {
    expect(planEviction(0, undefined, 5)).toEqual({ do: 'evict' });
    expect(planEviction(Number.POSITIVE_INFINITY, { startMs: 1 }, 5)).toEqual({ do: 'cancel' });
    expect(planEviction(100, undefined, 5)).toEqual({ do: 'schedule', startMs: 5, dueMs: 105 });
    expect(planEviction(100, { startMs: 1 }, 5)).toEqual({ do: 'nothing' });
  });
});
