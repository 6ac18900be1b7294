import { mapShared, replace } from '../../fill.ts';
import type { Service, ServiceSpec } from '../../generated/types.ts';
import {
  externallyAccessible,
  needsClusterIP,
  needsHealthCheck,
  nodePortsOf,
  sameStrings,
  without,
  withoutNodePort,
} from './service-fields.ts';

const hasNodePorts = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer';

/** A new Service has no status. */
export const prepareServiceForCreate = (service: Service): Service => ({ ...service, status: { loadBalancer: {} } });

/**
 * Keeps the status, and takes away what the new type has no use for, was filled in for the old type, and was not
 * changed by the user. Follows dropTypeDependentFields of pkg/registry/core/service/strategy.go, v1.33.
 */
export function prepareServiceForUpdate(service: Service, previous: Service): Service {
  const old = previous.spec;
  let { spec } = service;
  if (needsClusterIP(previous) && !needsClusterIP(service)) {
    if ((old.clusterIP ?? '') === (spec.clusterIP ?? '') && sameStrings(old.clusterIPs, spec.clusterIPs))
      spec = without(spec, 'clusterIP', 'clusterIPs');
    if (sameStrings(old.ipFamilies, spec.ipFamilies)) spec = without(spec, 'ipFamilies');
    if (old.ipFamilyPolicy === spec.ipFamilyPolicy) spec = without(spec, 'ipFamilyPolicy');
  }
  if (hasNodePorts(old) && !hasNodePorts(spec) && spec.ports) {
    const known = nodePortsOf(old);
    if (nodePortsOf(spec).every((port) => known.includes(port)))
      spec = replace(spec, 'ports', mapShared(spec.ports, withoutNodePort));
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && old.healthCheckNodePort === spec.healthCheckNodePort)
    spec = without(spec, 'healthCheckNodePort');
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (old.allocateLoadBalancerNodePorts === spec.allocateLoadBalancerNodePorts)
      spec = without(spec, 'allocateLoadBalancerNodePorts');
    if (old.loadBalancerClass === spec.loadBalancerClass) spec = without(spec, 'loadBalancerClass');
  }
  if (
    externallyAccessible(old) &&
    !externallyAccessible(spec) &&
    old.externalTrafficPolicy === spec.externalTrafficPolicy
  )
    spec = without(spec, 'externalTrafficPolicy');
  let { status } = previous;
  if (spec.type !== 'LoadBalancer' && status?.loadBalancer?.ingress) status = { ...status, loadBalancer: {} };
  return { ...service, spec, status };
}

/** An ExternalName has no traffic of its own, whatever a change of type left behind. */
export function canonicalService(service: Service): Service {
  const { spec } = service;
  return spec.type === 'ExternalName' ? replace(service, 'spec', without(spec, 'internalTrafficPolicy')) : service;
}
