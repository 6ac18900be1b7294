import { beforeEach, expect, test } from 'vitest';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice, Pod, Service } from '#api/generated/types.ts';
import { formatTime } from '#base/clock.ts';
import { TestControllers } from '#testing/controllers.ts';
import { endpointSliceController } from './endpointslice-controller.ts';

const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const key = (name: string) => ({ namespace: 'default', name });

let api: TestControllers;
beforeEach(async () => {
  api = new TestControllers([endpointSliceController]);
  const labels = { 'topology.kubernetes.io/zone': 'a' };
  await api.do((client) => client.create(nodes, { metadata: { name: 'n1', labels }, spec: {} }));
});

const expose = (spec: Partial<Service['spec']> = {}) =>
  api.do((client) =>
    client.create(services, {
      metadata: { ...key('web'), labels: { tier: 'front' } },
      spec: {
        clusterIP: '10.96.0.9',
        ipFamilies: ['IPv4'],
        selector: { app: 'web' },
        ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }],
        ...spec,
      },
    }),
  );
const status = (ip: string | undefined, ready = true): Pod['status'] => ({
  phase: 'Running',
  ...(ip ? { podIP: ip, podIPs: [{ ip }] } : {}),
  conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(api.pump.now) }],
});
async function pod(name: string, ip?: string, ready = true, spec: Partial<Pod['spec']> = {}): Promise<void> {
  const made = await api.do((client) =>
    client.create(pods, {
      metadata: { ...key(name), labels: { app: 'web' } },
      spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'nginx' }], ...spec },
    }),
  );
  await api.do((client) => client.updateStatus(pods, { ...made, status: status(ip, ready) }));
}
const slices = async () => (await api.do((client) => client.list(endpointSlices, { namespace: 'default' }))).items;
/** Slices as `ports: address+conditions`. */
async function shown(): Promise<string[]> {
  await api.run(3_000);
  const words = ({ addresses, conditions = {} }: EndpointSlice['endpoints'][number]) =>
    [
      addresses[0],
      conditions.ready && 'ready',
      conditions.serving && 'serving',
      conditions.terminating && 'terminating',
    ]
      .filter(Boolean)
      .join('+');
  return (await slices())
    .map(
      ({ ports = [], endpoints }) =>
        `${ports.map(({ port }) => port).join()}: ${(endpoints ?? []).map(words).join(' ')}`,
    )
    .toSorted();
}

test('a Service with Pods', async () => {
  await expose();
  expect(await shown()).toEqual([': ']);
  await pod('a', '10.244.1.2');
  await pod('b', '10.244.1.3', false);
  await pod('waits');
  expect(await shown()).toEqual(['8080: 10.244.1.2+ready+serving 10.244.1.3']);
  const [slice] = await slices();
  expect(slice?.ports).toEqual([{ name: '', port: 8080, protocol: 'TCP' }]);
  expect(slice?.endpoints[0]).toEqual({
    addresses: ['10.244.1.2'],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: 'n1',
    targetRef: { kind: 'Pod', name: 'a', namespace: 'default', uid: expect.any(String) },
    zone: 'a',
  });
  expect(slice?.metadata.labels).toEqual({
    tier: 'front',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
});

test('readiness, termination and the end of a Pod', async () => {
  await expose();
  await pod('a', '10.244.1.2');
  await pod('b', '10.244.1.3');
  await shown();
  await api.do((client) => client.patch(pods, key('b'), merge, { metadata: { finalizers: ['example.com/stay'] } }));
  await api.do((client) =>
    client.patch(pods, key('a'), strategic, { status: status('10.244.1.2', false) }, { subresource: 'status' }),
  );
  await api.do((client) => client.delete(pods, key('b')));
  expect(await shown()).toEqual(['8080: 10.244.1.2 10.244.1.3+serving+terminating']);
  await api.do((client) => client.patch(pods, key('b'), merge, { metadata: { finalizers: null } }));
  await api.do((client) => client.patch(pods, key('a'), merge, { metadata: { labels: { app: 'other' } } }));
  await api.do((client) => client.delete(pods, key('b'), { gracePeriodSeconds: 0 }).catch(() => {}));
  expect(await shown()).toEqual([': ']);
});

test('publishNotReadyAddresses, named ports that differ, hostnames', async () => {
  const port = (containerPort: number) => ({
    containers: [{ name: 'a', image: 'x', ports: [{ name: 'http', containerPort }] }],
  });
  await expose({
    publishNotReadyAddresses: true,
    clusterIP: 'None',
    ports: [{ name: 'web', port: 80, protocol: 'TCP', targetPort: 'http' }],
  });
  await pod('a', '10.244.1.2', false, { ...port(80), hostname: 'a', subdomain: 'web' });
  await pod('b', '10.244.1.3', true, port(81));
  await pod('c', '10.244.1.4');
  expect(await shown()).toEqual(['80: 10.244.1.2+ready', '81: 10.244.1.3+ready+serving', ': 10.244.1.4+ready+serving']);
  const found = await slices();
  expect(found.flatMap(({ endpoints }) => endpoints.map(({ hostname }) => hostname)).filter(Boolean)).toEqual(['a']);
  expect(found[0]?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
});

test('a selector that changes, and Services that select nothing', async () => {
  await expose();
  await pod('a', '10.244.1.2');
  expect(await shown()).toEqual(['8080: 10.244.1.2+ready+serving']);
  await api.do((client) => client.patch(services, key('web'), merge, { spec: { selector: { app: 'other' } } }));
  expect(await shown()).toEqual([': ']);
  await api.do((client) => client.patch(services, key('web'), merge, { spec: { selector: { app: 'web' } } }));
  expect(await shown()).toEqual(['8080: 10.244.1.2+ready+serving']);
  await api.do((client) =>
    client.create(services, { metadata: key('plain'), spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }] } }),
  );
  expect(await shown()).toHaveLength(1);
});

