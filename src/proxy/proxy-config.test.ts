import { expect, test } from 'vitest';
import { readProxyConfig } from './proxy-config.ts';

const read = (rest: string) =>
  readProxyConfig(`apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${rest}`);

test.each([
  ['mode: ""\niptables:\n  minSyncPeriod: 0s\n', { mode: 'iptables', minSyncPeriodMs: 1000, ignored: [] }],
  ['mode: iptables\niptables:\n  minSyncPeriod: 1m0.5s\n', { mode: 'iptables', minSyncPeriodMs: 60_500, ignored: [] }],
  ['mode: ipvs\nipvs:\n  scheduler: rr\n', { mode: 'ipvs', minSyncPeriodMs: 0, ignored: [] }],
  [
    'nodePortAddresses: [primary]\nbindAddress: 0.0.0.0\nfeatureGates: {}\niptables:\n  localhostNodePorts: false\n',
    { mode: 'iptables', minSyncPeriodMs: 1000, ignored: ['iptables.localhostNodePorts', 'nodePortAddresses'] },
  ],
])('%j', (text, expected) => {
  expect(read(text)).toEqual(expected);
});

test.each([
  ['mode: nftables', 'the mode nftables is not emulated'],
  ['mode: userspace', 'Invalid value: "userspace"'],
  ['mode: ipvs\nipvs: {scheduler: lc}', 'the IPVS scheduler lc is not emulated'],
])('%j is refused', (text, message) => {
  expect(() => read(text)).toThrow(message);
});
