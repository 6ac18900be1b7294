import type { ApiObject } from '#apimachinery/resource.ts';

/** An object as the page holds it: only what is looked at is typed. */
export interface KubeObject extends ApiObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** A kind as the API addresses it. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export const PODS: ResourceType = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
export const NODES: ResourceType = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };
const namespaced = (group: string, plural: string, kind: string): ResourceType => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced: true,
});
export const SERVICES = namespaced('', 'services', 'Service');
export const ENDPOINT_SLICES = namespaced('discovery.k8s.io', 'endpointslices', 'EndpointSlice');
export const DEPLOYMENTS = namespaced('apps', 'deployments', 'Deployment');
export const REPLICA_SETS = namespaced('apps', 'replicasets', 'ReplicaSet');
export const DAEMON_SETS = namespaced('apps', 'daemonsets', 'DaemonSet');
export const REPLICATION_CONTROLLERS = namespaced('', 'replicationcontrollers', 'ReplicationController');
export const EVENTS: ResourceType = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

/** The name of an object on the page: `pods/default/nginx`, `nodes/node-1`. */
export type ObjectKey = string;

export function objectKey(plural: string, namespace: string | undefined, name: string): ObjectKey {
  return namespace ? `${plural}/${namespace}/${name}` : `${plural}/${name}`;
}

/** The path of a kind's collection, in a namespace or (without one) in all. */
export function collectionPath(type: Pick<ResourceType, 'group' | 'version' | 'plural'>, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  return `${root}${namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${type.plural}`;
}

export function objectPath(
  type: Pick<ResourceType, 'group' | 'version' | 'plural'>,
  namespace: string | undefined,
  name: string,
): string {
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
}
