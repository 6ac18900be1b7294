import { expect, test } from 'vitest';
import { serviceNetwork } from './service-network.ts';

test.each([
  ['10.96.0.0/12', '10.96.0.1', '10.96.0.10'],
  ['10.0.0.0/24', '10.0.0.1', '10.0.0.10'],
  ['192.168.7.240/28', '192.168.7.241', '192.168.7.250'],
])('%s has the API server at %s and DNS at %s', (cidr, kubernetes, dns) => {
  expect(serviceNetwork(cidr)).toEqual({ cidr, kubernetes, dns });
});

test.each(['', '10.96.0.0', '10.96.0.1/12', '10.0.0.0/8', '10.0.0.0/30', '300.0.0.0/24', 'fd00::/112'])(
  '%s is refused',
  (cidr) => {
    expect(() => serviceNetwork(cidr)).toThrow();
  },
);
