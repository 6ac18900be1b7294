import type { PodDisruptionBudget } from '#api/generated/types.ts';
import { withDisruptionCondition } from '#api/policy/v1/disruption-budget-status.ts';
import { podDisruptionBudgets } from '#api/policy/v1/pod-disruption-budget.ts';
import { forbidden, StatusError } from '#apimachinery/status-error.ts';
import type { ObjectStore, RequestContext } from '#apiserver/contract.ts';
import { formatTime } from '#base/clock.ts';

// What an eviction asks a PodDisruptionBudget. Follows eviction.go of pkg/registry/core/pod/storage, v1.33.

/** So many Pods may be on their way out that the controller has not seen going. */
const MAX_DISRUPTED = 2000;

function violates(cause: string, retryAfterSeconds?: number): StatusError {
  return new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** 429: the controller has not counted yet. */
export const tooManyRequests = (name: string): StatusError =>
  violates(`The disruption budget ${name} is still being processed by the server.`, 10);

/** Whether a Pod that is not ready may go without being counted. */
export function allowsMissing({ spec, status }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** Notes that the Pod goes, if the budget has that left. Throws 429 and 403. */
export async function takeDisruption(
  context: RequestContext,
  store: ObjectStore,
  budget: PodDisruptionBudget,
  pod: string,
  dryRun: boolean,
): Promise<void> {
  const { namespace, name = '' } = budget.metadata;
  const take = (current: PodDisruptionBudget): PodDisruptionBudget => taken(current, pod, context.now);
  if (dryRun) take(budget);
  else await store.update(context, podDisruptionBudgets, namespace, name, take, { subresource: 'status' });
}

function taken(budget: PodDisruptionBudget, pod: string, now: number): PodDisruptionBudget {
  const { metadata, status } = budget;
  const { name = '', generation = 0 } = metadata;
  if (!status || (status.observedGeneration ?? 0) < generation) throw tooManyRequests(name);
  const { disruptionsAllowed, disruptedPods = {}, desiredHealthy, currentHealthy } = status;
  const refused = (why: string) => forbidden({ group: 'policy', plural: 'poddisruptionbudget' }, name, why);
  if (disruptionsAllowed < 0) throw refused('pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > MAX_DISRUPTED)
    throw refused('DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (disruptionsAllowed === 0)
    throw violates(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    );
  const next = {
    ...status,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...disruptedPods, [pod]: formatTime(now) },
  };
  return { ...budget, status: next.disruptionsAllowed === 0 ? withDisruptionCondition(next, now) : next };
}
