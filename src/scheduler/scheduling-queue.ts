import type { Node, Pod } from '#api/generated/types.ts';
import type { Timer } from '#base/clock.ts';
import { Heap } from '#base/heap.ts';
import type { Process } from '#base/pump.ts';
import { MAX_PARENTS, type SpanId } from '#base/tracer.ts';
import { keyOf } from '#client/key.ts';
import { type ClusterEvent, podChange } from './framework/cluster-event.ts';
import type { Framework, Nominated } from './framework/framework.ts';
import type { EventInterest, Queued } from './framework/plugin.ts';
import { PodInfo } from './pod-info.ts';

const INITIAL_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 10_000;
/** Pods whose back-off ends within one window are tried in the queue's own order. */
const WINDOW_MS = 1_000;
const FLUSH_PERIOD_MS = 30_000;
/** After so long a Pod is tried again even if nothing has happened that should help it. */
const MAX_UNSCHEDULABLE_MS = 5 * 60_000;
const GATES = 'SchedulingGates';

type Place = 'active' | 'backoff' | 'errorBackoff' | 'unschedulable' | 'inFlight' | 'gone';

/** A Pod that waits for a Node. */
export class QueuedPod implements Queued {
  info: PodInfo;
  readonly key: string;
  timestamp: number;
  sequence: number;
  attempts = 0;
  /** End of the back-off, ms; 0: not worked out. */
  backoffEnd = 0;
  /** Who turned it down last. */
  readonly unschedulablePlugins = new Set<string>();
  readonly pendingPlugins = new Set<string>();
  gated = false;
  place: Place = 'gone';
  /** Changes whenever it leaves a heap, so that what it left there is recognised. */
  token = 0;
  /** Spans that led to its being queued. */
  causes: SpanId[] = [];
  causeCount = 0;
  /** What happened while it was being scheduled. */
  missed: MissedEvent[] = [];

  constructor(info: PodInfo, timestamp: number, sequence: number) {
    this.info = info;
    this.key = keyOf(info.pod);
    this.timestamp = timestamp;
    this.sequence = sequence;
  }

  /** Whether something went wrong, rather than that the Pod was turned down. */
  get failed(): boolean {
    return this.unschedulablePlugins.size === 0 && this.pendingPlugins.size === 0;
  }

  addCause(cause: SpanId): void {
    if (cause === 0) return;
    this.causeCount++;
    if (this.causes.length < MAX_PARENTS) this.causes.push(cause);
  }
}

interface MissedEvent {
  readonly event: ClusterEvent;
  readonly previous: Pod | Node | undefined;
  readonly next: Pod | Node | undefined;
  readonly cause: SpanId;
}

interface Entry {
  readonly item: QueuedPod;
  readonly token: number;
}

type Strategy = 'skip' | 'afterBackoff' | 'immediately';

/**
 * Pods that wait: to be tried (active), for their back-off, or for something to happen that may help them
 * (unschedulable). Follows scheduler/backend/queue, v1.33, with SchedulerQueueingHints and SchedulerPopFromBackoffQ.
 */
export class SchedulingQueue implements Nominated {
  readonly #process: Process;
  readonly #framework: Framework;
  readonly #active: Heap<Entry>;
  readonly #backoff: Heap<Entry>;
  readonly #errorBackoff: Heap<Entry>;
  readonly #items = new Map<string, QueuedPod>();
  readonly #unschedulable = new Map<string, QueuedPod>();
  readonly #inFlight = new Map<string, QueuedPod>();
  readonly #interests = new Map<ClusterEvent, { readonly plugin: string; readonly interest: EventInterest }[]>();
  /** Node → uid → Pod. */
  readonly #nominated = new Map<string, Map<string, PodInfo>>();
  readonly #nominatedNode = new Map<string, string>();
  #activeCount = 0;
  #backoffCount = 0;
  #sequence = 0;
  #taker: (() => void) | undefined;
  #backoffTimer: Timer | undefined;
  #backoffTimerDue = Number.POSITIVE_INFINITY;
  #flushTimer: Timer | undefined;

