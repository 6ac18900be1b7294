import { expect, test } from 'vitest';
import type { TraceSpan } from '#hosts/control.ts';
import { objectOfKey, partyOf, SpanReader, viewSpan } from './span-view.ts';

const span = (
  kind: string,
  component: string,
  attributes: TraceSpan['attributes'],
  parents: readonly number[] = [],
): TraceSpan => ({
  id: 9,
  kind,
  component,
  name: 'name',
  parents,
  start: 0,
  end: 1,
  attributes,
});

test.each([
  ['kube-apiserver', 'kubernetes-admin', 'kubectl/v1.33.0 (linux/amd64)', 'kubectl'],
  ['kube-apiserver', 'system:kube-scheduler', 'kube-scheduler/v1.33.0', 'kube-scheduler'],
  ['kube-apiserver', 'system:node:node-1', 'kubelet/v1.33.0', 'node:node-1'],
  [
    'kube-apiserver',
    'system:serviceaccount:kube-system:namespace-controller',
    'kube-controller-manager/v1.33.0',
    'kube-controller-manager',
  ],
  ['kubelet/node-3', '', '', 'node:node-3'],
  ['etcd', '', '', 'etcd'],
  ['namespace-controller', '', '', 'kube-controller-manager'],
])('%s for "%s" with "%s" is %s', (component, user, agent, party) =>
  expect(partyOf(component, user, agent)).toBe(party),
);

test.each([
  ['/registry/pods/default/nginx', 'pods default/nginx'],
  ['/registry/minions/node-1', 'nodes /node-1'],
  ['/registry/services/specs/default/web', 'services default/web'],
  ['/registry/example.com/widgets/default/w', 'widgets default/w'],
])('%s stores %s', (key, object) => {
  const found = objectOfKey(key);
  expect(`${found?.resource} ${found?.namespace}/${found?.name}`).toBe(object);
});

test('the steps of a creation are told apart', () => {
  const of = { resource: 'pods', namespace: 'default', name: 'nginx' };
  const kubelet = { ...of, user: 'system:node:n', userAgent: 'kubelet/v1' };
  const key = { key: '/registry/pods/default/nginx', operation: 'put' };
  const reader = new SpanReader();
  const story: readonly (readonly [
    kind: string,
    component: string,
    attributes: TraceSpan['attributes'],
    parents: readonly number[],
    step: number | undefined,
  ])[] = [
    ['request', 'kube-apiserver', { ...of, verb: 'create', userAgent: 'kubectl/v1' }, [], 1],
    ['write', 'etcd', key, [1], 2],
    ['delivery', 'kube-scheduler', of, [2], 3],
    ['delivery', 'kube-controller-manager', of, [2], undefined],
    ['decision', 'kube-scheduler', of, [3], 3],
    [
      'request',
      'kube-apiserver',
      { ...of, verb: 'create', subresource: 'binding', userAgent: 'kube-scheduler/v1' },
      [5],
      3,
    ],
    ['write', 'etcd', key, [6], 3],
    ['delivery', 'kube-scheduler', of, [7], undefined],
    ['delivery', 'kubelet/n', of, [7], 4],
    ['work', 'kubelet/n', {}, [9], 4],
    ['request', 'kube-apiserver', { ...kubelet, verb: 'patch', subresource: 'status' }, [10], 5],
    ['write', 'etcd', key, [11], 5],
    ['delivery', 'kube-scheduler', of, [12], undefined],
    ['request', 'kube-apiserver', { resource: 'secrets', verb: 'create' }, [], undefined],
  ];
  story.forEach(([kind, component, attributes, parents, step], at) => {
    expect(reader.view({ ...span(kind, component, attributes, parents), id: at + 1 }).step, `${at + 1} ${kind}`).toBe(
      step,
    );
  });
});

test('heartbeats are known, and what only follows from them', () => {
  const lease = { resource: 'leases', namespace: 'kube-node-lease', name: 'node-1', verb: 'update' };
  expect(viewSpan(span('request', 'kube-apiserver', lease)).heartbeat).toBe(true);
  expect(viewSpan(span('write', 'etcd', { key: '/registry/leases/kube-node-lease/node-1' })).heartbeat).toBe(true);
  expect(viewSpan(span('delivery', 'kube-scheduler', { resource: 'pods', type: 'BOOKMARK' })).heartbeat).toBe(true);
  const known = { heartbeats: new Set([1, 2]), steps: new Map() };
  expect(viewSpan(span('reconcile', 'node-lifecycle', {}, [1, 2]), known).heartbeat).toBe(true);
  expect(viewSpan(span('reconcile', 'node-lifecycle', {}, [1, 3]), known).heartbeat).toBe(false);
  expect(viewSpan(span('write', 'etcd', { key: '/registry/pods/default/nginx' })).heartbeat).toBe(false);
});

test('a refusal and a decision say how they ended', () => {
  const refused = viewSpan(
    span('request', 'kube-apiserver', {
      verb: 'create',
      resource: 'pods',
      namespace: 'default',
      name: 'x',
      code: 409,
      userAgent: 'kubectl/v1',
    }),
  );
  expect([refused.actor, refused.verb, refused.target, refused.result, refused.failed]).toEqual([
    'kubectl',
    'create',
    'pods default/x',
    '409',
    true,
  ]);
  const chosen = viewSpan(
    span('decision', 'kube-scheduler', { resource: 'pods', namespace: 'default', name: 'x', node: 'node-1' }),
  );
  expect([chosen.target, chosen.result, chosen.failed]).toEqual(['default/x', '→ node-1', false]);
});

test('a decision of a controller is about its own object', () => {
  const decided = viewSpan(
    span('decision', 'replicaset-controller', {
      resource: 'replicasets',
      namespace: 'default',
      name: 'web',
      wanted: 3,
      had: 2,
    }),
  );
  expect([decided.object, decided.target, decided.result, decided.failed, decided.step]).toEqual([
    'replicasets/default/web',
    'replicasets default/web',
    '2 → 3',
    false,
    undefined,
  ]);
  expect(viewSpan({ ...span('reconcile', 'deployment-controller', {}), name: 'default/web' }).object).toBe(
    'deployments/default/web',
  );
});

test('a connection says who went where, and how it ended', () => {
  const dialled = { protocol: 'TCP', to: '10.96.0.5:80', service: 'default/web', target: 'pods/default/web-1' };
  const answered = viewSpan(
    span('connection', 'pods/default/client', {
      ...dialled,
      outcome: 'connected',
      method: 'GET',
      path: '/',
      status: 200,
    }),
  );
  expect([answered.actor, answered.verb, answered.target, answered.result, answered.failed]).toEqual([
    'client',
    'GET',
    'services/default/web → web-1',
    '200',
    false,
  ]);
  expect(answered.related).toEqual(['pods/default/web-1', 'services/default/web']);
  const refused = viewSpan(
    span('connection', 'nodes/node-1', { to: '10.96.0.5:80', outcome: 'rejected', probe: true }),
  );
  expect([refused.party, refused.result, refused.failed, refused.heartbeat]).toEqual([
    'node:node-1',
    'rejected',
    true,
    true,
  ]);
});
