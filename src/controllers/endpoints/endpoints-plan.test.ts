import { describe, expect, test } from 'vitest';
import type { EndpointPort, Endpoints, EndpointSubset, Service } from '#api/generated/types.ts';
import { type DesiredAddress, planEndpoints } from './endpoints-plan.ts';
import { repackSubsets } from './repack-subsets.ts';

const ports = (...numbers: number[]): EndpointPort[] => numbers.map((port) => ({ port, protocol: 'TCP' }));
const subset = (ready: string, notReady: string, ...numbers: number[]): EndpointSubset => ({
  addresses: ready.split('').map((ip) => ({ ip })),
  notReadyAddresses: notReady.split('').map((ip) => ({ ip })),
  ports: ports(...numbers),
});
const text = (subsets: readonly EndpointSubset[] = []) =>
  subsets.map(({ addresses = [], notReadyAddresses = [], ports: served = [] }) =>
    [
      addresses.map(({ ip }) => ip).join(''),
      notReadyAddresses.map(({ ip }) => ip).join(''),
      served.map(({ port }) => port).join(),
    ].join('|'),
  );

describe('subsets in canonical form', () => {
  const check = (why: string, given: readonly EndpointSubset[], packed: readonly string[]) =>
    test(why, () => expect(text(repackSubsets(given))).toEqual(packed));
  check('none', [], []);
  check('sorted', [subset('ba', 'dc', 80)], ['ab|cd|80']);
  check('of the same addresses', [subset('a', '', 80), subset('a', '', 81)], ['a||81,80']);
  check('of the same ports', [subset('a', '', 80), subset('b', '', 80)], ['ab||80']);
  check('of other addresses', [subset('ab', '', 80), subset('a', '', 81)], ['ab||80', 'a||81']);
  check('not ready wins', [subset('a', 'a', 80)], ['|a|80']);
  check('ready at one port only', [subset('a', '', 80), subset('', 'a', 81)], ['a||80', '|a|81']);
  check('without ports', [subset('ba', '')], ['ab||']);
});

const service: Service = {
  metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
  spec: { clusterIP: '10.96.0.9' },
};
const many = (count: number, ready: boolean, port = 80): DesiredAddress[] =>
  Array.from({ length: count }, (_, i) => ({
    address: { ip: `${port}-${ready}-${String(i).padStart(4, '0')}` },
    ready,
    ports: ports(port),
  }));
const sizes = ({ subsets = [] }: Endpoints) =>
  subsets.map(({ addresses = [], notReadyAddresses = [] }) => [addresses.length, notReadyAddresses.length]);

test('the Endpoints of a Service, until they are as they should be', () => {
  const made = planEndpoints(service, many(2, true), undefined, '2026-01-01T00:00:00Z') as Endpoints;
  expect(made.metadata).toEqual({
    name: 'web',
    namespace: 'default',
    labels: { app: 'web', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
  });
  expect(planEndpoints(service, many(2, true), made, '')).toBeUndefined();
  expect(planEndpoints(service, many(1, true), made, '')?.metadata.annotations).toEqual({});
  const relabelled = { ...service, metadata: { ...service.metadata, labels: { app: 'new' } } };
  expect(planEndpoints(relabelled, many(2, true), made, '')?.metadata.labels).toMatchObject({ app: 'new' });
  const headless = planEndpoints({ ...service, spec: { clusterIP: 'None' } }, [], undefined, '');
  expect(headless?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
});

test.each([
  [many(1000, true), [[1000, 0]], false],
  [[...many(900, true), ...many(200, false)], [[900, 100]], true],
  [[...many(1500, true), ...many(200, false)], [[1000, 0]], true],
  [
    [...many(300, true), ...many(900, true, 81)],
    [
      [250, 0],
      [750, 0],
    ],
    true,
  ],
])('at most a thousand addresses (%#)', (desired, kept, truncated) => {
  const planned = planEndpoints(service, desired, undefined, '') as Endpoints;
  expect(sizes(planned)).toEqual(kept);
  expect(planned.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'] === 'truncated').toBe(truncated);
});
