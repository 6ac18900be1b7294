import { expect, test } from 'vitest';
import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import { nodePortsOf } from '#api/core/v1/service-fields.ts';
import type { Service, ServiceSpec } from '#api/generated/types.ts';
import { Rng } from '#base/rng.ts';
import { TestApi } from '#testing/test-api.ts';
import { AllocationRange, lowerBand } from './service-allocation-range.ts';
import { ServiceAllocator } from './service-allocator.ts';

const PORTS = [{ port: 80 }];
const key = (name = 'web') => ({ namespace: 'default', name });
const service = (spec: ServiceSpec, name = 'web'): Service => ({
  metadata: key(name),
  spec: { ports: PORTS, ...spec },
});
const create = (api: TestApi, spec: ServiceSpec, name = 'web', dryRun = false) =>
  api.do((client) => client.create(services, service(spec, name), { dryRun }));
const change = (api: TestApi, spec: object, options = {}) =>
  api.do((client) => client.patch(services, key(), 'application/merge-patch+json', { spec }, options));
const remove = (api: TestApi, name = 'web') => api.do((client) => client.delete(services, key(name)));
const port = ({ spec }: Service) => (spec.ports ?? []).map(({ nodePort }) => nodePort);
/** Four addresses to give, 10.0.0.1 to 10.0.0.6 in all, and three ports. */
const small = (latency: 'none' | 'realistic' = 'none') =>
  new TestApi(latency, false, {
    allocators: (source) => [
      new ServiceAllocator({ clusterIPs: '10.0.0.0/29', nodePorts: { first: 30_000, last: 30_002 } }, source),
    ],
  });

test('what is chosen comes from the upper band until that is full', () => {
  const range = new AllocationRange(20, 5, new Rng(1));
  const taken = Array.from({ length: 20 }, () => range.takeNext() as number);
  expect(taken.slice(0, 15).every((offset) => offset >= 5)).toBe(true);
  expect(taken.slice(15).every((offset) => offset < 5)).toBe(true);
  expect(new Set(taken).size).toBe(20);
  expect(range.takeNext()).toBeUndefined();
  range.release(3);
  expect(range.take(3)).toBe(true);
  expect(range.take(3)).toBe(false);
  expect([14, 16, 1000, 10_000].map((size) => lowerBand(size, { min: 16, max: 256, step: 16 }))).toEqual([
    0, 0, 62, 256,
  ]);
});

