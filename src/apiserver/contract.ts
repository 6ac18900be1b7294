import type { ApiRequest, UserInfo } from '#apimachinery/api-request.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { Rng } from '#base/rng.ts';
import type { SpanId } from '#base/tracer.ts';
import type { HttpResponse, Upgraded } from '#transport/http.ts';
import type { Authorizer } from './authorization.ts';

/** What the server lends to the code that extends it, for the life of one request. */
export interface RequestContext {
  readonly request: ApiRequest;
  /** Virtual time, ms. */
  readonly now: number;
  /** The request's span. */
  readonly span: SpanId;
  /** The stored object below all admission: a consistent read of the server's own. Undefined when there is none. */
  read<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined;
  /** All stored objects of a namespace (or of all), by reference; for admission plugins and allocators. */
  readAll<T extends ApiObject>(resource: ResourceDefinition<T>, namespace?: string): readonly T[];
  /** Says what others may do, too; the request at hand has passed it. */
  readonly authorizer: Authorizer;
  /** Text for the `Warning` header. */
  warn(text: string): void;
  /** What the audit log would say of the request; kept with its span. */
  annotate(key: string, text: string): void;
  /** The resource that is served for a kind. */
  resourceOf(apiVersion: string, kind: string): ResourceDefinition | undefined;
  /** The object as clients outside see it, without managedFields. */
  shown(object: ApiObject): ApiObject;
  /** The request's object after a JSON patch, decoded and defaulted as a body would be. Throws 500. */
  patched(object: ApiObject, operations: readonly JsonValue[]): ApiObject;
  /** A new uid, seeded. */
  uuid(): string;
  /** A random end of a generated name, seeded. */
  suffix(length: number): string;
  /** Parks the request for milliseconds of virtual time. */
  sleep(ms: number): Promise<void>;
}

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  readonly resource: ResourceDefinition;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name: string;
  /** Absent on DELETE and CONNECT. */
  readonly object?: ApiObject;
  readonly oldObject?: ApiObject;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Only for `admit`. */
  readonly reinvocation?: Reinvocation;
}

/** One request's way through the mutating plugins, which is gone a second time when a late one changed the object. */
export interface Reinvocation {
  /** This is the second time. */
  readonly again: boolean;
  /** Set by a plugin that wants the others to look at its changes. */
  wanted: boolean;
  /** What plugins keep from the first time to the second, by their names. */
  readonly kept: Map<string, unknown>;
}

/**
 * One admission plugin. `admit` returns the object that goes on (sharing what it keeps); `validate` only throws a
 * StatusError. Both answer at once, but for those that ask somebody else (webhooks) or keep an account in the store
 * (quotas). Order and meaning follow apiserver/pkg/admission, v1.33.
 */
export interface AdmissionPlugin {
  /** As `--enable-admission-plugins` names it. */
  readonly name: string;
  /** What it is asked about; default: everything. */
  readonly resources?: readonly ResourceDefinition[];
  /**
   * Parks until what the plugin needs is there, when somebody is about to make it. Asked on CREATE before any plugin
   * changes the object; undefined when there is nothing to wait for.
   */
  wait?(attributes: AdmissionAttributes, context: RequestContext): Promise<void> | undefined;
  admit?(
    attributes: AdmissionAttributes,
    context: RequestContext,
  ): ApiObject | undefined | Promise<ApiObject | undefined>;
  validate?(attributes: AdmissionAttributes, context: RequestContext, store: ObjectStore): void | Promise<void>;
}

/** What an allocator has of the server that it lives in. */
export interface AllocatorSource {
  /** Of its own. */
  readonly rng: Rng;
  /** All stored objects, by reference. Throws when etcd does not run. */
  readAll<T extends ApiObject>(resource: ResourceDefinition<T>): readonly T[];
  /** One of them. Throws when etcd does not run. */
  read<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined;
}

/**
 * An object of the cluster that comes or goes with another one, in the same transaction: made (it must not exist yet), or,
 * without `object`, deleted, unless finalizers hold it.
 */
export interface Companion {
  readonly resource: ResourceDefinition;
  readonly name: string;
  readonly object?: ApiObject;
}

/** What was set aside for one write. Whoever asked for it calls one of the two functions, once. */
export interface Allocation<T extends ApiObject> {
  /** The object with what was set aside filled in. */
  readonly object: T;
  /** What is written with it. */
  readonly companions?: readonly Companion[];
  /** The write has happened: what the object no longer has is free. */
  commit(): void;
  /** It has not: what was set aside is free. */
  revert(): void;
}

