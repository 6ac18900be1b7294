import type { FieldError } from '#apimachinery/field-error.ts';
import type { IntOrString } from '#apimachinery/int-or-string.ts';
import { validateLabelSelector } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { GoValue, invalidField, notSupported } from '#apimachinery/validation.ts';
import { validateNotMoreThan100Percent, validatePositiveIntOrPercent } from '../../apps/v1/deployment.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { validateConditions } from '../../core/v1/condition-validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';

/** The status of a budget that no controller has seen. */
const NO_STATUS: PodDisruptionBudgetStatus = {
  disruptionsAllowed: 0,
  currentHealthy: 0,
  desiredHealthy: 0,
  expectedPods: 0,
};

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];

/** Upstream prints addresses of its memory here. */
function goSpec({
  minAvailable,
  selector,
  maxUnavailable,
  unhealthyPodEvictionPolicy,
}: PodDisruptionBudgetSpec): GoValue {
  const pointer = (type: string, value: unknown) => `(*${type})(${value === undefined ? 'nil' : '0xc000000000'})`;
  const fields = [
    `MinAvailable:${pointer('intstr.IntOrString', minAvailable)}`,
    `Selector:${pointer('v1.LabelSelector', selector)}`,
    `MaxUnavailable:${pointer('intstr.IntOrString', maxUnavailable)}`,
    `UnhealthyPodEvictionPolicy:${pointer('policy.UnhealthyPodEvictionPolicyType', unhealthyPodEvictionPolicy)}`,
  ];
  return new GoValue(`policy.PodDisruptionBudgetSpec{${fields.join(', ')}}`);
}

/** Follows ValidatePodDisruptionBudget of pkg/apis/policy/validation, v1.33. */
function validate({ metadata, spec = {} }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  validateStandardFinalizers(metadata, errors);
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalidField('spec', goSpec(spec), 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    const value = spec[field];
    if (value === undefined) continue;
    validatePositiveIntOrPercent(value, `spec.${field}`, errors);
    validateNotMoreThan100Percent(value, `spec.${field}`, errors);
  }
  validateLabelSelector(selector, 'spec.selector', errors);
  if (policy !== undefined && !EVICTION_POLICIES.includes(policy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, EVICTION_POLICIES));
  }
  return errors;
}

const amount = (value: IntOrString | undefined) => (value === undefined ? 'N/A' : String(value));

/** PodDisruptionBudgets. Follows pkg/registry/policy/poddisruptionbudget/strategy.go, v1.33. */
export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  defaults: (budget) => (budget.spec ? budget : { ...budget, spec: {} }),
  validate,
  validateUpdate: validate,
  strategy: {
    prepareForCreate: (budget) => ({
      ...budget,
      metadata: { ...budget.metadata, generation: 1 },
      status: NO_STATUS,
    }),
    prepareForUpdate(given, previous) {
      const next = { ...given, status: previous.status };
      if (semanticEqual(next.spec, previous.spec)) return next;
      return { ...next, metadata: { ...next.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
    },
    allowUnconditionalUpdate: false,
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate({ status = NO_STATUS }) {
        const errors: FieldError[] = [];
        validateConditions(status.conditions, 'status.conditions', errors);
        for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) {
          validateNonnegative(status[field], `status.${field}`, errors);
        }
        return errors;
      },
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Min Available', type: 'string', cell: ({ spec }) => amount(spec?.minAvailable) },
    { name: 'Max Unavailable', type: 'string', cell: ({ spec }) => amount(spec?.maxUnavailable) },
    { name: 'Allowed Disruptions', type: 'integer', cell: ({ status }) => status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
});
