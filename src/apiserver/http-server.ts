import type {
  ApiBackend,
  ApiRequest,
  PatchType,
  RequestOptions,
  UserInfo,
  Verb,
  WatchEvent,
} from '#apimachinery/api-request.ts';
import type { ExpectedKind } from '#apimachinery/codec.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, internalError, invalid, isStatus, StatusError } from '#apimachinery/status-error.ts';
import { forbiddenField, goQuote, required } from '#apimachinery/validation.ts';
import type { SpanId } from '#base/tracer.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import {
  type BodyStream,
  bodyStream,
  duplexPair,
  type HttpRequest,
  type HttpResponse,
  type HttpServer,
  type Upgraded,
} from '#transport/http.ts';
import { type Encoded, encodeList, encodeEvent, encodeObject, encodeStatus, eventLine } from './encode.ts';
import type { Flow, FlowControl } from './flow-control.ts';
import { type Accepted, negotiate, unsupportedMediaType, wantsPretty } from './negotiation.ts';
import { type Doorkeeper, requestUser } from './request-user.ts';
import { asksToWatch, deleteOptionsFrom, optionsFrom, parseQuery } from './query.ts';
import { parseResourcePath, type ResourcePath, verbOf } from './request-info.ts';
import { checkRoute, resourceNotFound } from './routes.ts';
import { labelsOf, type ServerMetrics } from './server-metrics.ts';
import { type IncludeObject, partialObjectMetadata, tableHead, tableRow } from './table.ts';

/** Decodes bodies; errors are StatusErrors. */
export interface Codec {
  /** An object of the definition named `schema`; `expected` is what apiVersion and kind default to and must be. */
  decode(
    body: Uint8Array,
    mediaType: string,
    expected: ExpectedKind,
    options: { readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'; readonly warn: (text: string) => void },
  ): ApiObject;
  /** Any JSON or YAML (or protobuf DeleteOptions) without a schema. */
  decodePlain(body: Uint8Array, mediaType: string): JsonValue;
  /** What strict decoding refuses of a body that `decodePlain` takes. */
  strictErrors(body: Uint8Array, mediaType: string): readonly string[];
  /** Media types that `decode` takes. */
  readonly mediaTypes: readonly string[];
}

/** What a path's resource and subresource are. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  /** The body of requests to the subresource at hand (or of the resource itself). */
  readonly body: ExpectedKind;
  /** Verbs of the (sub)resource as discovery lists them. */
  readonly verbs: readonly string[];
  /** How the subresource's objects are shown, where they are of another kind. */
  readonly view?: ResourceDefinition;
  /** The subresource answers with bytes or upgrades. */
  readonly connects: boolean;
}

export interface HttpFloorOptions extends Doorkeeper {
  readonly backend: ApiBackend;
  readonly codec: Codec;
  /** What is served at a path; undefined: nothing (404). */
  readonly lookUp: (
    group: string,
    version: string,
    resource: string,
    subresource: string | undefined,
  ) => ServedResource | undefined;
  /** Whether the server has anything of this version of a group: then an unknown resource is answered with a Status. */
  readonly hasVersion?: (group: string, version: string) => boolean;
  /** Answers paths that are no resource's: discovery, version, health, OpenAPI. */
  readonly nonResource: (path: string, accepted: Accepted, request: HttpRequest) => Promise<HttpResponse | undefined>;
  /** Virtual time, ms. */
  readonly now: () => number;
  /** Counts what is served. */
  readonly metrics?: ServerMetrics;
  /** Holds back requests that are not an observer's when there are too many. */
  readonly flow?: FlowControl;
}

/** What the host knows about a request that its bytes do not say. */
export interface Arrival {
  /** The span of the input; 0 for none. */
  readonly cause: SpanId;
  /** A read that must not influence the engine. */
  readonly observer: boolean;
}

