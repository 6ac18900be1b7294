import { matchesNodeAffinity } from '#api/core/v1/node-affinity.ts';
import { podRequests } from '#api/core/v1/pod-resources.ts';
import { isExtendedResource } from '#api/core/v1/resource-names.ts';
import { findUntoleratedTaint } from '#api/core/v1/toleration.ts';
import type { Node, Pod } from '#api/generated/types.ts';
import { amountOf, amountsOf, hostPorts, type NodeUsage } from './node-usage.ts';
import { isStaticPod } from './static-pod.ts';

/** Why a node does not take a Pod. */
export interface Rejection {
  /** `OutOfcpu`, `NodeAffinity` … */
  readonly reason: string;
  readonly message: string;
}

/**
 * Whether the node takes a Pod beside what it has; undefined if so. Follows pkg/kubelet/lifecycle/predicate.go and
 * AdmissionCheck of pkg/scheduler, v1.33. Pure.
 */
export function admitPod(pod: Pod, node: Node, usage: NodeUsage): Rejection | undefined {
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
  return insufficientResource(pod, node, usage) ?? failedPredicate(pod, node, usage);
}

function insufficientResource(pod: Pod, node: Node, usage: NodeUsage): Rejection | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const pods = Number(allocatable.pods ?? 0);
  if (usage.pods + 1 > pods) return outOf('pods', 1, usage.pods, pods);
  const requests = amountsOf(podRequests(pod));
  for (const name of ['cpu', 'memory', 'ephemeral-storage', ...[...requests.keys()].filter(isExtendedResource)]) {
    const requested = requests.get(name) ?? 0;
    const quantity = allocatable[name];
    if (requested === 0 || (isExtendedResource(name) && quantity === undefined)) continue;
    const capacity = amountOf(name, quantity ?? '0');
    if (requested > capacity - usage.amount(name)) return outOf(name, requested, usage.amount(name), capacity);
  }
  return undefined;
}

function outOf(name: string, requested: number, used: number, capacity: number): Rejection {
  return {
    reason: `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

function failedPredicate(pod: Pod, node: Node, usage: NodeUsage): Rejection | undefined {
  const failed = (reason: string, why: string) => ({ reason, message: `Predicate ${reason} failed: ${why}` });
  if (!matchesNodeAffinity(pod, node))
    return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (pod.spec.nodeName && pod.spec.nodeName !== node.metadata.name)
    return failed('NodeName', "node(s) didn't match the requested node name");
  if (hostPorts(pod).some((port) => usage.hasHostPort(port))) {
    return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  }
  if (isStaticPod(pod)) return undefined;
  const taint = findUntoleratedTaint(node.spec?.taints, pod.spec.tolerations, ['NoExecute']);
  return taint && failed('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
}
