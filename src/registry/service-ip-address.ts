import { ipAddresses } from '#api/networking/v1/ip-address.ts';
import type { IPAddress, Service } from '#api/generated/types.ts';
import { parseAddress } from '#apimachinery/ip-validation.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { Companion } from '#apiserver/contract.ts';

/** Who makes the addresses of Services. */
export const IP_ALLOCATOR = 'ipallocator.k8s.io';
export const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
export const IP_FAMILY = 'ipaddress.kubernetes.io/ip-family';

const resource = ipAddresses as unknown as ResourceDefinition;
const nameOf = (address: string): string => parseAddress(address)?.text ?? address;

/** The object that stands for an address of a Service. */
export function ipAddressOf(address: string, { metadata }: Service): IPAddress {
  const { namespace, name = '' } = metadata;
  return {
    metadata: { name: nameOf(address), labels: { [IP_FAMILY]: 'IPv4', [MANAGED_BY]: IP_ALLOCATOR } },
    spec: { parentRef: { resource: 'services', namespace, name } },
  };
}

/** It comes with what the Service is written. */
export function madeFor(address: string, service: Service): Companion {
  const object = ipAddressOf(address, service);
  return { resource, name: object.metadata.name ?? '', object: object as ApiObject };
}

/** It goes. */
export const goneWith = (address: string): Companion => ({ resource, name: nameOf(address) });
