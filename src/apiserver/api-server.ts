import type { ApiBackend, UserInfo } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { StructSchema } from '#apimachinery/schema.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Etcd } from '#etcd/etcd.ts';
import { AdmissionChains } from './admission.ts';
import { alwaysAllow, type Authorizer, type AuthorizerSource } from './authorization.ts';
import type {
  AdmissionPlugin,
  AllocatorSource,
  ResourceAllocator,
  SubresourceEndpoint,
  VirtualResource,
} from './contract.ts';
import { FieldManager } from './field-manager.ts';
import { LeaseSource } from './lease-source.ts';
import { objectStore } from './object-store.ts';
import type { ServerCore } from './request-scope.ts';
import { RequestServer } from './request-server.ts';
import { ResourceTable } from './resource-table.ts';
import { seed } from './seed.ts';
import { ObjectStorage } from './storage.ts';
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
  readonly virtual?: readonly VirtualResource[];
  /** Makes what says who may do what; default: everybody everything. */
  readonly authorizer?: (source: AuthorizerSource) => Authorizer;
  /** Makes what gives objects their own of something shared. */
  readonly allocators?: (source: AllocatorSource) => readonly ResourceAllocator[];
  /** For patches, and for what clients outside see. */
  readonly schemaOf: (definition: ResourceDefinition) => StructSchema;
  /**
   * Calls back after some time of the host's, and returns how to take that back: ends the watches of observers that set
   * a time limit, which must not be an event of the engine's. Without it they have none.
   */
  readonly hostTimer?: HostTimer;
}

export type HostTimer = (ms: number, run: () => void) => () => void;

/** The API server without its HTTP floor. */
export interface ApiServer {
  /** For callers in tasks of their own processes, and for observers. Objects are those that are stored. */
  readonly backend: ApiBackend;
  /**
   * The encoding floor's: callers are observers, or in a task of the server's own process. Objects are as clients outside
   * see them: fields as Go writes them, with managedFields.
   */
  readonly local: ApiBackend;
  readonly resources: ResourceTable;
  /** Callers of `backend` are asked by it; those of `local` have been, or are the server itself. */
  readonly authorizer: Authorizer;
  /** Its objects, as authorizers know them. */
  readonly known: AuthorizerSource;
  /**
   * Creates, below the request path and at once, those of these objects that do not exist: no admission, no latency. They
   * must be as they are stored. Returns the stored ones of those that existed. Throws when etcd does not run.
   */
  seed<T extends ApiObject>(definition: ResourceDefinition<T>, objects: readonly T[], by: Seeder): readonly T[];
}

/** In whose name objects are seeded, and which span is the cause. */
export interface Seeder {
  readonly user: UserInfo;
  readonly userAgent: string;
  readonly cause: SpanId;
}

/** How often old revisions are compacted, so that clients must list anew. As `--etcd-compaction-interval`, v1.33. */
const COMPACTION_MS = 300_000;
/** How often watchers from outside that asked for bookmarks get one. */
const BOOKMARK_MS = 60_000;

