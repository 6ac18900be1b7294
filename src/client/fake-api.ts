import type { ApiBackend, ApiList, ApiRequest, WatchSink } from '#apimachinery/api-request.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { alreadyExists, conflict, expired, notFound } from '#apimachinery/status-error.ts';
import { type Process, ProcessExitedError } from '#base/pump.ts';

interface Stored {
  object: ApiObject;
  cause: number;
}

/** A backend in memory, no more than tests of client code need: objects, versions, watches, and switches for faults. */
export class FakeApi implements ApiBackend {
  readonly requests: string[] = [];
  readonly #process: Process;
  readonly #objects = new Map<string, Stored>();
  readonly #watches = new Set<{ prefix: string; sink: WatchSink }>();
  #revision = 0;
  #log: {
    prefix: string;
    revision: number;
    type: 'ADDED' | 'MODIFIED' | 'DELETED';
    object: ApiObject;
    cause: number;
  }[] = [];
  #compacted = 0;
  down = false;

  constructor(process: Process) {
    this.#process = process;
  }

  /** Ends all watches; `error` as the server would say it. */
  closeWatches(error?: unknown): void {
    for (const watch of [...this.#watches]) {
      this.#watches.delete(watch);
      watch.sink.closed(error);
    }
  }

  compact(): void {
    this.#compacted = this.#revision;
    this.#log = [];
  }

  async request(request: ApiRequest): Promise<ApiObject> {
    this.#enter(request);
    const key = keyOf(request);
    const plural = { group: request.group, plural: request.resource };
    const name = request.name ?? request.object?.metadata.name ?? '';
    const stored = this.#objects.get(key);
    if (request.verb === 'create' && request.subresource === undefined) {
      if (stored) throw alreadyExists(plural, name);
      const object = request.object as ApiObject;
      return this.#write('ADDED', request, {
        ...object,
        metadata: { uid: `uid-${name}-${this.#revision}`, ...object.metadata },
      });
    }
    if (!stored) throw notFound(plural, name);
    if (request.verb === 'get') return stored.object;
    if (request.verb === 'delete') return this.#write('DELETED', request, stored.object);
    if (request.verb === 'update') {
      const next = request.object as ApiObject;
      const version = next.metadata.resourceVersion;
      if (version && version !== stored.object.metadata.resourceVersion) {
        throw conflict(
          plural,
          name,
          'the object has been modified; please apply your changes to the latest version and try again',
        );
      }
      return this.#write('MODIFIED', request, {
        ...next,
        metadata: { ...next.metadata, uid: stored.object.metadata.uid },
      });
    }
    const body = request.patch?.body as Partial<ApiObject>;
    return this.#write('MODIFIED', request, {
      ...stored.object,
      ...body,
      metadata: { ...stored.object.metadata, ...body.metadata },
    });
  }

  async list(request: ApiRequest): Promise<ApiList> {
    this.#enter(request);
    const prefix = prefixOf(request);
    const found = [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, stored]) => stored);
    return {
      items: found.map(({ object }) => object),
      causes: found.map(({ cause }) => cause),
      resourceVersion: String(this.#revision),
    };
  }

  deleteCollection(): Promise<ApiList> {
    throw new Error('not in the fake');
  }

  connect(): Promise<never> {
    throw new Error('not in the fake');
  }

  async watch(request: ApiRequest, sink: WatchSink) {
    this.#enter(request);
    const from = Number(request.options.resourceVersion);
    if (from < this.#compacted) throw expired(`too old resource version: ${from} (${this.#compacted})`);
    const watch = { prefix: prefixOf(request), sink };
    this.#watches.add(watch);
    for (const entry of this.#log) {
      if (entry.revision > from && entry.prefix.startsWith(watch.prefix)) {
        this.#process.post('deliver', () => sink.event({ type: entry.type, object: entry.object, span: entry.cause }));
      }
    }
    return { stop: () => void this.#watches.delete(watch) };
  }

  #enter(request: ApiRequest): void {
    this.requests.push(
      `${request.verb} ${request.resource}${request.name ? ` ${request.name}` : ''}${request.verb === 'list' || request.verb === 'watch' ? ` ${request.options.resourceVersion ?? ''}` : ''}`.trim(),
    );
    if (this.down) throw new ProcessExitedError('kube-apiserver has exited');
  }

  #write(type: 'ADDED' | 'MODIFIED' | 'DELETED', request: ApiRequest, next: ApiObject): ApiObject {
    const key = keyOf(request);
    const object = { ...next, metadata: { ...next.metadata, resourceVersion: String(++this.#revision) } };
    const cause = this.#process.tracer.instant('write', 'etcd', key, request.cause);
    if (type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, { object, cause });
    this.#log.push({ prefix: key, revision: this.#revision, type, object, cause });
    for (const watch of this.#watches) {
      if (!key.startsWith(watch.prefix)) continue;
      this.#process.post(`deliver ${key}`, () => {
        if (this.#watches.has(watch))
          watch.sink.event({ type, object, span: this.#process.tracer.instant('delivery', 'watch', key, cause) });
      });
    }
    return object;
  }
}

function prefixOf(request: ApiRequest): string {
  return `${request.resource}/${request.namespace ? `${request.namespace}/` : ''}`;
}

function keyOf(request: ApiRequest): string {
  return `${prefixOf(request)}${request.name ?? request.object?.metadata.name}`;
}
