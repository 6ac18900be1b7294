import type { WatchEventType } from '#apimachinery/api-request.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import type { EtcdEvent } from '#etcd/etcd.ts';
import type { ObjectStorage, Stored } from './storage.ts';

/** One event as all watchers of a resource share it. */
export class Change<T extends ApiObject> {
  readonly event: EtcdEvent<ApiObject>;
  readonly current: T | undefined;
  readonly previous: T | undefined;
  readonly #storage: ObjectStorage<T>;
  #gone: T | undefined;
  readonly #attributes = new Map<WatchEventType, Readonly<Record<string, string | number>>>();

  constructor(storage: ObjectStorage<T>, event: EtcdEvent<ApiObject>) {
    this.#storage = storage;
    this.event = event;
    this.current = event.kv.value === undefined ? undefined : storage.decode(event.kv);
    this.previous = event.previous && storage.decode(event.previous);
  }

  /** The last state, at the revision of this change. */
  get gone(): T {
    this.#gone ??= this.#storage.atDeletion(this.event.previous as Stored, this.event.kv.modRevision);
    return this.#gone;
  }

  attributes(type: WatchEventType): Readonly<Record<string, string | number>> {
    let attributes = this.#attributes.get(type);
    if (!attributes) {
      attributes = deliveryAttributes(
        this.#storage,
        type,
        this.current ?? (this.previous as T),
        this.event.kv.modRevision,
      );
      this.#attributes.set(type, attributes);
    }
    return attributes;
  }
}

/** What the span of a delivery says. */
export function deliveryAttributes<T extends ApiObject>(
  { definition }: ObjectStorage<T>,
  type: WatchEventType,
  { metadata: { namespace, name = '' } }: ApiObject,
  revision: number,
): Readonly<Record<string, string | number>> {
  return { resource: definition.plural, ...(namespace ? { namespace } : {}), name, type, revision };
}
