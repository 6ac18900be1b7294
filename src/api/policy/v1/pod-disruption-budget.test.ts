import { expect, test } from 'vitest';
import { createErrors, prepared, updateErrors } from '#testing/kind.ts';
import { podDisruptionBudgets } from './pod-disruption-budget.ts';

const budget = (spec: string) => `metadata: {name: web}\nspec: {${spec}}`;
const check = (spec: string, ...errors: string[]) =>
  test(spec, () => expect(createErrors(podDisruptionBudgets, budget(spec))).toEqual(errors));
check('minAvailable: 50%');
check(
  'minAvailable: 1, maxUnavailable: 1',
  'spec: Invalid value: policy.PodDisruptionBudgetSpec{MinAvailable:(*intstr.IntOrString)(0xc000000000), Selector:(*v1.LabelSelector)(nil), MaxUnavailable:(*intstr.IntOrString)(0xc000000000), UnhealthyPodEvictionPolicy:(*policy.UnhealthyPodEvictionPolicyType)(nil)}: minAvailable and maxUnavailable cannot be both set',
);
check(
  'maxUnavailable: 120%',
  'spec.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:"120%"}: must not be greater than 100%',
);
check(
  'unhealthyPodEvictionPolicy: Never',
  'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
);

test('a new budget allows nothing', () =>
  expect(prepared(podDisruptionBudgets, budget('minAvailable: 1')).status).toMatchObject({ disruptionsAllowed: 0 }));
test('all may change', () =>
  expect(updateErrors(podDisruptionBudgets, budget('minAvailable: 1'), budget('maxUnavailable: 1'))).toEqual([]));
