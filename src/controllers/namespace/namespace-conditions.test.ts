import { expect, test } from 'vitest';
import { planNamespaceConditions } from './namespace-conditions.ts';

test('conditions of a namespace change only when they say something else', () => {
  const outcome = { remaining: new Map(), finalizers: new Map(), errors: [] };
  const fine = planNamespaceConditions([], outcome, 't1');
  expect(fine?.map(({ status }) => status)).toEqual(['False', 'False', 'False', 'False', 'False']);
  expect(planNamespaceConditions(fine ?? [], outcome, 't2')).toBeUndefined();
  const failed = planNamespaceConditions(fine ?? [], { ...outcome, errors: ['b', 'a'] }, 't2');
  expect(failed?.[2]).toEqual({
    type: 'NamespaceDeletionContentFailure',
    status: 'True',
    lastTransitionTime: 't2',
    reason: 'ContentDeletionFailed',
    message: 'Failed to delete all resource types, 2 remaining: a, b',
  });
  expect(failed?.[0]?.lastTransitionTime).toBe('t1');
});
