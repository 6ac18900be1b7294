import { needsClusterIP, needsHealthCheck, nodePortsOf, sameStrings, without } from '#api/core/v1/service-fields.ts';
import type { Service } from '#api/generated/types.ts';

// Fields that say one thing twice, or that the server filled in for a client that does not know them. Follows
// pkg/registry/core/service/storage/storage.go, v1.33.

/** What was allocated stays when a client writes without it, as it does who applies the same file again. */
export function withAllocatedValues(service: Service, previous: Service): Service {
  let { spec } = service;
  const old = previous.spec;
  if (needsClusterIP(service) && needsClusterIP(previous)) {
    if (!spec.clusterIP && old.clusterIP) spec = { ...spec, clusterIP: old.clusterIP };
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec = { ...spec, clusterIPs: old.clusterIPs };
  }
  if (wantsNodePorts(service) && wantsNodePorts(previous) && spec.ports) {
    const before = nodePortsOf(old);
    const kept = nodePortsOf(spec).filter((port) => before.includes(port));
    const byName = new Map(old.ports?.map(({ name = '', nodePort }) => [name, nodePort]));
    spec = {
      ...spec,
      ports: spec.ports.map((port) => {
        const known = port.nodePort ? undefined : byName.get(port.name ?? '');
        return known && !kept.includes(known) ? { ...port, nodePort: known } : port;
      }),
    };
  }
  if (needsHealthCheck(spec) && needsHealthCheck(old) && !spec.healthCheckNodePort && old.healthCheckNodePort)
    spec = { ...spec, healthCheckNodePort: old.healthCheckNodePort };
  return spec === service.spec ? service : { ...service, spec };
}

const wantsNodePorts = ({ spec }: Service): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

/** `clusterIPs` as somebody means it who knows only `clusterIP`. */
export function withClusterIPs(service: Service, previous: Service | undefined): Service {
  const { spec } = service;
  const { clusterIP = '', clusterIPs = [] } = spec;
  const set = (addresses: readonly string[]): Service => ({ ...service, spec: { ...spec, clusterIPs: addresses } });
  if (!previous) return clusterIP && clusterIPs.length === 0 ? set([clusterIP]) : service;
  const { clusterIP: oldIP = '', clusterIPs: oldIPs = [] } = previous.spec;
  if (clusterIP === oldIP) return oldIPs.length > 0 && clusterIPs.length === 0 ? set(oldIPs) : service;
  if (!sameStrings(clusterIPs, oldIPs)) return service;
  return clusterIP ? set([clusterIP]) : { ...service, spec: without(spec, 'clusterIPs') };
}
