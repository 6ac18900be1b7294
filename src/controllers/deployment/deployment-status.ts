import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
  ReplicaSetCondition,
} from '#api/generated/types.ts';
import { formatTime, parseTime } from '#base/clock.ts';
import { availableOf, maxUnavailable, replicasOf, sumOf } from './replicas.ts';

// Status and conditions of a Deployment. Follows pkg/controller/deployment sync.go and progress.go, v1.33.

const NO_DEADLINE = 2147483647;

/** Seconds without progress after which a rollout counts as stuck; undefined: never. */
export function progressDeadline({ spec: { progressDeadlineSeconds: seconds } }: Deployment): number | undefined {
  return seconds === NO_DEADLINE ? undefined : seconds;
}

export function deploymentCondition(
  status: DeploymentStatus | undefined,
  type: string,
): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** A condition that is there with the same status and reason stays as it is. `now` in ms. */
export function withCondition(
  status: DeploymentStatus,
  type: string,
  value: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  now: number,
): DeploymentStatus {
  const current = deploymentCondition(status, type);
  if (current?.status === value && current.reason === reason) return status;
  return withNewCondition(status, type, value, reason, message, now);
}

function withNewCondition(
  status: DeploymentStatus,
  type: string,
  value: string,
  reason: string,
  message: string,
  now: number,
): DeploymentStatus {
  const current = deploymentCondition(status, type);
  const time = formatTime(now);
  const lastTransitionTime = current?.status === value ? current.lastTransitionTime : time;
  return appended(status, { type, status: value, lastUpdateTime: time, lastTransitionTime, reason, message });
}

function appended(status: DeploymentStatus, condition: DeploymentCondition): DeploymentStatus {
  const others = status.conditions?.filter(({ type }) => type !== condition.type) ?? [];
  return { ...status, conditions: [...others, condition] };
}

function withoutCondition(status: DeploymentStatus, type: string): DeploymentStatus {
  if (!deploymentCondition(status, type)) return status;
  return { ...status, conditions: status.conditions?.filter((condition) => condition.type !== type) };
}

const countOf = (field: 'replicas' | 'readyReplicas') => (replicaSet: ReplicaSet) => replicaSet.status?.[field] ?? 0;

/** What the ReplicaSets add up to, and whether that is enough. */
export function deploymentStatus(
  deployment: Deployment,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
  now: number,
): DeploymentStatus {
  const all = newReplicaSet ? [...old, newReplicaSet] : old;
  const availableReplicas = sumOf(all, availableOf);
  const { collisionCount, conditions } = deployment.status ?? {};
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sumOf(all, countOf('replicas')),
    updatedReplicas: newReplicaSet?.status?.replicas ?? 0,
    readyReplicas: sumOf(all, countOf('readyReplicas')),
    availableReplicas,
    unavailableReplicas: Math.max(0, sumOf(all, replicasOf) - availableReplicas),
    ...(conditions ? { conditions } : {}),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };
  return availableReplicas >= replicasOf(deployment) - maxUnavailable(deployment)
    ? withCondition(
        status,
        'Available',
        'True',
        'MinimumReplicasAvailable',
        'Deployment has minimum availability.',
        now,
      )
    : withCondition(
        status,
        'Available',
        'False',
        'MinimumReplicasUnavailable',
        'Deployment does not have minimum availability.',
        now,
      );
}

/** The status during a rollout: whether it gets on, and what keeps it from doing so. */
export function rolloutStatus(
  deployment: Deployment,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
  now: number,
): DeploymentStatus {
  let status = deploymentStatus(deployment, newReplicaSet, old, now);
  if (progressDeadline(deployment) === undefined) status = withoutCondition(status, 'Progressing');
  else status = withProgress(deployment, newReplicaSet, status, now);
  const failure = replicaFailure(newReplicaSet ? [newReplicaSet, ...old] : old);
  if (!failure) return withoutCondition(status, 'ReplicaFailure');
  const current = deploymentCondition(status, failure.type);
  if (current?.status === failure.status && current.reason === failure.reason) return status;
  const { lastTransitionTime } = failure;
  return appended(status, {
    ...failure,
    lastUpdateTime: lastTransitionTime,
    lastTransitionTime: current?.status === failure.status ? current.lastTransitionTime : lastTransitionTime,
  });
}

function withProgress(
  deployment: Deployment,
  newReplicaSet: ReplicaSet | undefined,
  status: DeploymentStatus,
  now: number,
): DeploymentStatus {
  const current = deploymentCondition(deployment.status, 'Progressing');
  if (status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable') return status;
  const what = newReplicaSet
    ? `ReplicaSet "${newReplicaSet.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  if (isComplete(deployment, status)) {
    const message = `${what} has successfully progressed.`;
    return withCondition(status, 'Progressing', 'True', 'NewReplicaSetAvailable', message, now);
  }
  if (isProgressing(deployment.status ?? {}, status)) {
    // Also with the same reason: the time of the update is when there was progress last.
    return withNewCondition(status, 'Progressing', 'True', 'ReplicaSetUpdated', `${what} is progressing.`, now);
  }
  if (hasTimedOut(deployment, status, now)) {
    const message = `${what} has timed out progressing.`;
    return withCondition(status, 'Progressing', 'False', 'ProgressDeadlineExceeded', message, now);
  }
  return status;
}

/** Whether all that is wanted is new and available, and nothing else runs. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const updated = ({ updatedReplicas = 0 }: DeploymentStatus) => updatedReplicas;
  const outdated = (status: DeploymentStatus) => (status.replicas ?? 0) - updated(status);
  return (
    updated(after) > updated(before) ||
    outdated(after) < outdated(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
  const condition = deploymentCondition(status, 'Progressing');
  if (!condition || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return deadlineOf(deployment, condition) < now;
}

function deadlineOf(deployment: Deployment, { lastUpdateTime = '' }: DeploymentCondition): number {
  return parseTime(lastUpdateTime) + (progressDeadline(deployment) ?? 0) * 1000;
}

/** In how many ms a rollout that does not get on must be looked at again; undefined: it need not. */
export function progressCheckMs(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const current = deploymentCondition(deployment.status, 'Progressing');
  if (progressDeadline(deployment) === undefined || !current) return undefined;
  if (isComplete(deployment, status) || current.reason === 'ProgressDeadlineExceeded') return undefined;
  return Math.max(0, deadlineOf(deployment, current) - now) + 1000;
}

/** The new ReplicaSet's failure counts before those of old ones. */
function replicaFailure(newestFirst: readonly ReplicaSet[]): ReplicaSetCondition | undefined {
  for (const { status } of newestFirst) {
    const failure = status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    if (failure) return failure;
  }
  return undefined;
}

const COUNTS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'collisionCount',
] as const;

/** Whether nothing has to be written. */
export function isSameDeploymentStatus(a: DeploymentStatus | undefined, b: DeploymentStatus): boolean {
  return COUNTS.every((field) => (a?.[field] ?? 0) === (b[field] ?? 0)) && semanticEqual(a?.conditions, b.conditions);
}
