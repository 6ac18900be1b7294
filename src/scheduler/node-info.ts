import type { ContainerPort, Node } from '#api/generated/types.ts';
import type { PodInfo } from './pod-info.ts';
import { addResources, nodeAllocatable, noResources, type Resources } from './resources.ts';

const ANY_ADDRESS = '0.0.0.0';

/** Ports that are taken on a Node: `protocol/port` → addresses, each as often as it was taken. */
class HostPorts {
  readonly #taken = new Map<string, string[]>();

  add(port: ContainerPort): void {
    const key = portKey(port);
    const taken = this.#taken.get(key);
    if (taken) taken.push(port.hostIP || ANY_ADDRESS);
    else this.#taken.set(key, [port.hostIP || ANY_ADDRESS]);
  }

  remove(port: ContainerPort): void {
    const taken = this.#taken.get(portKey(port));
    const at = taken?.indexOf(port.hostIP || ANY_ADDRESS) ?? -1;
    if (at >= 0) taken?.splice(at, 1);
  }

  conflicts(port: ContainerPort): boolean {
    const taken = this.#taken.get(portKey(port));
    if (!taken || taken.length === 0) return false;
    const address = port.hostIP || ANY_ADDRESS;
    return address === ANY_ADDRESS || taken.some((other) => other === ANY_ADDRESS || other === address);
  }
}

function portKey({ protocol, hostPort }: ContainerPort): string {
  return `${protocol || 'TCP'}/${hostPort}`;
}

/** A Node and what runs on it, added up. Follows scheduler/framework/types.go (NodeInfo), v1.33. */
export class NodeInfo {
  readonly name: string;
  /** Absent while only Pods name the Node. */
  node: Node | undefined;
  allocatable: Resources = noResources();
  allowedPods = 0;
  /** By uid. */
  readonly pods = new Map<string, PodInfo>();
  readonly withAffinity = new Set<PodInfo>();
  readonly withRequiredAntiAffinity = new Set<PodInfo>();
  readonly requested = noResources();
  readonly counted = noResources();
  readonly ports = new HostPorts();

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: Node | undefined): void {
    this.node = node;
    const { resources, pods } = node ? nodeAllocatable(node) : { resources: noResources(), pods: 0 };
    this.allocatable = resources;
    this.allowedPods = pods;
  }

  add(pod: PodInfo): void {
    this.pods.set(pod.uid, pod);
    addResources(this.requested, pod.requests);
    addResources(this.counted, pod.countedRequests);
    for (const port of pod.hostPorts) this.ports.add(port);
    if (pod.hasAffinity) this.withAffinity.add(pod);
    if (pod.terms.requiredAntiAffinity.length > 0) this.withRequiredAntiAffinity.add(pod);
  }

  remove(pod: PodInfo): void {
    if (!this.pods.delete(pod.uid)) return;
    addResources(this.requested, pod.requests, -1);
    addResources(this.counted, pod.countedRequests, -1);
    for (const port of pod.hostPorts) this.ports.remove(port);
    this.withAffinity.delete(pod);
    this.withRequiredAntiAffinity.delete(pod);
  }

  /** A copy to try things out on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.setNode(this.node);
    for (const pod of this.pods.values()) copy.add(pod);
    return copy;
  }
}

/** A {@link NodeInfo} that has its Node: what plugins see. */
export type ReadyNodeInfo = NodeInfo & { readonly node: Node };
