import { beforeEach, expect, test } from 'vitest';
import { nodes } from '#api/core/v1/node.ts';
import { services } from '#api/core/v1/service.ts';
import type { Service } from '#api/generated/types.ts';
import { TestControllers } from '#testing/controllers.ts';
import { LoadBalancers } from './load-balancers.ts';
import { serviceLBController } from './service-lb-controller.ts';

const merge = 'application/merge-patch+json';
const key = (name: string) => ({ namespace: 'default', name });
const SYNCED = [
  'Normal EnsuringLoadBalancer Ensuring load balancer',
  'Normal EnsuredLoadBalancer Ensured load balancer',
];

let api: TestControllers;
beforeEach(async () => {
  api = new TestControllers([serviceLBController], {}, { loadBalancerCIDR: '192.168.100.0/29' });
  await api.do((client) => client.create(nodes, { metadata: { name: 'n1' }, spec: {} }));
});

const expose = (name: string, spec: Partial<Service['spec']> = {}) =>
  api.do((client) =>
    client.create(services, {
      metadata: key(name),
      spec: {
        type: 'LoadBalancer',
        selector: { app: 'web' },
        ports: [{ port: 80, protocol: 'TCP' }],
        ...spec,
      },
    }),
  );
const patch = (name: string, spec: object) => api.do((client) => client.patch(services, key(name), merge, { spec }));
/** The Services with what they have of their load balancers. */
async function shown(): Promise<string[]> {
  await api.run(1_000);
  const { items } = await api.do((client) => client.list(services, { namespace: 'default' }));
  return items.map(({ metadata, status }) =>
    [metadata.name, ...(status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip), ...(metadata.finalizers ?? [])].join(
      ' ',
    ),
  );
}
const CLEANUP = 'service.kubernetes.io/load-balancer-cleanup';

test('an address comes, goes with the type, and is free again', async () => {
  await expose('a');
  await expose('b');
  expect(await shown()).toEqual([`a 192.168.100.1 ${CLEANUP}`, `b 192.168.100.2 ${CLEANUP}`]);
  expect(await api.said('Service')).toEqual(expect.arrayContaining(SYNCED));
  await patch('a', { type: 'ClusterIP' });
  expect(await shown()).toEqual(['a', `b 192.168.100.2 ${CLEANUP}`]);
  expect(await api.said('Service')).toEqual(
    expect.arrayContaining([
      'Normal DeletingLoadBalancer Deleting load balancer',
      'Normal DeletedLoadBalancer Deleted load balancer',
    ]),
  );
  await api.do((client) => client.delete(services, key('b')));
  await expose('c');
  await expose('d');
  expect(await shown()).toEqual(['a', `c 192.168.100.1 ${CLEANUP}`, `d 192.168.100.2 ${CLEANUP}`]);
});

test('a class is somebody else’s, an address may be asked for', async () => {
  await expose('a', { loadBalancerClass: 'example.com/other' });
  await expose('b', { loadBalancerIP: '192.168.100.5' });
  await expose('c', { loadBalancerIP: '192.168.100.5' });
  expect(await shown()).toEqual(['a', `b 192.168.100.5 ${CLEANUP}`, `c ${CLEANUP}`]);
  expect(await api.said('Service')).toContainEqual(
    'Warning SyncLoadBalancerFailed Error syncing load balancer: failed to ensure load balancer: address 192.168.100.5 is in use',
  );
});

test('addresses outlast the controller', async () => {
  await expose('a');
  await shown();
  api.manager.stop('service-lb-controller');
  await expose('b');
  expect(await shown()).toEqual([`a 192.168.100.1 ${CLEANUP}`, 'b']);
  api.manager.start([serviceLBController]);
  expect(await shown()).toEqual([`a 192.168.100.1 ${CLEANUP}`, `b 192.168.100.2 ${CLEANUP}`]);
});

test('Nodes that come and go', async () => {
  await expose('a');
  await shown();
  await api.do((client) => client.create(nodes, { metadata: { name: 'n2' }, spec: {} }));
  await shown();
  expect((await api.said('Service')).at(-1)).toBe('Normal UpdatedLoadBalancer Updated load balancer with new hosts');
  const label = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' };
  for (const name of ['n1', 'n2']) {
    await api.do((client) => client.patch(nodes, { name }, merge, { metadata: { labels: label } }));
  }
  await shown();
  expect(await api.said('Service')).toContainEqual(
    'Warning UnAvailableLoadBalancer There are no available nodes for LoadBalancer',
  );
});

test('without a cloud nothing happens', async () => {
  api = new TestControllers([serviceLBController]);
  await expose('a');
  expect(await shown()).toEqual(['a']);
});

test('a range has an end', () => {
  const cloud = new LoadBalancers('192.168.100.0/30');
  const service = (uid: string, spec: Service['spec'] = {}): Service => ({ metadata: { uid }, spec });
  expect([cloud.ensure(service('a')), cloud.ensure(service('b')), cloud.ensure(service('a'))]).toEqual([
    '192.168.100.1',
    '192.168.100.2',
    '192.168.100.1',
  ]);
  expect(() => cloud.ensure(service('c'))).toThrow('no address left');
  expect(() => cloud.ensure(service('c', { loadBalancerIP: '10.0.0.1' }))).toThrow('is not one of');
});
