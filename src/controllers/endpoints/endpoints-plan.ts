import { jsonEqual } from '#apimachinery/equal.ts';
import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset, Pod, Service } from '#api/generated/types.ts';
import { isPodReady } from '#api/core/v1/pod-status.ts';
import { podAddress } from '../endpointslice/pod-endpoint.ts';
import { hasEndpoint } from '../endpointslice/service-pods.ts';
import { endpointHostname, findPort, isServiceIPSet } from '../endpointslice/service-port.ts';
import { LAST_CHANGE_TRIGGER_TIME } from '../endpointslice/slice-plan.ts';
import { repackSubsets } from './repack-subsets.ts';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const CONTROLLER_NAME = 'endpoint-controller';
const HEADLESS = 'service.kubernetes.io/headless';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const MAX_CAPACITY = 1000;

/** A Pod as the Endpoints of a Service have it. */
export interface DesiredAddress {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: readonly EndpointPort[];
}

/** What a Pod is among the Endpoints of a Service; undefined: nothing. */
export function desiredAddress(pod: Pod, service: Service): DesiredAddress | undefined {
  const { publishNotReadyAddresses = false, ports: servicePorts = [], clusterIP } = service.spec;
  if (!hasEndpoint(pod) || (pod.metadata.deletionTimestamp && !publishNotReadyAddresses)) return undefined;
  const ip = podAddress(pod);
  if (ip === undefined) return undefined;
  const ports: EndpointPort[] = [];
  for (const servicePort of servicePorts) {
    const port = findPort(pod, servicePort);
    if (port === undefined) continue;
    const { name, protocol = 'TCP', appProtocol } = servicePort;
    ports.push({ ...(appProtocol === undefined ? {} : { appProtocol }), ...(name ? { name } : {}), port, protocol });
  }
  if (ports.length === 0 && (servicePorts.length > 0 || clusterIP !== 'None')) return undefined;
  const { name, namespace, uid } = pod.metadata;
  const hostname = endpointHostname(pod, service);
  const address: EndpointAddress = {
    ...(hostname ? { hostname } : {}),
    ip,
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', name, namespace, uid },
  };
  return { address, ready: publishNotReadyAddresses || isPodReady(pod), ports };
}

/**
 * The Endpoints of a Service as they should be; undefined if `current` are. Follows
 * pkg/controller/endpoint/endpoints_controller.go, v1.33.
 */
export function planEndpoints(
  service: Service,
  desired: Iterable<DesiredAddress>,
  current: Endpoints | undefined,
  triggerTime: string,
): Endpoints | undefined {
  const subsets = subsetsOf(desired);
  const { name, namespace, labels } = service.metadata;
  if (
    current &&
    jsonEqual(current.subsets ?? [], subsets) &&
    hasLabelsOf(current, labels) &&
    isWithinCapacity(current)
  ) {
    return undefined;
  }
  const {
    [LAST_CHANGE_TRIGGER_TIME]: _time,
    [OVER_CAPACITY]: _capacity,
    ...annotations
  } = current?.metadata.annotations ?? {};
  const { [HEADLESS]: _headless, ...own } = labels ?? {};
  const truncated = truncate(subsets);
  return {
    ...current,
    metadata: {
      ...(current?.metadata ?? { name, namespace }),
      annotations: {
        ...annotations,
        ...(triggerTime ? { [LAST_CHANGE_TRIGGER_TIME]: triggerTime } : {}),
        ...(truncated ? { [OVER_CAPACITY]: 'truncated' } : {}),
      },
      labels: { ...own, ...(isServiceIPSet(service) ? {} : { [HEADLESS]: '' }), [MANAGED_BY]: CONTROLLER_NAME },
    },
    subsets: truncated ?? subsets,
  };
}

/** Pods of the same ports are one subset before they are repacked. */
function subsetsOf(desired: Iterable<DesiredAddress>): EndpointSubset[] {
  const groups = new Map<
    string,
    { addresses: EndpointAddress[]; notReadyAddresses: EndpointAddress[]; ports: readonly EndpointPort[] }
  >();
  for (const { address, ready, ports } of desired) {
    const key = ports.map(({ port }) => port).join();
    const group = groups.get(key) ?? { addresses: [], notReadyAddresses: [], ports };
    groups.set(key, group);
    (ready ? group.addresses : group.notReadyAddresses).push(address);
  }
  return repackSubsets([...groups.values()]);
}

function hasLabelsOf({ metadata }: Endpoints, labels: Readonly<Record<string, string>> = {}): boolean {
  const { [HEADLESS]: _headless, [MANAGED_BY]: manager, ...own } = metadata.labels ?? {};
  return manager === CONTROLLER_NAME && jsonEqual(own, labels);
}

function isWithinCapacity({ metadata, subsets = [] }: Endpoints): boolean {
  return sizeOf(subsets) <= MAX_CAPACITY && !Object.hasOwn(metadata.annotations ?? {}, OVER_CAPACITY);
}

function sizeOf(subsets: readonly EndpointSubset[]): number {
  return subsets.reduce(
    (sum, { addresses = [], notReadyAddresses = [] }) => sum + addresses.length + notReadyAddresses.length,
    0,
  );
}

/** At most 1000 addresses, ready ones first, from each subset its share; undefined if there are no more than that. */
function truncate(subsets: readonly EndpointSubset[]): EndpointSubset[] | undefined {
  if (sizeOf(subsets) <= MAX_CAPACITY) return undefined;
  const ready = subsets.reduce((sum, { addresses = [] }) => sum + addresses.length, 0);
  const cutsReady = ready > MAX_CAPACITY;
  const max = cutsReady ? MAX_CAPACITY : MAX_CAPACITY - ready;
  const total = cutsReady ? ready : sizeOf(subsets) - ready;
  let left = max;
  return subsets.map(({ addresses = [], notReadyAddresses = [], ports }) => {
    const cut = cutsReady ? addresses : notReadyAddresses;
    const kept = cut.slice(0, Math.min(left, Math.ceil((cut.length / total) * max)));
    left -= kept.length;
    const [first, second] = cutsReady ? [kept, []] : [addresses, kept];
    return {
      ...(first.length > 0 ? { addresses: first } : {}),
      ...(second.length > 0 ? { notReadyAddresses: second } : {}),
      ...(ports ? { ports } : {}),
    };
  });
}
