import { expect, test } from 'vitest';
import { configMaps } from '#api/core/v1/config-map.ts';
import { pods } from '#api/core/v1/pod.ts';
import { resourceQuotas } from '#api/core/v1/resource-quota.ts';
import { services } from '#api/core/v1/service.ts';
import type { ResourceQuotaSpec, Service } from '#api/generated/types.ts';
import { resourceQuotaController } from '#controllers/resourcequota/resourcequota-controller.ts';
import { TestControllers } from '#testing/controllers.ts';
import { decoded } from '#testing/kind.ts';
import { resourceQuota } from './resource-quota.ts';

const pod = (name: string, resources = '{}', more = '') =>
  decoded(
    pods,
    `metadata: {name: ${name}, namespace: default}\nspec: {containers: [{name: c, image: x, resources: ${resources}}]${more}}`,
  );

/** A server with a quota that has been counted. */
async function withQuota(spec: ResourceQuotaSpec) {
  const api = new TestControllers([resourceQuotaController], { admission: [resourceQuota] });
  await api.do((client) => client.create(resourceQuotas, { metadata: { name: 'q', namespace: 'default' }, spec }));
  await api.run(1000);
  const used = async () => {
    await api.run(1000);
    return (await api.do((client) => client.get(resourceQuotas, { namespace: 'default', name: 'q' }))).status?.used;
  };
  const refused = (work: Promise<unknown>, why: string) => expect(work).rejects.toThrow(why);
  return { api, used, refused };
}

test('Pods are charged, refused, and given back', async () => {
  const { api, used, refused } = await withQuota({ hard: { pods: '2', 'requests.cpu': '1', 'count/configmaps': '1' } });
  expect(await used()).toEqual({ pods: '0', 'requests.cpu': '0', 'count/configmaps': '0' });
  const create = (one: ReturnType<typeof pod>) => api.do((client) => client.create(pods, one));
  await refused(create(pod('a')), 'pods "a" is forbidden: failed quota: q: must specify requests.cpu for: c');
  await create(pod('a', '{requests: {cpu: 250m}}'));
  await refused(
    create(pod('b', '{requests: {cpu: 800m}}')),
    'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=800m, used: requests.cpu=250m, limited: requests.cpu=1',
  );
  await create(pod('b', '{requests: {cpu: 250m}}'));
  await refused(
    create(pod('c', '{requests: {cpu: "1"}}')),
    'exceeded quota: q, requested: pods=1,requests.cpu=1, used: pods=2,requests.cpu=500m, limited: pods=2,requests.cpu=1',
  );
  const map = (name: string) =>
    api.do((client) => client.create(configMaps, { metadata: { name, namespace: 'default' } }));
  await map('one');
  await refused(
    map('two'),
    'configmaps "two" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1',
  );
  expect(await used()).toEqual({ pods: '2', 'requests.cpu': '500m', 'count/configmaps': '1' });
  await api.do((client) => client.delete(configMaps, { namespace: 'default', name: 'one' }));
  await api.do((client) => client.delete(pods, { namespace: 'default', name: 'b' }, { gracePeriodSeconds: 0 }));
  expect(await used()).toEqual({ pods: '1', 'requests.cpu': '250m', 'count/configmaps': '0' });
});

test('a quota that has not been counted yet', async () => {
  const api = new TestControllers([], { admission: [resourceQuota] });
  await api.do(async (client) => {
    const quota = await client.create(resourceQuotas, {
      metadata: { name: 'q', namespace: 'default' },
      spec: { hard: { pods: '2' } },
    });
    await client.updateStatus(resourceQuotas, { ...quota, status: { hard: { pods: '2' } } });
  });
  await expect(api.do((client) => client.create(pods, pod('a')))).rejects.toThrow(
    'pods "a" is forbidden: status unknown for quota: q, resources: pods',
  );
});

test('scopes', async () => {
  const { api, used, refused } = await withQuota({
    hard: { pods: '1' },
    scopes: ['BestEffort'],
    scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] }] },
  });
  const create = (one: ReturnType<typeof pod>) => api.do((client) => client.create(pods, one));
  await create(pod('burst', '{requests: {cpu: 1m}}'));
  await create(pod('high', '{}', ', priorityClassName: high'));
  expect(await used()).toEqual({ pods: '0' });
  await create(pod('best'));
  await refused(create(pod('second')), 'exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1');
});

test('Services are charged for what they become', async () => {
  const { api, used, refused } = await withQuota({ hard: { services: '2', 'services.nodeports': '1' } });
  const ports = [{ port: 80 }, { port: 81 }];
  const service = (type: string): Service => ({
    metadata: { name: 's', namespace: 'default' },
    spec: { type, ports: ports.map(({ port }) => ({ port, name: `p${port}` })) },
  });
  const made = await api.do((client) => client.create(services, service('ClusterIP')));
  const become = (count: number) =>
    api.do((client) =>
      client.update(services, {
        ...made,
        spec: { ...made.spec, type: 'NodePort', ports: made.spec?.ports?.slice(0, count) },
      }),
    );
  await refused(
    become(2),
    'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
  );
  await become(1);
  expect(await used()).toEqual({ services: '1', 'services.nodeports': '1' });
});

test('a dry run is checked, and costs nothing', async () => {
  const { api, used } = await withQuota({ hard: { pods: '1' } });
  const create = (name: string, dryRun: boolean) => api.do((client) => client.create(pods, pod(name), { dryRun }));
  await create('a', true);
  expect(await used()).toEqual({ pods: '0' });
  await create('a', false);
  await expect(create('b', true)).rejects.toThrow('exceeded quota');
});
