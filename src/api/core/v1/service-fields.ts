import type { Service, ServicePort, ServiceSpec } from '../../generated/types.ts';

// What the fields of a Service say together. Follows pkg/api/service and pkg/registry/core/service, v1.33.

/** What a headless Service has instead of an address. */
export const HEADLESS = 'None';

/** Everything but ExternalName lives on an address, or says `None`. */
export const needsClusterIP = ({ spec }: Service): boolean => spec.type !== 'ExternalName';

export const isHeadless = ({ clusterIPs = [] }: ServiceSpec): boolean =>
  clusterIPs.length === 1 && clusterIPs[0] === HEADLESS;

/** Whether traffic from outside the cluster may reach it. */
export const externallyAccessible = ({ type, externalIPs }: ServiceSpec): boolean =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && !!externalIPs?.length);

/** Whether a load balancer must ask each node if it has an endpoint of its own. */
export const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

/** The ports of all nodes that the Service has. */
export const nodePortsOf = ({ ports = [] }: ServiceSpec): number[] =>
  ports.flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));

/** Whether two lists of strings are alike; an absent one is empty. */
export const sameStrings = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** The structure without some of its fields; itself when it has none of them. */
export function without<T extends object>(object: T, ...fields: readonly (keyof T)[]): T {
  if (!fields.some((field) => object[field] !== undefined)) return object;
  const rest = { ...object };
  for (const field of fields) delete rest[field];
  return rest;
}

export const withoutNodePort = (port: ServicePort): ServicePort => without(port, 'nodePort');
