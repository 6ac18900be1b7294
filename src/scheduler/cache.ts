import { jsonEqual } from '#apimachinery/equal.ts';
import { type LabelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { assert } from '#base/assert.ts';
import type { ContainerImage, Node, Pod } from '#api/generated/types.ts';
import { NodeInfo, type ReadyNodeInfo } from './node-info.ts';
import { PodInfo } from './pod-info.ts';

/** How many of a namespace's Pods match a selector, node by node. */
export interface PodCounts {
  /** On the Node, Pods that are being deleted left out. */
  on(node: string): number;
}

interface PodState {
  info: PodInfo;
  readonly node: string;
  /** Placed by the scheduler, and not seen as bound yet. */
  assumed: boolean;
}

interface SelectorCounts {
  readonly namespace: string;
  readonly selector: LabelSelectorTerms;
  readonly counts: Map<string, number>;
}

const MAX_COUNTED_SELECTORS = 200;

/**
 * The cluster as the scheduler counts on it: Nodes, the Pods on them, and those that it has placed and not yet seen
 * bound. A cycle is one turn, so it reads this directly. Follows scheduler/backend/cache, v1.33.
 *
 * Differs from upstream: there is no snapshot to update, since nothing changes while a cycle decides.
 */
export class SchedulerCache {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, PodState>();
  /** Zone → names in the order in which they came. */
  readonly #zones = new Map<string, Set<string>>();
  readonly #images = new Map<string, { readonly size: number; readonly nodes: Set<string> }>();
  readonly #counted = new Map<string, SelectorCounts>();
  #order: readonly ReadyNodeInfo[] | undefined;
  /** Nodes with Pods that have terms of (anti-)affinity, kept so that nobody looks at all Pods. */
  readonly withAffinity = new Set<NodeInfo>();
  readonly withRequiredAntiAffinity = new Set<NodeInfo>();

  /** All Nodes, zones taking turns. */
  get nodes(): readonly ReadyNodeInfo[] {
    return (this.#order ??= this.#inTurns());
  }

  node(name: string): ReadyNodeInfo | undefined {
    const info = this.#nodes.get(name);
    return info?.node ? (info as ReadyNodeInfo) : undefined;
  }

  setNode(node: Node, previous?: Node): void {
    const { name = '' } = node.metadata;
    const info = this.#info(name);
    info.setNode(node);
    if (!previous || zoneOf(previous) !== zoneOf(node)) {
      if (previous) this.#leaveZone(previous);
      const zone = this.#zones.get(zoneOf(node));
      if (zone) zone.add(name);
      else this.#zones.set(zoneOf(node), new Set([name]));
    }
    if (!jsonEqual(previous?.status?.images, node.status?.images)) {
      if (previous) this.#dropImages(name, previous.status?.images);
      for (const { names = [], sizeBytes = 0 } of node.status?.images ?? []) {
        for (const image of names) {
          const known = this.#images.get(image);
          if (known) known.nodes.add(name);
          else this.#images.set(image, { size: sizeBytes, nodes: new Set([name]) });
        }
      }
    }
    if (!previous) this.#order = undefined;
  }

  removeNode(node: Node): void {
    const { name = '' } = node.metadata;
    this.#leaveZone(node);
    this.#dropImages(name, node.status?.images);
    const info = this.#info(name);
    info.setNode(undefined);
    if (info.pods.size === 0) this.#nodes.delete(name);
    this.#order = undefined;
  }

  /** A bound Pod was seen. */
  addPod(pod: Pod): void {
    const { uid = '' } = pod.metadata;
    const state = this.#pods.get(uid);
    if (!state) {
      this.#place(new PodInfo(pod), pod.spec.nodeName ?? '', false);
    } else if (state.node !== pod.spec.nodeName) {
      // Bound, but not where it was assumed to be.
      this.#unplace(uid);
      this.#place(new PodInfo(pod), pod.spec.nodeName ?? '', false);
    } else {
      state.assumed = false;
      this.#replace(state, pod);
    }
  }

  updatePod(pod: Pod): void {
    const state = this.#pods.get(pod.metadata.uid ?? '');
    if (state && state.node === pod.spec.nodeName) this.#replace(state, pod);
    else this.addPod(pod);
  }

  removePod(pod: Pod): void {
    this.#unplace(pod.metadata.uid ?? '');
  }

  /** Counts a Pod as being on a Node from now on, before it is bound. */
  assume(info: PodInfo, node: string): void {
    assert(!this.#pods.has(info.uid), `${info.pod.metadata.name} is in the cache already`);
    this.#place(info, node, true);
  }

  /** Takes an assumption back. */
  forget(info: PodInfo): void {
    if (this.#pods.get(info.uid)?.assumed) this.#unplace(info.uid);
  }

  isAssumed(pod: Pod): boolean {
    return this.#pods.get(pod.metadata.uid ?? '')?.assumed === true;
  }

  /** An image's size and on how many Nodes it is, if it is on this one. */
  imageOn(node: string, image: string): { readonly size: number; readonly nodes: number } | undefined {
    const known = this.#images.get(image);
    return known?.nodes.has(node) ? { size: known.size, nodes: known.nodes.size } : undefined;
  }

  /**
   * Counts the Pods of a namespace that match. The first question for a selector looks at all Pods; from then on the
   * counts are kept up.
   */
  counts(namespace: string, selector: LabelSelectorTerms): PodCounts {
    const key = `${namespace}|${JSON.stringify(selector)}`;
    let found = this.#counted.get(key);
    if (!found) {
      found = { namespace, selector, counts: new Map() };
      if (this.#counted.size >= MAX_COUNTED_SELECTORS)
        this.#counted.delete(this.#counted.keys().next().value as string);
      this.#counted.set(key, found);
      for (const { info, node } of this.#pods.values()) count(found, info.pod, node, 1);
    }
    const { counts } = found;
    return { on: (node) => counts.get(node) ?? 0 };
  }

  #info(name: string): NodeInfo {
    let info = this.#nodes.get(name);
    if (!info) {
      info = new NodeInfo(name);
      this.#nodes.set(name, info);
    }
    return info;
  }

  #place(info: PodInfo, node: string, assumed: boolean): void {
    const nodeInfo = this.#info(node);
    nodeInfo.add(info);
    this.#pods.set(info.uid, { info, node, assumed });
    if (info.hasAffinity) this.#noteAffinity(nodeInfo);
    for (const counted of this.#counted.values()) count(counted, info.pod, node, 1);
  }

  #unplace(uid: string): void {
    const state = this.#pods.get(uid);
    if (!state) return;
    this.#pods.delete(uid);
    const nodeInfo = this.#info(state.node);
    nodeInfo.remove(state.info);
    if (state.info.hasAffinity) this.#noteAffinity(nodeInfo);
    for (const counted of this.#counted.values()) count(counted, state.info.pod, state.node, -1);
    if (!nodeInfo.node && nodeInfo.pods.size === 0) this.#nodes.delete(state.node);
  }

  #replace(state: PodState, pod: Pod): void {
    const before = state.info.pod;
    const sameCounts =
      before.metadata.labels === pod.metadata.labels &&
      before.metadata.deletionTimestamp === pod.metadata.deletionTimestamp;
    if (!sameCounts) for (const counted of this.#counted.values()) count(counted, before, state.node, -1);
    const info = state.info.updated(pod);
    if (info !== state.info) {
      const nodeInfo = this.#info(state.node);
      nodeInfo.remove(state.info);
      nodeInfo.add(info);
      state.info = info;
      this.#noteAffinity(nodeInfo);
    }
    if (!sameCounts) for (const counted of this.#counted.values()) count(counted, pod, state.node, 1);
  }

  #noteAffinity(info: NodeInfo): void {
    if (info.withAffinity.size > 0) this.withAffinity.add(info);
    else this.withAffinity.delete(info);
    if (info.withRequiredAntiAffinity.size > 0) this.withRequiredAntiAffinity.add(info);
    else this.withRequiredAntiAffinity.delete(info);
  }

  #leaveZone(node: Node): void {
    const zone = this.#zones.get(zoneOf(node));
    zone?.delete(node.metadata.name ?? '');
    if (zone?.size === 0) this.#zones.delete(zoneOf(node));
    this.#order = undefined;
  }

  #dropImages(node: string, images: readonly ContainerImage[] = []): void {
    for (const image of images.flatMap(({ names = [] }) => names)) {
      const known = this.#images.get(image);
      known?.nodes.delete(node);
      if (known?.nodes.size === 0) this.#images.delete(image);
    }
  }

  #inTurns(): readonly ReadyNodeInfo[] {
    const zones = [...this.#zones.values()].map((names) => [...names]);
    const longest = zones.reduce((most, { length }) => Math.max(most, length), 0);
    const order: ReadyNodeInfo[] = [];
    for (let turn = 0; turn < longest; turn++) {
      for (const names of zones) {
        const name = names[turn];
        if (name !== undefined) order.push(this.#nodes.get(name) as ReadyNodeInfo);
      }
    }
    return order;
  }
}

function count({ namespace, selector, counts }: SelectorCounts, { metadata }: Pod, node: string, by: 1 | -1): void {
  if (metadata.namespace !== namespace || metadata.deletionTimestamp || !matchesLabels(selector, metadata.labels))
    return;
  counts.set(node, (counts.get(node) ?? 0) + by);
}

function zoneOf({ metadata: { labels = {} } }: Node): string {
  const zone = labels['failure-domain.beta.kubernetes.io/zone'] ?? labels['topology.kubernetes.io/zone'] ?? '';
  const region = labels['failure-domain.beta.kubernetes.io/region'] ?? labels['topology.kubernetes.io/region'] ?? '';
  return `${region}:${zone}`;
}
