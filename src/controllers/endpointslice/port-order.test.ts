import { expect, test } from 'vitest';
import { orderEndpointsPorts, orderSlicePorts } from './port-order.ts';

// As clusters made by kubeadm show the ports of kube-system's Service kube-dns.
const kubeDns = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  { name: 'metrics', port: 9153, protocol: 'TCP' },
];
const names = (ports: readonly { readonly name?: string }[]) => ports.map(({ name }) => name).join();

test('the order of ports', () => {
  expect(names(orderEndpointsPorts(kubeDns))).toBe('dns-tcp,dns,metrics');
  expect(names(orderSlicePorts(kubeDns))).toBe('metrics,dns,dns-tcp');
});
