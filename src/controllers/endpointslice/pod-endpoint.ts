import { parseAddress } from '#apimachinery/ip-validation.ts';
import type { DiscoveryV1EndpointPort, Endpoint, Node, Pod, Service } from '#api/generated/types.ts';
import { isPodReady } from '#api/core/v1/pod-status.ts';
import { endpointHostname, findPort } from './service-port.ts';
import { type DesiredEndpoint, portsKeyOf } from './slice-plan.ts';

const ZONE = 'topology.kubernetes.io/zone';

/**
 * What a Pod is as an endpoint of a Service; undefined if it has no IPv4 address. `node` is the Pod's, where it is known.
 * Follows staging/src/k8s.io/endpointslice/utils.go, v1.33.
 */
export function podEndpoint(pod: Pod, node: Node | undefined, service: Service): DesiredEndpoint | undefined {
  const address = podAddress(pod);
  if (address === undefined) return undefined;
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const { name, namespace, uid } = pod.metadata;
  const { nodeName } = pod.spec;
  const zone = node?.metadata.labels?.[ZONE];
  const hostname = endpointHostname(pod, service);
  const endpoint: Endpoint = {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', name, namespace, uid },
    ...(zone ? { zone } : {}),
  };
  const ports = endpointPorts(pod, service);
  return { endpoint, ports, portsKey: portsKeyOf(ports) };
}

/** The Pod's IPv4 address, written as usual. */
export function podAddress({ status }: Pod): string | undefined {
  for (const { ip } of status?.podIPs ?? []) {
    const address = parseAddress(ip);
    if (address?.bytes.length === 4) return address.text;
  }
  return undefined;
}

function endpointPorts(pod: Pod, { spec }: Service): DiscoveryV1EndpointPort[] {
  const found: DiscoveryV1EndpointPort[] = [];
  for (const servicePort of spec.ports ?? []) {
    const port = findPort(pod, servicePort);
    if (port === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    found.push({ ...(appProtocol === undefined ? {} : { appProtocol }), name, port, protocol });
  }
  return found;
}
