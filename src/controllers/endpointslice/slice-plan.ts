import { apiVersionOf } from '#apimachinery/resource.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import { endpointsOf } from '#api/discovery/v1/endpoint-slice.ts';
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice, Service } from '#api/generated/types.ts';
import { services } from '#api/core/v1/service.ts';
import { controllerRefTo } from '../controller-ref.ts';
import { orderSlicePorts } from './port-order.ts';
import type { AssignHints, ChangedSlices } from './slice-hints.ts';
import { isServiceIPSet } from './service-port.ts';
import { MANAGED_BY, SERVICE_NAME } from './slice-tracker.ts';
import type { SlicePlan } from './slice-writer.ts';

/** The value of the label {@link MANAGED_BY} on slices that the endpointslice controller looks after. */
export const CONTROLLER_NAME = 'endpointslice-controller.k8s.io';
const ADDRESS_TYPE = 'IPv4';
const HEADLESS = 'service.kubernetes.io/headless';
export const LAST_CHANGE_TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

/** An endpoint that a Service should have, and the ports at which it is reached. */
export interface DesiredEndpoint {
  readonly endpoint: Endpoint;
  readonly ports: readonly DiscoveryV1EndpointPort[];
  /** Endpoints of one slice have the same ports: this text is the same for the same ports. */
  readonly portsKey: string;
}

/** A text that is the same for the same ports in any order. */
export function portsKeyOf(ports: readonly DiscoveryV1EndpointPort[] = []): string {
  const texts = ports.map(({ name, port, protocol, appProtocol }) => [name, port, protocol, appProtocol].join('/'));
  return texts.length > 1 ? texts.toSorted().join(' ') : (texts[0] ?? '');
}

/** What makes an endpoint the same one, whatever its conditions. */
export function endpointKey({ addresses, hostname = '', targetRef }: Endpoint): string {
  return `${targetRef?.name ?? ''} ${targetRef?.namespace ?? ''} ${hostname} ${addresses.join(' ')}`;
}

/**
 * How a Service's slices get the endpoints that they should have, with as few writes as possible: endpoints stay in
 * their slice, slices that change anyway are filled first, then one that has just enough room, then new ones; a Service
 * without endpoints has one empty slice. `existing` are those that this controller looks after. Follows
 * staging/src/k8s.io/endpointslice/reconciler.go, v1.33, for the one address family that there is.
 */
export function planSlices(
  service: Service,
  desired: Iterable<DesiredEndpoint>,
  existing: readonly EndpointSlice[],
  triggerTime: string,
  assignHints: AssignHints,
  maxEndpointsPerSlice = 100,
): SlicePlan {
  const doomed: EndpointSlice[] = [];
  const existingByPorts = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    if (slice.addressType !== ADDRESS_TYPE || !isOwnedBy(slice, service)) doomed.push(slice);
    else append(existingByPorts, portsKeyOf(slice.ports), slice);
  }
  const desiredByPorts = new Map<string, DesiredEndpoint[]>();
  for (const endpoint of desired) append(desiredByPorts, endpoint.portsKey, endpoint);

  const unchanged: EndpointSlice[] = [];
  const toCreate: EndpointSlice[] = [];
  const toUpdate: EndpointSlice[] = [];
  for (const [key, endpoints] of desiredByPorts) {
    const group = planGroup(service, endpoints, existingByPorts.get(key) ?? [], maxEndpointsPerSlice);
    toCreate.push(...group.create);
    toUpdate.push(...group.update);
    unchanged.push(...group.unchanged);
    doomed.push(...group.delete);
    existingByPorts.delete(key);
  }
  for (const slices of existingByPorts.values()) doomed.push(...slices);

  if (doomed.length === existing.length && toCreate.length === 0) {
    const placeholder = newSlice(service, []);
    const [only] = doomed;
    const stays = only && doomed.length === 1 && only.addressType === ADDRESS_TYPE && isPlaceholder(only, service);
    if (stays) doomed.pop();
    else toCreate.push(placeholder);
  }
  const hinted = assignHints({ create: toCreate, update: toUpdate, unchanged });

  // A slice that would go becomes one that would come.
  const created = [...hinted.create];
  const recycled: EndpointSlice[] = [];
  const gone = doomed.filter((slice) => {
    if (created.length === 0 || slice.addressType !== ADDRESS_TYPE || !isOwnedBy(slice, service)) return true;
    const next = created.pop() as EndpointSlice;
    recycled.push({ ...next, metadata: { ...next.metadata, name: slice.metadata.name } });
    return false;
  });
  const stamped = (slice: EndpointSlice) => withTriggerTime(slice, triggerTime);
  return {
    create: service.metadata.deletionTimestamp ? [] : created.map(stamped),
    update: [...hinted.update, ...recycled].map(stamped),
    delete: gone,
  };
}

