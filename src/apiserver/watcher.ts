import type { WatchEvent, WatchEventType, WatchHandle, WatchSink } from '#apimachinery/api-request.ts';
import { type ApiObject, apiVersionOf } from '#apimachinery/resource.ts';
import { Fifo } from '#base/fifo.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import type { Rng } from '#base/rng.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Selection } from './selection.ts';
import type { ObjectStorage, Stored } from './storage.ts';
import { type Change, deliveryAttributes } from './watch-change.ts';

export interface WatcherOptions {
  /** Who watches: the first part of the user agent, and the Node of who belongs to one. */
  readonly component: string;
  /** Events go out at the commit, and leave no trace in the engine. */
  readonly observer: boolean;
  readonly bookmarks: boolean;
}

/**
 * One watch. Engine watchers get their events in turns of their own, in order, after the latency of a delivery; each
 * delivery is a span whose parent is the write.
 */
export class Watcher<T extends ApiObject> implements WatchHandle {
  readonly #process: Process;
  readonly #latency: Latency;
  readonly #rng: Rng;
  readonly #storage: ObjectStorage<T>;
  readonly #selection: Selection<T>;
  readonly #sink: WatchSink<T>;
  readonly #name: string;
  readonly #queue = new Fifo<WatchEvent<T>>();
  readonly options: WatcherOptions;
  /** Changes up to this revision are not for this watcher any more. */
  since = 0;
  #stopped = false;
  readonly #stopHooks: (() => void)[] = [];

  constructor(
    process: Process,
    latency: Latency,
    rng: Rng,
    storage: ObjectStorage<T>,
    selection: Selection<T>,
    sink: WatchSink<T>,
    options: WatcherOptions,
  ) {
    this.#process = process;
    this.#latency = latency;
    this.#rng = rng;
    this.#storage = storage;
    this.#selection = selection;
    this.#sink = sink;
    this.options = options;
    this.#name = `watch ${storage.definition.plural}`;
  }

  /** Calls `hook` when the watch is over. */
  onStop(hook: () => void): void {
    if (this.#stopped) hook();
    else this.#stopHooks.push(hook);
  }

  /** Sends the change if it concerns the selection: what begins to match is ADDED, what ceases to is DELETED. */
  offer(change: Change<T>): void {
    const { modRevision, cause } = change.event.kv;
    if (modRevision <= this.since) return;
    const before = change.previous !== undefined && this.#selects(change.previous);
    const after = change.current !== undefined && this.#selects(change.current);
    if (!before && !after) return;
    this.since = modRevision;
    const type = after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
    this.#send(type, after ? (change.current as T) : change.gone, cause, () => change.attributes(type));
  }

  /** Sends an object that exists already. */
  offerInitial(stored: Stored): void {
    const object = this.#storage.decode(stored);
    if (!this.#selects(object)) return;
    this.#send('ADDED', object, stored.cause, () =>
      deliveryAttributes(this.#storage, 'ADDED', object, stored.modRevision),
    );
  }

  /** Tells which revision the watcher is at. */
  bookmark(revision: number): void {
    this.since = Math.max(this.since, revision);
    const { definition } = this.#storage;
    const object = {
      kind: definition.kind,
      apiVersion: apiVersionOf(definition),
      metadata: {
        resourceVersion: String(revision),
        creationTimestamp: null,
      },
    } as unknown as T;
    this.#send('BOOKMARK', object, 0, () => deliveryAttributes(this.#storage, 'BOOKMARK', object, revision));
  }

  #selects(object: T): boolean {
    const { namespace, matches } = this.#selection;
    return (namespace === undefined || object.metadata.namespace === namespace) && matches(object);
  }

  #send(
    type: WatchEventType,
    object: T,
    cause: SpanId,
    attributes: () => Readonly<Record<string, string | number>>,
  ): void {
    if (this.#stopped) return;
    if (this.options.observer) {
      this.#sink.event({ type, object, span: 0 });
      return;
    }
    const span = this.#process.tracer.start('delivery', this.options.component, this.#name, cause, attributes());
    this.#queue.push({ type, object, span });
    const ms = this.#latency.sample('delivery', this.#rng);
    if (ms > 0) this.#process.clock.afterFunc(ms, this.#name, this.#deliver, span);
    else this.#process.post(this.#name, this.#deliver);
  }

  /** Delivers the oldest event; each event makes one call, so that none overtakes another. */
  readonly #deliver = (): void => {
    const event = this.#queue.shift();
    if (!event) return;
    this.#process.tracer.end(event.span);
    this.#sink.event(event);
  };

  /** The client wants no more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const hook of this.#stopHooks.splice(0)) hook();
    for (let event = this.#queue.shift(); event; event = this.#queue.shift())
      this.#process.tracer.end(event.span, { dropped: true });
  }

  /** The server ends the watch. */
  close(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#sink.closed(error);
  }
}
