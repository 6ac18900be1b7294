import type {
  ApiBackend,
  ApiRequest,
  PatchType,
  Preconditions,
  PropagationPolicy,
  RequestOptions,
  UserInfo,
  Verb,
  WatchEvent,
  WatchHandle,
  WatchSink,
} from '#apimachinery/api-request.ts';
import type { ApiObject, NamespacedName, ResourceDefinition } from '#apimachinery/resource.ts';
import type { SpanId } from '#base/tracer.ts';

export interface ListResult<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
  /** The span of the write that made each item, where the server tells. */
  readonly causes?: readonly SpanId[];
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: PropagationPolicy;
  readonly preconditions?: Preconditions;
}

export interface ClientOptions {
  readonly user: UserInfo;
  /** As kube-controller-manager's `…/v1.33.0`; the part before the slash is the default field manager. */
  readonly userAgent: string;
}

/**
 * The typed in-process client of engine components. Every call throws StatusError as the server answers, and
 * ProcessExitedError when the API server is not running. Objects that come back are frozen and shared.
 */
export class Client {
  readonly #backend: ApiBackend;
  readonly #options: ClientOptions;
  readonly #cause: SpanId;

  constructor(backend: ApiBackend, options: ClientOptions, cause: SpanId = 0) {
    this.#backend = backend;
    this.#options = options;
    this.#cause = cause;
  }

  /** The same client; what it asks is caused by the span. */
  withCause(cause: SpanId): Client {
    return new Client(this.#backend, this.#options, cause);
  }

  get cause(): SpanId {
    return this.#cause;
  }

  get<T extends ApiObject>(resource: ResourceDefinition<T>, key: NamespacedName): Promise<T> {
    return this.#object(this.#request('get', resource, key, {}));
  }

  async list<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    options: RequestOptions & { readonly namespace?: string } = {},
  ): Promise<ListResult<T>> {
    const { namespace, ...rest } = options;
    return (await this.#backend.list(this.#request('list', resource, { namespace }, rest))) as unknown as ListResult<T>;
  }

  watch<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    options: RequestOptions & { readonly namespace?: string },
    sink: WatchSink<T>,
  ): Promise<WatchHandle> {
    const { namespace, ...rest } = options;
    return this.#backend.watch(this.#request('watch', resource, { namespace }, rest), {
      event: (event) => sink.event(event as WatchEvent<T>),
      closed: (error) => sink.closed(error),
    });
  }

  create<T extends ApiObject>(resource: ResourceDefinition<T>, object: T, options: RequestOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#object({
      ...this.#request('create', resource, { namespace, name }, options),
      object,
    });
  }

  update<T extends ApiObject>(resource: ResourceDefinition<T>, object: T, options: RequestOptions = {}): Promise<T> {
    return this.#object({ ...this.#request('update', resource, keyOf(object), options), object });
  }

  updateStatus<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    object: T,
    options: RequestOptions = {},
  ): Promise<T> {
    return this.updateSubresource(resource, object, 'status', options);
  }

  /** PUTs the object to a subresource of it: `status`, `finalize`. */
  updateSubresource<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    object: T,
    subresource: string,
    options: RequestOptions = {},
  ): Promise<T> {
    return this.#object({ ...this.#request('update', resource, keyOf(object), options), subresource, object });
  }

  patch<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    key: NamespacedName,
    type: PatchType,
    body: unknown,
    options: RequestOptions & { readonly subresource?: string } = {},
  ): Promise<T> {
    const { subresource, ...rest } = options;
    return this.#object({ ...this.#request('patch', resource, key, rest), subresource, patch: { type, body } });
  }

  /**
   * Patches the status of an object to one that is known. `diff` makes the strategic merge patch from the object's status
   * to the new one; it is asked for only if the server has another version of the object.
   */
  patchStatusTo<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    object: T,
    result: T,
    diff: () => unknown,
  ): Promise<T> {
    const { uid } = object.metadata;
    return this.#object({
      ...this.#request('patch', resource, keyOf(object), {}),
      subresource: 'status',
      patch: {
        type: 'application/strategic-merge-patch+json',
        get body() {
          return { metadata: { uid }, status: diff() };
        },
        known: { of: object, result },
      },
    });
  }

  /** A strategic merge patch of an object's status; undefined: there is nothing to change. */
  async patchStatus<T extends ApiObject>(resource: ResourceDefinition<T>, object: T, patch: unknown): Promise<void> {
    if (patch === undefined) return;
    const type = 'application/strategic-merge-patch+json';
    await this.patch(resource, keyOf(object), type, patch, { subresource: 'status' });
  }

  /** Resolves when the server has taken the deletion, which need not mean that the object is gone. */
  async delete<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    key: NamespacedName,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.#backend.request(this.#request('delete', resource, key, options));
  }

  async deleteCollection<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    options: RequestOptions & { readonly namespace?: string },
  ): Promise<void> {
    const { namespace, ...rest } = options;
    await this.#backend.deleteCollection(this.#request('deletecollection', resource, { namespace }, rest));
  }

  /** POSTs an object to a subresource: a Binding, an Eviction, a TokenRequest. */
  createSubresource<T extends ApiObject>(
    resource: ResourceDefinition,
    key: NamespacedName,
    subresource: string,
    object: ApiObject,
    options: RequestOptions = {},
  ): Promise<T> {
    return this.#object({ ...this.#request('create', resource, key, options), subresource, object });
  }

  async #object<T>(request: ApiRequest): Promise<T> {
    return (await this.#backend.request(request)) as T;
  }

  #request(
    verb: Verb,
    resource: ResourceDefinition,
    key: Partial<NamespacedName>,
    options: RequestOptions,
  ): ApiRequest {
    return {
      verb,
      group: resource.group,
      version: resource.version,
      resource: resource.plural,
      subresource: undefined,
      namespace: (resource.scope === 'Namespaced' && key.namespace) || undefined,
      name: key.name || undefined,
      object: undefined,
      patch: undefined,
      options,
      user: this.#options.user,
      userAgent: this.#options.userAgent,
      cause: this.#cause,
    };
  }
}

function keyOf({ metadata: { namespace, name = '' } }: ApiObject): NamespacedName {
  return { namespace, name };
}
