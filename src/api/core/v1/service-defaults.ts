import { fill, fillZero, mapShared, replace } from '../../fill.ts';
import type { Service, ServicePort, ServiceSpec, ServiceStatus } from '../../generated/types.ts';
import { externallyAccessible, without } from './service-fields.ts';

/** How long a client keeps its endpoint where nothing else is said. */
const AFFINITY_SECONDS = 10_800;

const defaultPort = (port: ServicePort): ServicePort => fillZero(port, { protocol: 'TCP', targetPort: port.port });

function defaultAffinity(spec: ServiceSpec): ServiceSpec {
  if (spec.sessionAffinity === 'None') return without(spec, 'sessionAffinityConfig');
  if (spec.sessionAffinity !== 'ClientIP' || (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? null) !== null)
    return spec;
  return { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: AFFINITY_SECONDS } } };
}

function defaultIngress(status: ServiceStatus): ServiceStatus {
  const { ingress } = status.loadBalancer ?? {};
  if (!ingress) return status;
  const modes = mapShared(ingress, (item) => (item.ip ? fill(item, { ipMode: 'VIP' }) : item));
  return modes === ingress ? status : { ...status, loadBalancer: { ...status.loadBalancer, ingress: modes } };
}

/** Follows SetDefaults_Service of pkg/apis/core/v1/defaults.go, v1.33. What the allocators fill in is not here. */
export function defaultService(service: Service): Service {
  let spec = defaultAffinity(fillZero(service.spec ?? {}, { sessionAffinity: 'None', type: 'ClusterIP' }));
  if (spec.ports) spec = replace(spec, 'ports', mapShared(spec.ports, defaultPort));
  if (externallyAccessible(spec)) spec = fillZero(spec, { externalTrafficPolicy: 'Cluster' });
  const { type } = spec;
  if (type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer')
    spec = fill(spec, { internalTrafficPolicy: 'Cluster' });
  if (type !== 'LoadBalancer') return replace(service, 'spec', spec);
  spec = fill(spec, { allocateLoadBalancerNodePorts: true });
  const { status } = service;
  return replace(status ? replace(service, 'status', defaultIngress(status)) : service, 'spec', spec);
}
