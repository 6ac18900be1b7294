import type { Pod } from '#api/generated/types.ts';
import { isPodReady } from '#api/core/v1/pod-status.ts';
import { controllerOf } from '#client/key.ts';
import { isPodActive } from '../pod-control.ts';

type Labels = Readonly<Record<string, string>>;

/** How many of an owner's active Pods there are, and how many of them are ready. */
export interface PodCount {
  active: number;
  ready: number;
}

const NO_LABELS: Labels = Object.freeze({});
const NONE: ReadonlyMap<Labels, PodCount> = new Map();

/**
 * Counts the active Pods of every owner of a kind as they change, so that nobody goes through all Pods of an owner for
 * each that changes. Counts are kept by the Pods' labels, as values that Pods of one template share: there are few.
 */
export class PodTally {
  readonly #kind: string;
  readonly #owners = new Map<string, Map<Labels, PodCount>>();
  /** Pods as they were counted, by uid. */
  readonly #counted = new Map<string, Pod>();

  constructor(kind: string) {
    this.#kind = kind;
  }

  /** The Pod is there, perhaps not as before. */
  put(pod: Pod): void {
    this.remove(pod);
    const ref = controllerOf(pod);
    if (!ref || ref.kind !== this.#kind || !isPodActive(pod)) return;
    this.#counted.set(pod.metadata.uid ?? '', pod);
    this.#add(ref.uid, pod, 1);
  }

  /** The Pod is gone. */
  remove({ metadata: { uid = '' } }: Pod): void {
    const counted = this.#counted.get(uid);
    if (!counted) return;
    this.#counted.delete(uid);
    this.#add(controllerOf(counted)?.uid ?? '', counted, -1);
  }

  of(uid: string): ReadonlyMap<Labels, PodCount> {
    return this.#owners.get(uid) ?? NONE;
  }

  #add(owner: string, pod: Pod, by: 1 | -1): void {
    const { labels = NO_LABELS } = pod.metadata;
    const groups = this.#owners.get(owner) ?? new Map<Labels, PodCount>();
    const count = groups.get(labels) ?? { active: 0, ready: 0 };
    count.active += by;
    if (isPodReady(pod)) count.ready += by;
    if (count.active > 0) groups.set(labels, count);
    else groups.delete(labels);
    if (groups.size > 0) this.#owners.set(owner, groups);
    else this.#owners.delete(owner);
  }
}