const MAX_BODY = 3 * 1024 * 1024;
const PATCH_TYPES: readonly PatchType[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
/** Clients that set this header are told of fields that are accepted but not modelled. */
export const NOT_MODELLED_HEADER = 'x-tabernetes-warn-not-modelled';

/**
 * The upper floor of the API server: HTTP in, HTTP out. Routing, negotiation, decoding, tables, watch streams; all else
 * is the backend's. Follows apiserver/pkg/endpoints, v1.33.
 */
export class HttpFloor {
  readonly #options: HttpFloorOptions;

  constructor(options: HttpFloorOptions) {
    this.#options = options;
  }

  /** A server whose requests all arrive the same way. */
  server(arrival: Arrival): HttpServer {
    return { handle: (request) => this.handle(request, arrival), upgrade: (request) => this.upgrade(request, arrival) };
  }

  async handle(request: HttpRequest, arrival: Arrival): Promise<HttpResponse> {
    const warnings: string[] = [];
    const warn = (text: string) => {
      if (!warnings.includes(text)) warnings.push(text);
    };
    let response: HttpResponse;
    let flow: Flow | undefined;
    const classified = (found: Flow) => {
      flow = found;
    };
    try {
      response = await this.#route(request, arrival, warn, classified);
    } catch (error) {
      response = errorResponse(error, prettyFor(request));
    }
    if (flow) response = { ...response, headers: { ...response.headers, ...flow.headers } };
    if (warnings.length) {
      response = {
        ...response,
        headers: { ...response.headers, warning: warnings.map((text) => `299 - "${quote(text)}"`).join(', ') },
      };
    }
    return request.method === 'HEAD' && response.body instanceof Uint8Array
      ? {
          ...response,
          headers: { ...response.headers, 'content-length': String(response.body.length) },
          body: new Uint8Array(),
        }
      : response;
  }

  async upgrade(request: HttpRequest, arrival: Arrival): Promise<HttpResponse | Upgraded> {
    try {
      const { path, query } = parseQuery(request.path);
      const at = parseResourcePath(path);
      const user = requestUser(request, at, path, query, this.#options);
      const served = at && this.#options.lookUp(at.group, at.version, at.resource, at.subresource);
      if (!at || !served) return pathNotFound();
      if (!served.connects) {
        // Whatever goes over a WebSocket here is a watch; an observer's, as all watches from outside are.
        const answer = await this.#route(
          request,
          { ...arrival, observer: true },
          () => {},
          () => {},
        );
        return answer.body instanceof Uint8Array ? answer : webSocketOf(answer.body);
      }
      checkRoute(served.definition, at, request.method === 'GET' ? 'get' : 'create', served.verbs);
      const connect = this.#apiRequest(request, arrival, user, 'connect', at, {}, query, () => {});
      return await this.#counted(connect, () => this.#options.backend.connect(connect));
    } catch (error) {
      return errorResponse(error);
    }
  }

  async #route(
    request: HttpRequest,
    arrival: Arrival,
    warn: (text: string) => void,
    classified: (flow: Flow) => void,
  ): Promise<HttpResponse> {
    const { flow: flows } = this.#options;
    const { path, query } = parseQuery(request.path);
    const at = parseResourcePath(path);
    const user = requestUser(request, at, path, query, this.#options);
    const served = at && this.#options.lookUp(at.group, at.version, at.resource, at.subresource);
    if (!at || !served) {
      if (flows) classified(flows.classify({ user, verb: request.method.toLowerCase(), path }));
      const accepted = negotiateLeniently(request.headers.accept);
      const response = await this.#options.nonResource(path, accepted, request);
      if (!response && at && this.#options.hasVersion?.(at.group, at.version)) throw resourceNotFound();
      return response ?? pathNotFound();
    }
    if (served.connects) {
      const verb = request.method === 'GET' ? 'get' : 'create';
      checkRoute(served.definition, at, verb, served.verbs);
      const connect = this.#apiRequest(request, arrival, user, 'connect', at, {}, query, warn);
      const result = await this.#counted(connect, () => this.#options.backend.connect(connect));
      if ('socket' in result) {
        result.socket.close(1002, 'unable to upgrade');
        throw badRequest('you must specify at least 1 command for the container');
      }
      return result;
    }
    const verb = verbOf(request.method, at, asksToWatch(query));
    checkRoute(served.definition, at, verb, served.verbs);
    checkTimeout(query, verb);
    const options = optionsFrom(query, verb);
    const apiRequest = this.#apiRequest(request, arrival, user, verb, at, options, query, warn);
    const flow = flows?.classify(apiRequest);
    if (flow) classified(flow);
    return this.#counted(apiRequest, () => this.#answer(request, apiRequest, served, query, warn), flow);
  }

  /** Waits for a seat, serves and counts a request. */
  async #counted<R extends HttpResponse | Upgraded>(
    request: ApiRequest,
    serve: () => Promise<R>,
    flow?: Flow,
  ): Promise<R> {
    const { metrics, flow: flows, now } = this.#options;
    const started = now();
    const labels = labelsOf(request);
    const end = metrics?.begin(labels);
    const seated = flow && !request.observer ? flow : undefined;
    let code = 500;
    try {
      const wait = seated && flows?.enter(seated);
      if (wait) await wait;
    } catch (error) {
      end?.(429, now() - started);
      throw error;
    }
    try {
      const response = await serve();
      code = 'socket' in response ? 101 : response.status;
      return metrics && 'body' in response && !(response.body instanceof Uint8Array)
        ? { ...response, body: watched(response.body, metrics.beginLong(labels)) }
        : response;
    } catch (error) {
      if (error instanceof StatusError) code = error.code;
      throw error;
    } finally {
      if (seated) flows?.leave(seated);
      end?.(code, now() - started);
    }
  }

  /** Carries out a request of a verb that the path has. */
  async #answer(
    request: HttpRequest,
    apiRequest: ApiRequest,
    served: ServedResource,
    query: ReadonlyMap<string, readonly string[]>,
    warn: (text: string) => void,
  ): Promise<HttpResponse> {
    const { verb, options } = apiRequest;
    const accepted = { ...negotiate(request.headers.accept), pretty: prettyFor(request) };
    if (isTooLarge(request)) {
      throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY}`);
    }
    const include = includeObject(query.get('includeObject')?.[0]);
    const { backend } = this.#options;
    switch (verb) {
      case 'list': {
        const list = await backend.list(apiRequest);
        return ok(200, encodeList(served.definition, list, accepted, this.#options.now(), include));
      }
      case 'watch':
        return this.#watch(apiRequest, served.definition, accepted, include);
      case 'get':
        return this.#object(200, served, await backend.request(apiRequest), accepted, include);
      case 'create':
        return this.#object(
          201,
          served,
          await backend.request({ ...apiRequest, object: this.#decode(request, served, options, warn) }),
          accepted,
          include,
        );
      case 'update': {
        let created = false;
        const result = await backend.request({
          ...apiRequest,
          object: this.#decode(request, served, options, warn),
          onCreated: () => (created = true),
        });
        return this.#object(created ? 201 : 200, served, result, accepted, include);
      }
      case 'patch': {
        let created = false;
        const result = await backend.request({
          ...apiRequest,
          patch: this.#patch(request, served, options),
          onCreated: () => (created = true),
        });
        return this.#object(created ? 201 : 200, served, result, accepted, include);
      }
      case 'delete':
      case 'deletecollection': {
        const body = request.body?.length
          ? deleteOptionsFrom(this.#options.codec.decodePlain(request.body, mediaTypeOf(request)))
          : {};
        const full = { ...apiRequest, options: { ...options, ...body } };
        if (verb === 'delete') return this.#object(200, served, await backend.request(full), accepted, include);
        return ok(
          200,
          encodeList(served.definition, await backend.deleteCollection(full), accepted, this.#options.now(), include),
        );
      }
      case 'connect':
        throw internalError('a connect request took the way of an object');
    }
  }

  #apiRequest(
    request: HttpRequest,
    arrival: Arrival,
    user: UserInfo,
    verb: Verb,
    at: ResourcePath,
    options: RequestOptions,
    query: ReadonlyMap<string, readonly string[]>,
    warn: (text: string) => void,
  ): ApiRequest {
    return {
      verb,
      group: at.group,
      version: at.version,
      resource: at.resource,
      ...(at.subresource === undefined ? {} : { subresource: at.subresource }),
      ...(at.namespace === undefined ? {} : { namespace: at.namespace }),
      ...(at.name === undefined ? {} : { name: at.name }),
      options,
      ...(verb === 'connect' ? { parameters: Object.fromEntries(query), ...upgradeHeaders(request) } : {}),
      user,
      userAgent: request.headers['user-agent'] ?? '',
      cause: arrival.cause,
      ...(arrival.observer ? { observer: true } : {}),
      warn,
      ...(request.headers[NOT_MODELLED_HEADER] === undefined ? {} : { warnNotModelled: true }),
      ...(request.signal ? { signal: request.signal } : {}),
    };
  }

  #decode(
    request: HttpRequest,
    served: ServedResource,
    options: RequestOptions,
    warn: (text: string) => void,
  ): ApiObject {
    const mediaType = mediaTypeOf(request);
    const { codec } = this.#options;
    if (!codec.mediaTypes.includes(mediaType)) throw unsupportedMediaType();
    return codec.decode(request.body ?? new Uint8Array(), mediaType, served.body, {
      fieldValidation: options.fieldValidation ?? 'Warn',
      warn,
    });
  }

  #patch(
    request: HttpRequest,
    { definition }: ServedResource,
    options: RequestOptions,
  ): NonNullable<ApiRequest['patch']> {
    // Custom resources have no merge keys.
    const types = definition.custom ? PATCH_TYPES.filter((known) => !known.includes('strategic')) : PATCH_TYPES;
    const type = types.find((known) => known === mediaTypeOf(request));
    if (!type) throw unsupportedMediaType(types);
    checkPatchOptions(type, options);
    const mediaType = type === 'application/apply-patch+yaml' ? 'application/yaml' : 'application/json';
    const bytes = request.body ?? new Uint8Array();
    const { codec } = this.#options;
    try {
      const body = codec.decodePlain(bytes, mediaType);
      const strictErrors = options.fieldValidation === 'Ignore' ? [] : codec.strictErrors(bytes, mediaType);
      return { type, body, strictErrors };
    } catch (error) {
      throw isStatus(error, 'BadRequest') ? badRequest(`${UNDECODED[type]}${error.message}`) : error;
    }
  }

  #object(
    code: number,
    served: ServedResource,
    object: ApiObject,
    accepted: Accepted,
    include: IncludeObject,
  ): HttpResponse {
    const definition = [served.view, served.definition].find(
      (shown) => shown && (object.kind === undefined || object.kind === shown.kind),
    );
    return ok(code, encodeObject(definition, object, accepted, this.#options.now(), include));
  }

  async #watch(
    request: ApiRequest,
    definition: ResourceDefinition,
    accepted: Accepted,
    include: IncludeObject,
  ): Promise<HttpResponse> {
    let stop: (() => void) | undefined;
    const { stream, push, end } = bodyStream(() => stop?.());
    let headers = true;
    const { metaVersion: version } = accepted;
    const shape = ({ type, object }: WatchEvent): unknown => {
      if (type === 'BOOKMARK') {
        if (accepted.shape === 'table')
          return {
            ...tableHead(definition, { resourceVersion: object.metadata.resourceVersion ?? '' }, false, version),
            rows: [],
          };
        return { kind: definition.kind, apiVersion: apiVersionOf(definition), ...object };
      }
      if (accepted.shape === 'metadata') return partialObjectMetadata(object, version);
      if (accepted.shape === 'object') return undefined;
      const head = tableHead(definition, { resourceVersion: object.metadata.resourceVersion ?? '' }, headers, version);
      headers = false;
      return { ...head, rows: [tableRow(definition, object, this.#options.now(), include, version)] };
    };
    const handle = await this.#options.backend.watch(request, {
      event: (event) => {
        const shaped = shape(event);
        push(shaped === undefined ? encodeEvent(definition, event) : eventLine(event.type, JSON.stringify(shaped)));
      },
      closed: (error) => {
        if (error instanceof StatusError) push(eventLine('ERROR', JSON.stringify(error.status)));
        end();
      },
    });
    stop = () => handle.stop();
    if (request.signal?.aborted) stop();
    request.signal?.addEventListener('abort', stop);
    return {
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
      body: stream,
    };
  }
}

/** Whether the body is larger than any that is taken. */
export const isTooLarge = ({ body }: HttpRequest): boolean => body !== undefined && body.length > MAX_BODY;

/** What comes before the decoder's words. */
const UNDECODED: Readonly<Record<PatchType, string>> = {
  'application/json-patch+json': 'error decoding patch: ',
  'application/merge-patch+json': 'error decoding patch: ',
  'application/strategic-merge-patch+json': '',
  'application/apply-patch+yaml': 'error decoding YAML: error converting YAML to JSON: ',
};

/** Follows ValidatePatchOptions of apimachinery/pkg/apis/meta/v1/validation, v1.33. */
function checkPatchOptions(type: PatchType, { fieldManager, force }: RequestOptions): void {
  const isApply = type === 'application/apply-patch+yaml';
  const errors = [
    ...(isApply && !fieldManager ? [required('fieldManager', 'is required for apply patch')] : []),
    ...(!isApply && force !== undefined ? [forbiddenField('force', 'may not be specified for non-apply patch')] : []),
  ];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', errors);
}

function upgradeHeaders(request: HttpRequest): { readonly protocols?: readonly string[] } {
  const offered = request.headers['sec-websocket-protocol'];
  // kubectl falls back to SPDY when a WebSocket was refused, and shows what is said then: it must be the same.
  if (/^spdy\//i.test(request.headers['upgrade'] ?? '')) return { protocols: ['SPDY/3.1'] };
  return offered === undefined ? {} : { protocols: offered.split(',').map((protocol) => protocol.trim()) };
}

const mediaTypeOf = (request: HttpRequest): string =>
  (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';

const prettyFor = ({ path, headers }: HttpRequest): boolean =>
  wantsPretty(path.includes('pretty') ? parseQuery(path).query.get('pretty')?.[0] : undefined, headers['user-agent']);

function negotiateLeniently(accept: string | undefined): Accepted {
  try {
    return negotiate(accept);
  } catch {
    return { shape: 'object', mediaType: 'application/json', aggregatedDiscovery: false };
  }
}

/** Throws 400 for a `timeout` that is none. Follows endpoints/filters/request_deadline.go, v1.33. */
function checkTimeout(query: ReadonlyMap<string, readonly string[]>, verb: Verb): void {
  const timeout = query.get('timeout')?.[0];
  if (!timeout || verb === 'watch' || /^[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(timeout)) return;
  const why = /^[+-]?\d+(\.\d*)?$/.test(timeout) ? 'missing unit in' : 'invalid';
  throw badRequest(`invalid timeout specified in the request URL - time: ${why} duration ${goQuote(timeout)}`);
}

/** A stream of lines as messages of a WebSocket. Follows endpoints/handlers/watch.go, v1.33. */
function webSocketOf(lines: BodyStream): Upgraded {
  const [socket, server] = duplexPair();
  server.onClose(() => lines.cancel());
  lines.start(
    (line) => server.send(line),
    () => server.close(),
  );
  return { protocol: '', socket, text: true };
}

/** The stream, with `over` called once when it ends either way. */
function watched(body: BodyStream, over: () => void): BodyStream {
  let open = true;
  const end = () => {
    if (open) over();
    open = false;
  };
  return {
    start: (chunk, ended) =>
      body.start(chunk, () => {
        end();
        ended();
      }),
    cancel() {
      end();
      body.cancel();
    },
  };
}

function includeObject(value: string | undefined): IncludeObject {
  if (value === undefined || value === '' || value === 'Metadata') return 'Metadata';
  if (value === 'None' || value === 'Object') return value;
  throw badRequest(`unrecognized includeObject value: "${value}"`);
}

function ok(status: number, encoded: Encoded): HttpResponse {
  return {
    status,
    headers: { 'content-type': encoded.mediaType, 'cache-control': 'no-cache, private' },
    body: encoded.bytes,
  };
}

/** The answer to an error: its Status, or a 500 for a bug of ours. */
export function errorResponse(error: unknown, pretty = false): HttpResponse {
  const status =
    error instanceof StatusError ? error : internalError(error instanceof Error ? error.message : String(error));
  const retry = status.status.details?.retryAfterSeconds;
  const { mediaType, bytes } = encodeStatus(status, pretty);
  return {
    status: status.code,
    headers: { 'content-type': mediaType, ...(retry ? { 'retry-after': String(retry) } : {}) },
    body: bytes,
  };
}

/** What the server says of a path that it does not have. */
export const pathNotFound = (): HttpResponse => ({
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: encodeUtf8('404 page not found\n'),
});

/** A text as the quoted part of a Warning header: ASCII, without line breaks. */
const quote = (text: string): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replace(/[\r\n]+/g, ' ');
