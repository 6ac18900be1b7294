import { describe, expect, test } from 'vitest';
import type { EndpointSlice, Service } from '#api/generated/types.ts';
import { trafficHints } from './slice-hints.ts';
import { CONTROLLER_NAME, type DesiredEndpoint, planSlices } from './slice-plan.ts';

const service: Service = {
  metadata: { name: 'web', namespace: 'default', uid: 'svc', labels: { app: 'web' } },
  spec: { clusterIP: '10.96.0.9' },
};
const labels = {
  app: 'web',
  'kubernetes.io/service-name': 'web',
  'endpointslice.kubernetes.io/managed-by': CONTROLLER_NAME,
};
const ownerReferences = [
  { apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'svc', controller: true, blockOwnerDeletion: true },
];
const PORTS = [{ name: '', port: 80, protocol: 'TCP' }];

/** Endpoints by letters; a capital one is not ready. */
const endpoint = (letter: string) => ({
  addresses: [`10.0.0.${letter.toLowerCase().charCodeAt(0)}`],
  conditions: { ready: letter !== letter.toUpperCase() },
});
const letterOf = ({ addresses, conditions }: ReturnType<typeof endpoint>) => {
  const letter = String.fromCharCode(Number(addresses[0]?.split('.')[3]));
  return conditions.ready ? letter : letter.toUpperCase();
};
const desired = (letters: string, ports = PORTS): DesiredEndpoint[] =>
  letters.split('').map((letter) => ({
    endpoint: endpoint(letter),
    ports,
    portsKey: ports.map(({ port }) => `/${port}/TCP/`).join(),
  }));
const slice = (name: string, letters: string, changes: Partial<EndpointSlice> = {}, metadata = {}): EndpointSlice => ({
  metadata: { name, namespace: 'default', labels, ownerReferences, ...metadata },
  addressType: 'IPv4',
  endpoints: letters.split('').map(endpoint),
  ports: PORTS,
  ...changes,
});

/** Plans as `name:endpoints` with three to a slice. */
function check(
  why: string,
  wanted: readonly DesiredEndpoint[],
  existing: readonly EndpointSlice[],
  plan: string,
  of = service,
) {
  test(why, () => {
    const text = (slices: readonly EndpointSlice[]) =>
      slices.map(
        ({ metadata, endpoints }) => `${metadata.name ?? '+'}:${endpoints.map((e) => letterOf(e as never)).join('')}`,
      );
    const { create, update, delete: gone } = planSlices(of, wanted, existing, '', trafficHints(of), 3);
    expect([...text(create), ...text(update), ...gone.map(({ metadata }) => `-${metadata.name}`)].join(' ')).toBe(plan);
  });
}

describe('slices of a Service', () => {
  check('new ones, full', desired('abcd'), [], '+:abc +:d');
  check('nothing to do', desired('ab'), [slice('s', 'ab')], '');
  check('one became ready', desired('ab'), [slice('s', 'aB'), slice('t', '')], 's:ab');
  check('one went, one came: the same slice', desired('acd'), [slice('s', 'ab')], 's:acd');
  check(
    'those that change anyway are filled first',
    desired('abdef'),
    [slice('s', 'abc'), slice('t', 'd')],
    's:abe t:df',
  );
  check('the one that gets fullest', desired('abcd'), [slice('s', 'a'), slice('t', 'bc')], 't:bcd');
  check('none has room for all', desired('abcdef'), [slice('s', 'ab'), slice('t', 'cd')], '+:ef');
  check('an empty one goes', desired('ab'), [slice('s', 'ab'), slice('t', 'c')], '-t');
  check('without endpoints there is an empty one', [], [], '+:');
  check('which is made of the last', [], [slice('s', 'a')], 's:');
  check('and stays', [], [slice('s', '', { ports: [] })], '');
  check(
    'other ports, another slice',
    [...desired('a'), ...desired('b', [{ name: '', port: 81, protocol: 'TCP' }])],
    [],
    '+:a +:b',
  );
  check(
    'ports that nobody serves any more',
    desired('a', [{ name: '', port: 81, protocol: 'TCP' }]),
    [slice('s', 'a')],
    's:a',
  );
  check('another family', desired('a'), [slice('s', 'a', { addressType: 'IPv6' })], '+:a -s');
  check('of a Service that is gone', desired('a'), [slice('s', 'a', {}, { ownerReferences: [] })], '+:a -s');
  check('labels changed', desired('a'), [slice('s', 'a', {}, { labels: { ...labels, app: 'old' } })], 's:a');
  check('being deleted', desired('a'), [], '', {
    ...service,
    metadata: { ...service.metadata, deletionTimestamp: 'now' },
  });
});

test('what a new slice says of itself', () => {
  const { create } = planSlices(
    { ...service, spec: { clusterIP: 'None' } },
    desired('a'),
    [],
    '2026-01-01T00:00:00Z',
    trafficHints(service),
  );
  expect(create[0]?.metadata).toEqual({
    generateName: 'web-',
    namespace: 'default',
    labels: { ...labels, 'service.kubernetes.io/headless': '' },
    annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
    ownerReferences,
  });
});
