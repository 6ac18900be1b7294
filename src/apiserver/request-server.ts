import type { ApiBackend, ApiList, ApiRequest, Verb, WatchHandle, WatchSink } from '#apimachinery/api-request.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import { methodNotSupported, notFound, StatusError } from '#apimachinery/status-error.ts';
import type { SpanAttributes, SpanId } from '#base/tracer.ts';
import { EtcdUnavailableError } from '#etcd/etcd.ts';
import type { HttpResponse, Upgraded } from '#transport/http.ts';
import { admit, validateAdmission } from './admission.ts';
import { accessForbidden, accessOf } from './authorization.ts';
import type { ObjectStore, ObjectView, SubresourceEndpoint } from './contract.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import { list, revisionWanted, tooLargeResourceVersion } from './list.ts';
import { expectedNamespace, matchNamespace, withMeta, withTypeMeta } from './metadata.ts';
import { patch } from './patch.ts';
import { RequestScope, type ServerCore } from './request-scope.ts';
import { resourceNotFound } from './routes.ts';
import { update } from './update.ts';
import { watch } from './watch.ts';

/** Serves requests: finds what they are about, traces them, hands them to their verb. */
export class RequestServer {
  readonly #core: ServerCore;
  readonly #store: ObjectStore;
  readonly backend: ApiBackend;
  readonly local: ApiBackend;

  constructor(core: ServerCore) {
    this.#core = core;
    this.#store = core.objects;
    this.backend = {
      request: (request) => this.#remote(request, (scope) => this.#request(scope)),
      list: (request) => this.#remote<ApiList>(request, async (scope) => list(scope)),
      deleteCollection: (request) => this.#remote(request, (scope) => deleteCollection(scope)),
      watch: (request, sink) => this.#remote<WatchHandle>(request, async (scope) => watch(scope, sink)),
      connect: (request) => this.#remote(request, (scope) => this.#connect(scope)),
    };
    this.local = {
      request: (request) => this.#local(request, async (scope) => this.#outside(scope, await this.#request(scope))),
      list: (request) => this.#local(request, async (scope) => this.#listOutside(scope, list(scope))),
      deleteCollection: (request) =>
        this.#local(request, async (scope) => this.#listOutside(scope, await deleteCollection(scope))),
      watch: (request, sink) =>
        this.#local<WatchHandle>(request, async (scope) => watch(scope, this.#sinkOutside(scope, sink))),
      connect: (request) => this.#local(request, (scope) => this.#connect(scope)),
    };
  }

