import type { Deployment, ReplicaSet } from '#api/generated/types.ts';
import { availableOf, isActive, maxSurge, maxUnavailable, replicasOf, sumOf } from './replicas.ts';
import { byCreation, byRevision, DESIRED_REPLICAS, MAX_REPLICAS } from './revision.ts';

// What a Deployment does with its ReplicaSets. Follows pkg/controller/deployment rolling.go and sync.go, v1.33.

/** One ReplicaSet gets so many replicas. */
export interface Scaling {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

/** How many replicas the new ReplicaSet gets: as many as the surge allows. */
export function newReplicas(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const wanted = replicasOf(deployment);
  if (deployment.spec.strategy?.type !== 'RollingUpdate') return wanted;
  const room = wanted + maxSurge(deployment) - sumOf(all, replicasOf);
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** The next step of a rolling update: the new ReplicaSet up or, when it cannot, old ones down. Nothing: wait, or done. */
export function planRolling(
  deployment: Deployment,
  newReplicaSet: ReplicaSet,
  old: readonly ReplicaSet[],
): readonly Scaling[] {
  const all = [...old, newReplicaSet];
  const wanted = replicasOf(deployment);
  const current = replicasOf(newReplicaSet);
  const replicas = current > wanted ? wanted : newReplicas(deployment, all, current);
  if (replicas !== current) return [{ replicaSet: newReplicaSet, replicas }];
  return planScaleDown(deployment, newReplicaSet, old.filter(isActive).toSorted(byCreation));
}

/** First the replicas that are no use to anybody, then as many as are not needed for availability. */
function planScaleDown(deployment: Deployment, newReplicaSet: ReplicaSet, old: readonly ReplicaSet[]): Scaling[] {
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment);
  const newUnavailable = replicasOf(newReplicaSet) - availableOf(newReplicaSet);
  const most = sumOf([...old, newReplicaSet], replicasOf) - minAvailable - newUnavailable;
  if (old.length === 0 || most <= 0) return [];
  const plan: Scaling[] = [];
  const sizes = new Map(old.map((replicaSet) => [replicaSet, replicasOf(replicaSet)]));
  const shrink = (replicaSet: ReplicaSet, by: number) => {
    const replicas = (sizes.get(replicaSet) ?? 0) - by;
    sizes.set(replicaSet, replicas);
    plan.push({ replicaSet, replicas });
  };
  let unhealthy = most;
  for (const replicaSet of old) {
    const by = Math.min(unhealthy, replicasOf(replicaSet) - availableOf(replicaSet));
    if (by <= 0) continue;
    shrink(replicaSet, by);
    unhealthy -= by;
  }
  let surplus = sumOf([...old, newReplicaSet], availableOf) - minAvailable;
  for (const replicaSet of old) {
    const by = Math.min(surplus, sizes.get(replicaSet) ?? 0);
    if (by <= 0) continue;
    shrink(replicaSet, by);
    surplus -= by;
  }
  return plan;
}

/** Whether the Deployment's size was changed since its ReplicaSets were last sized. */
export function isScalingEvent(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return all.some((replicaSet) => {
    const desired = annotatedNumber(replicaSet, DESIRED_REPLICAS);
    return isActive(replicaSet) && desired !== undefined && desired !== replicasOf(deployment);
  });
}

/** A scaling outside of the rollout: the only active ReplicaSet takes all of it, several share it by their sizes. */
export function planScaling(
  deployment: Deployment,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): readonly Scaling[] {
  const wanted = replicasOf(deployment);
  const all = newReplicaSet ? [...old, newReplicaSet] : old;
  const active = all.filter(isActive);
  if (active.length <= 1) {
    const only = active[0] ?? newReplicaSet ?? old.toSorted(byCreation).at(-1);
    return only && replicasOf(only) !== wanted ? [{ replicaSet: only, replicas: wanted }] : [];
  }
  if (newReplicaSet && isSaturated(deployment, newReplicaSet)) {
    return old.filter(isActive).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  }
  if (deployment.spec.strategy?.type !== 'RollingUpdate') return [];
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0;
  return shares(deployment, active, allowed - sumOf(active, replicasOf));
}

/** Whether the new ReplicaSet has all Pods that the Deployment wants, available. */
function isSaturated(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return (
    replicasOf(replicaSet) === wanted &&
    annotatedNumber(replicaSet, DESIRED_REPLICAS) === wanted &&
    availableOf(replicaSet) === wanted
  );
}

/** Larger ReplicaSets first; of the same size the newer gain first and the older lose first. */
function shares(deployment: Deployment, active: readonly ReplicaSet[], toAdd: number): Scaling[] {
  const age = toAdd > 0 ? -1 : 1;
  const sorted =
    toAdd === 0 ? active : active.toSorted((a, b) => replicasOf(b) - replicasOf(a) || age * byCreation(a, b));
  let added = 0;
  const plan = sorted.map((replicaSet) => {
    const share = toAdd === 0 ? 0 : fraction(deployment, replicaSet);
    const left = toAdd - added;
    const by = toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
    added += by;
    return { replicaSet, replicas: replicasOf(replicaSet) + by };
  });
  const [largest] = plan;
  return largest && toAdd !== 0
    ? plan.with(0, { ...largest, replicas: Math.max(0, largest.replicas + toAdd - added) })
    : plan;
}

/** What a ReplicaSet gains (or loses) when it keeps its part of the whole. */
function fraction(deployment: Deployment, replicaSet: ReplicaSet): number {
  const size = replicasOf(replicaSet);
  const wanted = replicasOf(deployment);
  if (wanted === 0) return -size;
  const before = annotatedNumber(replicaSet, MAX_REPLICAS) || (deployment.status?.replicas ?? 0);
  return before === 0 ? 0 : Math.round((size * (wanted + maxSurge(deployment))) / before) - size;
}

function annotatedNumber({ metadata: { annotations } }: ReplicaSet, key: string): number | undefined {
  const text = annotations?.[key] ?? '';
  return /^\d+$/.test(text) && Number(text) <= 2147483647 ? Number(text) : undefined;
}

const KEEP_ALL = 2147483647;

/** Old ReplicaSets beyond the limit of the history, those of the lowest revisions. */
export function planCleanup(deployment: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const { revisionHistoryLimit: limit = KEEP_ALL } = deployment.spec;
  if (limit === KEEP_ALL) return [];
  const alive = old.filter(({ metadata }) => !metadata.deletionTimestamp);
  return alive
    .toSorted(byRevision)
    .slice(0, Math.max(0, alive.length - limit))
    .filter(({ metadata, spec, status }) => {
      const isObserved = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
      return !status?.replicas && spec.replicas === 0 && isObserved;
    });
}