test('more Pods than a slice holds', async () => {
  await expose();
  for (let i = 0; i < 150; i++) await pod(`p${i}`, `10.244.1.${i + 2}`);
  await api.run(5_000);
  const sizes = (await slices()).map(({ endpoints }) => endpoints.length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(150);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
});

test('a Pod on a Node that is not there waits for it', async () => {
  await expose();
  await pod('a', '10.244.1.2', true, { nodeName: 'n2' });
  expect(await shown()).toEqual([': ']);
  expect(await api.said('Service')).toEqual([
    expect.stringContaining(
      'Warning FailedToUpdateEndpointSlices Error updating Endpoint Slices for Service default/web: skipping Pod a for Service default/web: Node n2 Not Found',
    ),
  ]);
  await api.do((client) => client.create(nodes, { metadata: { name: 'n2' }, spec: {} }));
  await api.run(10_000);
  expect(await shown()).toEqual(['8080: 10.244.1.2+ready+serving']);
});

test('a slice that somebody deletes comes back', async () => {
  await expose();
  await pod('a', '10.244.1.2');
  await shown();
  const [slice] = await slices();
  await api.do((client) => client.delete(endpointSlices, key(slice?.metadata.name ?? '')));
  expect(await slices()).toEqual([]);
  expect(await shown()).toEqual(['8080: 10.244.1.2+ready+serving']);
});

test('traffic that stays in its zone', async () => {
  await expose({ trafficDistribution: 'PreferClose' });
  await pod('a', '10.244.1.2');
  await shown();
  expect((await slices())[0]?.endpoints[0]?.hints).toEqual({ forZones: [{ name: 'a' }] });
});

test('zones by their share of the CPU, and not any more', async () => {
  await expose();
  await pod('a', '10.244.1.2');
  const mode = (value: string | null) =>
    api.do((client) =>
      client.patch(services, key('web'), merge, {
        metadata: { annotations: { 'service.kubernetes.io/topology-mode': value } },
      }),
    );
  await mode('Auto');
  await shown();
  const insufficient = 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  expect(await api.said('Service')).toEqual([`Warning TopologyAwareHintsDisabled ${insufficient}, addressType: IPv4`]);
  for (const [name, zone] of [
    ['n1', 'a'],
    ['n2', 'b'],
  ] as const) {
    if (name === 'n2') {
      const metadata = { name, labels: { 'topology.kubernetes.io/zone': zone } };
      await api.do((client) => client.create(nodes, { metadata, spec: {} }));
    }
    const ready = { type: 'Ready', status: 'True' };
    const body = { status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' }, conditions: [ready] } };
    await api.do((client) => client.patch(nodes, { name }, strategic, body, { subresource: 'status' }));
  }
  await pod('b', '10.244.2.2', true, { nodeName: 'n2' });
  await shown();
  const hints = async () => (await slices())[0]?.endpoints.map((endpoint) => endpoint.hints?.forZones?.[0]?.name);
  expect(await hints()).toEqual(['a', 'b']);
  await mode(null);
  await shown();
  expect(await hints()).toEqual([undefined, undefined]);
  expect((await api.said('Service')).slice(1)).toEqual([
    'Normal TopologyAwareHintsEnabled Topology Aware Hints has been enabled, addressType: IPv4',
    'Warning TopologyAwareHintsDisabled Topology Aware Hints has been disabled, addressType: IPv4',
  ]);
});
