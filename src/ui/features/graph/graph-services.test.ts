import { expect, test } from 'vitest';
import type { Row } from '../../cluster-store/table.ts';
import { ServiceModeller } from './graph-services.ts';

const service = (name: string, spec: Record<string, unknown>, namespace = 'default', status = {}): Row => ({
  key: `services/${namespace}/${name}`,
  object: { metadata: { name, namespace }, spec, status },
  cells: [name],
});
const endpoint = (pod: string, conditions: Record<string, boolean> = {}) => ({
  addresses: ['10.244.1.2'],
  conditions,
  targetRef: { kind: 'Pod', name: pod, namespace: 'default' },
});
const slice = (of: string, ...endpoints: unknown[]): Row => ({
  key: `endpointslices/default/${of}-x${endpoints.length}`,
  object: {
    metadata: { name: `${of}-x`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
    endpoints,
  } as unknown as Row['object'],
  cells: [],
});
const web = service('web', { clusterIP: '10.96.0.5', ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }] });
const only = (row: Row, ...slices: Row[]) => new ServiceModeller().model([row], slices).items[0];

test.each([
  [web, '10.96.0.5', '80 53/UDP'],
  [
    service('np', { type: 'NodePort', clusterIP: '10.96.0.6', ports: [{ port: 80, nodePort: 30080 }] }),
    '10.96.0.6',
    '80:30080',
  ],
  [service('headless', { clusterIP: 'None' }), 'headless', ''],
  [service('ext', { type: 'ExternalName', externalName: 'example.com' }), 'example.com', ''],
  [
    service('lb', { type: 'LoadBalancer', clusterIP: '10.96.0.7' }, 'default', {
      loadBalancer: { ingress: [{ ip: '172.18.0.9' }] },
    }),
    '172.18.0.9',
    '',
  ],
])('where a Service is reached: %#', (row, address, ports) => {
  expect(only(row)).toMatchObject({ address, ports });
});

test.each([
  [[endpoint('a', { ready: true }), endpoint('b')], 2, 2, 'ok'],
  [[endpoint('a', { ready: true }), endpoint('b', { ready: false })], 1, 2, 'pending'],
  [[endpoint('a', { ready: false, terminating: true, serving: true })], 0, 0, 'bad'],
  [[], 0, 0, 'bad'],
])('ready endpoints of all: %#', (endpoints, ready, total, tone) => {
  expect(only(web, slice('web', ...endpoints))).toMatchObject({ ready, total, tone });
});

test('a Pod in several slices counts once, and knows its Services; what did not change keeps its identity', () => {
  const modeller = new ServiceModeller();
  const slices = [
    slice('web', endpoint('a', { ready: false })),
    slice('web', endpoint('a', { ready: true }), endpoint('b')),
  ];
  const first = modeller.model([web, service('api', {})], slices);
  expect(first.items.find(({ name }) => name === 'web')?.endpoints.map(({ pod, state }) => [pod, state])).toEqual([
    ['pods/default/a', 'ready'],
    ['pods/default/b', 'ready'],
  ]);
  expect(first.servicesOf.get('pods/default/a')).toEqual(['services/default/web']);
  const second = modeller.model([web, service('api', {})], slices);
  expect(second.items.find(({ name }) => name === 'web')).toBe(first.items.find(({ name }) => name === 'web'));
  expect(second.items.find(({ name }) => name === 'api')).not.toBe(first.items.find(({ name }) => name === 'api'));
});

test('a namespace hides the users’ Services of others, not the cluster’s own', () => {
  const rows = [web, service('other', {}, 'shop'), service('kube-dns', {}, 'kube-system'), service('kubernetes', {})];
  const names = new ServiceModeller().model(rows, [], 'shop').items.map(({ name, system }) => [name, system]);
  expect(names).toEqual([
    ['kube-dns', true],
    ['kubernetes', true],
    ['other', false],
  ]);
});
