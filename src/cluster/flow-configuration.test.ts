import { expect, test } from 'vitest';
import type { FlowSchema, FlowSchemaList, PriorityLevelConfigurationList } from '#api/generated/types.ts';
import { readBody } from '#transport/http.ts';
import { LiveCluster } from '#testing/live-cluster.ts';

const GROUP = '/apis/flowcontrol.apiserver.k8s.io/v1';
const uidOf = (list: FlowSchemaList | PriorityLevelConfigurationList, name: string) =>
  list.items.find(({ metadata }) => metadata.name === name)?.metadata.uid;

test('every cluster has them, keeps its own, and says of requests where they belong', async () => {
  const live = await new LiveCluster({ workers: 1, latency: 'none' }).start();
  await live.send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'all' },
    subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup: 'rbac.authorization.k8s.io' }],
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup: 'rbac.authorization.k8s.io' },
  });
  const schemas = await live.send<FlowSchemaList>('GET', `${GROUP}/flowschemas`);
  const levels = await live.send<PriorityLevelConfigurationList>('GET', `${GROUP}/prioritylevelconfigurations`);
  expect([schemas.items.length, levels.items.length]).toEqual([13, 8]);
  for (const { status } of schemas.items) expect(status?.conditions).toMatchObject([{ status: 'False' }]);

  const check = async (path: string, headers: Record<string, string>, schema: string, level: string) => {
    const request = { method: 'GET', path, headers: { accept: 'application/json', ...headers } };
    const response = await live.until(live.cluster.http.handle(request));
    await live.until(readBody(response));
    expect([
      response.headers['x-kubernetes-pf-flowschema-uid'],
      response.headers['x-kubernetes-pf-prioritylevel-uid'],
    ]).toEqual([uidOf(schemas, schema), uidOf(levels, level)]);
  };
  const as = (name: string, ...groups: string[]) => ({
    'impersonate-user': name,
    ...(groups.length ? { 'impersonate-group': groups.join('\n') } : {}),
  });
  await check('/api/v1/nodes', {}, 'exempt', 'exempt');
  await check('/healthz', as('jane'), 'probes', 'exempt');
  await check('/version', as('jane'), 'global-default', 'global-default');
  await check('/api/v1/namespaces/default/pods', as('jane'), 'global-default', 'global-default');
  await check('/api/v1/nodes', as('system:node:a', 'system:nodes'), 'system-node-high', 'node-high');
  await check('/api/v1/pods', as('system:node:a', 'system:nodes'), 'system-nodes', 'system');
  await check('/api/v1/pods', as('system:kube-scheduler'), 'kube-scheduler', 'workload-high');
  const account = 'system:serviceaccount:kube-system:x';
  await check('/api/v1/pods', as(account), 'kube-system-service-accounts', 'workload-high');
  await check(
    '/apis/coordination.k8s.io/v1/namespaces/a/leases/x',
    as(account),
    'system-leader-election',
    'leader-election',
  );

  const danglingOf = async (name: string) => {
    await live.run(2000);
    const { status } = await live.send<FlowSchema>('GET', `${GROUP}/flowschemas/${name}`);
    return status?.conditions?.map(({ type, status, message }) => [type, status, message]);
  };
  const spec = { priorityLevelConfiguration: { name: 'mine' }, rules: [] };
  await live.send('POST', `${GROUP}/flowschemas`, { metadata: { name: 'mine' }, spec });
  const named = 'This FlowSchema references the PriorityLevelConfiguration object named "mine"';
  expect(await danglingOf('mine')).toEqual([['Dangling', 'True', `${named} but there is no such object`]]);
  const limited = { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } };
  await live.send('POST', `${GROUP}/prioritylevelconfigurations`, { metadata: { name: 'mine' }, spec: limited });
  expect(await danglingOf('mine')).toEqual([['Dangling', 'False', `${named} and it exists`]]);

  await live.send('DELETE', `${GROUP}/flowschemas/probes`);
  await live.send('PATCH', `${GROUP}/flowschemas/global-default`, { spec: { matchingPrecedence: 7 } });
  await live.run(62_000);
  const kept = await live.send<FlowSchema>('GET', `${GROUP}/flowschemas/global-default`);
  expect(kept.spec.matchingPrecedence).toBe(9900);
  expect((await danglingOf('probes'))?.[0]?.[1]).toBe('False');
});
