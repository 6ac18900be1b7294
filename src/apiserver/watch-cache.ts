import type { WatchSink } from '#apimachinery/api-request.ts';
import type { ApiObject, FieldGetter } from '#apimachinery/resource.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import type { Rng } from '#base/rng.ts';
import type { EtcdEvent } from '#etcd/etcd.ts';
import type { Selection } from './selection.ts';
import type { ObjectStorage, Stored } from './storage.ts';
import { Change } from './watch-change.ts';
import { Watcher, type WatcherOptions } from './watcher.ts';

export interface WatchCacheOptions<T extends ApiObject> {
  readonly process: Process;
  readonly latency: Latency;
  readonly rng: Rng;
  readonly storage: ObjectStorage<T>;
}

interface FieldIndex<T extends ApiObject> {
  readonly get: FieldGetter<T>;
  readonly objects: Map<string, Map<string, Stored>>;
}

interface FieldWatchers<T extends ApiObject> {
  readonly get: FieldGetter<T>;
  readonly watchers: Map<string, Set<Watcher<T>>>;
}

/**
 * Current objects of one resource by the fields that selectors ask for, and those who watch it. One change costs the
 * watchers that may care for it, not all there are: they are found by namespace, by name or by a selected field.
 */
export class WatchCache<T extends ApiObject> {
  readonly #options: WatchCacheOptions<T>;
  readonly #storage: ObjectStorage<T>;
  readonly #indexes = new Map<string, FieldIndex<T>>();
  readonly #watchersOfAll = new Set<Watcher<T>>();
  readonly #watchersByNamespace = new Map<string, Set<Watcher<T>>>();
  readonly #watchersByKey = new Map<string, Set<Watcher<T>>>();
  readonly #watchersByField = new Map<string, FieldWatchers<T>>();
  #following = false;
  #stopFollowing = () => {};

  constructor(options: WatchCacheOptions<T>) {
    this.#options = options;
    this.#storage = options.storage;
  }

  /** The objects whose field has the value, in the order of their keys. */
  listBy(indexed: NonNullable<Selection<T>['indexed']>): readonly Stored[] {
    const found = this.#index(indexed.field, indexed.get).objects.get(indexed.value);
    return found ? [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) : [];
  }

  /** The resource is gone, or another one from now on: every watch of it ends. */
  close(): void {
    this.#stopFollowing();
    for (const watcher of [...this.#watchers()]) watcher.close(undefined);
  }

  #index(field: string, get: FieldGetter<T>): FieldIndex<T> {
    let index = this.#indexes.get(field);
    if (!index) {
      this.#follow();
      index = { get, objects: new Map() };
      this.#indexes.set(field, index);
      for (const stored of this.#storage.etcd.range(this.#storage.prefix).kvs)
        indexAdd(index, this.#storage.decode(stored), stored);
    }
    return index;
  }

  /** Adds a watcher and gives it what it begins with. */
  watch(selection: Selection<T>, sink: WatchSink<T>, start: WatchStart, options: WatcherOptions): Watcher<T> {
    this.#follow();
    const { process, latency, rng } = this.#options;
    const watcher = new Watcher<T>(process, latency, rng, this.#storage, selection, sink, options);
    watcher.since = start.since;
    for (const stored of start.initial) watcher.offerInitial(stored);
    for (const event of start.past) watcher.offer(new Change(this.#storage, event));
    const home = this.#homeOf(selection);
    home.add(watcher);
    watcher.onStop(() => home.delete(watcher));
    // In the order in which they began, whichever caches observers have made before.
    if (!options.observer) watcher.onStop(process.onExit(() => watcher.close(undefined)));
    return watcher;
  }

  /** Where watchers of a selection are looked for when something changes. */
  #homeOf({ name, namespace, indexed }: Selection<T>): Set<Watcher<T>> {
    const cluster = this.#storage.definition.scope === 'Cluster';
    if (name !== undefined && (cluster || namespace))
      return entry(this.#watchersByKey, this.#storage.key(namespace, name), () => new Set());
    if (indexed) {
      const watchers = entry(this.#watchersByField, indexed.field, () => ({
        get: indexed.get,
        watchers: new Map<string, Set<Watcher<T>>>(),
      })).watchers;
      return entry(watchers, indexed.value, () => new Set());
    }
    if (namespace && !cluster) return entry(this.#watchersByNamespace, namespace, () => new Set());
    return this.#watchersOfAll;
  }

  #follow(): void {
    if (this.#following) return;
    this.#following = true;
    const { process } = this.#options;
    const watch = this.#storage.etcd.watch(this.#storage.prefix, undefined, (events) => {
      for (const event of events) this.#changed(event);
    });
    const forget = process.onExit(() => {
      watch.stop();
      for (const watcher of [...this.#watchers()]) if (watcher.options.observer) watcher.close(undefined);
    });
    this.#stopFollowing = () => {
      forget();
      watch.stop();
    };
  }

  #changed(event: EtcdEvent<ApiObject>): void {
    const change = new Change(this.#storage, event);
    const { previous, current } = change;
    const { key } = event.kv;
    for (const index of this.#indexes.values()) {
      if (previous) indexRemove(index, previous, key);
      if (current) indexAdd(index, current, event.kv);
    }
    const { namespace } = (current ?? (previous as T)).metadata;
    offerTo(this.#watchersOfAll, change);
    if (namespace !== undefined && this.#watchersByNamespace.size > 0)
      offerTo(this.#watchersByNamespace.get(namespace), change);
    if (this.#watchersByKey.size > 0) offerTo(this.#watchersByKey.get(key), change);
    for (const { get, watchers } of this.#watchersByField.values()) {
      const before = previous && get(previous);
      const after = current && get(current);
      if (before !== undefined) offerTo(watchers.get(before), change);
      if (after !== undefined && after !== before) offerTo(watchers.get(after), change);
    }
  }

  /** Tells observers, or `all`, who asked for it how far they are, if that is not as far as etcd. */
  sendBookmarks(all: boolean): void {
    const { revision } = this.#storage.etcd;
    for (const watcher of this.#watchers()) {
      const { bookmarks, observer } = watcher.options;
      if (bookmarks && (observer || (all && watcher.since < revision))) watcher.bookmark(revision);
    }
  }

  *#watchers(): Generator<Watcher<T>> {
    yield* this.#watchersOfAll;
    for (const watchers of this.#watchersByNamespace.values()) yield* watchers;
    for (const watchers of this.#watchersByKey.values()) yield* watchers;
    for (const { watchers } of this.#watchersByField.values()) for (const set of watchers.values()) yield* set;
  }
}

export interface WatchStart {
  /** Events up to this revision are known to the watcher. */
  readonly since: number;
  /** Objects to begin with, sent as ADDED. */
  readonly initial: readonly Stored[];
  /** Events that the watcher has missed, oldest first. */
  readonly past: readonly EtcdEvent<ApiObject>[];
}

function offerTo<T extends ApiObject>(watchers: Set<Watcher<T>> | undefined, change: Change<T>): void {
  if (watchers) for (const watcher of watchers) watcher.offer(change);
}

function indexAdd<T extends ApiObject>({ get, objects }: FieldIndex<T>, object: T, stored: Stored): void {
  entry(objects, get(object), () => new Map<string, Stored>()).set(stored.key, stored);
}

function indexRemove<T extends ApiObject>({ get, objects }: FieldIndex<T>, object: T, key: string): void {
  const value = get(object);
  const found = objects.get(value);
  found?.delete(key);
  if (found?.size === 0) objects.delete(value);
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
