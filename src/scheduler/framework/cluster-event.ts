import { jsonEqual } from '#apimachinery/equal.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import type { Node, NodeCondition, Pod } from '#api/generated/types.ts';
import { podRequests } from '#api/core/v1/pod-resources.ts';

/**
 * What happened in the cluster that may make Pods schedulable. "AssignedPod" has a Node, "UnscheduledPod" has none.
 * Follows scheduler/framework/events.go, v1.33.
 */
export type ClusterEvent =
  | `Node/${NodeAction}`
  | `AssignedPod/${PodAction}`
  | `UnscheduledPod/${PodAction}`
  /** The scheduler itself asks for another try of everything that waits, or of one Pod. */
  | 'UnschedulableTimeout'
  | 'ForceActivate';

export type NodeAction =
  | 'Add'
  | 'Delete'
  | 'UpdateAllocatable'
  | 'UpdateLabel'
  | 'UpdateTaint'
  | 'UpdateCondition'
  | 'UpdateAnnotation';

export type PodAction =
  | 'Add'
  | 'Delete'
  | 'UpdateLabel'
  | 'UpdateScaleDown'
  | 'UpdateSchedulingGatesEliminated'
  | 'UpdateToleration'
  | 'UpdateOther';

/** Both kinds of Pods. */
export function podEvents(...actions: readonly PodAction[]): ClusterEvent[] {
  return actions.flatMap((action): ClusterEvent[] => [`AssignedPod/${action}`, `UnscheduledPod/${action}`]);
}

/** What a change of a Node means to scheduling. */
export function nodeChange(previous: Node, node: Node): ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const { spec: before, status: statusBefore, metadata: metaBefore } = previous;
  const { spec, status, metadata } = node;
  if (before.unschedulable && !spec.unschedulable) events.push('Node/UpdateTaint');
  if (!jsonEqual(statusBefore?.allocatable, status?.allocatable)) events.push('Node/UpdateAllocatable');
  if (!jsonEqual(metaBefore.labels, metadata.labels)) events.push('Node/UpdateLabel');
  if (!jsonEqual(before.taints, spec.taints)) events.push('Node/UpdateTaint');
  if (conditionStatuses(statusBefore?.conditions) !== conditionStatuses(status?.conditions))
    events.push('Node/UpdateCondition');
  if (!jsonEqual(metaBefore.annotations, metadata.annotations)) events.push('Node/UpdateAnnotation');
  return events;
}

function conditionStatuses(conditions: readonly NodeCondition[] = []): string {
  return conditions
    .map(({ type, status }) => `${type}=${status}`)
    .sort()
    .join();
}

/** What a change of a Pod means to scheduling. */
export function podChange(previous: Pod, pod: Pod): ClusterEvent[] {
  const actions: PodAction[] = [];
  if (!jsonEqual(previous.metadata.labels, pod.metadata.labels)) actions.push('UpdateLabel');
  if (previous.spec !== pod.spec) {
    if (isScaledDown(previous, pod)) actions.push('UpdateScaleDown');
    if (!pod.spec.schedulingGates?.length && previous.spec.schedulingGates?.length) {
      actions.push('UpdateSchedulingGatesEliminated');
    }
    if (previous.spec.tolerations?.length !== pod.spec.tolerations?.length) actions.push('UpdateToleration');
  }
  if (actions.length === 0) actions.push('UpdateOther');
  const who = pod.spec.nodeName ? 'AssignedPod' : 'UnscheduledPod';
  return actions.map((action): ClusterEvent => `${who}/${action}`);
}

function isScaledDown(previous: Pod, pod: Pod): boolean {
  const after = podRequests(pod);
  return Object.entries(podRequests(previous)).some(([name, before]) => {
    const now = after[name];
    return now === undefined || compareQuantities(before, now) > 0;
  });
}
