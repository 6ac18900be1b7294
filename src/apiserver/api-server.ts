import type { ApiBackend, ApiList, ApiRequest, Verb, WatchHandle, WatchSink } from '#apimachinery/api-request.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import type { Schema } from '#apimachinery/schema.ts';
import { methodNotSupported, notFound, StatusError } from '#apimachinery/status-error.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import type { Etcd } from '#etcd/etcd.ts';
import type { HttpResponse, Upgraded } from '#transport/http.ts';
import { validateAdmission } from './admission.ts';
import type { AdmissionPlugin, ObjectStore, SubresourceEndpoint } from './contract.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import { FieldManager } from './field-manager.ts';
import { LeaseSource } from './lease-source.ts';
import { list } from './list.ts';
import { patch } from './patch.ts';
import { RequestScope, type ServerCore } from './request-scope.ts';
import { ResourceTable } from './resource-table.ts';
import { ObjectStorage } from './storage.ts';
import { store, update } from './update.ts';
import { watch } from './watch.ts';
import { WatchCache } from './watch-cache.ts';

export interface ApiServerOptions {
  /** The kube-apiserver: its tasks serve the requests, and die with it. */
  readonly process: Process;
  readonly etcd: Etcd<ApiObject>;
  readonly latency: Latency;
  readonly resources: Iterable<ResourceDefinition>;
  /** In the order in which they are asked. */
  readonly admission?: readonly AdmissionPlugin[];
  readonly subresources?: readonly SubresourceEndpoint[];
  /** Schemas for strategic merge patches and the ownership of fields. */
  readonly schemaOf: (definition: ResourceDefinition) => Schema;
}

/** The API server without its HTTP floor. */
export interface ApiServer {
  /** For callers in tasks of their own processes, and for observers. */
  readonly backend: ApiBackend;
  /** The same for callers in a task of the server's own process: the HTTP floor. */
  readonly local: ApiBackend;
  readonly resources: ResourceTable;
  readonly subresources: readonly SubresourceEndpoint[];
}

/** Starts an API server on an etcd. What it keeps beside etcd (indexes, watches) ends with its process. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { process, etcd, latency } = options;
  const resources = new ResourceTable(options.resources);
  const storages = new Map<ResourceDefinition, ObjectStorage>();
  const caches = new Map<ResourceDefinition, WatchCache<ApiObject>>();
  const random = {
    latency: process.rng.fork('latency'),
    uids: process.rng.fork('uids'),
    names: process.rng.fork('names'),
  };
  const core: ServerCore = {
    process,
    etcd,
    latency,
    random,
    resources,
    admission: options.admission ?? [],
    fields: new FieldManager(),
    leases: new LeaseSource(etcd as Etcd<unknown>),
    storage<T extends ApiObject>(definition: ResourceDefinition<T>): ObjectStorage<T> {
      const key = definition as unknown as ResourceDefinition;
      let storage = storages.get(key);
      if (!storage) storages.set(key, (storage = new ObjectStorage(etcd, key)));
      return storage as unknown as ObjectStorage<T>;
    },
    cache<T extends ApiObject>(definition: ResourceDefinition<T>): WatchCache<T> {
      const key = definition as unknown as ResourceDefinition;
      let cache = caches.get(key);
      if (!cache)
        caches.set(
          key,
          (cache = new WatchCache({ process, latency, rng: random.latency, storage: core.storage(key) })),
        );
      return cache as unknown as WatchCache<T>;
    },
  };
  const subresources = options.subresources ?? [];
  const server = new Server(core, subresources, options.schemaOf);
  return { backend: server.backend(true), local: server.backend(false), resources, subresources };
}

/** Serves requests one verb at a time. */
class Server {
  readonly #core: ServerCore;
  readonly #endpoints = new Map<string, SubresourceEndpoint>();
  readonly #schemaOf: ApiServerOptions['schemaOf'];
  readonly #store: ObjectStore;

  constructor(core: ServerCore, subresources: readonly SubresourceEndpoint[], schemaOf: ApiServerOptions['schemaOf']) {
    this.#core = core;
    this.#schemaOf = schemaOf;
    for (const endpoint of subresources)
      this.#endpoints.set(endpointKey(endpoint.resource, endpoint.subresource), endpoint);
    this.#store = objectStore(core);
  }

  /** `remote`: callers are in other processes, so each request becomes a task of this one. */
  backend(remote: boolean): ApiBackend {
    return {
      request: (request) => this.#serve(request, remote, (scope) => this.#request(scope)),
      list: (request) => this.#serve<ApiList>(request, remote, async (scope) => list(scope)),
      deleteCollection: (request) => this.#serve(request, remote, (scope) => deleteCollection(scope)),
      watch: (request, sink) =>
        this.#serve<WatchHandle>(request, remote, async (scope) => watch(scope, sink as WatchSink)),
      connect: (request) => this.#serve(request, remote, (scope) => this.#connect(scope)),
    };
  }

