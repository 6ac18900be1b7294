import { labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { formatTime } from '#base/clock.ts';
import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../generated/types.ts';

const TYPE = 'DisruptionAllowed';

/** Whether a budget of the Pod's namespace is about the Pod: one without a selector is about none. */
export function guards({ spec }: PodDisruptionBudget, { metadata }: Pod): boolean {
  const terms = labelSelectorTerms(spec?.selector);
  return terms !== undefined && matchesLabels(terms, metadata.labels);
}

const conditionOf = ({ disruptionsAllowed }: PodDisruptionBudgetStatus) =>
  disruptionsAllowed > 0
    ? ({ status: 'True', reason: 'SufficientPods' } as const)
    : ({ status: 'False', reason: 'InsufficientPods' } as const);

/** Whether the condition says what the numbers do. Follows component-helpers/apps/poddisruptionbudget, v1.33. */
export function isConditionUpToDate({ metadata, status }: PodDisruptionBudget): boolean {
  const found = status?.conditions?.find(({ type }) => type === TYPE);
  if (!status || !found || status.observedGeneration !== metadata.generation) return false;
  const wanted = conditionOf(status);
  return found.status === wanted.status && found.reason === wanted.reason;
}

/** The status with the condition that its numbers mean, or with `given`. `now` in ms. */
export function withDisruptionCondition(
  status: PodDisruptionBudgetStatus,
  now: number,
  given: Pick<Condition, 'status' | 'reason'> & { readonly message?: string } = conditionOf(status),
): PodDisruptionBudgetStatus {
  const { conditions = [], observedGeneration } = status;
  const old = conditions.find(({ type }) => type === TYPE);
  const next: Condition = {
    type: TYPE,
    message: '',
    ...given,
    ...(observedGeneration ? { observedGeneration } : {}),
    lastTransitionTime: old?.status === given.status ? old.lastTransitionTime : formatTime(now),
  };
  return { ...status, conditions: old ? conditions.map((one) => (one === old ? next : one)) : [...conditions, next] };
}
