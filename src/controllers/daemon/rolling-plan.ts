import { scaledValue } from '#apimachinery/int-or-string.ts';
import type { DaemonSet, Pod } from '#api/generated/types.ts';
import { ReconcileError } from '../define-controller.ts';
import { isPodAvailable } from '../pod-control.ts';
import { isPodUpdated } from './daemon-pod.ts';
import type { DaemonNode, DaemonTerms } from './node-plan.ts';

/** Pods that make way for newer ones, and Nodes that get one beside the older. */
export interface RollingPlan {
  readonly delete: readonly Pod[];
  readonly create: readonly string[];
}

/** How many Pods there may be beyond one for each of `nodes` Nodes. */
export function surgeCount({ spec: { updateStrategy } }: DaemonSet, nodes: number): number {
  if (updateStrategy?.type !== 'RollingUpdate') return 0;
  return scaledValue(updateStrategy.rollingUpdate?.maxSurge, nodes, 'up');
}

function unavailableCount({ spec: { updateStrategy } }: DaemonSet, nodes: number): number {
  if (updateStrategy?.type !== 'RollingUpdate') return 0;
  return scaledValue(updateStrategy.rollingUpdate?.maxUnavailable, nodes, 'up');
}

/** Follows rollingUpdate of pkg/controller/daemon/update.go, v1.33. `nodes`: those with Pods and those that want one. */
export function planRolling(
  daemonSet: DaemonSet,
  nodes: Iterable<DaemonNode>,
  desired: number,
  terms: DaemonTerms,
): RollingPlan {
  const surge = surgeCount(daemonSet, desired);
  if (surge > 0) return planSurge(nodes, desired, surge, terms);
  const unavailable = unavailableCount(daemonSet, desired);
  // What admits neither is taken as the default.
  return planReplacement(nodes, desired > 0 && unavailable === 0 ? 1 : unavailable, terms);
}

interface OldAndNew {
  readonly old: Pod | undefined;
  readonly new: Pod | undefined;
}

/** Undefined: there are several of a sort, which is to be put right first. */
function oldAndNew({ pods }: DaemonNode, { hash, generation }: DaemonTerms): OldAndNew | undefined {
  const live = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
  const updated = live.filter((pod) => isPodUpdated(pod, hash, generation));
  if (updated.length > 1 || live.length - updated.length > 1) return undefined;
  return { new: updated[0], old: live.find((pod) => pod !== updated[0]) };
}

/** Deletes as many old Pods as may be unavailable; the Nodes get new ones because they have none. */
function planReplacement(nodes: Iterable<DaemonNode>, maxUnavailable: number, terms: DaemonTerms): RollingPlan {
  const isAvailable = (pod: Pod) => isPodAvailable(pod, terms.minReadySeconds, terms.now);
  const replaced: Pod[] = [];
  const candidates: Pod[] = [];
  let unavailable = 0;
  for (const node of nodes) {
    const found = oldAndNew(node, terms);
    if (!found || !found.old === !found.new) unavailable++;
    else if (found.new) {
      if (!isAvailable(found.new)) unavailable++;
    } else if (found.old) {
      if (isAvailable(found.old)) {
        if (unavailable < maxUnavailable) candidates.push(found.old);
        continue;
      }
      replaced.push(found.old);
      unavailable++;
    }
  }
  return { create: [], delete: [...replaced, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

/** Creates new Pods beside old ones, which go when the new ones are available. */
function planSurge(nodes: Iterable<DaemonNode>, desired: number, maxSurge: number, terms: DaemonTerms): RollingPlan {
  const isAvailable = (pod: Pod) => isPodAvailable(pod, terms.minReadySeconds, terms.now);
  const doomed: Pod[] = [];
  const unwanted: Pod[] = [];
  const wanted: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  let available = 0;
  for (const node of nodes) {
    const found = oldAndNew(node, terms);
    if (!found) {
      surging++;
      continue;
    }
    const counted = found.old ?? found.new;
    if (counted && isAvailable(counted)) available++;
    if (!found.old) continue;
    if (found.new) {
      if (isAvailable(found.new)) doomed.push(found.old);
      else surging++;
      continue;
    }
    if (!node.fit) {
      throw new ReconcileError(`couldn't get node for nodeName "${node.name}": node "${node.name}" not found`);
    }
    if (!isAvailable(found.old)) {
      if (node.fit.run) wanted.push(node.name);
      else doomed.push(found.old);
    } else if (!node.fit.run) unwanted.push(found.old);
    else if (surging < maxSurge) candidates.push(node.name);
  }
  // Where Pods are wanted no longer, they stay until they are available where they are wanted.
  return {
    delete: [...doomed, ...unwanted.slice(0, Math.max(0, available - desired))],
    create: [...wanted, ...candidates.slice(0, Math.max(0, maxSurge - surging))],
  };
}