/** Slices of one set of ports. */
function planGroup(
  service: Service,
  endpoints: readonly DesiredEndpoint[],
  existing: readonly EndpointSlice[],
  max: number,
): SlicePlan & ChangedSlices {
  const wanted = new Map(endpoints.map(({ endpoint }) => [endpointKey(endpoint), endpoint]));
  const doomed: EndpointSlice[] = [];
  const changed: EndpointSlice[] = [];
  const unchanged: EndpointSlice[] = [];
  const labels = sliceLabels(service);
  for (const slice of existing) {
    const kept: Endpoint[] = [];
    let differs = false;
    for (const endpoint of endpointsOf(slice)) {
      const key = endpointKey(endpoint);
      const next = wanted.get(key);
      if (!next) {
        differs = true;
        continue;
      }
      wanted.delete(key);
      if (isSameButHints(next, endpoint)) kept.push(endpoint);
      else {
        kept.push(next);
        differs = true;
      }
    }
    if (!differs && hasLabelsOf(slice, service)) unchanged.push(slice);
    else if (differs && kept.length === 0) doomed.push(slice);
    else changed.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: kept });
  }

  const left = [...wanted.values()];
  const fill = (slice: EndpointSlice): EndpointSlice => {
    const room = max - endpointsOf(slice).length;
    return room > 0 && left.length > 0
      ? { ...slice, endpoints: [...endpointsOf(slice), ...left.splice(0, room)] }
      : slice;
  };
  const updated = changed.toSorted((a, b) => endpointsOf(b).length - endpointsOf(a).length).map(fill);
  const created: EndpointSlice[] = [];
  while (left.length > 0) {
    const roomy = left.length < max ? sliceToFill(unchanged, left.length, max) : undefined;
    if (roomy) {
      unchanged.splice(unchanged.indexOf(roomy), 1);
      updated.push(fill(roomy));
    } else created.push(fill(newSlice(service, endpoints[0]?.ports ?? [])));
  }
  return { create: created, update: updated, unchanged, delete: doomed };
}

function isSameButHints(desired: Endpoint, { hints: _, ...existing }: Endpoint): boolean {
  return jsonEqual(desired, existing);
}

/** The slice that will be closest to full. */
function sliceToFill(slices: readonly EndpointSlice[], count: number, max: number): EndpointSlice | undefined {
  let closest: EndpointSlice | undefined;
  let least = max;
  for (const slice of slices) {
    const room = max - count - endpointsOf(slice).length;
    if (room < 0 || room >= least) continue;
    least = room;
    closest = slice;
  }
  return closest;
}

function newSlice(service: Service, ports: readonly DiscoveryV1EndpointPort[]): EndpointSlice {
  const { name = '', namespace } = service.metadata;
  return {
    metadata: {
      generateName: slicePrefix(name),
      namespace,
      labels: sliceLabels(service),
      ownerReferences: [controllerRefTo(services, service)],
    },
    addressType: ADDRESS_TYPE,
    endpoints: [],
    ports: orderSlicePorts(ports),
  };
}

const MAX_NAME = 253;

/** What the names of a Service's slices begin with. */
export function slicePrefix(serviceName: string): string {
  return serviceName.length < MAX_NAME ? `${serviceName}-` : serviceName;
}

function sliceLabels(service: Service): Record<string, string> {
  return {
    ...ownLabels(service.metadata.labels),
    ...(isServiceIPSet(service) ? {} : { [HEADLESS]: '' }),
    [SERVICE_NAME]: service.metadata.name ?? '',
    [MANAGED_BY]: CONTROLLER_NAME,
  };
}

/** Labels without those that controllers of endpoints keep for themselves. */
function ownLabels(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { [SERVICE_NAME]: _service, [MANAGED_BY]: _manager, [HEADLESS]: _headless, ...own } = labels;
  return own;
}

function hasLabelsOf(slice: EndpointSlice, service: Service): boolean {
  return jsonEqual(ownLabels(slice.metadata.labels), ownLabels(service.metadata.labels));
}

function isPlaceholder(slice: EndpointSlice, service: Service): boolean {
  return (
    isOwnedBy(slice, service) &&
    !slice.endpoints?.length &&
    !slice.ports?.length &&
    jsonEqual(slice.metadata.labels, sliceLabels(service))
  );
}

function isOwnedBy({ metadata }: EndpointSlice, service: Service): boolean {
  return (
    metadata.ownerReferences?.some(
      ({ uid, kind, apiVersion }) =>
        uid === service.metadata.uid && kind === services.kind && apiVersion === apiVersionOf(services),
    ) ?? false
  );
}

function withTriggerTime(slice: EndpointSlice, time: string): EndpointSlice {
  const { [LAST_CHANGE_TRIGGER_TIME]: _, ...others } = slice.metadata.annotations ?? {};
  const annotations = time ? { ...others, [LAST_CHANGE_TRIGGER_TIME]: time } : others;
  return { ...slice, metadata: { ...slice.metadata, annotations } };
}

function append<T>(groups: Map<string, T[]>, key: string, value: T): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}
