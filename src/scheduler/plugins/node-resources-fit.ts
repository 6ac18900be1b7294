import type { Node, Pod } from '#api/generated/types.ts';
import { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { MAX_NODE_SCORE, type Plugin } from '../framework/plugin.ts';
import { unschedulable } from '../framework/status.ts';
import { nodeAllocatable, podResources } from '../resources.ts';

const NOTHING: readonly string[] = [];

/**
 * What a Node has too little of for a Pod, as its condition says it. Follows fitsRequest of
 * plugins/noderesources/fit.go, v1.33.
 */
export function insufficientResources(
  { requests }: PodInfo,
  { pods, allowedPods, allocatable, requested }: NodeInfo,
): readonly string[] {
  if (
    !requests.scalars &&
    pods.size < allowedPods &&
    requests.milliCPU <= Math.max(0, allocatable.milliCPU - requested.milliCPU) &&
    requests.memory <= Math.max(0, allocatable.memory - requested.memory) &&
    requests.ephemeralStorage <= Math.max(0, allocatable.ephemeralStorage - requested.ephemeralStorage)
  )
    return NOTHING;
  const reasons: string[] = [];
  if (pods.size + 1 > allowedPods) reasons.push('Too many pods');
  if (requests.milliCPU > 0 && requests.milliCPU > allocatable.milliCPU - requested.milliCPU)
    reasons.push('Insufficient cpu');
  if (requests.memory > 0 && requests.memory > allocatable.memory - requested.memory)
    reasons.push('Insufficient memory');
  if (
    requests.ephemeralStorage > 0 &&
    requests.ephemeralStorage > allocatable.ephemeralStorage - requested.ephemeralStorage
  ) {
    reasons.push('Insufficient ephemeral-storage');
  }
  for (const [name, amount] of requests.scalars ?? []) {
    const free = (allocatable.scalars?.get(name) ?? 0) - (requested.scalars?.get(name) ?? 0);
    if (amount > 0 && amount > free) reasons.push(`Insufficient ${name}`);
  }
  return reasons;
}

/** Turns down Nodes without enough left for the Pod's requests; prefers those with the most left (LeastAllocated). */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  events: [
    {
      on: ['AssignedPod/Delete', 'UnscheduledPod/Delete'],
      helps: (_, previous) => isPlaced(previous as Pod),
    },
    {
      on: ['AssignedPod/UpdateScaleDown', 'UnscheduledPod/UpdateScaleDown'],
      helps: (pod, previous, next) => next?.metadata.uid === pod.uid || givesBack(previous as Pod, next as Pod, pod),
    },
    {
      on: ['Node/Add', 'Node/UpdateAllocatable'],
      helps(pod, previous, next) {
        const empty = new NodeInfo('');
        empty.setNode(next as Node);
        if (insufficientResources(pod, empty).length > 0) return false;
        return !previous || hasGrown(previous as Node, next as Node, pod);
      },
    },
  ],
  filter(_, pod, node) {
    const reasons = insufficientResources(pod, node);
    return reasons.length > 0 ? unschedulable(...reasons) : undefined;
  },
  score(_, { countedRequests }, { allocatable, counted }) {
    const cpu = free(counted.milliCPU + countedRequests.milliCPU, allocatable.milliCPU);
    const memory = free(counted.memory + countedRequests.memory, allocatable.memory);
    const kinds = (allocatable.milliCPU > 0 ? 1 : 0) + (allocatable.memory > 0 ? 1 : 0);
    return kinds === 0 ? 0 : Math.floor((cpu + memory) / kinds);
  },
};

function free(requested: number, capacity: number): number {
  return capacity === 0 || requested > capacity ? 0 : Math.floor(((capacity - requested) * MAX_NODE_SCORE) / capacity);
}

function isPlaced({ spec, status }: Pod): boolean {
  return !!spec.nodeName || !!status?.nominatedNodeName;
}

function givesBack(previous: Pod, next: Pod, { requests }: PodInfo): boolean {
  if (!next.spec.nodeName) return false;
  const before = podResources(previous);
  const after = podResources(next);
  return (
    (requests.milliCPU > 0 && before.milliCPU > after.milliCPU) ||
    (requests.memory > 0 && before.memory > after.memory) ||
    (requests.ephemeralStorage > 0 && before.ephemeralStorage > after.ephemeralStorage) ||
    [...(requests.scalars ?? [])].some(
      ([name, amount]) => amount > 0 && (before.scalars?.get(name) ?? 0) > (after.scalars?.get(name) ?? 0),
    )
  );
}

function hasGrown(previous: Node, next: Node, { requests }: PodInfo): boolean {
  const { resources: before, pods: podsBefore } = nodeAllocatable(previous);
  const { resources: after, pods } = nodeAllocatable(next);
  return (
    pods > podsBefore ||
    (requests.milliCPU > 0 && after.milliCPU > before.milliCPU) ||
    (requests.memory > 0 && after.memory > before.memory) ||
    (requests.ephemeralStorage > 0 && after.ephemeralStorage > before.ephemeralStorage) ||
    [...(requests.scalars ?? [])].some(
      ([name, amount]) => amount > 0 && (after.scalars?.get(name) ?? 0) > (before.scalars?.get(name) ?? 0),
    )
  );
}
