import type { Pod } from '#api/generated/types.ts';
import { isPodReady, isRestartableInitContainer, podCondition } from '#api/core/v1/pod-status.ts';
import { podDeletionCost } from '#api/core/v1/pod-validation-annotations.ts';
import { parseTime } from '#base/clock.ts';
import { isPodActive } from '../pod-control.ts';

/** So many Pods are created or deleted at one go. */
export const BURST_REPLICAS = 500;

export interface ReplicaPlan {
  readonly create: number;
  readonly delete: number;
}

/** What makes as many Pods as are wanted out of those that are active. Follows manageReplicas of pkg/controller/replicaset, v1.33. */
export function planReplicas(active: number, wanted: number): ReplicaPlan {
  return {
    create: Math.min(Math.max(0, wanted - active), BURST_REPLICAS),
    delete: Math.min(Math.max(0, active - wanted), BURST_REPLICAS),
  };
}

/**
 * So many of the active Pods, those that will be missed least. `related` are the Pods of all ReplicaSets with the same
 * owner: of Pods that are equal otherwise those go first that have most of them on their node. `now` in ms.
 */
export function podsToDelete(
  active: readonly Pod[],
  count: number,
  related: () => readonly Pod[],
  now: number,
): readonly Pod[] {
  return count < active.length ? leastWorthy(active, related(), now).slice(0, count) : active;
}

interface Ranked {
  readonly pod: Pod;
  readonly phase: number;
  readonly ready: boolean;
  readonly cost: number;
  /** Related Pods on the same node. */
  readonly rank: number;
  /** NaN when not known. */
  readonly readySince: number;
  readonly restarts: number;
  readonly sidecarRestarts: number;
  readonly created: number;
}

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** The Pods, those that may be deleted first in front. Follows ActivePodsWithRanks of controller_utils.go, v1.33. */
function leastWorthy(active: readonly Pod[], related: readonly Pod[], now: number): Pod[] {
  const onNode = new Map<string, number>();
  for (const pod of related) {
    const { nodeName = '' } = pod.spec;
    if (isPodActive(pod)) onNode.set(nodeName, (onNode.get(nodeName) ?? 0) + 1);
  }
  const ranked = active.map((pod): Ranked => {
    const { metadata, spec, status = {} } = pod;
    const ready = isPodReady(pod);
    const sidecars = new Set(spec.initContainers?.filter(isRestartableInitContainer).map(({ name }) => name));
    return {
      pod,
      phase: PHASES[status.phase ?? ''] ?? 0,
      ready,
      cost: podDeletionCost(metadata.annotations) ?? 0,
      rank: onNode.get(spec.nodeName ?? '') ?? 0,
      readySince: ready ? timeOf(podCondition(pod, 'Ready')?.lastTransitionTime) : Number.NaN,
      restarts: maxRestarts(status.containerStatuses),
      sidecarRestarts: maxRestarts(status.initContainerStatuses?.filter(({ name }) => sidecars.has(name))),
      created: timeOf(metadata.creationTimestamp),
    };
  });
  return ranked.sort((a, b) => compare(a, b, now)).map(({ pod }) => pod);
}

const timeOf = (text: string | undefined): number => (text ? parseTime(text) : Number.NaN);
const maxRestarts = (statuses: readonly { readonly restartCount: number }[] | undefined): number =>
  Math.max(0, ...(statuses ?? []).map(({ restartCount }) => restartCount));

function compare(a: Ranked, b: Ranked, now: number): number {
  const boundA = Boolean(a.pod.spec.nodeName);
  const boundB = Boolean(b.pod.spec.nodeName);
  if (boundA !== boundB) return boundA ? 1 : -1;
  if (a.phase !== b.phase) return a.phase - b.phase;
  if (a.ready !== b.ready) return a.ready ? 1 : -1;
  if (a.cost !== b.cost) return a.cost - b.cost;
  if (a.rank !== b.rank) return b.rank - a.rank;
  if (a.ready && a.readySince !== b.readySince && !(Number.isNaN(a.readySince) && Number.isNaN(b.readySince))) {
    return byAge(a, b, a.readySince, b.readySince, now);
  }
  if (a.restarts !== b.restarts) return b.restarts - a.restarts;
  if (a.sidecarRestarts !== b.sidecarRestarts) return b.sidecarRestarts - a.sidecarRestarts;
  return a.created === b.created ? 0 : byAge(a, b, a.created, b.created, now);
}

/** The younger goes first, where ages of the same order of magnitude are as good as equal and the uid decides. */
function byAge(a: Ranked, b: Ranked, sinceA: number, sinceB: number, now: number): number {
  if (Number.isNaN(sinceA) || Number.isNaN(sinceB)) return Number.isNaN(sinceA) ? -1 : 1;
  const difference = magnitude(now - sinceA) - magnitude(now - sinceB);
  if (difference !== 0) return difference;
  const { uid: uidA = '' } = a.pod.metadata;
  const { uid: uidB = '' } = b.pod.metadata;
  return uidA < uidB ? -1 : uidA > uidB ? 1 : 0;
}

/** The logarithm to base two of nanoseconds, rounded down; -1 for none. */
function magnitude(ms: number): number {
  const ns = ms * 1e6;
  if (ns < 1) return -1;
  let exponent = 0;
  for (let power = 2; power <= ns; power *= 2) exponent++;
  return exponent;
}