  #serve<R>(request: ApiRequest, remote: boolean, handle: (scope: RequestScope) => Promise<R>): Promise<R> {
    if (request.observer) return this.#observe(request, handle);
    const name = `${METHODS[request.verb]} ${pathOf(request)}`;
    const run = () => this.#traced(request, name, handle);
    return remote ? this.#core.process.call(name, run) : run();
  }

  async #observe<R>(request: ApiRequest, handle: (scope: RequestScope) => Promise<R>): Promise<R> {
    return handle(new RequestScope(this.#core, request, this.#definition(request), 0));
  }

  async #traced<R>(request: ApiRequest, name: string, handle: (scope: RequestScope) => Promise<R>): Promise<R> {
    const { tracer } = this.#core.process;
    const span = tracer.start('request', 'kube-apiserver', name, request.cause, spanAttributes(request));
    try {
      const scope = new RequestScope(this.#core, request, this.#definition(request), span);
      await scope.takeTime('request');
      const result = await handle(scope);
      tracer.end(span, { code: request.verb === 'create' ? 201 : 200 });
      return result;
    } catch (error) {
      tracer.end(span, error instanceof StatusError ? { code: error.code, reason: error.reason } : { code: 500 });
      throw error;
    }
  }

  #definition(request: ApiRequest): ResourceDefinition {
    const definition = this.#core.resources.find(request.group, request.version, request.resource);
    if (!definition) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
    return definition;
  }

  async #request(scope: RequestScope): Promise<ApiObject> {
    const { request, definition } = scope;
    const { verb, subresource, name } = request;
    if (subresource !== undefined) {
      const endpoint = this.#endpoints.get(endpointKey(definition, subresource));
      if (endpoint?.create && verb === 'create') return endpoint.create(scope, this.#store);
      if (!definition.subresources?.[subresource])
        throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
      if (verb === 'create' || verb === 'delete') throw methodNotSupported(definition, verb);
    } else if (definition.verbs && !definition.verbs.includes(verb)) throw methodNotSupported(definition, verb);
    switch (verb) {
      case 'get':
        return get(scope);
      case 'create':
        return create(scope);
      case 'update':
        return update(scope);
      case 'patch':
        return patch(scope, { schemaOf: this.#schemaOf });
      case 'delete':
        return remove(scope, request.namespace, name ?? '');
      default:
        throw methodNotSupported(definition, verb);
    }
  }

  async #connect(scope: RequestScope): Promise<HttpResponse | Upgraded> {
    const { request, definition } = scope;
    const endpoint = this.#endpoints.get(endpointKey(definition, request.subresource ?? ''));
    if (!endpoint?.connect)
      throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
    validateAdmission(scope, 'CONNECT', request.name ?? '', undefined, undefined);
    return endpoint.connect(scope, this.#store);
  }
}

function get(scope: RequestScope): ApiObject {
  const { request, definition } = scope;
  const { name = '', namespace } = request;
  const object = scope.read(definition, namespace, name);
  if (!object) throw notFound(definition, name);
  return object;
}

/** The server's own access to objects for subresource endpoints; each call says on behalf of which request. */
function objectStore(core: ServerCore): ObjectStore {
  const scopeOf = <T extends ApiObject>(
    context: unknown,
    resource: ResourceDefinition<T>,
    changes: Partial<ApiRequest>,
  ) => {
    if (!(context instanceof RequestScope)) throw new TypeError('a request context of this server is wanted');
    const { request, span } = context as RequestScope;
    return new RequestScope(core, { ...request, ...changes }, resource, span);
  };
  return {
    get(resource, namespace, name) {
      const storage = core.storage(resource);
      const stored = storage.find(namespace, name);
      if (!stored) throw notFound(resource, name);
      return storage.decode(stored);
    },
    update(context, resource, namespace, name, change) {
      const scope = scopeOf(context, resource, { namespace, name });
      return store(scope, name, {
        skipAdmission: true,
        propose: (existing) => {
          if (!existing) throw notFound(resource, name);
          return { object: change(existing), ownership: core.fields.of(existing) };
        },
      });
    },
    delete(context, resource, namespace, name, options) {
      const scope = scopeOf(context, resource, { namespace, name, ...(options ? { options } : {}) });
      return remove(scope, namespace, name);
    },
  };
}

const endpointKey = (definition: ResourceDefinition, subresource: string) =>
  `${definition.group}/${definition.version}/${definition.plural}/${subresource}`;

const METHODS: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  connect: 'CONNECT',
};

/** The path that the request has, or would have, over HTTP. */
function pathOf({ group, version, resource, namespace, name, subresource, verb }: ApiRequest): string {
  const root = group === '' ? `/api/${version}` : `/apis/${apiVersionOf({ group, version })}`;
  const collection = namespace ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`;
  const object =
    name !== undefined && !(verb === 'create' && subresource === undefined) ? `${collection}/${name}` : collection;
  return subresource === undefined ? object : `${object}/${subresource}`;
}

function spanAttributes({ verb, resource, group, namespace, name, subresource, user, userAgent }: ApiRequest) {
  return {
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    ...(group ? { group } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    user: user.name,
    userAgent,
  };
}
