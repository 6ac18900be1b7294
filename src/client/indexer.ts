import type { ApiObject, NamespacedName } from '#apimachinery/resource.ts';
import { assert } from '#base/assert.ts';
import { controllerOf, keyOfName } from './key.ts';

/** The values under which an object is found in an index; undefined or an empty list: it is not in it. */
export type IndexFunction<T> = (object: T) => string | readonly string[] | undefined;

/** A named index. Informers of one component share the indices that ask for the same name. */
export interface Index<T> {
  readonly name: string;
  readonly values: IndexFunction<T>;
}

/** All indexers have this index. */
export const byNamespace: Index<ApiObject> = { name: 'namespace', values: (object) => object.metadata.namespace ?? '' };

/** By the uid of the controlling owner. */
export const byControllerUid: Index<ApiObject> = {
  name: 'controllerUid',
  values: (object) => controllerOf(object)?.uid,
};

/** By `spec.nodeName`, for Pods; those that are not bound are under the empty string. */
export const byNodeName: Index<ApiObject> = {
  name: 'spec.nodeName',
  values: (object) => (object as { readonly spec?: { readonly nodeName?: string } }).spec?.nodeName ?? '',
};

/** Reads what an informer has seen. Objects are frozen and shared; lists are the caller's own. */
export interface Lister<T extends ApiObject> {
  readonly size: number;
  get(key: NamespacedName): T | undefined;
  /** By the string key of key.ts. */
  getByKey(key: string): T | undefined;
  /** All objects, or those of a namespace. */
  list(namespace?: string): T[];
  byIndex(index: Index<T>, value: string): T[];
  /** The values under which the index holds something. */
  indexValues(index: Index<T>): string[];
}

/** Objects by key, and by any number of indices; each operation costs O(indices). */
export class Indexer<T extends ApiObject> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #indices = new Map<
    string,
    { readonly values: IndexFunction<T>; readonly buckets: Map<string, Map<string, T>> }
  >();

  constructor() {
    this.addIndex(byNamespace);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Adds an index, unless one of that name exists; it covers what is stored already. */
  addIndex(index: Index<T>): void {
    if (this.#indices.has(index.name)) return;
    const buckets = new Map<string, Map<string, T>>();
    this.#indices.set(index.name, { values: index.values, buckets });
    for (const [key, object] of this.#objects) put(buckets, index.values(object), key, object);
  }

  /** Stores an object and returns the one it replaces. */
  set(key: string, object: T): T | undefined {
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const { values, buckets } of this.#indices.values()) {
      const next = values(object);
      if (previous) {
        const old = values(previous);
        if (old !== next) drop(buckets, old, key);
      }
      put(buckets, next, key, object);
    }
    return previous;
  }

  /** Removes an object and returns it. */
  delete(key: string): T | undefined {
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    this.#objects.delete(key);
    for (const { values, buckets } of this.#indices.values()) drop(buckets, values(previous), key);
    return previous;
  }

  get(key: NamespacedName): T | undefined {
    return this.#objects.get(keyOfName(key));
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.byIndex(byNamespace, namespace);
  }

  byIndex(index: Index<T>, value: string): T[] {
    const bucket = this.#buckets(index).get(value);
    return bucket ? [...bucket.values()] : [];
  }

  indexValues(index: Index<T>): string[] {
    return [...this.#buckets(index).keys()];
  }

  #buckets(index: Index<T>): Buckets<T> {
    const found = this.#indices.get(index.name);
    assert(found, `there is no index ${index.name}`);
    return found.buckets;
  }
}

type Buckets<T> = Map<string, Map<string, T>>;

function put<T>(buckets: Buckets<T>, values: string | readonly string[] | undefined, key: string, object: T): void {
  if (values === undefined) return;
  for (const value of typeof values === 'string' ? [values] : values) {
    const bucket = buckets.get(value);
    if (bucket) bucket.set(key, object);
    else buckets.set(value, new Map([[key, object]]));
  }
}

function drop<T>(buckets: Buckets<T>, values: string | readonly string[] | undefined, key: string): void {
  if (values === undefined) return;
  for (const value of typeof values === 'string' ? [values] : values) {
    const bucket = buckets.get(value);
    if (bucket?.delete(key) && bucket.size === 0) buckets.delete(value);
  }
}
