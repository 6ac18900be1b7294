import fc from 'fast-check';
import { expect, test } from 'vitest';
import { services } from '#api/core/v1/service.ts';
import { nodePortsOf } from '#api/core/v1/service-fields.ts';
import { ipAddresses } from '#api/networking/v1/ip-address.ts';
import type { Event, IPAddress, Service, ServiceSpec } from '#api/generated/types.ts';
import { LiveCluster } from '#testing/live-cluster.ts';
import { TestApi } from '#testing/test-api.ts';
import { ServiceAllocator } from './service-allocator.ts';

const named = (name: string) => ({ namespace: 'default', name });
const addressesOf = (items: readonly Service[]) =>
  items.flatMap(({ spec }) => (spec.clusterIPs ?? []).filter((address) => address !== 'None')).sort();

/** Six addresses and four ports, so that they run out. */
const small = (latency: 'none' | 'realistic') =>
  new TestApi(latency, false, {
    allocators: (source) => [
      new ServiceAllocator({ clusterIPs: '10.0.0.0/29', nodePorts: { first: 30_000, last: 30_003 } }, source),
    ],
  });

const specs: readonly ServiceSpec[] = [
  {},
  { clusterIP: 'None' },
  { clusterIP: '10.0.0.3' },
  { type: 'NodePort' },
  { type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] },
  { type: 'NodePort', clusterIP: '10.0.0.4', ports: [{ port: 80, nodePort: 1 }] },
  { type: 'ExternalName', externalName: 'a.b' },
  {
    type: 'LoadBalancer',
    ports: [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ],
  },
  { selector: { '-': '' } },
];
const name = fc.integer({ min: 0, max: 5 }).map((i) => `s${i}`);
const spec = fc.constantFrom(...specs);
const step = fc.oneof(
  fc.record({ do: fc.constant('create' as const), name, spec, dryRun: fc.boolean() }),
  fc.record({ do: fc.constant('update' as const), name, spec }),
  fc.record({ do: fc.constant('delete' as const), name }),
  fc.record({ do: fc.constant('claim' as const), address: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ do: fc.constant('restart' as const) }),
);

/** What is allocated is what stored Services have: no more, no less, nothing twice. */
async function check(api: TestApi): Promise<void> {
  const { items } = await api.do((client) => client.list(services));
  const used = addressesOf(items);
  expect(new Set(used).size).toBe(used.length);
  const stored = (await api.do((client) => client.list(ipAddresses))).items;
  const own = stored.filter(({ spec: { parentRef } }) => parentRef?.resource === 'services');
  expect(own.map(({ metadata }) => metadata.name)).toEqual(used);
  for (const {
    metadata,
    spec: { parentRef },
  } of own) {
    const parent = items.find((service) => service.metadata.name === parentRef?.name);
    expect(parent?.spec.clusterIPs).toContain(metadata.name);
  }
  const ports = items.flatMap((service) => nodePortsOf(service.spec));
  expect(new Set(ports).size).toBe(ports.length);
  // As many more can be had as are free.
  const made: string[] = [];
  for (;;) {
    const next = `probe${made.length}`;
    const port = { metadata: named(next), spec: { type: 'NodePort', ports: [{ port: 80 }] } };
    try {
      await api.do((client) => client.create(services, port));
    } catch {
      break;
    }
    made.push(next);
  }
  const freeAddresses = 6 - new Set([...used, ...stored.map(({ metadata }) => metadata.name)]).size;
  expect(made.length).toBe(Math.min(freeAddresses, 4 - ports.length));
  for (const one of made) await api.do((client) => client.delete(services, named(one)));
}

test.each(['none', 'realistic'] as const)('what is allocated is what Services have (latency: %s)', async (latency) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), async (rounds) => {
      const api = small(latency);
      await api.run(100);
      const worker = api.root.child('worker');
      for (const round of rounds) {
        for (const one of round) {
          if (one.do === 'restart') {
            api.stopServer();
            api.startServer();
            continue;
          }
          // All of a round are under way at once.
          worker.spawn(one.do, async () => {
            try {
              if (one.do === 'create')
                await api.client.create(
                  services,
                  { metadata: named(one.name), spec: { ports: [{ port: 80 }], ...one.spec } },
                  { dryRun: one.dryRun },
                );
              else if (one.do === 'delete') await api.client.delete(services, named(one.name));
              else if (one.do === 'update')
                await api.client.patch(services, named(one.name), 'application/merge-patch+json', { spec: one.spec });
              else await api.client.create(ipAddresses, claim(`10.0.0.${one.address}`));
            } catch {
              // Many cannot be had.
            }
          });
        }
        await api.run(200);
        await check(api);
      }
    }),
    { numRuns: 25 },
  );
});

const claim = (address: string): IPAddress => ({
  metadata: { name: address },
  spec: { parentRef: { resource: 'machines', name: 'a' } },
});

test('addresses that people meddle with are put right', async () => {
  const live = await new LiveCluster({ workers: 1, latency: 'none' }).start();
  const path = '/apis/networking.k8s.io/v1/ipaddresses';
  const list = async <T>(of: string) => (await live.send<{ readonly items: readonly T[] }>('GET', of)).items;
  const names = async () => (await list<IPAddress>(path)).map(({ metadata }) => metadata.name);
  expect(await names()).toEqual(['10.96.0.1', '10.96.0.10']);
  await live.send('DELETE', `${path}/10.96.0.10`);
  await live.run(1000);
  expect(await names()).toEqual(['10.96.0.1', '10.96.0.10']);
  const said = (await list<Event>('/api/v1/events')).map(({ reason, message }) => `${reason}: ${message}`);
  expect(said).toContain('ClusterIPNotAllocated: Cluster IP [IPv4]: 10.96.0.10 is not allocated; repairing');

  const { labels } = (await live.send<IPAddress>('GET', `${path}/10.96.0.1`)).metadata;
  const parentRef = { resource: 'services', namespace: 'default', name: 'gone' };
  await live.send('POST', path, { metadata: { name: '10.96.0.77', labels }, spec: { parentRef } });
  await live.run(50_000);
  expect(await names()).toContain('10.96.0.77');
  await live.run(15_000);
  expect(await names()).toEqual(['10.96.0.1', '10.96.0.10']);
});
