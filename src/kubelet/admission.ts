import { matchesNodeAffinity } from '#api/core/v1/node-affinity.ts';
import { addResources, podRequests } from '#api/core/v1/pod-resources.ts';
import { allContainers } from '#api/core/v1/pod-status.ts';
import { isExtendedResource } from '#api/core/v1/resource-names.ts';
import { findUntoleratedTaint } from '#api/core/v1/toleration.ts';
import type { Node, Pod } from '#api/generated/types.ts';
import { parseQuantity } from '#apimachinery/quantity.ts';
import { isStaticPod } from './static-pod.ts';

/** Why a node does not take a Pod. */
export interface Rejection {
  /** `OutOfcpu`, `NodeAffinity` … */
  readonly reason: string;
  readonly message: string;
}

/**
 * Whether the node takes a Pod beside those that it has; undefined if so. Follows pkg/kubelet/lifecycle/predicate.go and
 * AdmissionCheck of pkg/scheduler, v1.33. Pure.
 */
export function admitPod(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const os = pod.metadata.labels?.['kubernetes.io/os'];
  if (os !== undefined && os !== 'linux') {
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  }
  if (pod.spec.os && pod.spec.os.name !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  return insufficientResource(pod, node, others) ?? failedPredicate(pod, node, others);
}

function insufficientResource(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const pods = Number(allocatable.pods ?? 0);
  if (others.length + 1 > pods) return outOf('pods', 1, others.length, pods);
  const requests = podRequests(pod);
  const names = Object.keys(requests).filter((name) => parseQuantity(requests[name] as string).nanos > 0n);
  if (names.length === 0) return undefined;
  let used: Readonly<Record<string, string>> = {};
  for (const other of others) used = addResources(used, podRequests(other));
  for (const name of ['cpu', 'memory', 'ephemeral-storage', ...names.filter(isExtendedResource)]) {
    if (!names.includes(name) || (isExtendedResource(name) && allocatable[name] === undefined)) continue;
    const unit = name === 'cpu' ? 1_000_000n : 1_000_000_000n;
    const amount = (text: string | undefined) => Number((parseQuantity(text ?? '0').nanos + unit - 1n) / unit);
    const [requested, taken, capacity] = [amount(requests[name]), amount(used[name]), amount(allocatable[name])];
    if (requested > capacity - taken) return outOf(name, requested, taken, capacity);
  }
  return undefined;
}

function outOf(name: string, requested: number, used: number, capacity: number): Rejection {
  return {
    reason: `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

function failedPredicate(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const failed = (reason: string, why: string) => ({ reason, message: `Predicate ${reason} failed: ${why}` });
  if (!matchesNodeAffinity(pod, node))
    return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (pod.spec.nodeName && pod.spec.nodeName !== node.metadata.name)
    return failed('NodeName', "node(s) didn't match the requested node name");
  const wanted = hostPorts(pod);
  if (wanted.length > 0) {
    const taken = new Set(others.flatMap(hostPorts));
    if (wanted.some((port) => taken.has(port)))
      return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  }
  if (isStaticPod(pod)) return undefined;
  const taint = findUntoleratedTaint(node.spec?.taints, pod.spec.tolerations, ['NoExecute']);
  return taint && failed('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
}

function hostPorts(pod: Pod): string[] {
  return allContainers(pod).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP', hostIP = '' }) =>
      hostPort ? [`${hostIP} ${protocol} ${hostPort}`] : [],
    ),
  );
}
