import type { WatchEvent } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { assert } from '#base/assert.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from './client.ts';
import { type Index, Indexer, type Lister } from './indexer.ts';
import { keyOf } from './key.ts';
import { Reflector, type ReflectorStore, type Selection } from './reflector.ts';

/**
 * What wants to know of changes. Called in the turn of the delivery, after the store has changed, outside of tasks:
 * nothing here may park. `span` is the delivery, or the write for what a list found; 0 if it is not known.
 */
export interface EventHandlers<T extends ApiObject> {
  /** `initial`: it was there when the handlers came, or when the informer first listed. */
  add?(object: T, span: SpanId, initial: boolean): void;
  update?(previous: T, object: T, span: SpanId): void;
  /** With the last state known. */
  delete?(object: T, span: SpanId): void;
}

/** A store that follows one resource, shared by all code of a component. Follows client-go's SharedIndexInformer, v1.33. */
export class Informer<T extends ApiObject> {
  readonly resource: ResourceDefinition<T>;
  readonly #process: Process;
  readonly #indexer = new Indexer<T>();
  readonly #handlers = new Set<EventHandlers<T>>();
  readonly #waiting: (() => void)[] = [];
  readonly #reflector: Reflector<T>;
  #started = false;
  #synced = false;

  constructor(process: Process, client: Client, resource: ResourceDefinition<T>, selection: Selection = {}) {
    this.resource = resource;
    this.#process = process;
    const store: ReflectorStore<T> = {
      replace: (objects, causes) => this.#replace(objects, causes),
      apply: (event) => this.#apply(event),
    };
    this.#reflector = new Reflector(process, client, resource, selection, store);
  }

  get lister(): Lister<T> {
    return this.#indexer;
  }

  /** Whether the first list is in the store and the handlers have seen it. */
  get synced(): boolean {
    return this.#synced;
  }

  /** At any time; asking for an index that is there already costs nothing. */
  addIndex(index: Index<T>): this {
    this.#indexer.addIndex(index);
    return this;
  }

  /** At any time; what is in the store already is added to the handlers at once. Returns a function that removes them. */
  addHandlers(handlers: EventHandlers<T>): () => void {
    this.#handlers.add(handlers);
    if (handlers.add) for (const object of this.#indexer.list()) handlers.add(object, 0, true);
    return () => this.#handlers.delete(handlers);
  }

  /** Begins to follow; doing so twice does nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#reflector.start();
  }

  /** Parks the calling task until the informer has synced. */
  async whenSynced(): Promise<void> {
    if (this.#synced) return;
    assert(this.#started, `the informer of ${this.resource.plural} was never started`);
    await this.#process.park<void>((wake) => {
      this.#waiting.push(() => wake());
    });
  }

  #replace(objects: readonly T[], causes: readonly SpanId[] | undefined): void {
    const initial = !this.#synced;
    const gone = new Set(this.#indexer.keys());
    for (const [i, object] of objects.entries()) {
      gone.delete(keyOf(object));
      this.#put(object, causes?.[i] ?? 0, initial);
    }
    for (const key of gone) this.#remove(key, undefined, 0);
    if (!initial) return;
    this.#synced = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #apply({ type, object, span }: WatchEvent<T>): void {
    if (type === 'DELETED') this.#remove(keyOf(object), object, span);
    else this.#put(object, span, false);
  }

  #put(object: T, span: SpanId, initial: boolean): void {
    const previous = this.#indexer.set(keyOf(object), object);
    if (!previous) for (const handlers of this.#handlers) handlers.add?.(object, span, initial);
    else if (previous.metadata.uid !== object.metadata.uid) {
      // Deleted and made anew while nobody watched.
      for (const handlers of this.#handlers) {
        handlers.delete?.(previous, span);
        handlers.add?.(object, span, initial);
      }
    } else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion) {
      for (const handlers of this.#handlers) handlers.update?.(previous, object, span);
    }
  }

  #remove(key: string, last: T | undefined, span: SpanId): void {
    const previous = this.#indexer.delete(key);
    if (previous) for (const handlers of this.#handlers) handlers.delete?.(last ?? previous, span);
  }
}

/** The informers of one component: one for each resource and selection, shared by all who ask. */
export class InformerFactory {
  readonly #process: Process;
  readonly #client: Client;
  readonly #informers = new Map<string, Informer<ApiObject>>();

  constructor(process: Process, client: Client) {
    this.#process = process;
    this.#client = client;
  }

  /** The informer of a resource, made on the first call. It does nothing before {@link start}. */
  informer<T extends ApiObject>(resource: ResourceDefinition<T>, selection: Selection = {}): Informer<T> {
    const { namespace = '', labelSelector = '', fieldSelector = '' } = selection;
    const key = [resource.group, resource.version, resource.plural, namespace, labelSelector, fieldSelector].join('|');
    const known = this.#informers.get(key);
    if (known) return known as unknown as Informer<T>;
    const informer = new Informer(this.#process, this.#client, resource, selection);
    this.#informers.set(key, informer as unknown as Informer<ApiObject>);
    return informer;
  }

  /** Starts those that have not been started. */
  start(): void {
    for (const informer of this.#informers.values()) informer.start();
  }

  /** Parks the calling task until all that were asked for so far have synced. */
  async whenSynced(): Promise<void> {
    for (const informer of [...this.#informers.values()]) await informer.whenSynced();
  }
}
