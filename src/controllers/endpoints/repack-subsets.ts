import type { EndpointAddress, EndpointPort, EndpointSubset } from '#api/generated/types.ts';
import { orderEndpointsPorts } from '../endpointslice/port-order.ts';

interface Backend {
  readonly address: EndpointAddress;
  ready: boolean;
}

const keyOfPort = ({ name = '', port, protocol = '', appProtocol = '' }: EndpointPort) =>
  `${name}/${port}/${protocol}/${appProtocol}`;
const keyOfAddress = ({ ip, targetRef }: EndpointAddress) => `${ip}/${targetRef?.uid ?? ''}`;

/**
 * The same backends in the canonical form: one subset for each set of addresses that serve the same ports, sorted.
 * An address that is once not ready at a port is not ready there. Follows pkg/api/v1/endpoints/util.go, v1.33. Differs from
 * upstream: subsets stand in the order in which their ports came, not in that of their MD5 sums.
 */
export function repackSubsets(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  const ports = new Map<string, { readonly port: EndpointPort | undefined; readonly at: Map<string, Backend> }>();
  const addresses = new Map<string, EndpointAddress>();
  for (const subset of subsets) {
    for (const port of subset.ports?.length ? subset.ports : [undefined]) {
      const portKey = port ? keyOfPort(port) : '';
      const { at } = ports.get(portKey) ?? { at: new Map<string, Backend>() };
      ports.set(portKey, { port, at });
      const put = (address: EndpointAddress, ready: boolean) => {
        const key = keyOfAddress(address);
        const backend = at.get(key);
        if (backend) backend.ready &&= ready;
        else {
          if (!addresses.has(key)) addresses.set(key, address);
          at.set(key, { address: addresses.get(key) as EndpointAddress, ready });
        }
      };
      for (const address of subset.addresses ?? []) put(address, true);
      for (const address of subset.notReadyAddresses ?? []) put(address, false);
    }
  }
  const groups = new Map<string, { readonly backends: readonly Backend[]; readonly ports: EndpointPort[] }>();
  for (const { port, at } of ports.values()) {
    const backends = [...at.values()].toSorted((a, b) => compareAddresses(a.address, b.address));
    const alone = ports.size === 1;
    const key = alone ? '' : backends.map(({ address, ready }) => `${keyOfAddress(address)} ${ready}`).join();
    const group = groups.get(key) ?? { backends, ports: [] };
    groups.set(key, group);
    if (port) group.ports.push(port);
  }
  return [...groups.values()].map(({ backends, ports: served }) => {
    const ready = backends.filter((backend) => backend.ready);
    const notReady = backends.filter((backend) => !backend.ready);
    return {
      ...(ready.length > 0 ? { addresses: ready.map(({ address }) => address) } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady.map(({ address }) => address) } : {}),
      ...(served.length > 0 ? { ports: orderEndpointsPorts(served) } : {}),
    };
  });
}

function compareAddresses(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  const [left, right] = [a.targetRef?.uid ?? '', b.targetRef?.uid ?? ''];
  return left === right ? 0 : left < right ? -1 : 1;
}
