import { parseAddress } from '#apimachinery/ip-validation.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointAddress,
  Endpoints,
  EndpointSlice,
} from '#api/generated/types.ts';
import { endpoints as endpointsResource } from '#api/core/v1/endpoints.ts';
import { controllerRefTo } from '../controller-ref.ts';
import { repackSubsets } from '../endpoints/repack-subsets.ts';
import { endpointKey, LAST_CHANGE_TRIGGER_TIME, portsKeyOf, slicePrefix } from '../endpointslice/slice-plan.ts';
import { orderSlicePorts } from '../endpointslice/port-order.ts';
import { MANAGED_BY, SERVICE_NAME } from '../endpointslice/slice-tracker.ts';
import type { SlicePlan } from '../endpointslice/slice-writer.ts';

/** The value of the label {@link MANAGED_BY} on slices that mirror Endpoints. */
export const CONTROLLER_NAME = 'endpointslicemirroring-controller.k8s.io';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** `--mirroring-max-endpoints-per-subset`. */
export const MAX_ENDPOINTS_PER_SUBSET = 1000;

/** What makes the slices of Endpoints as they should be, and what could not be mirrored. */
export interface MirrorPlan extends SlicePlan {
  readonly invalidAddresses: number;
  readonly skippedAddresses: number;
}

/** Endpoints of one set of ports and one family. */
interface Group {
  readonly addressType: string;
  readonly ports: readonly DiscoveryV1EndpointPort[];
  readonly endpoints: Map<string, Endpoint>;
}

/**
 * How the slices of Endpoints come to say the same as they: one slice for each subset and family. `existing` are those
 * that mirror them already. Follows pkg/controller/endpointslicemirroring/reconciler.go, v1.33.
 */
export function planMirror(
  endpoints: Endpoints,
  existing: readonly EndpointSlice[],
  max = MAX_ENDPOINTS_PER_SUBSET,
): MirrorPlan {
  const { groups, invalidAddresses, skippedAddresses } = desiredGroups(endpoints, max);
  const left = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = groupKey(slice.addressType, slice.ports);
    left.set(key, [...(left.get(key) ?? []), slice]);
  }
  const created: EndpointSlice[] = [];
  const updated: EndpointSlice[] = [];
  const doomed: EndpointSlice[] = [];
  for (const [key, group] of groups) {
    const [first, ...others] = left.get(key) ?? [];
    left.set(key, others);
    const slice = newSlice(endpoints, group, max);
    if (!first) created.push(slice);
    else if (!isMirror(first, slice, endpoints)) updated.push(named(slice, first));
  }
  for (const slices of left.values()) doomed.push(...slices);
  // A slice that would go becomes one that would come.
  const gone = doomed.filter((slice) => {
    const at = created.findIndex(({ addressType }) => addressType === slice.addressType);
    if (at < 0) return true;
    updated.push(...created.splice(at, 1).map((next) => named(next, slice)));
    return false;
  });
  return {
    create: endpoints.metadata.deletionTimestamp ? [] : created,
    update: updated,
    delete: gone,
    invalidAddresses,
    skippedAddresses,
  };
}

function desiredGroups(endpoints: Endpoints, max: number) {
  const groups = new Map<string, Group>();
  let invalidAddresses = 0;
  let skippedAddresses = 0;
  for (const { addresses = [], notReadyAddresses = [], ports: subsetPorts = [] } of repackSubsets(
    endpoints.subsets ?? [],
  )) {
    const ports = subsetPorts.map(({ appProtocol, name = '', port, protocol = 'TCP' }) => ({
      ...(appProtocol === undefined ? {} : { appProtocol }),
      name,
      port,
      protocol,
    }));
    let added = 0;
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    for (const { address, ready } of all) {
      if (added >= max) break;
      const ip = parseAddress(address.ip);
      if (!ip) {
        invalidAddresses++;
        continue;
      }
      const addressType = ip.bytes.length === 4 ? 'IPv4' : 'IPv6';
      const key = groupKey(addressType, ports);
      const group = groups.get(key) ?? { addressType, ports, endpoints: new Map<string, Endpoint>() };
      groups.set(key, group);
      const endpoint = mirrored(address, ip.text, ready);
      group.endpoints.set(endpointKey(endpoint), endpoint);
      added++;
    }
    skippedAddresses += all.length - added;
  }
  return { groups, invalidAddresses, skippedAddresses };
}

function groupKey(addressType: string, ports: readonly DiscoveryV1EndpointPort[] | undefined): string {
  return `${addressType} ${portsKeyOf(ports)}`;
}

function mirrored({ nodeName, hostname, targetRef }: EndpointAddress, ip: string, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef ? { targetRef } : {}),
  };
}

/** Whether a slice says already what the new one would. */
function isMirror(slice: EndpointSlice, next: EndpointSlice, { metadata }: Endpoints): boolean {
  const byKey = new Map((slice.endpoints ?? []).map((endpoint) => [endpointKey(endpoint), endpoint]));
  return (
    byKey.size === next.endpoints.length &&
    next.endpoints.every((endpoint) => jsonEqual(endpoint, byKey.get(endpointKey(endpoint)))) &&
    jsonEqual(slice.metadata.labels, next.metadata.labels) &&
    jsonEqual(slice.metadata.annotations ?? {}, next.metadata.annotations) &&
    !slice.metadata.ownerReferences?.some(
      ({ kind, name, uid }) => kind === endpointsResource.kind && name === metadata.name && uid !== metadata.uid,
    )
  );
}

function newSlice(endpoints: Endpoints, group: Group, max: number): EndpointSlice {
  const { name = '', namespace, labels } = endpoints.metadata;
  const {
    [LAST_CHANGE_TRIGGER_TIME]: _time,
    [LAST_APPLIED]: _applied,
    ...annotations
  } = endpoints.metadata.annotations ?? {};
  return {
    metadata: {
      generateName: slicePrefix(name),
      namespace,
      labels: { ...labels, [SERVICE_NAME]: name, [MANAGED_BY]: CONTROLLER_NAME },
      annotations,
      ownerReferences: [controllerRefTo(endpointsResource, endpoints)],
    },
    addressType: group.addressType,
    endpoints: [...group.endpoints.values()].slice(0, max),
    ports: orderSlicePorts(group.ports),
  };
}

function named(slice: EndpointSlice, { metadata: { name } }: EndpointSlice): EndpointSlice {
  const { generateName: _, ...metadata } = slice.metadata;
  return { ...slice, metadata: { ...metadata, name } };
}
