import type { UserInfo } from './api-request.ts';
import type { Decoded } from './decode.ts';
import type { FieldError } from './field-error.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { ReadValue } from './json-reader.ts';
import type { StructSchema } from './schema.ts';

/** Names of one object; cluster-scoped objects have no namespace. */
export interface NamespacedName {
  readonly namespace?: string;
  readonly name: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** What all objects' metadata has. The API server fills in what is optional here before anything is stored. */
export interface ObjectMetaLike {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Any object of the API. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMetaLike;
}

export type Scope = 'Namespaced' | 'Cluster';

/** A column of the server-side table. */
export interface TableColumn<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean' | 'number';
  readonly format?: string;
  readonly description?: string;
  /** 0 shows always; more only with `-o wide`. */
  readonly priority?: number;
  /** `now` is the cluster's clock, ms. */
  cell(object: T, now: number): JsonValue;
}

/** What a strategy may look at; pure data, nothing to call. */
export interface StrategyContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Who asks. */
  readonly user?: UserInfo;
}

/**
 * How a kind is written. All functions are pure: they return the object that goes on, sharing what they do not change.
 * Order on create: defaults → (mutating admission) → name, uid → prepareForCreate → validate → canonicalize →
 * (validating admission) → write. Follows registry/rest create.go and update.go, v1.33.
 */
export interface Strategy<T> {
  prepareForCreate?(object: T, context: StrategyContext): T;
  /** Keeps what this endpoint may not change (status, say) and bumps `generation` where the kind does. */
  prepareForUpdate?(next: T, previous: T, context: StrategyContext): T;
  canonicalize?(object: T): T;
  /** Warnings for the client, as a `Warning` header. */
  warnings?(object: T, previous: T | undefined): readonly string[];
  /** Objects may be created by a PUT (or apply) to a name that does not exist. */
  readonly allowCreateOnUpdate?: boolean;
  /** An update without resourceVersion overwrites (true for nearly all kinds). */
  readonly allowUnconditionalUpdate?: boolean;
  /** Seconds of grace for a delete that asks for `requested` (undefined: the default); 0 or undefined: at once. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined;
  /** Objects may keep existing while they are deleted gracefully, without finalizers (Pods). */
  readonly gracefulDeletion?: boolean;
  /** A deleted object stays while this says so, beside metadata.finalizers (namespaces: spec.finalizers). */
  holdsDeletion?(object: T): boolean;
  /** What the beginning of deletion changes (namespaces: the phase becomes Terminating). */
  prepareForDelete?(object: T): T;
  /** A finished deletion answers with the object, not with a Status (Pods, Services, ServiceAccounts …). */
  readonly returnsDeletedObject?: boolean;
  readonly defaultGarbageCollection?: 'background' | 'orphan' | 'foreground';
}

/** Reads a field for a selector. (Declared through a method, so that a definition of Pods is a definition of objects.) */
export type FieldGetter<T> = { get(object: T): string }['get'];

/** A subresource that reads and writes the same object: `status`, `ephemeralcontainers`, `resize`. */
export interface ObjectSubresource<T> {
  prepareForUpdate(next: T, previous: T, context: StrategyContext): T;
  validateUpdate(next: T, previous: T): readonly FieldError[];
  warnings?(next: T, previous: T): readonly string[];
}

/** metav1.TableRowCondition. */
export interface TableRowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/**
 * A second face of objects that another definition stores: events.k8s.io serves the Events of core v1. Requests are
 * decoded, defaulted, validated and selected by this definition and its schema; stored under the other's key is the other's
 * form, converted on the way in and out.
 */
export interface StoredAs<T extends ApiObject> {
  readonly resource: ResourceDefinition;
  toStored(object: T): ApiObject;
  fromStored(object: ApiObject): T;
}