  /** Callers are in other processes: the request becomes a task of this one. */
  #remote<R>(request: ApiRequest, handle: (scope: RequestScope) => Promise<R>): Promise<R> {
    if (request.observer) return this.#observed(request, false, handle);
    const name = nameOf(request);
    return this.#core.process.call(name, () => this.#traced(request, name, false, handle));
  }

  #local<R>(request: ApiRequest, handle: (scope: RequestScope) => Promise<R>): Promise<R> {
    if (request.observer) return this.#observed(request, true, handle);
    return this.#traced(request, nameOf(request), true, handle);
  }

  async #traced<R>(
    request: ApiRequest,
    name: string,
    external: boolean,
    handle: (scope: RequestScope) => Promise<R>,
  ): Promise<R> {
    const { process, latency, random } = this.#core;
    const { tracer } = process;
    const span = tracer.start('request', 'kube-apiserver', name, request.cause, spanAttributes(request));
    try {
      const scope = this.#scope(request, span, external);
      const ms = latency.sample('request', random.latency);
      if (ms > 0) await process.clock.sleep(ms);
      const result = await handle(scope);
      tracer.end(span, request.verb === 'create' ? created(request, result) : OK);
      return result;
    } catch (error) {
      const answer = answerOf(error);
      tracer.end(span, answer instanceof StatusError ? { code: answer.code, reason: answer.reason } : { code: 500 });
      throw answer;
    }
  }

  async #observed<R>(request: ApiRequest, external: boolean, handle: (scope: RequestScope) => Promise<R>): Promise<R> {
    try {
      return await handle(this.#scope(request, 0, external));
    } catch (error) {
      throw answerOf(error);
    }
  }

  #scope(request: ApiRequest, span: SpanId, external: boolean): RequestScope {
    const definition = this.#core.resources.find(request.group, request.version, request.resource);
    if (!definition) throw resourceNotFound();
    if (definition.deprecated) request.warn?.(definition.deprecated);
    if (!external) this.#authorize(request, definition);
    return new RequestScope(this.#core, request, definition, span, external);
  }

  /** Callers in-process speak for themselves; those from outside have been asked at the door. */
  #authorize(request: ApiRequest, definition: ResourceDefinition): void {
    const access = accessOf(request, definition);
    const { allowed, reason } = this.#core.authorizer.authorize(access);
    if (!allowed) throw accessForbidden(access, reason);
  }

  async #request(scope: RequestScope): Promise<ApiObject> {
    const { request, definition } = scope;
    const { verb, subresource, name = '', namespace } = request;
    if (subresource !== undefined) {
      const endpoint = this.#core.resources.endpoint(definition, subresource);
      if (endpoint?.view) return this.#viewed(scope, endpoint.view);
      if (endpoint?.create && verb === 'create') return this.#createSubresource(scope, endpoint);
      if (!definition.subresources?.[subresource]) {
        throw endpoint ? methodNotSupported(definition, verb) : resourceNotFound();
      }
      if (verb === 'create' || verb === 'delete') throw methodNotSupported(definition, verb);
    } else if (definition.verbs && !definition.verbs.includes(verb)) throw methodNotSupported(definition, verb);
    switch (verb) {
      case 'get': {
        checkVersion(scope);
        const object = scope.read(definition, namespace, name) ?? this.#virtual(scope, name);
        if (!object) throw notFound(definition, name);
        return object;
      }
      case 'create':
        if (definition.custom?.terminating) throw terminating(definition);
        if (this.#core.virtual.has(definition)) return createVirtual(scope, this.#store);
        return create(scope);
      case 'update':
        return update(scope);
      case 'patch':
        return patch(scope);
      case 'delete':
        return remove(scope, namespace, name);
      default:
        throw methodNotSupported(definition, verb);
    }
  }

  /** What a resource of which nothing is stored has of a name. */
  #virtual({ definition }: RequestScope, wanted: string): ApiObject | undefined {
    const all = this.#core.virtual.get(definition)?.list?.();
    const found = all?.find(({ metadata: { name } }) => name === wanted);
    // Upstream calls the resource by its singular there.
    if (all && !found) throw notFound({ group: definition.group, plural: definition.singular }, wanted);
    return found;
  }

  async #viewed(scope: RequestScope, view: ObjectView): Promise<ApiObject> {
    const { definition, request } = scope;
    const { verb, name = '', namespace } = request;
    switch (verb) {
      case 'get': {
        checkVersion(scope);
        const object = scope.read(definition, namespace, name);
        if (!object) throw notFound(definition, name);
        view.check?.(object);
        return view.of(object);
      }
      case 'update':
        return view.of(await update(scope, view));
      case 'patch':
        return view.of(await patch(scope, view));
      default:
        throw methodNotSupported(definition, verb);
    }
  }

  async #createSubresource(scope: RequestScope, endpoint: SubresourceEndpoint): Promise<ApiObject> {
    const { request } = scope;
    const { name = '', object } = request;
    if (!object || !endpoint.create) throw methodNotSupported(scope.definition, request.verb);
    const admitted = await admit(scope, 'CREATE', name, object, undefined);
    await validateAdmission(scope, 'CREATE', name, admitted, undefined);
    const next =
      admitted === object
        ? scope
        : new RequestScope(this.#core, { ...request, object: admitted }, scope.definition, scope.span, scope.external);
    return endpoint.create(next, this.#store);
  }

  async #connect(scope: RequestScope): Promise<HttpResponse | Upgraded> {
    const { request, definition } = scope;
    const endpoint = this.#core.resources.endpoint(definition, request.subresource ?? '');
    if (!endpoint?.connect) throw resourceNotFound();
    // Reading a log is a GET like any other, and passes no admission.
    if (endpoint.verbs.includes('create'))
      await validateAdmission(scope, 'CONNECT', request.name ?? '', undefined, undefined);
    return endpoint.connect(scope, this.#store);
  }

  #outside({ definition, request }: RequestScope, object: ApiObject): ApiObject {
    const { fields } = this.#core;
    if (object.kind === definition.kind) return fields.view(definition, object);
    const { view } = this.#core.resources.endpoint(definition, request.subresource ?? '') ?? {};
    return view && view.definition.kind === object.kind ? fields.canonical(view.definition, object) : object;
  }

  #listOutside(scope: RequestScope, found: ApiList): ApiList {
    return { ...found, items: found.items.map((item) => this.#outside(scope, item)) };
  }

  #sinkOutside(scope: RequestScope, sink: WatchSink): WatchSink {
    return {
      event: (event) =>
        sink.event(event.type === 'BOOKMARK' ? event : { ...event, object: this.#outside(scope, event.object) }),
      closed: (error) => sink.closed(error),
    };
  }
}

const terminating = ({ group, plural }: ResourceDefinition): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'create not allowed while custom resource definition is terminating', {
    group,
    kind: plural,
  });

