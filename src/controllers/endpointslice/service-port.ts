import type { Pod, Service, ServicePort } from '#api/generated/types.ts';
import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';

/**
 * The port of a Pod behind a port of a Service: the number, or that of the container port of the name. Undefined: the Pod
 * has none. Follows pkg/api/v1/pod/util.go (FindPort), v1.33.
 */
export function findPort({ spec }: Pod, servicePort: ServicePort): number | undefined {
  const { targetPort = servicePort.port, protocol = 'TCP' } = servicePort;
  if (typeof targetPort === 'number') return targetPort;
  for (const containers of [spec.containers, (spec.initContainers ?? []).filter(isRestartableInitContainer)]) {
    for (const { ports = [] } of containers) {
      const found = ports.find((port) => port.name === targetPort && (port.protocol ?? 'TCP') === protocol);
      if (found) return found.containerPort;
    }
  }
  return undefined;
}

/** Whether the Service has an address of its own; without one it is headless. */
export function isServiceIPSet({ spec: { clusterIP } }: Service): boolean {
  return clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None';
}

/** The name that an endpoint has in a headless Service. */
export function endpointHostname({ metadata, spec }: Pod, service: Service): string | undefined {
  const { name, namespace } = service.metadata;
  return spec.hostname && spec.subdomain === name && metadata.namespace === namespace ? spec.hostname : undefined;
}
