import { isPodReady } from '#api/core/v1/pod-status.ts';
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/generated/types.ts';
import { isConditionUpToDate, withDisruptionCondition } from '#api/policy/v1/disruption-budget-status.ts';
import { scaledValue } from '#apimachinery/int-or-string.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { parseTime } from '#base/clock.ts';

/** A Pod that an eviction has noted is counted as gone for so long, ms. */
export const DELETION_TIMEOUT_MS = 120_000;

/** How many Pods there should be, and what that says of the budget. */
export interface Expected {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/** Whether the budget is about a share of what the Pods' controllers want. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean =>
  spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';

/** `scale`: what the Pods' controllers want in all. */
export function expectedOf({ spec }: PodDisruptionBudget, pods: readonly Pod[], scale: number): Expected {
  const { maxUnavailable, minAvailable } = spec ?? {};
  if (maxUnavailable !== undefined) {
    const missing = scaledValue(maxUnavailable, scale, 'up');
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - missing) };
  }
  if (typeof minAvailable === 'string')
    return { expectedPods: scale, desiredHealthy: scaledValue(minAvailable, scale, 'up') };
  if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  return { expectedPods: pods.length, desiredHealthy: minAvailable };
}

export interface BudgetPlan {
  /** Undefined: it is right as it is. */
  readonly status?: PodDisruptionBudgetStatus;
  /** Pods that should have gone and did not. */
  readonly notDeleted: readonly Pod[];
  readonly recheckAfterMs?: number;
}

/** What a budget's status should be. Follows trySync of pkg/controller/disruption, v1.33. */
export function planBudget(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  { expectedPods, desiredHealthy }: Expected,
  now: number,
): BudgetPlan {
  const { status: before, metadata } = budget;
  const noted = before?.disruptedPods ?? {};
  const disrupted: [string, string][] = [];
  const notDeleted: Pod[] = [];
  let recheckAfterMs: number | undefined;
  let currentHealthy = 0;
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    if (deletionTimestamp) continue;
    const time = Object.hasOwn(noted, name) ? noted[name] : undefined;
    if (time !== undefined) {
      const left = parseTime(time) + DELETION_TIMEOUT_MS - now;
      if (left < 0) notDeleted.push(pod);
      else {
        disrupted.push([name, time]);
        recheckAfterMs = Math.min(left, recheckAfterMs ?? left);
        if (left > 0) continue;
      }
    }
    if (isPodReady(pod)) currentHealthy++;
  }
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const disruptedPods = Object.fromEntries(disrupted);
  const isRight =
    before?.currentHealthy === currentHealthy &&
    before.desiredHealthy === desiredHealthy &&
    before.expectedPods === expectedPods &&
    before.disruptionsAllowed === disruptionsAllowed &&
    semanticEqual(noted, disruptedPods) &&
    before.observedGeneration === metadata.generation &&
    isConditionUpToDate(budget);
  const status = {
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed,
    ...(disrupted.length > 0 ? { disruptedPods } : {}),
    observedGeneration: metadata.generation,
    conditions: before?.conditions,
  };
  return { notDeleted, recheckAfterMs, ...(isRight ? {} : { status: withDisruptionCondition(status, now) }) };
}
