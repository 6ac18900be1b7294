import type { ApiRequest } from '#apimachinery/api-request.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import type { StructSchema } from '#apimachinery/schema.ts';
import type { Latency } from '#base/latency.ts';
import { formatTime } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import type { Rng } from '#base/rng.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Compare, Etcd, Operation } from '#etcd/etcd.ts';
import type { AdmissionChain } from './admission.ts';
import type { Authorizer } from './authorization.ts';
import type { Companion, ObjectStore, RequestContext, ResourceAllocator, VirtualResource } from './contract.ts';
import type { FieldManager } from './field-manager.ts';
import type { HostTimer } from './api-server.ts';
import type { LeaseSource } from './lease-source.ts';
import { changeMeta, withTypeMeta } from './metadata.ts';
import { patchedObject } from './patched-object.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ObjectStorage, Stored } from './storage.ts';
import type { WatchCache } from './watch-cache.ts';

/** What all requests of a server share. */
export interface ServerCore {
  readonly process: Process;
  readonly etcd: Etcd<ApiObject>;
  readonly latency: Latency;
  /** Streams of their own, so that one use does not shift another. */
  readonly random: { readonly latency: Rng; readonly uids: Rng; readonly names: Rng };
  readonly resources: ResourceTable;
  /** What is asked about requests for a resource. */
  admission(definition: ResourceDefinition): AdmissionChain;
  readonly authorizer: Authorizer;
  readonly virtual: ReadonlyMap<ResourceDefinition, VirtualResource>;
  /** The server's own access to objects. */
  readonly objects: ObjectStore;
  /** What gives objects of this resource things that must be theirs alone; undefined for nearly all. */
  allocator<T extends ApiObject>(definition: ResourceDefinition<T>): ResourceAllocator<T> | undefined;
  readonly fields: FieldManager;
  schemaOf<T extends ApiObject>(definition: ResourceDefinition<T>): StructSchema;
  readonly leases: LeaseSource;
  readonly hostTimer: HostTimer | undefined;
  storage<T extends ApiObject>(definition: ResourceDefinition<T>): ObjectStorage<T>;
  cache<T extends ApiObject>(definition: ResourceDefinition<T>): WatchCache<T>;
}

/** The API server, as the one who makes companions. */
const SERVER = {
  user: { name: 'system:apiserver', groups: ['system:masters'] },
  userAgent: 'kube-apiserver/v1.33.0',
} as const;

/** One request while it is being served. */
export class RequestScope<T extends ApiObject = ApiObject> implements RequestContext {
  readonly core: ServerCore;
  readonly request: ApiRequest;
  readonly definition: ResourceDefinition<T>;
  readonly storage: ObjectStorage<T>;
  readonly span: SpanId;
  /** The request came over the encoding floor: its patches are checked against the schema. */
  readonly external: boolean;

  constructor(
    core: ServerCore,
    request: ApiRequest,
    definition: ResourceDefinition<T>,
    span: SpanId,
    external: boolean,
  ) {
    this.core = core;
    this.request = request;
    this.definition = definition;
    this.storage = core.storage(definition);
    this.span = span;
    this.external = external;
  }

  get now(): number {
    return this.core.process.pump.now;
  }

  get authorizer(): Authorizer {
    return this.core.authorizer;
  }

  get dryRun(): boolean {
    return this.request.options.dryRun === true;
  }

  read<R extends ApiObject>(
    resource: ResourceDefinition<R>,
    namespace: string | undefined,
    name: string,
  ): R | undefined {
    const storage = this.core.storage(resource);
    const stored = storage.find(namespace, name);
    return stored && storage.decode(stored);
  }

  readAll<R extends ApiObject>(resource: ResourceDefinition<R>, namespace?: string): readonly R[] {
    const storage = this.core.storage(resource);
    return this.core.etcd.range(storage.prefixOf(namespace)).kvs.map((stored) => storage.decode(stored));
  }

  readonly warn = (text: string): void => {
    this.request.warn?.(text);
  };

  annotate(key: string, text: string): void {
    this.core.process.tracer.annotate(this.span, { [key]: text });
  }

  resourceOf(apiVersion: string, kind: string): ResourceDefinition | undefined {
    for (const definition of this.core.resources.all()) {
      if (definition.kind === kind && apiVersionOf(definition) === apiVersion) return definition;
    }
    return undefined;
  }

  shown(object: ApiObject): ApiObject {
    const { core, definition } = this;
    return object.kind === undefined || object.kind === definition.kind
      ? core.fields.canonical(definition, object as T)
      : object;
  }

  patched(object: ApiObject, operations: readonly JsonValue[]): ApiObject {
    return patchedObject(this, object, operations);
  }

  uuid(): string {
    return this.core.random.uids.uuid();
  }

  suffix(length: number): string {
    return this.core.random.names.suffix(length);
  }

  sleep(ms: number): Promise<void> {
    return this.core.process.clock.sleep(ms);
  }

  /**
   * Commits one write, with its companions, if the key's revision is still `modRevision` (0: it does not exist). Returns
   * the new revision, or undefined when somebody else was faster.
   */
  async commit(
    operation: Operation<ApiObject>,
    modRevision: number,
    companions?: readonly Companion[],
  ): Promise<CommitResult | undefined> {
    const { etcd, latency, process, random } = this.core;
    const isPut = 'put' in operation;
    const key = isPut ? operation.put : operation.delete;
    const ms = latency.sample('commit', random.latency);
    let span: SpanId | undefined;
    if (ms > 0) {
      span = etcd.openWrite(isPut ? 'put' : 'delete', key, this.span);
      await process.clock.sleep(ms);
    }
    const compare: Compare[] = [{ key, target: 'modRevision', revision: modRevision }];
    const operations = [operation];
    for (const companion of companions ?? []) this.#addCompanion(companion, compare, operations);
    const result = etcd.txn({
      compare,
      operations,
      cause: this.span,
      span,
    });
    if (result.succeeded) return { revision: result.revision, stored: result.events[0]?.kv };
    if (span !== undefined) process.tracer.end(span, { conflict: true });
    return undefined;
  }

  #addCompanion({ resource, name, object }: Companion, compare: Compare[], operations: Operation<ApiObject>[]): void {
    const { core, span, now } = this;
    const storage = core.storage(resource);
    const key = storage.key(undefined, name);
    if (!object) {
      const stored = storage.find(undefined, name);
      if (stored && !stored.value?.metadata.finalizers?.length) operations.push({ delete: key });
      return;
    }
    const { group, version, plural } = resource;
    const request = { ...SERVER, verb: 'create', group, version, resource: plural, options: {}, cause: span } as const;
    const typed = withTypeMeta(resource, object);
    const next = changeMeta(typed, { uid: this.uuid(), creationTimestamp: formatTime(now) });
    const scope = new RequestScope(core, request, resource, span, false);
    const ownership = core.fields.written(scope, undefined, next, typed);
    compare.push({ key, target: 'modRevision', revision: 0 });
    operations.push({ put: key, value: (revision) => storage.encode(next, revision, ownership) });
  }
}

export interface CommitResult {
  readonly revision: number;
  readonly stored: Stored | undefined;
}
