import type { DiscoveryV1EndpointPort, EndpointPort } from '#api/generated/types.ts';
import { md5 } from '@noble/hashes/legacy.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

// Upstream sorts ports by the MD5 sum of what go-spew prints of them, and that is the order in which people see them.
// Follows pkg/util/hash and apimachinery/pkg/util/dump, v1.33.

const pointer = (type: string, value: string | number | undefined) =>
  value === undefined ? `(*${type})<nil>` : `(*${type})${value}`;

/** Ports of Endpoints in upstream's order. */
export function orderEndpointsPorts(ports: readonly EndpointPort[]): readonly EndpointPort[] {
  return ordered(
    ports,
    ({ name = '', port, protocol = '', appProtocol }) =>
      `Name:(string)${name} Port:(int32)${port} Protocol:(v1.Protocol)${protocol} AppProtocol:${pointer('string', appProtocol)}`,
  );
}

/** Ports of an EndpointSlice in upstream's order. */
export function orderSlicePorts(ports: readonly DiscoveryV1EndpointPort[]): readonly DiscoveryV1EndpointPort[] {
  return ordered(
    ports,
    ({ name, port, protocol, appProtocol }) =>
      `Name:${pointer('string', name)} Protocol:${pointer('v1.Protocol', protocol)} Port:${pointer('int32', port)} AppProtocol:${pointer('string', appProtocol)}`,
  );
}

function ordered<T>(ports: readonly T[], fields: (port: T) => string): readonly T[] {
  if (ports.length < 2) return ports;
  return ports
    .map((port) => ({ port, sum: bytesToHex(md5(utf8ToBytes(`(v1.EndpointPort){${fields(port)}}`))) }))
    .toSorted((a, b) => (a.sum < b.sum ? -1 : 1))
    .map(({ port }) => port);
}
