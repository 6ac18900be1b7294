import type { ProxyEndpoint, ProxyNode, ServicePortInfo } from './service-ports.ts';

/** Which endpoints get a node's traffic. */
export interface Categories {
  /** Under the traffic policy Cluster. */
  readonly cluster: readonly ProxyEndpoint[];
  /** Under the traffic policy Local. */
  readonly local: readonly ProxyEndpoint[];
  /** Whether there is any usable endpoint in the cluster. */
  readonly any: boolean;
}

/** What {@link categorizeEndpoints} looks at. */
export type Categorizable = Pick<ServicePortInfo, 'endpoints' | 'usesClusterEndpoints' | 'usesLocalEndpoints'>;

/**
 * Ready endpoints, or, where there are none, those that are terminating and still serve; for each policy by itself.
 * Topology hints count when every ready endpoint has some and one is for this zone. Follows pkg/proxy/topology.go, v1.33.
 */
export function categorizeEndpoints(port: Categorizable, { name, zone }: ProxyNode): Categories {
  const { endpoints, usesClusterEndpoints, usesLocalEndpoints } = port;
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const last = endpoints.filter((endpoint) => !endpoint.ready && endpoint.serving && endpoint.terminating);
  let cluster: readonly ProxyEndpoint[] = [];
  if (usesClusterEndpoints) {
    const hinted =
      ready.every(({ zones }) => zones !== undefined) && ready.some(({ zones }) => zones?.includes(zone) === true);
    cluster = hinted ? ready.filter(({ zones }) => zones?.includes(zone)) : ready;
    if (cluster.length === 0) cluster = endpoints.filter(({ serving, terminating }) => serving && terminating);
  }
  let local: readonly ProxyEndpoint[] = [];
  if (usesLocalEndpoints) {
    local = ready.filter(({ node }) => node === name);
    if (local.length === 0) local = last.filter(({ node }) => node === name);
  }
  return {
    cluster,
    local,
    any: cluster.length > 0 || (usesLocalEndpoints && (ready.length > 0 || last.length > 0)),
  };
}
