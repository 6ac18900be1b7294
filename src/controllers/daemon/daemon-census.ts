import { isPodReady, isPodTerminal } from '#api/core/v1/pod-status.ts';
import type { DaemonSet, Node, Pod } from '#api/generated/types.ts';
import { isPodAvailable } from '../pod-control.ts';
import { byNodeAndAge, isPodUpdated, nodeFit, targetNodeName } from './daemon-pod.ts';
import type { DaemonNode, DaemonTerms } from './node-plan.ts';

/** The counts of a DaemonSet's status; `outdated`: live Pods of older templates. */
export interface DaemonCounts {
  readonly desired: number;
  readonly current: number;
  readonly misscheduled: number;
  readonly ready: number;
  readonly available: number;
  readonly updated: number;
  readonly outdated: number;
}

const COUNTS = ['desired', 'current', 'misscheduled', 'ready', 'available', 'updated', 'outdated'] as const;
const NONE: DaemonCounts = {
  desired: 0,
  current: 0,
  misscheduled: 0,
  ready: 0,
  available: 0,
  updated: 0,
  outdated: 0,
};

interface Counted {
  readonly node: DaemonNode;
  readonly counts: DaemonCounts;
}

/**
 * One DaemonSet's Nodes and its Pods on them. Looks again only at Nodes where something changed, so that a Pod's change
 * costs the same in a cluster of any size.
 */
export class DaemonCensus {
  /** By Node and uid. */
  readonly #pods = new Map<string, Map<string, Pod>>();
  /** Where a Pod was put, by uid. */
  readonly #places = new Map<string, string>();
  readonly #counted = new Map<string, Counted>();
  readonly #stale = new Set<string>();
  /** Have a Pod that becomes available by waiting. */
  readonly #waiting = new Set<string>();
  /** Where something is to be done, perhaps. */
  readonly #unsettled = new Set<string>();
  #spec: DaemonSet['spec'] | undefined;
  #hash = '';
  #generation: number | undefined;
  #totals: Record<(typeof COUNTS)[number], number> = { ...NONE };

  /** Whether there are no Pods. */
  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  /** A Pod of the DaemonSet is there, perhaps not as before. */
  put(pod: Pod): void {
    const { uid = '' } = pod.metadata;
    const place = targetNodeName(pod);
    if (this.#places.get(uid) !== place) this.remove(pod);
    if (place === undefined) return;
    this.#places.set(uid, place);
    const there = this.#pods.get(place);
    if (there) there.set(uid, pod);
    else this.#pods.set(place, new Map([[uid, pod]]));
    this.#stale.add(place);
  }

  /** A Pod is gone, or no longer the DaemonSet's. */
  remove({ metadata: { uid = '' } }: Pod): void {
    const place = this.#places.get(uid);
    if (place === undefined) return;
    this.#places.delete(uid);
    const there = this.#pods.get(place);
    there?.delete(uid);
    if (there?.size === 0) this.#pods.delete(place);
    this.#stale.add(place);
  }

  /** A Node came or went, or its labels or taints changed. */
  nodeChanged(name: string): void {
    this.#stale.add(name);
  }

  /** Whether there is a Pod on the Node, or one meant for it. */
  hasPodsOn(name: string): boolean {
    return this.#pods.has(name);
  }

  /** All Pods that there are. */
  *all(): Iterable<Pod> {
    for (const there of this.#pods.values()) yield* there.values();
  }

  /** Pods on Nodes where something changed since the last count. */
  *changed(): Iterable<Pod> {
    for (const name of this.#stale) yield* this.#pods.get(name)?.values() ?? [];
  }

  /** Counts what changed. `find` and `names` know the Nodes. */
  count(
    daemonSet: DaemonSet,
    terms: DaemonTerms,
    find: (name: string) => Node | undefined,
    names: () => Iterable<string>,
  ): DaemonCounts {
    const { hash, generation } = terms;
    if (this.#spec !== daemonSet.spec || this.#hash !== hash || this.#generation !== generation) {
      this.#spec = daemonSet.spec;
      this.#hash = hash;
      this.#generation = generation;
      for (const name of [...names(), ...this.#pods.keys()]) this.#stale.add(name);
    }
    for (const name of [...this.#stale, ...this.#waiting]) this.#countNode(name, daemonSet, terms, find(name));
    this.#stale.clear();
    return { ...this.#totals };
  }

  #countNode(name: string, daemonSet: DaemonSet, terms: DaemonTerms, node: Node | undefined): void {
    const before = this.#counted.get(name);
    const there = [...(this.#pods.get(name)?.values() ?? [])];
    const pods = there.filter((pod) => !(isPodTerminal(pod) && pod.metadata.deletionTimestamp)).sort(byNodeAndAge);
    const next: DaemonNode = { name, fit: node && nodeFit(daemonSet, node), pods };
    const counts = countsOf(next, terms);
    for (const count of COUNTS) this.#totals[count] += counts[count] - (before?.counts[count] ?? 0);
    if (node || pods.length > 0) this.#counted.set(name, { node: next, counts });
    else this.#counted.delete(name);
    if (counts.ready > counts.available) this.#waiting.add(name);
    else this.#waiting.delete(name);
    this.#unsettled.add(name);
  }

  /** As counted last: the Nodes where something may have to be done, and stays so until `settle`. */
  *unsettled(): Iterable<DaemonNode> {
    for (const name of [...this.#unsettled]) {
      const counted = this.#counted.get(name);
      if (counted) yield counted.node;
      else this.#unsettled.delete(name);
    }
  }

  /** Nothing is to be done on this Node until it changes. */
  settle(name: string): void {
    if (!this.#waiting.has(name)) this.#unsettled.delete(name);
  }

  /** As counted last: Nodes that have Pods or want one. */
  *nodes(): Iterable<DaemonNode> {
    for (const { node } of this.#counted.values()) if (node.fit?.run || node.pods.length > 0) yield node;
  }
}

/** Follows updateDaemonSetStatus, v1.33: of several Pods on a Node the first one counts. */
function countsOf({ fit, pods }: DaemonNode, { hash, generation, minReadySeconds, now }: DaemonTerms): DaemonCounts {
  const outdated = pods.filter((pod) => !pod.metadata.deletionTimestamp && !isPodUpdated(pod, hash, generation)).length;
  const [pod] = pods;
  if (!fit?.run) return { ...NONE, outdated, misscheduled: fit && pod ? 1 : 0 };
  if (!pod) return { ...NONE, outdated, desired: 1 };
  const isReady = isPodReady(pod);
  return {
    desired: 1,
    current: 1,
    misscheduled: 0,
    ready: isReady ? 1 : 0,
    available: isReady && isPodAvailable(pod, minReadySeconds, now) ? 1 : 0,
    updated: isPodUpdated(pod, hash, generation) ? 1 : 0,
    outdated,
  };
}
