import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ApiClient } from '../session/api-client.ts';
import { Batcher, type FrameHost } from './batcher.ts';
import {
  collectionPath,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  NODES,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  SERVICES,
  type ObjectKey,
  type ResourceType,
} from './kube-object.ts';
import { Reflector } from './reflector.ts';
import type { Column, Row } from './table.ts';

/** What the page knows of a kind. A new value for each batch; `rows` itself is kept and changed in place. */
export interface Collection {
  readonly synced: boolean;
  readonly columns: readonly Column[];
  readonly rows: ReadonlyMap<ObjectKey, Row>;
  /** Why the collection may be out of date. */
  readonly problem?: string;
}

/** The kinds that the graph shows, in the order in which they are asked for. */
const SHOWN = {
  nodes: NODES,
  pods: PODS,
  services: SERVICES,
  endpointSlices: ENDPOINT_SLICES,
  deployments: DEPLOYMENTS,
  replicaSets: REPLICA_SETS,
  daemonSets: DAEMON_SETS,
  replicationControllers: REPLICATION_CONTROLLERS,
} as const satisfies Readonly<Record<string, ResourceType>>;

type ShownKind = keyof typeof SHOWN;
export type ClusterState = Readonly<Record<ShownKind, Collection>>;

export interface CollectionStore {
  readonly get: () => Collection;
  readonly set: (collection: Collection) => void;
}

const NOTHING: Collection = { synced: false, columns: [], rows: new Map() };

type Change = { readonly row: Row; readonly gone: boolean };

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String((error as { readonly message?: unknown })?.message ?? error);

/** From so many objects on, changes are shown in steps of this length. */
const CROWD = 100;
const CROWD_MS = 120;

/** Keeps one collection in a store in step with the server, in batches. Returns how to stop. */
export function follow(
  api: ApiClient,
  type: ResourceType,
  store: CollectionStore,
  host: FrameHost,
  query?: string,
  namespace?: string,
): () => void {
  const rows = new Map<ObjectKey, Row>();
  // What is drawn of a crowd is costly, and the eye follows no single one of it.
  const paced: FrameHost = {
    frame: (run) => (rows.size > CROWD ? host.after(CROWD_MS, run) : host.frame(run)),
    after: host.after,
  };
  const batcher = new Batcher<Change>((changes) => {
    for (const { row, gone } of changes) {
      if (gone) rows.delete(row.key);
      else rows.set(row.key, row);
    }
    store.set({ synced: true, columns: store.get().columns, rows });
  }, paced);
  const reflector = new Reflector(
    api,
    { plural: type.plural, path: collectionPath(type, namespace), ...(query ? { query } : {}) },
    {
      replaced: (next, columns) => {
        batcher.clear();
        rows.clear();
        for (const row of next) rows.set(row.key, row);
        store.set({ synced: true, columns, rows });
      },
      changed: (row) => batcher.push(row.key, { row, gone: false }),
      removed: (row) => batcher.push(row.key, { row, gone: true }),
      failed: (error) => store.set({ ...store.get(), problem: messageOf(error) }),
    },
    host,
  ).start();
  return () => {
    reflector.stop();
    batcher.clear();
  };
}

export interface ClusterStore {
  readonly state: StoreApi<ClusterState>;
  stop(): void;
}

/** The live collections that the graph shows. */
export function createClusterStore(api: ApiClient, host: FrameHost): ClusterStore {
  const kinds = Object.entries(SHOWN) as readonly (readonly [ShownKind, ResourceType])[];
  const state = createStore<ClusterState>(
    () => Object.fromEntries(kinds.map(([kind]) => [kind, NOTHING])) as ClusterState,
  );
  const stops = kinds.map(([kind, type]) =>
    follow(
      api,
      type,
      { get: () => state.getState()[kind], set: (collection) => state.setState({ [kind]: collection }) },
      host,
    ),
  );
  return { state, stop: () => stops.forEach((stop) => stop()) };
}

/** A store for one collection that a pane follows while it shows it. */
export function createCollectionStore(): StoreApi<Collection> & CollectionStore {
  const store = createStore<Collection>(() => NOTHING);
  return Object.assign(store, {
    get: store.getState,
    set: (collection: Collection) => store.setState(collection, true),
  });
}