/** Starts an API server on an etcd. What it keeps beside etcd (indexes, watches) ends with its process. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { process, etcd, latency, hostTimer } = options;
  const schemaOf = (definition: ResourceDefinition) => definition.custom?.schema ?? options.schemaOf(definition);
  const resources = new ResourceTable(options.resources, options.subresources);
  const storages = new Map<ResourceDefinition, ObjectStorage>();
  const caches = new Map<ResourceDefinition, WatchCache<ApiObject>>();
  // A server that starts anew must not give out the same uids again.
  const rng = process.rng.fork(`from revision ${etcd.revision}`);
  const random = { latency: rng.fork('latency'), uids: rng.fork('uids'), names: rng.fork('names') };
  const fields = new FieldManager(schemaOf, resources);
  const storageOf = (definition: ResourceDefinition): ObjectStorage => {
    let storage = storages.get(definition);
    if (!storage) {
      storage = new ObjectStorage(etcd, fields, definition);
      storages.set(definition, storage);
    }
    return storage;
  };
  const cacheOf = (definition: ResourceDefinition): WatchCache<ApiObject> => {
    let cache = caches.get(definition);
    if (!cache) {
      cache = new WatchCache({ process, latency, rng: random.latency, storage: storageOf(definition) });
      caches.set(definition, cache);
    }
    return cache;
  };
  const allocators = new Map<ResourceDefinition, ResourceAllocator>();
  const admission = new AdmissionChains(options.admission ?? []);
  const core: ServerCore = {
    process,
    etcd,
    latency,
    random,
    resources,
    admission: (definition) => admission.of(definition),
    get objects() {
      return objects;
    },
    allocator: <T extends ApiObject>(definition: ResourceDefinition<T>) =>
      allocators.get(definition as unknown as ResourceDefinition) as ResourceAllocator<T> | undefined,
    get authorizer() {
      return authorizer;
    },
    virtual: new Map(options.virtual?.map((one) => [one.resource, one])),
    fields,
    leases: new LeaseSource(etcd as Etcd<unknown>),
    hostTimer,
    schemaOf: (definition) => schemaOf(definition as unknown as ResourceDefinition),
    storage: <T extends ApiObject>(definition: ResourceDefinition<T>) =>
      storageOf(definition as unknown as ResourceDefinition) as unknown as ObjectStorage<T>,
    cache: <T extends ApiObject>(definition: ResourceDefinition<T>) =>
      cacheOf(definition as unknown as ResourceDefinition) as unknown as WatchCache<T>,
  };
  const objects = objectStore(core);
  const known = authorizerSource(core);
  const authorizer = options.authorizer?.(known) ?? alwaysAllow;
  const source: AllocatorSource = {
    rng: rng.fork('allocators'),
    readAll(resource) {
      const storage = core.storage(resource);
      return etcd.range(storage.prefix).kvs.map((stored) => storage.decode(stored));
    },
    read(resource, namespace, name) {
      const storage = core.storage(resource);
      const stored = storage.find(namespace, name);
      return stored && storage.decode(stored);
    },
  };
  for (const allocator of options.allocators?.(source) ?? []) allocators.set(allocator.resource, allocator);
  keepHouse(core, caches);
  resources.onRetired = (definition) => {
    storages.delete(definition);
    const cache = caches.get(definition);
    caches.delete(definition);
    cache?.close();
  };
  const server = new RequestServer(core);
  return {
    backend: server.backend,
    local: server.local,
    resources,
    authorizer,
    known,
    seed: (definition, objects, by) => seed(core, definition, objects, by),
  };
}

/** The objects as somebody knows them who watches etcd, which need not run. */
function authorizerSource(core: ServerCore): AuthorizerSource {
  const { etcd, process } = core;
  return {
    readAll(resource, namespace) {
      const storage = core.storage(resource);
      return etcd.cached(storage.prefixOf(namespace)).map((stored) => storage.decode(stored));
    },
    read(resource, namespace, name) {
      const storage = core.storage(resource);
      const key = storage.key(namespace, name);
      const stored = etcd.cached(key).find((one) => one.key === key);
      return stored && storage.decode(stored);
    },
    readBy(resource, indexed) {
      const storage = core.storage(resource);
      return core
        .cache(resource)
        .listBy(indexed)
        .map((stored) => storage.decode(stored));
    },
    onChange(resource, listener) {
      const { prefix } = core.storage(resource);
      const watch = etcd.watch(prefix, undefined, (events) => {
        for (const { kv } of events) {
          const slash = kv.key.indexOf('/', prefix.length);
          listener(slash < 0 ? '' : kv.key.slice(prefix.length, slash));
        }
      });
      process.onExit(() => watch.stop());
    },
  };
}

/** Bookmarks and compaction. Engine watchers get bookmarks only when a compaction would leave their version behind. */
function keepHouse(
  { process, etcd }: ServerCore,
  caches: ReadonlyMap<ResourceDefinition, WatchCache<ApiObject>>,
): void {
  let minutes = 0;
  let compactNext = etcd.running ? etcd.revision : 0;
  process.clock.ticker(BOOKMARK_MS, 'send bookmarks', () => {
    if (!etcd.running) return;
    const compacts = (++minutes * BOOKMARK_MS) % COMPACTION_MS === 0;
    for (const cache of caches.values()) cache.sendBookmarks(compacts);
    if (!compacts) return;
    etcd.compact(compactNext);
    compactNext = etcd.revision;
  });
}