test('each Service has an address of its own', async () => {
  const api = new TestApi();
  const made = await create(api, {});
  expect(made.spec).toMatchObject({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  expect(made.spec.clusterIP).toMatch(/^10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/);
  expect(made.spec.clusterIPs).toEqual([made.spec.clusterIP]);
  expect((await create(api, { clusterIP: '10.96.0.10' }, 'dns')).spec.clusterIPs).toEqual(['10.96.0.10']);
  expect((await create(api, { clusterIP: 'None', selector: { a: 'b' } }, 'headless')).spec).toMatchObject({
    clusterIPs: ['None'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  });
  expect((await create(api, { clusterIP: 'None' }, 'bare')).spec).toMatchObject({
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'RequireDualStack',
  });
  const external = await create(api, { type: 'ExternalName', externalName: 'a.b' }, 'external');
  expect(external.spec).toEqual({
    type: 'ExternalName',
    externalName: 'a.b',
    sessionAffinity: 'None',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
  });
});

const INVALID = 'Service "web" is invalid: ';
test.each<[ServiceSpec, string]>([
  [
    { clusterIP: '10.96.0.10' },
    `${INVALID}spec.clusterIPs: Invalid value: []string{"10.96.0.10"}: failed to allocate IP 10.96.0.10: provided IP is already allocated`,
  ],
  [
    { clusterIP: '10.0.0.1' },
    `${INVALID}spec.clusterIPs: Invalid value: []string{"10.0.0.1"}: failed to allocate IP 10.0.0.1: the provided network does not match the current range`,
  ],
  [
    { clusterIP: 'fd00::1' },
    `${INVALID}spec.clusterIPs[0]: Invalid value: []string{"fd00::1"}: IPv6 is not configured on this cluster`,
  ],
  [{ ipFamilies: ['IPv6'] }, `${INVALID}spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster`],
  [
    { ipFamilyPolicy: 'RequireDualStack' },
    `${INVALID}spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services`,
  ],
  [
    { ipFamilies: ['IPv4', 'IPv6'] },
    `${INVALID}spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified`,
  ],
  [
    { type: 'NodePort', ports: [{ port: 80, nodePort: 30_053 }] },
    `${INVALID}spec.ports[0].nodePort: Invalid value: 30053: provided port is already allocated`,
  ],
  [
    { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] },
    `${INVALID}spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767`,
  ],
  [
    { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_053 },
    'Internal error occurred: failed to allocate requested HealthCheck NodePort 30053: provided port is already allocated',
  ],
])('%j cannot be had', async (spec, message) => {
  const api = new TestApi();
  await create(api, { type: 'NodePort', clusterIP: '10.96.0.10', ports: [{ port: 53, nodePort: 30_053 }] }, 'dns');
  await expect(create(api, spec)).rejects.toMatchObject({ message });
});

test('what a create that fails had taken is free again', async () => {
  const api = small();
  for (let i = 0; i < 5; i++) {
    await expect(create(api, { type: 'NodePort', selector: { '-': '' } })).rejects.toThrow('spec.selector');
    const taken = {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81, nodePort: 1 },
      ],
    };
    await expect(create(api, taken)).rejects.toThrow('not in the valid range');
  }
  for (const name of ['a', 'b', 'c']) await create(api, { type: 'NodePort' }, name);
  await expect(create(api, { type: 'NodePort' })).rejects.toThrow('failed to allocate a nodePort: range is full');
  for (const name of ['d', 'e', 'f']) await create(api, {}, name);
  await expect(create(api, {})).rejects.toThrow('failed to allocate a serviceIP: range is full');
  for (let i = 0; i < 5; i++) await expect(create(api, {}, 'a')).rejects.toThrow('range is full');
  await remove(api, 'a');
  expect(port(await create(api, { type: 'NodePort' }))).not.toContain(undefined);
});

test('creates that overlap get different things', async () => {
  const api = small('realistic');
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  await api.run(100);
  const outcomes: (Service | string)[] = [];
  const tasks = api.root.child('clients');
  for (const name of names) {
    // Two for each name: one of them finds that the other was faster.
    for (let i = 0; i < 2; i++) {
      tasks.spawn(name, async () => {
        try {
          outcomes.push(await api.client.create(services, service({}, name)));
        } catch (error) {
          outcomes.push((error as Error).message);
        }
      });
    }
  }
  await api.run(1000);
  const made = outcomes.filter((outcome): outcome is Service => typeof outcome !== 'string');
  expect(new Set(made.map(({ spec }) => spec.clusterIP)).size).toBe(made.length);
  for (const { metadata } of made) await remove(api, metadata.name);
  for (let i = 0; i < 6; i++) await create(api, {}, `again-${i}`);
  await expect(create(api, {})).rejects.toThrow('range is full');
});

test('an update and a deletion that overlap leave nothing behind', async () => {
  const api = small('realistic');
  await create(api, { type: 'NodePort' });
  const tasks = api.root.child('clients');
  const two = {
    spec: {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    },
  };
  tasks.spawn('change', async () => {
    await api.client.patch(services, key(), 'application/merge-patch+json', two).catch(() => {});
  });
  tasks.spawn('delete', async () => {
    await api.client.delete(services, key());
  });
  await api.run(1000);
  await expect(api.do((client) => client.get(services, key()))).rejects.toThrow('not found');
  for (const name of ['a', 'b', 'c']) await create(api, { type: 'NodePort' }, name);
});