/** How the objects of a custom resource are read and described: no type of Go's stands behind them. */
export interface CustomFormat {
  /** Takes the place of the schema that definitions name: what ownership of fields knows of the objects. */
  readonly schema: StructSchema;
  /** Reads a document; what the resource does not know is dropped and told of. Throws DecodeError and StatusError. */
  decode(value: ReadValue): Decoded;
  /** OpenAPI v3 definitions by name: the kind's and its list's. */
  readonly openapi: ReadonlyMap<string, JsonObject>;
  /** The same for as long as the definition is. */
  readonly revision: string;
  readonly listKind: string;
  /** The resource is going: nothing may be created any more. */
  readonly terminating: boolean;
}

/**
 * One resource kind. From this one value come routes, discovery, OpenAPI, decoding, defaulting, validation, storage,
 * tables, the typed client and informers. A CustomResourceDefinition is turned into the same value.
 */
export interface ResourceDefinition<T extends ApiObject = ApiObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly scope: Scope;
  /** What every client of the resource is warned of. */
  readonly deprecated?: string;
  /** Definition name of the schema, such as `io.k8s.api.core.v1.Pod`. */
  readonly schema: string;
  /** Verbs served; default: all of create, delete, deletecollection, get, list, patch, update, watch. */
  readonly verbs?: readonly string[];
  /** How names are validated; default: DNS-1123 subdomain. Returns messages (without the field). */
  validateName?(name: string, prefix: boolean): readonly string[];
  /** Fills in v1.33's defaults. Returns its argument when there is nothing to fill in. */
  defaults?(object: T): T;
  /** Everything but metadata, which the server validates itself. */
  validate?(object: T): readonly FieldError[];
  /** All that an update is checked for but metadata; calls `validate` where upstream does. */
  validateUpdate?(next: T, previous: T): readonly FieldError[];
  /**
   * Fields that are taken and kept but have no effect here, each with a word about it; told to clients that ask for such
   * warnings, so that the real kubectl prints what it prints on a cluster.
   */
  notModelled?(object: T): readonly string[];
  readonly strategy?: Strategy<T>;
  readonly subresources?: Readonly<Record<string, ObjectSubresource<T>>>;
  /**
   * Fields that an endpoint does not write, dotted, so that who sends them does not own them: by subresource, and `object`.
   * Without it: the object's endpoints leave `status` alone (where there is a status), and `status` leaves `spec` alone.
   */
  readonly resetFields?: Readonly<Record<string, readonly string[]>>;
  /** Field selectors beyond metadata.name and metadata.namespace, such as `spec.nodeName`. */
  readonly selectableFields?: Readonly<Record<string, FieldGetter<T>>>;
  /** Columns after Name, before Age (which are added unless `ownColumns`). Kinds without columns: Name and Age only. */
  readonly columns?: readonly TableColumn<T>[];
  /** The columns are the whole table (Name and Age included). */
  readonly ownColumns?: boolean;
  /** The order of a list's rows in its table; default: the list's. */
  compareRows?(a: T, b: T): number;
  /** Conditions of the table's row, such as Completed for a Pod that has ended. */
  rowConditions?(object: T): readonly TableRowCondition[];
  readonly storedAs?: StoredAs<T>;
  /** Custom resources only. */
  readonly custom?: CustomFormat;
  /** The storage key's resource part where upstream's differs, such as `minions` for nodes. */
  readonly storagePrefix?: string;
  /** Objects go by themselves after so many seconds (Events: 3600). */
  readonly ttlSeconds?: number;
}

/** Declares a kind. The only way to do so; it exists for type inference. */
export function defineResource<T extends ApiObject>(definition: ResourceDefinition<T>): ResourceDefinition<T> {
  return definition;
}

/** `v1` or `apps/v1`. */
export function apiVersionOf(resource: { readonly group: string; readonly version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `pods` or `deployments.apps`, as messages name a resource. */
export function qualifiedResource(resource: { readonly group: string; readonly plural: string }): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}
