import type { SpanId } from '#base/tracer.ts';
import type { CancelSignal, HttpResponse, Upgraded } from '#transport/http.ts';
import type { ApiObject } from './resource.ts';

/** Who asks. Follows authentication/user, v1.33. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection' | 'connect';

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml';

/** What a PATCH asks for. */
export interface Patch {
  readonly type: PatchType;
  readonly body: unknown;
  /** What strict decoding of the body would refuse: keys that come twice, words that no operation has. */
  readonly strictErrors?: readonly string[];
  /**
   * What the patch makes of one version of the object, where a caller in-process knows: the server need not work it out
   * (nor look at `body`, which may be a getter) as long as nobody was faster.
   */
  readonly known?: { readonly of: ApiObject; readonly result: ApiObject };
}

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export type PropagationPolicy = 'Orphan' | 'Background' | 'Foreground';

/** Options of all verbs together, named as their query parameters and option objects are. */
export interface RequestOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly timeoutSeconds?: number;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  readonly force?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: PropagationPolicy;
  readonly orphanDependents?: boolean;
  readonly preconditions?: Preconditions;
}

/**
 * A request below the encoding floor: what the HTTP floor decodes to, and what in-process clients send. Objects are
 * shared by reference and frozen.
 */
export interface ApiRequest {
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  /** Plural name. */
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** The object of create and update, or a subresource's object (Binding …). */
  readonly object?: ApiObject;
  readonly patch?: Patch;
  readonly options: RequestOptions;
  /** Query parameters of a `connect` request (`container`, `follow`, `command` …), each in order. */
  readonly parameters?: Readonly<Record<string, readonly string[]>>;
  readonly user: UserInfo;
  readonly userAgent: string;
  /** The span that makes the caller ask; 0 for none. */
  readonly cause: SpanId;
  /** A read from outside that must not influence the engine: no latency, no span, no task. */
  readonly observer?: boolean;
  /** Collects texts for the `Warning` header. */
  readonly warn?: (text: string) => void;
  readonly signal?: CancelSignal;
  /** Subprotocols that the client offers for an upgrade, the best first. */
  readonly protocols?: readonly string[];
  /** The client wants warnings about fields that are accepted but not modelled. */
  readonly warnNotModelled?: boolean;
  /** Called when an update or an apply creates the object (201 instead of 200). */
  readonly onCreated?: () => void;
}

export interface ApiList {
  readonly items: readonly ApiObject[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
  /** The span of the write that made each item; for engine components, whose informers hand it on as the cause. */
  readonly causes?: readonly SpanId[];
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

export interface WatchEvent<T extends ApiObject = ApiObject> {
  readonly type: WatchEventType;
  /** For BOOKMARK only metadata.resourceVersion counts. */
  readonly object: T;
  /** The span of the delivery to this watcher (its parent is the write); 0 for observers. */
  readonly span: SpanId;
}

/** Receives a watch's events, each in a turn of its own. */
export interface WatchSink<T extends ApiObject = ApiObject> {
  event(event: WatchEvent<T>): void;
  /** The watch is over: with a Status error (410 …), or because it timed out or the server went. */
  closed(error?: unknown): void;
}

export interface WatchHandle {
  stop(): void;
}

/**
 * The API server below its encoding floor. Errors are thrown as StatusError. Calls from engine code are made in a task
 * and take the latencies of the model; requests with `observer` run without tasks.
 */
export interface ApiBackend {
  /** get, create, update, patch, delete (object or Status), and object-valued subresources. */
  request(request: ApiRequest): Promise<ApiObject>;
  list(request: ApiRequest): Promise<ApiList>;
  /** deletecollection. */
  deleteCollection(request: ApiRequest): Promise<ApiList>;
  watch(request: ApiRequest, sink: WatchSink): Promise<WatchHandle>;
  /** log, exec, attach, portforward, proxy: bytes or an upgrade. */
  connect(request: ApiRequest): Promise<HttpResponse | Upgraded>;
}
