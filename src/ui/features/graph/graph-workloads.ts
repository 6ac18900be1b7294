import {
  DAEMON_SETS,
  DEPLOYMENTS,
  objectKey,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  type KubeObject,
  type ObjectKey,
  type ResourceType,
} from '../../cluster-store/kube-object.ts';
import type { Tone } from '../../cluster-store/status-tone.ts';
import type { Row } from '../../cluster-store/table.ts';
import { isSystem } from './graph-namespaces.ts';

/** A ReplicaSet of a Deployment: one of its revisions. */
export interface RevisionItem {
  readonly key: ObjectKey;
  readonly name: string;
  readonly revision: string;
  readonly wanted: number;
  readonly ready: number;
  /** How many Pods it has, ready or not. */
  readonly pods: number;
  /** An earlier revision. */
  readonly old: boolean;
}

/** Whatever keeps a number of Pods, as the graph draws it. */
export interface WorkloadItem {
  readonly key: ObjectKey;
  readonly resource: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly ready: number;
  readonly wanted: number;
  readonly tone: Tone;
  readonly system: boolean;
  readonly paused: boolean;
  /** Of a Deployment: newest first. */
  readonly revisions: readonly RevisionItem[];
}

export interface WorkloadModel {
  /** Oldest first. */
  readonly items: readonly WorkloadItem[];
  /** The Deployment that a ReplicaSet belongs to. */
  readonly deploymentOf: ReadonlyMap<ObjectKey, ObjectKey>;
  readonly revisionOf: ReadonlyMap<ObjectKey, RevisionItem>;
}

export interface WorkloadRows {
  readonly deployments: Iterable<Row>;
  readonly replicaSets: Iterable<Row>;
  readonly daemonSets: Iterable<Row>;
  readonly replicationControllers: Iterable<Row>;
}

const REVISION = 'deployment.kubernetes.io/revision';
const PLURALS: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  ReplicaSet: 'replicasets',
  DaemonSet: 'daemonsets',
  ReplicationController: 'replicationcontrollers',
  StatefulSet: 'statefulsets',
  Job: 'jobs',
  Node: 'nodes',
};

/** The object that an object's controller reference names; empty without one. */
export function controllerOf({ metadata }: KubeObject): ObjectKey {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  const plural = PLURALS[owner?.kind ?? ''];
  return owner && plural ? objectKey(plural, plural === 'nodes' ? undefined : metadata.namespace, owner.name) : '';
}

const count = (fields: Readonly<Record<string, unknown>> | undefined, name: string, otherwise = 0) => {
  const value = fields?.[name];
  return typeof value === 'number' ? value : otherwise;
};

function toneOf(ready: number, wanted: number): Tone {
  if (ready < wanted) return 'pending';
  return wanted === 0 ? 'done' : 'ok';
}

/** An item is the same value as long as the rows that it is made of are. */
export class WorkloadModeller {
  #items = new Map<ObjectKey, { readonly rows: readonly Row[]; readonly item: WorkloadItem }>();

  /** With a namespace, of users' objects only those in it. */
  model(rows: WorkloadRows, namespace?: string): WorkloadModel {
    const deployments = new Map(Array.from(rows.deployments, (row) => [row.key, row]));
    const sets = new Map<ObjectKey, Row[]>();
    const deploymentOf = new Map<ObjectKey, ObjectKey>();
    const found: [Row, ResourceType][] = [...deployments.values()].map((row) => [row, DEPLOYMENTS]);
    for (const row of rows.replicaSets) {
      const owner = controllerOf(row.object);
      if (!deployments.has(owner)) {
        found.push([row, REPLICA_SETS]);
        continue;
      }
      deploymentOf.set(row.key, owner);
      const others = sets.get(owner);
      if (others) others.push(row);
      else sets.set(owner, [row]);
    }
    for (const row of rows.daemonSets) found.push([row, DAEMON_SETS]);
    for (const row of rows.replicationControllers) found.push([row, REPLICATION_CONTROLLERS]);
    const items = new Map<ObjectKey, { readonly rows: readonly Row[]; readonly item: WorkloadItem }>();
    for (const [row, resource] of found) {
      const parts = [row, ...(sets.get(row.key) ?? [])];
      const before = this.#items.get(row.key);
      const same = before?.rows.length === parts.length && parts.every((part, at) => part === before.rows[at]);
      items.set(row.key, same ? before : { rows: parts, item: itemOf(row, resource, parts.slice(1)) });
    }
    this.#items = items;
    const all = [...items.values()].sort(
      (a, b) => ageOf(a.rows[0]).localeCompare(ageOf(b.rows[0]), 'en') || (a.item.name < b.item.name ? -1 : 1),
    );
    return {
      items: all
        .map(({ item }) => item)
        .filter((item) => namespace === undefined || item.system || item.namespace === namespace),
      deploymentOf,
      revisionOf: new Map(
        all.flatMap(({ item }) => item.revisions.map((revision) => [revision.key, revision] as const)),
      ),
    };
  }
}

const ageOf = (row: Row | undefined) => row?.object.metadata.creationTimestamp ?? '';

function itemOf(row: Row, resource: ResourceType, sets: readonly Row[]): WorkloadItem {
  const { spec, status, metadata } = row.object;
  const { namespace = '', name = '' } = metadata;
  const daemon = resource === DAEMON_SETS;
  const wanted = daemon ? count(status, 'desiredNumberScheduled') : count(spec, 'replicas', 1);
  const ready = count(status, daemon ? 'numberReady' : 'readyReplicas');
  const numberOf = (set: Row) => Number(set.object.metadata.annotations?.[REVISION] ?? 0);
  const newest = sets.toSorted((a, b) => numberOf(b) - numberOf(a));
  return {
    key: row.key,
    resource,
    namespace,
    name,
    ready,
    wanted,
    tone: toneOf(ready, wanted),
    system: isSystem(namespace),
    paused: spec?.['paused'] === true,
    revisions: newest.map((set, at) => ({
      key: set.key,
      name: set.object.metadata.name ?? '',
      revision: set.object.metadata.annotations?.[REVISION] ?? '',
      wanted: count(set.object.spec, 'replicas', 1),
      ready: count(set.object.status, 'readyReplicas'),
      pods: count(set.object.status, 'replicas'),
      old: at > 0,
    })),
  };
}
