import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { deepFreeze } from '#apimachinery/json.ts';
import type { Etcd, KeyValue } from '#etcd/etcd.ts';
import type { FieldManager, Ownership } from './field-manager.ts';
import { withMeta } from './metadata.ts';

/** What is in etcd under one key: the object in the form that is stored, frozen. */
export type Stored = KeyValue<ApiObject>;

/**
 * The objects of one resource in etcd: their keys, and their form in this version of the API. Only here (and in etcd) is
 * a resourceVersion known to be a revision.
 */
export class ObjectStorage<T extends ApiObject = ApiObject> {
  readonly definition: ResourceDefinition<T>;
  readonly etcd: Etcd<ApiObject>;
  /** Under which all keys of the resource lie, with a slash at the end. */
  readonly prefix: string;
  readonly #fields: FieldManager;
  readonly #converted = new WeakMap<ApiObject, T>();

  constructor(etcd: Etcd<ApiObject>, fields: FieldManager, definition: ResourceDefinition<T>) {
    this.etcd = etcd;
    this.#fields = fields;
    this.definition = definition;
    const stored = (definition.storedAs?.resource ?? definition) as ResourceDefinition;
    this.prefix = `/registry/${stored.storagePrefix ?? stored.plural}/`;
  }

  key(namespace: string | undefined, name: string): string {
    return this.definition.scope === 'Namespaced' ? `${this.prefix}${namespace ?? ''}/${name}` : this.prefix + name;
  }

  /** Under which the keys of a namespace lie. */
  prefixOf(namespace: string | undefined): string {
    return namespace && this.definition.scope === 'Namespaced' ? `${this.prefix}${namespace}/` : this.prefix;
  }

  find(namespace: string | undefined, name: string): Stored | undefined {
    return this.etcd.get(this.key(namespace, name));
  }

  /** The stored object as this version of the API shows it; always the same value for the same revision. */
  decode(stored: Stored): T {
    const object = stored.value as ApiObject;
    const { storedAs } = this.definition;
    if (!storedAs) return object as T;
    let converted = this.#converted.get(object);
    if (!converted) {
      converted = this.#fields.attach(deepFreeze(storedAs.fromStored(object)), this.#fields.of(object));
      this.#converted.set(object, converted);
    }
    return converted;
  }

  /** The form that is stored at a revision, and who owns its fields: known before the first watcher sees it. */
  encode(object: T, revision: number, ownership: Ownership): ApiObject {
    const stored = this.definition.storedAs ? this.definition.storedAs.toStored(object) : object;
    const resourceVersion = String(revision);
    // What has a version was stored before: its metadata is in order.
    const { metadata } = stored;
    const versioned =
      metadata.resourceVersion === undefined
        ? withMeta(stored, { resourceVersion })
        : { ...stored, metadata: { ...metadata, resourceVersion } };
    return this.#fields.attach(deepFreeze(versioned), ownership);
  }

  /** The object as a deletion's event and answer show it: at the revision of the deletion. */
  atDeletion(previous: Stored, revision: number): T {
    const object = this.decode(previous);
    const last = deepFreeze(withMeta(object, { resourceVersion: String(revision) }));
    return this.#fields.attach(last, this.#fields.of(object));
  }
}

/** The revision that a resourceVersion names; undefined if it is none. */
export function parseResourceVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return 0;
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}
