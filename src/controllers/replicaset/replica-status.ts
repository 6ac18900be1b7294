import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import type { Pod, ReplicaSetCondition, ReplicaSetStatus } from '#api/generated/types.ts';
import { isPodReady } from '#api/core/v1/pod-status.ts';
import { formatTime } from '#base/clock.ts';
import { isPodAvailable } from '../pod-control.ts';
import type { Replicated } from './replicated.ts';

/** What went wrong when Pods were created or deleted. */
export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/**
 * The status that an owner of active Pods has. The generation is that of `owner`, which was acted on. Follows
 * calculateStatus of pkg/controller/replicaset, v1.33. `now` in ms.
 */
export function replicaStatus(
  owner: Replicated,
  active: readonly Pod[],
  failure: ReplicaFailure | undefined,
  now: number,
): ReplicaSetStatus {
  const { template, minReadySeconds = 0 } = owner.spec ?? {};
  const wanted = template?.metadata?.labels ?? {};
  const keys = Object.keys(wanted);
  let fullyLabeledReplicas = 0;
  let readyReplicas = 0;
  let availableReplicas = 0;
  for (const pod of active) {
    const { labels = {} } = pod.metadata;
    // Pods that nobody relabelled share their labels with the template.
    if (labels === wanted || keys.every((key) => Object.hasOwn(labels, key) && labels[key] === wanted[key])) {
      fullyLabeledReplicas++;
    }
    if (!isPodReady(pod)) continue;
    readyReplicas++;
    if (isPodAvailable(pod, minReadySeconds, now)) availableReplicas++;
  }
  const { conditions, ...rest } = owner.status ?? {};
  const next = withFailure(conditions, failure, now);
  return {
    ...rest,
    replicas: active.length,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    observedGeneration: owner.metadata.generation ?? 0,
    ...(next?.length ? { conditions: next } : {}),
  };
}

const FAILURE = 'ReplicaFailure';

function withFailure(
  conditions: readonly ReplicaSetCondition[] | undefined,
  failure: ReplicaFailure | undefined,
  now: number,
): readonly ReplicaSetCondition[] | undefined {
  const has = conditions?.some(({ type }) => type === FAILURE) === true;
  if (!failure) return has ? conditions?.filter(({ type }) => type !== FAILURE) : conditions;
  if (has) return conditions;
  return [...(conditions ?? []), { type: FAILURE, status: 'True', lastTransitionTime: formatTime(now), ...failure }];
}

const COUNTS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'observedGeneration',
] as const;

/** Whether nothing has to be written. */
export function isSameStatus(a: Partial<ReplicaSetStatus> | undefined, b: ReplicaSetStatus): boolean {
  return COUNTS.every((field) => (a?.[field] ?? 0) === (b[field] ?? 0)) && semanticEqual(a?.conditions, b.conditions);
}