  constructor(process: Process, framework: Framework) {
    this.#process = process;
    this.#framework = framework;
    const byBackoff = (a: Entry, b: Entry) =>
      a.item.backoffEnd === b.item.backoffEnd ? framework.less(a.item, b.item) : a.item.backoffEnd < b.item.backoffEnd;
    this.#active = new Heap((a, b) => framework.less(a.item, b.item));
    this.#backoff = new Heap(byBackoff);
    this.#errorBackoff = new Heap(byBackoff);
    for (const plugin of framework.plugins) {
      for (const interest of plugin.events ?? []) {
        for (const event of interest.on) {
          const interested = this.#interests.get(event);
          if (interested) interested.push({ plugin: plugin.name, interest });
          else this.#interests.set(event, [{ plugin: plugin.name, interest }]);
        }
      }
    }
  }

  /** How many Pods wait in each part, as the pending_pods metric counts them. */
  get pending(): {
    readonly active: number;
    readonly backoff: number;
    readonly unschedulable: number;
    readonly gated: number;
  } {
    let gated = 0;
    for (const item of this.#unschedulable.values()) if (item.gated) gated++;
    return {
      active: this.#activeCount,
      backoff: this.#backoffCount,
      unschedulable: this.#unschedulable.size - gated,
      gated,
    };
  }

  /** A Pod without a Node was seen for the first time. */
  add(pod: Pod, cause: SpanId): void {
    const item = new QueuedPod(new PodInfo(pod), this.#process.clock.now(), ++this.#sequence);
    item.addCause(cause);
    this.#items.set(item.info.uid, item);
    this.#toActive(item);
    this.nominate(item.info, undefined);
  }

  /** A Pod without a Node has changed. */
  update(previous: Pod, pod: Pod, cause: SpanId): void {
    const item = this.#items.get(pod.metadata.uid ?? '');
    if (!item) {
      this.add(pod, cause);
      return;
    }
    const events = podChange(previous, pod);
    if (item.place === 'inFlight') {
      // It comes back with its newest state, if it does.
      for (const event of events) item.missed.push({ event, previous, next: pod, cause });
      return;
    }
    item.info = item.info.updated(pod);
    // A nomination that the Pod's status does not show yet stays.
    const silent = !previous.status?.nominatedNodeName && !pod.status?.nominatedNodeName;
    this.nominate(item.info, silent ? this.#nominatedNode.get(item.info.uid) : undefined);
    if (item.place !== 'unschedulable') return;
    for (const event of events) {
      this.#requeue(item, this.#strategy(item, event, previous, pod), cause);
      if (this.#placeOf(item) !== 'unschedulable') break;
    }
  }

  /** A Pod without a Node is gone, or somebody bound it. */
  delete(pod: Pod): void {
    this.#denominate(pod.metadata.uid ?? '');
    const item = this.#items.get(pod.metadata.uid ?? '');
    if (!item || item.place === 'inFlight') return;
    this.#leave(item);
    this.#items.delete(item.info.uid);
  }

  /** Something happened that may help Pods that were turned down. `only` restricts which. */
  moveAll(
    event: ClusterEvent,
    previous: Pod | Node | undefined,
    next: Pod | Node | undefined,
    cause: SpanId,
    only?: (pod: Pod) => boolean,
  ): void {
    if (event !== 'UnschedulableTimeout' && !this.#interests.has(event)) return;
    for (const item of [...this.#unschedulable.values()]) {
      if (only && !only(item.info.pod)) continue;
      // Nothing but the Pod's own update opens its gates.
      if (item.gated && item.unschedulablePlugins.has(GATES)) continue;
      const strategy = this.#strategy(item, event, previous, next);
      if (strategy !== 'skip') this.#requeue(item, strategy, cause);
    }
    for (const item of this.#inFlight.values()) item.missed.push({ event, previous, next, cause });
  }

  /** Puts one Pod that waits for something back into the active queue. */
  activate(pod: Pod, cause: SpanId): void {
    const item = this.#items.get(pod.metadata.uid ?? '');
    if (item?.place === 'inFlight') item.missed.push({ event: 'ForceActivate', previous: undefined, next: pod, cause });
    else if (item && item.place !== 'active') {
      item.addCause(cause);
      this.#leave(item);
      this.#toActive(item);
    }
  }

  /**
   * Parks the calling task until a Pod is to be tried, and until all deliveries that are due have been made. When the
   * active queue is empty, a Pod that backs off (not because of an error) need not wait.
   */
  async take(): Promise<QueuedPod> {
    while (!this.#hasNext()) {
      await this.#process.park<void>((wake) => {
        this.#taker = () => wake();
      }, true);
      this.#taker = undefined;
    }
    const item = (this.#pop(this.#active, 'active') ?? this.#pop(this.#backoff, 'backoff')) as QueuedPod;
    this.#leave(item);
    item.place = 'inFlight';
    item.attempts++;
    item.backoffEnd = 0;
    item.unschedulablePlugins.clear();
    item.pendingPlugins.clear();
    item.missed = [];
    this.#inFlight.set(item.info.uid, item);
    return item;
  }

  /** The Pod's cycle is over and it does not come back. */
  done(item: QueuedPod): void {
    if (item.place !== 'inFlight') return;
    this.#inFlight.delete(item.info.uid);
    item.place = 'gone';
    this.#items.delete(item.info.uid);
  }

  /** The Pod did not get a Node; `pod` is its newest state. `cause` is the span of the attempt. */
  putBack(item: QueuedPod, pod: Pod, cause: SpanId): void {
    this.#inFlight.delete(item.info.uid);
    item.info = new PodInfo(pod);
    item.timestamp = this.#process.clock.now();
    item.sequence = ++this.#sequence;
    item.causes = [];
    item.causeCount = 0;
    item.place = 'gone';
    this.#items.set(item.info.uid, item);
    let strategy: Strategy = item.failed ? 'afterBackoff' : 'skip';
    let helped = cause;
    if (!item.failed) {
      for (const missed of item.missed) {
        const found = this.#strategy(item, missed.event, missed.previous, missed.next);
        if (found === 'skip') continue;
        strategy = found;
        helped = missed.cause;
        if (found === 'immediately' || item.pendingPlugins.size === 0) break;
      }
    }
    item.missed = [];
    this.#requeue(item, strategy, helped);
  }

  /** Reserves a Node's future room for a Pod; undefined takes what its status says, empty takes it back. */
  nominate(info: PodInfo, node: string | undefined): void {
    this.#denominate(info.uid);
    const name = node ?? info.pod.status?.nominatedNodeName ?? '';
    if (name === '') return;
    this.#nominatedNode.set(info.uid, name);
    const pods = this.#nominated.get(name);
    if (pods) pods.set(info.uid, info);
    else this.#nominated.set(name, new Map([[info.uid, info]]));
  }

  /** The Pod has been placed. */
  denominate(info: PodInfo): void {
    this.#denominate(info.uid);
  }

  podsOn(node: string): readonly PodInfo[] {
    const pods = this.#nominated.get(node);
    return pods ? [...pods.values()] : NOBODY;
  }

  #denominate(uid: string): void {
    const node = this.#nominatedNode.get(uid);
    if (node === undefined) return;
    this.#nominatedNode.delete(uid);
    const pods = this.#nominated.get(node);
    pods?.delete(uid);
    if (pods?.size === 0) this.#nominated.delete(node);
  }

  /** Whether the event makes another try worth while. Follows isPodWorthRequeuing. */
  #strategy(
    item: QueuedPod,
    event: ClusterEvent,
    previous: Pod | Node | undefined,
    next: Pod | Node | undefined,
  ): Strategy {
    if (item.failed || event === 'UnschedulableTimeout') return 'afterBackoff';
    if (event === 'ForceActivate') return next?.metadata.uid === item.info.uid ? 'afterBackoff' : 'skip';
    let strategy: Strategy = 'skip';
    for (const { plugin, interest } of this.#interests.get(event) ?? []) {
      const pending = item.pendingPlugins.has(plugin);
      if (!pending && !item.unschedulablePlugins.has(plugin)) continue;
      if (interest.helps && !interest.helps(item.info, previous, next)) continue;
      if (pending) return 'immediately';
      strategy = 'afterBackoff';
    }
    return strategy;
  }

  #requeue(item: QueuedPod, strategy: Strategy, cause: SpanId): void {
    this.#leave(item);
    if (strategy === 'skip') {
      item.addCause(cause);
      this.#toUnschedulable(item);
      return;
    }
    item.causes = [];
    item.causeCount = 0;
    item.addCause(cause);
    if (strategy === 'afterBackoff' && this.#isBackingOff(item)) this.#toBackoff(item);
    else this.#toActive(item);
  }

  #toActive(item: QueuedPod): void {
    if (this.#isGated(item)) {
      this.#toUnschedulable(item);
      return;
    }
    item.place = 'active';
    this.#activeCount++;
    this.#active.push({ item, token: item.token });
    this.#taker?.();
  }

  #toBackoff(item: QueuedPod): void {
    if (this.#isGated(item)) {
      this.#toUnschedulable(item);
      return;
    }
    item.place = item.failed ? 'errorBackoff' : 'backoff';
    this.#backoffCount++;
    (item.failed ? this.#errorBackoff : this.#backoff).push({ item, token: item.token });
    this.#armBackoff(item.backoffEnd + WINDOW_MS);
    if (!item.failed) this.#taker?.();
  }

  #toUnschedulable(item: QueuedPod): void {
    item.place = 'unschedulable';
    this.#unschedulable.set(item.info.uid, item);
    this.#flushTimer ??= this.#process.clock.ticker(FLUSH_PERIOD_MS, 'flush unschedulable Pods', () => this.#flush());
  }

  /** Takes an item out of the part it is in. */
  #leave(item: QueuedPod): void {
    item.token++;
    if (item.place === 'active') this.#activeCount--;
    else if (item.place === 'backoff' || item.place === 'errorBackoff') this.#backoffCount--;
    else if (item.place === 'unschedulable') this.#unschedulable.delete(item.info.uid);
    item.place = 'gone';
  }

  #isGated(item: QueuedPod): boolean {
    const status = this.#framework.preEnqueue(item.info.pod);
    item.gated = status !== undefined;
    if (status?.plugin) item.unschedulablePlugins.add(status.plugin);
    return item.gated;
  }

