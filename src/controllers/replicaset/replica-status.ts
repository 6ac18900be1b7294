import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import type { Pod, ReplicaSetCondition, ReplicaSetStatus } from '#api/generated/types.ts';
import { isPodReady } from '#api/core/v1/pod-status.ts';
import { formatTime } from '#base/clock.ts';
import { isPodAvailable } from '../pod-control.ts';
import type { PodCount } from './pod-tally.ts';
import type { Replicated } from './replicated.ts';

/** What went wrong when Pods were created or deleted. */
export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** What there is of an owner's active Pods. */
export interface ReplicaCounts {
  readonly replicas: number;
  readonly fullyLabeledReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
}

type Labels = Readonly<Record<string, string>>;

function hasTemplateLabels({ spec }: Replicated, labels: Labels): boolean {
  const wanted = spec?.template?.metadata?.labels ?? {};
  // Pods that nobody relabelled share their labels with the template.
  return (
    labels === wanted || Object.keys(wanted).every((key) => Object.hasOwn(labels, key) && labels[key] === wanted[key])
  );
}

/** Counts Pods one by one. `now` in ms. */
export function countPods(owner: Replicated, active: readonly Pod[], now: number): ReplicaCounts {
  const counts = { replicas: active.length, fullyLabeledReplicas: 0, readyReplicas: 0, availableReplicas: 0 };
  for (const pod of active) {
    if (hasTemplateLabels(owner, pod.metadata.labels ?? {})) counts.fullyLabeledReplicas++;
    if (!isPodReady(pod)) continue;
    counts.readyReplicas++;
    if (isPodAvailable(pod, owner.spec?.minReadySeconds ?? 0, now)) counts.availableReplicas++;
  }
  return counts;
}

/** What a tally has counted, for an owner whose Pods are available once they are ready. */
export function countTallied(owner: Replicated, groups: ReadonlyMap<Labels, PodCount>): ReplicaCounts {
  const counts = { replicas: 0, fullyLabeledReplicas: 0, readyReplicas: 0, availableReplicas: 0 };
  for (const [labels, { active, ready }] of groups) {
    counts.replicas += active;
    counts.readyReplicas += ready;
    counts.availableReplicas += ready;
    if (hasTemplateLabels(owner, labels)) counts.fullyLabeledReplicas += active;
  }
  return counts;
}

/** The status of an owner. The generation is that of `owner`, which was acted on. Follows calculateStatus of pkg/controller/replicaset, v1.33. */
export function replicaStatus(
  owner: Replicated,
  counts: ReplicaCounts,
  failure: ReplicaFailure | undefined,
  now: number,
): ReplicaSetStatus {
  const { conditions, ...rest } = owner.status ?? {};
  const next = withFailure(conditions, failure, now);
  return {
    ...rest,
    ...counts,
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