test('a dry run takes nothing', async () => {
  const api = small();
  for (let i = 0; i < 8; i++) {
    const { spec } = await create(api, { type: 'NodePort' }, 'web', true);
    expect(spec).toMatchObject({ clusterIP: '10.0.0.0', ports: [{ nodePort: 32_769 }] });
  }
  await create(api, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_000 }] });
  expect(port(await change(api, { type: 'ClusterIP' }, { dryRun: true }))).toEqual([undefined]);
  await expect(create(api, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_000 }] }, 'other')).rejects.toThrow(
    'provided port is already allocated',
  );
  await expect(create(api, { clusterIP: '10.1.0.1' }, 'other', true)).rejects.toThrow(
    'failed to allocate IP 10.1.0.1: the provided IP (10.1.0.1) is not in the valid range. The range of valid IPs is 10.0.0.0/29',
  );
});

test('changes of type', async () => {
  const api = small();
  const { spec: first } = await create(api, {});
  const nodePort = await change(api, { type: 'NodePort' });
  expect(nodePort.spec).toMatchObject({ clusterIP: first.clusterIP, externalTrafficPolicy: 'Cluster' });
  const [given] = port(nodePort);
  const balanced = await change(api, { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
  expect(port(balanced)).toEqual([given]);
  expect(balanced.spec.healthCheckNodePort).toBeGreaterThan(0);
  // A port of its own, and one for the health check: one is left.
  await create(api, { type: 'NodePort' }, 'other');
  await expect(create(api, { type: 'NodePort' }, 'third')).rejects.toThrow('range is full');
  const external = await change(api, { type: 'ExternalName', externalName: 'a.b' });
  expect(external.spec).toEqual({
    type: 'ExternalName',
    externalName: 'a.b',
    sessionAffinity: 'None',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
  });
  // The address is free, and so are the ports.
  await create(api, { clusterIP: first.clusterIP, type: 'NodePort', ports: [{ port: 1, nodePort: given }] }, 'third');
  const back = await change(api, { type: 'NodePort', externalName: null });
  expect(back.spec.clusterIP).not.toBe(first.clusterIP);
  expect(back.spec.clusterIPs).toEqual([back.spec.clusterIP]);
  await expect(change(api, { clusterIP: 'None' })).rejects.toThrow('may not change once set');
  await expect(change(api, { clusterIP: null, clusterIPs: null, type: 'ExternalName' })).rejects.toThrow(
    'spec.externalName: Required value',
  );
});

test('a file applied again keeps what was given', async () => {
  const api = small();
  const ports = [
    { name: 'tcp', port: 53, protocol: 'TCP' },
    { name: 'udp', port: 53, protocol: 'UDP' },
  ];
  const { spec } = await create(api, { type: 'NodePort', ports });
  const [tcp, udp] = spec.ports ?? [];
  // Ports of one number share a node port.
  expect(tcp?.nodePort).toBe(udp?.nodePort);
  const put = (given: ServiceSpec) => api.do((client) => client.update(services, service(given)));
  const again = await put({ type: 'NodePort', ports });
  expect(again.spec).toMatchObject({ clusterIP: spec.clusterIP, clusterIPs: spec.clusterIPs, ports: [tcp, udp] });
  const moved = await put({ type: 'NodePort', ports: [{ name: 'tcp', port: 5353 }] });
  expect(port(moved)).toEqual([tcp?.nodePort]);
  const renamed = await put({ type: 'NodePort', ports: [{ name: 'dns', port: 53 }] });
  expect(port(renamed)).not.toEqual([tcp?.nodePort]);
  await expect(
    put({
      type: 'NodePort',
      ports: ports.map((item, i) => ({ ...item, protocol: 'TCP', port: i + 1, nodePort: 30_000 })),
    }),
  ).rejects.toMatchObject({ message: 'duplicate nodePort: {TCP 30000}', code: 500 });
});

test('a load balancer may do without node ports', async () => {
  const api = small();
  const { spec } = await create(api, { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false });
  expect(spec.ports).toEqual([{ port: 80, protocol: 'TCP', targetPort: 80 }]);
  expect(port(await change(api, { allocateLoadBalancerNodePorts: true }))).not.toContain(undefined);
});

test('Endpoints go with their Service', async () => {
  const api = small();
  await create(api, {});
  await api.do((client) => client.create(endpoints, { metadata: key() }));
  await remove(api);
  await expect(api.do((client) => client.get(endpoints, key()))).rejects.toThrow('endpoints "web" not found');
});

test('the last finalizer gives the address back', async () => {
  const api = small();
  const held: Service = { metadata: { ...key(), finalizers: ['a/b'] }, spec: { clusterIP: '10.0.0.3', ports: PORTS } };
  await api.do((client) => client.create(services, held));
  await remove(api);
  await expect(create(api, { clusterIP: '10.0.0.3' }, 'other')).rejects.toThrow('already allocated');
  await api.do((client) =>
    client.patch(services, key(), 'application/merge-patch+json', { metadata: { finalizers: null } }),
  );
  await create(api, { clusterIP: '10.0.0.3' }, 'other');
});

test.each([1, 2, 3, 4])('whatever happens at once, nothing is given twice and nothing is lost (%i)', async (seed) => {
  const api = small('realistic');
  const rng = new Rng(seed);
  const types = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];
  const names = ['a', 'b', 'c', 'd', 'e'];
  await api.run(100);
  const act = (client: TestApi['client']): Promise<unknown> => {
    const name = rng.pick(names);
    const wanted = key(name);
    const type = rng.pick(types);
    const some = rng.int(3) === 0 ? { clusterIP: `10.0.0.${1 + rng.int(6)}` } : {};
    const ports = PORTS.map((item) => (rng.int(3) === 0 ? { ...item, nodePort: 30_000 + rng.int(3) } : item));
    const externalName = type === 'ExternalName' ? 'a.b' : null;
    const policy = rng.int(2) === 0 && type === 'LoadBalancer' ? { externalTrafficPolicy: 'Local' } : {};
    const [spec, other] = [
      { type, ...some, ports, ...policy },
      { type, externalName },
    ];
    switch (rng.int(5)) {
      case 0:
        return client.delete(services, wanted);
      case 1:
        return client.update(services, service({ ...spec, ...(externalName ? { externalName } : {}) }, name));
      case 2:
        return client.patch(services, wanted, 'application/merge-patch+json', { spec: other });
      case 3:
        return client.patch(services, wanted, 'application/merge-patch+json', { spec: { ...other, ports, ...policy } });
      default:
        return client.create(services, service({ ...spec, ...(externalName ? { externalName } : {}) }, name), {
          dryRun: rng.int(4) === 0,
        });
    }
  };
  let done = 0;
  for (let round = 0; round < 60; round++) {
    const tasks = api.root.child('clients', round);
    for (let i = 0; i < 4; i++) {
      tasks.spawn('act', async () => {
        await act(api.client).then(
          () => done++,
          () => {},
        );
      });
    }
    await api.run(rng.int(12));
    if (rng.int(10) === 0) {
      api.stopServer();
      api.startServer();
    }
    const { items } = await api.do((client) => client.list(services));
    const addresses = items.flatMap(({ spec }) => spec.clusterIPs ?? []);
    expect(new Set(addresses).size).toBe(addresses.length);
    const ports = items.flatMap(({ spec }) => [
      ...(spec.type === 'ExternalName' ? [] : nodePortsOf(spec)),
      ...(spec.healthCheckNodePort ? [spec.healthCheckNodePort] : []),
    ]);
    expect(new Set(ports).size).toBe(ports.length);
  }
  expect(done).toBeGreaterThan(30);
  await api.run(1000);
  const { items } = await api.do((client) => client.list(services));
  for (const { metadata } of items) await remove(api, metadata.name);
  for (const name of ['1', '2', '3']) await create(api, { type: 'NodePort' }, `p${name}`);
  for (const name of ['4', '5', '6']) await create(api, {}, `c${name}`);
});

test('another server knows what is taken', async () => {
  const api = small();
  await create(api, { type: 'NodePort', clusterIP: '10.0.0.3', ports: [{ port: 80, nodePort: 30_001 }] });
  api.stopServer();
  api.startServer();
  await expect(create(api, { clusterIP: '10.0.0.3' }, 'other')).rejects.toThrow('already allocated');
  await expect(create(api, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] }, 'other')).rejects.toThrow(
    'provided port is already allocated',
  );
  await remove(api);
  await create(api, { clusterIP: '10.0.0.3', type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] }, 'other');
});