  #placeOf({ place }: QueuedPod): Place {
    return place;
  }

  #hasNext(): boolean {
    return this.#peek(this.#active, 'active') !== undefined || this.#peek(this.#backoff, 'backoff') !== undefined;
  }

  /** The first item of a heap that is still meant to be there. */
  #peek(heap: Heap<Entry>, place: Place): QueuedPod | undefined {
    for (let entry = heap.peek(); entry; entry = heap.peek()) {
      if (entry.item.token === entry.token && entry.item.place === place) return entry.item;
      heap.pop();
    }
    return undefined;
  }

  #pop(heap: Heap<Entry>, place: Place): QueuedPod | undefined {
    const item = this.#peek(heap, place);
    if (item) heap.pop();
    return item;
  }

  #isBackingOff(item: QueuedPod): boolean {
    if (item.attempts === 0) return false;
    if (item.backoffEnd === 0) {
      let backoffMs = INITIAL_BACKOFF_MS;
      for (let i = 1; i < item.attempts && backoffMs < MAX_BACKOFF_MS; i++) backoffMs *= 2;
      item.backoffEnd = toWindow(item.timestamp + Math.min(backoffMs, MAX_BACKOFF_MS));
    }
    return item.backoffEnd >= toWindow(this.#process.clock.now());
  }

  #armBackoff(due: number): void {
    if (due >= this.#backoffTimerDue) return;
    this.#backoffTimer?.stop();
    this.#backoffTimerDue = due;
    this.#backoffTimer = this.#process.clock.afterFunc(due - this.#process.clock.now(), 'back-off ends', () => {
      this.#backoffTimerDue = Number.POSITIVE_INFINITY;
      this.#flushBackoff(this.#backoff, 'backoff');
      this.#flushBackoff(this.#errorBackoff, 'errorBackoff');
    });
  }

  #flushBackoff(heap: Heap<Entry>, place: Place): void {
    for (let item = this.#peek(heap, place); item; item = this.#peek(heap, place)) {
      if (this.#isBackingOff(item)) {
        this.#armBackoff(item.backoffEnd + WINDOW_MS);
        return;
      }
      heap.pop();
      this.#leave(item);
      this.#toActive(item);
    }
  }

  #flush(): void {
    const now = this.#process.clock.now();
    let span: SpanId = 0;
    for (const item of [...this.#unschedulable.values()]) {
      if (now - item.timestamp <= MAX_UNSCHEDULABLE_MS || (item.gated && item.unschedulablePlugins.has(GATES)))
        continue;
      span ||= this.#process.tracer.instant('timer', 'kube-scheduler', 'flush unschedulable Pods', 0);
      this.#requeue(item, 'afterBackoff', span);
    }
    if (this.#unschedulable.size > 0) return;
    this.#flushTimer?.stop();
    this.#flushTimer = undefined;
  }
}

const NOBODY: readonly PodInfo[] = [];

function toWindow(ms: number): number {
  return Math.floor(ms / WINDOW_MS) * WINDOW_MS;
}
