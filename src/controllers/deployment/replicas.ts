import { scaledValue } from '#apimachinery/int-or-string.ts';
import type { Deployment, ReplicaSet } from '#api/generated/types.ts';

// The numbers of a Deployment. Follows pkg/controller/deployment/util, v1.33.

export const replicasOf = ({ spec }: Deployment | ReplicaSet): number => spec.replicas ?? 1;
export const isActive = (replicaSet: ReplicaSet): boolean => replicasOf(replicaSet) > 0;
export const availableOf = ({ status }: ReplicaSet): number => status?.availableReplicas ?? 0;

export function sumOf(replicaSets: readonly ReplicaSet[], count: (replicaSet: ReplicaSet) => number): number {
  return replicaSets.reduce((sum, replicaSet) => sum + count(replicaSet), 0);
}

/** Surge is rounded up and unavailability down; when both come to nothing, one may be unavailable. */
function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const { type, rollingUpdate } = deployment.spec.strategy ?? {};
  if (type !== 'RollingUpdate') return { surge: 0, unavailable: 0 };
  const surge = scaledValue(rollingUpdate?.maxSurge, replicasOf(deployment), 'up');
  const unavailable = scaledValue(rollingUpdate?.maxUnavailable, replicasOf(deployment), 'down');
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

/** How many Pods there may be beyond the wanted number. */
export const maxSurge = (deployment: Deployment): number => fenceposts(deployment).surge;

/** How many Pods of the wanted number may be unavailable. */
export function maxUnavailable(deployment: Deployment): number {
  return Math.min(fenceposts(deployment).unavailable, replicasOf(deployment));
}