/** A get may ask for what is not older than a version. */
function checkVersion({ core, request }: RequestScope): void {
  const { resourceVersion } = request.options;
  if (!resourceVersion) return;
  const wanted = revisionWanted(resourceVersion);
  if (wanted > core.etcd.revision) throw tooLargeResourceVersion(wanted, core.etcd.revision);
}

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

/** The method and path that the request has, or would have, over HTTP. */
function nameOf({ group, version, resource, namespace, name, subresource, verb }: ApiRequest): string {
  const root = group === '' ? `/api/${version}` : `/apis/${apiVersionOf({ group, version })}`;
  const collection = namespace ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`;
  const isMember = name !== undefined && (verb !== 'create' || subresource !== undefined);
  const object = isMember ? `${collection}/${name}` : collection;
  return `${METHODS[verb]} ${subresource === undefined ? object : `${object}/${subresource}`}`;
}

const OK = { code: 200 };
const CREATED = { code: 201 };

/** How a creation ended; the name too, where the request did not say it beside the object. */
function created(request: ApiRequest, result: unknown): SpanAttributes {
  const name = request.name === undefined && (result as Partial<ApiObject> | undefined)?.metadata?.name;
  return name ? { ...CREATED, name } : CREATED;
}

/** What etcd's client says when nobody listens at etcd's address: an error that the server hands on as it is. */
const ETCD_REFUSES =
  'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused"';

/** What the client is told of an error. */
function answerOf(error: unknown): unknown {
  return error instanceof EtcdUnavailableError ? new StatusError(500, '', ETCD_REFUSES) : error;
}

function spanAttributes({
  verb,
  resource,
  group,
  namespace,
  name,
  subresource,
  user,
  userAgent,
}: ApiRequest): SpanAttributes {
  const attributes: Record<string, string> = {
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    user: user.name,
    userAgent,
  };
  if (group) attributes.group = group;
  if (namespace) attributes.namespace = namespace;
  if (name) attributes.name = name;
  return attributes;
}

/** What is asked of a resource of which nothing is stored. */
async function createVirtual(scope: RequestScope, store: ObjectStore): Promise<ApiObject> {
  const { core, definition, request } = scope;
  const { object } = request;
  const virtual = core.virtual.get(definition);
  if (!object || !virtual?.create) throw methodNotSupported(definition, request.verb);
  const namespace = matchNamespace(object, expectedNamespace(definition, request.namespace));
  const named = withTypeMeta(definition, namespace ? withMeta(object, { namespace }) : object);
  await validateAdmission(scope, 'CREATE', request.name ?? '', named, undefined);
  const next = new RequestScope(core, { ...request, object: named }, definition, scope.span, scope.external);
  return virtual.create(next, store);
}