/**
 * Gives to objects of one resource out of pools that all of them share (addresses, ports), each thing to one of them. It
 * is asked before `prepareForCreate` and `prepareForUpdate` of the strategy, as BeginCreate and BeginUpdate of
 * registry/generic/registry/store.go are, v1.33; not for subresources. It lives as long as its server, so that what is
 * taken must be known from the store at its start. A dry run takes nothing.
 */
export interface ResourceAllocator<T extends ApiObject = ApiObject> {
  readonly resource: ResourceDefinition<T>;
  /** Objects of this resource with the same name are deleted after the object. */
  readonly deletedWith?: ResourceDefinition;
  /** Throws a StatusError when something cannot be had; then nothing was set aside. */
  allocateCreate(object: T, dryRun: boolean): Allocation<T>;
  allocateUpdate(next: T, previous: T, dryRun: boolean): Allocation<T>;
  /** What goes with the object when it is deleted. */
  companionsOf(object: T): readonly Companion[];
  /** The object has been deleted. */
  release(object: T): void;
}

/**
 * A face of objects that has another kind, read and written as a subresource: a Scale. What is written through it passes
 * admission as a view, and then is an update of the object by the object's own rules.
 */
export interface ObjectView {
  /** How views are decoded, defaulted, validated and shown. It is not served by itself. */
  readonly definition: ResourceDefinition;
  /** Throws for an object that has no such view to read. */
  check?(object: ApiObject): void;
  /** What the view shows of an object, name, uid and resourceVersion included. */
  of(object: ApiObject): ApiObject;
  /** Where objects have the number of replicas that a Scale shows as its own; default: `spec.replicas`. */
  readonly replicasPath?: readonly string[];
  /** The object with what the view says; its metadata is the server's business. */
  apply(view: ApiObject, object: ApiObject): ApiObject;
}

/** Behaviour of a subresource that is more than reading and writing the object itself. */
export interface SubresourceEndpoint {
  readonly resource: ResourceDefinition;
  readonly subresource: string;
  /** What discovery says of it. */
  readonly kind: {
    readonly group: string;
    readonly version: string;
    readonly kind: string /** OpenAPI definition of the body. */;
    readonly schema: string;
  };
  readonly verbs: readonly string[];
  /** GET, PUT and PATCH of a view of the object. */
  readonly view?: ObjectView;
  /** POST of an object. */
  create?(context: RequestContext, store: ObjectStore): Promise<ApiObject>;
  /** GET (and POST) that answers with bytes or upgrades. */
  connect?(context: RequestContext, store: ObjectStore): Promise<HttpResponse | Upgraded>;
}

/**
 * A resource of which nothing is stored: who creates an object gets an answer, who reads gets what is the case. Its
 * definition lists the verbs that are here.
 */
export interface VirtualResource {
  readonly resource: ResourceDefinition;
  create?(context: RequestContext, store: ObjectStore): ApiObject | Promise<ApiObject>;
  /** All that there are, in the order of the list; a get finds its object among them. */
  list?(): readonly ApiObject[];
}

export interface StoreUpdateOptions {
  /** By the rules of this subresource (`status`) instead of the object's own. */
  readonly subresource?: string;
  /** By no rules: what `update` returns is written (a binding). */
  readonly unchecked?: boolean;
}

/** The server's own access to stored objects, for subresource endpoints. */
export interface ObjectStore {
  /** Throws NotFound. */
  get<T extends ApiObject>(resource: ResourceDefinition<T>, namespace: string | undefined, name: string): T;
  /**
   * Reads, applies `update` and writes; tries again when somebody else was faster. `update` may throw, and returns its
   * argument for "nothing to do". Passes no admission.
   */
  update<T extends ApiObject>(
    context: RequestContext,
    resource: ResourceDefinition<T>,
    namespace: string | undefined,
    name: string,
    update: (object: T) => T,
    options?: StoreUpdateOptions,
  ): Promise<T>;
  /** Deletes as the delete verb does, with the request's options or these. */
  delete(
    context: RequestContext,
    resource: ResourceDefinition,
    namespace: string | undefined,
    name: string,
    options?: ApiRequest['options'],
  ): Promise<ApiObject>;
}
