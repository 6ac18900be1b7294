import { allContainers } from '#api/core/v1/pod-status.ts';
import type { Pod, PodStatus } from '#api/generated/types.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { ContainerStatus, RuntimeService } from '#cri/contract.ts';
import type { HttpRequest, HttpResponse, HttpServer, Upgraded } from '#transport/http.ts';
import { containerLog, LogError, type LogOptions } from './container-logs.ts';
import type { KubeletContext } from './kubelet-context.ts';
import { podRuntimeStatus } from './pod-runtime-status.ts';
import { chooseProtocol, serveRemoteCommand, type StreamOptions } from './remote-command.ts';

/** What the kubelet's HTTP API needs of it. */
export interface ServerOptions {
  readonly context: KubeletContext;
  readonly runtime: RuntimeService;
  readonly pods: () => readonly Pod[];
  readonly find: (namespace: string, name: string) => Pod | undefined;
  readonly status: (uid: string) => PodStatus | undefined;
}

const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: encodeUtf8(body),
});

/**
 * The kubelet's own HTTP API: /healthz, /pods, /containerLogs, /exec, /attach. Plain requests need no tasks and influence
 * nothing; exec and attach are input to the engine. Follows pkg/kubelet/server/server.go, v1.33.
 */
export function createKubeletServer(options: ServerOptions): HttpServer {
  return {
    handle: async (request) => handle(options, request),
    upgrade: async (request) => upgrade(options, request),
  };
}

function handle(options: ServerOptions, { method, path }: HttpRequest): HttpResponse {
  const { segments, query } = parsePath(path);
  if (method !== 'GET' && method !== 'HEAD') return text(405, '405: Method Not Allowed');
  const [first, namespace, name, container, ...more] = segments;
  if (first === 'healthz' && segments.length === 1) return text(200, 'ok');
  if ((first === 'pods' || first === 'pods/') && segments.length === 1) {
    const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: options.pods() };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: encodeUtf8(JSON.stringify(list)) };
  }
  if (first === 'containerLogs' && namespace && name && container && more.length === 0) {
    return logs(options, namespace, name, container, query);
  }
  return text(404, '404 page not found\n');
}

function logs(options: ServerOptions, namespace: string, name: string, container: string, query: Query): HttpResponse {
  const { context, runtime, find, status } = options;
  const pod = find(namespace, name);
  if (!pod) return text(404, `pod "${name}" does not exist`);
  if (!allContainers(pod).some((one) => one.name === container))
    return text(404, `container "${container}" not found in pod "${name}"`);
  try {
    const current = status(pod.metadata.uid ?? '') ?? pod.status ?? {};
    const body = containerLog(runtime, pod, current, container, logOptions(query, context.now));
    return { status: 200, headers: { 'content-type': 'text/plain' }, body };
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return text(400, error.message);
  }
}

function logOptions(query: Query, now: number): LogOptions {
  const number = (key: string) => {
    const value = query.get(key)?.[0];
    return value === undefined || value === 'all' ? undefined : Number(value);
  };
  const seconds = number('sinceSeconds');
  const time = query.get('sinceTime')?.[0];
  return {
    follow: isSet(query, 'follow'),
    previous: isSet(query, 'previous'),
    timestamps: isSet(query, 'timestamps'),
    since: time ? Date.parse(time) : seconds === undefined ? undefined : now - seconds * 1000,
    tailLines: number('tailLines') ?? number('tail'),
    limitBytes: number('limitBytes'),
  };
}

function upgrade(options: ServerOptions, request: HttpRequest): HttpResponse | Upgraded {
  const { context, runtime, find } = options;
  const { segments, query } = parsePath(request.path);
  const [verb, namespace = '', name = '', container = ''] = segments;
  if ((verb !== 'exec' && verb !== 'attach') || segments.length !== 4) return text(404, '404 page not found\n');
  const tty = isSet(query, 'tty');
  const streams: StreamOptions = {
    stdin: isSet(query, 'input'),
    stdout: isSet(query, 'output'),
    stderr: isSet(query, 'error') && !tty,
    tty,
  };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    return text(400, 'you must specify at least 1 of stdin, stdout, stderr');
  }
  const pod = find(namespace, name);
  if (!pod) return text(404, 'pod does not exist');
  const running = latest(runtime, pod, container);
  if (!running) return text(500, `container not found ("${container}")`);
  const protocol = chooseProtocol(request.headers['sec-websocket-protocol']);
  if (!protocol) return text(400, 'unable to upgrade: no supported subprotocol was offered');
  if (verb === 'attach') {
    return serveRemoteCommand(
      context.process,
      protocol,
      streams,
      (output) => runtime.attach(running.id, { stdin: streams.stdin }, output),
      'attaching to',
    );
  }
  const command = query.get('command') ?? [];
  return serveRemoteCommand(
    context.process,
    protocol,
    streams,
    (output) => runtime.exec(running.id, { command, stdin: streams.stdin, tty }, output),
    'executing command',
  );
}

/** The container of a name that runs, or that did last. */
function latest(runtime: RuntimeService, pod: Pod, name: string): ContainerStatus | undefined {
  return podRuntimeStatus(runtime, pod.metadata.uid ?? '').activeContainers.find(
    ({ config, state }) => config.name === name && state === 'Running',
  );
}

type Query = ReadonlyMap<string, readonly string[]>;

function isSet(query: Query, key: string): boolean {
  const value = query.get(key)?.[0];
  return value !== undefined && value !== '0' && value.toLowerCase() !== 'false';
}

function parsePath(path: string): { readonly segments: readonly string[]; readonly query: Query } {
  const [route = '', search = ''] = path.split('?');
  const query = new Map<string, string[]>();
  for (const pair of search.split('&').filter((one) => one !== '')) {
    const equals = pair.indexOf('=');
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    query.set(key, [...(query.get(key) ?? []), value]);
  }
  return {
    segments: route
      .split('/')
      .filter((part) => part !== '')
      .map(decode),
    query,
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    return part;
  }
}
