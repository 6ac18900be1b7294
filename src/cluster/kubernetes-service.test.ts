import { expect, test } from 'vitest';
import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import { TestApi } from '#testing/test-api.ts';
import { keepKubernetesService } from './kubernetes-service.ts';

const key = { namespace: 'default', name: 'kubernetes' };

test('the Service of the API server comes back', async () => {
  const api = new TestApi();
  await api.run(0);
  const process = api.root.child('server');
  process.spawn('keep', () =>
    keepKubernetesService(process, api.client, {
      cidr: '10.96.0.0/12',
      clusterIP: '10.96.0.1',
      address: '192.168.0.10',
      port: 6443,
    }),
  );
  await api.run(0);
  const uid = async () => (await api.do((client) => client.get(services, key))).metadata.uid;
  const first = await uid();
  expect(await api.do((client) => client.get(services, key))).toMatchObject({
    metadata: { labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: 443, targetPort: 6443 }] },
  });
  const addresses = async () => (await api.do((client) => client.get(endpoints, key))).subsets;
  const subsets = [{ addresses: [{ ip: '192.168.0.10' }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] }];
  expect(await addresses()).toEqual(subsets);

  await api.run(3000);
  await api.do((client) => client.delete(services, key));
  await expect(addresses()).rejects.toThrow('endpoints "kubernetes" not found');
  await api.run(6900);
  await expect(uid()).rejects.toThrow('services "kubernetes" not found');
  await api.run(100);
  expect(await uid()).not.toBe(first);
  expect(await addresses()).toEqual(subsets);

  await api.do((client) => client.patch(endpointSlices, key, 'application/merge-patch+json', { endpoints: [] }));
  const slice = () => api.do((client) => client.get(endpointSlices, key));
  expect((await slice()).endpoints).toEqual([]);
  await api.run(10_000);
  expect((await slice()).endpoints).toEqual([{ addresses: ['192.168.0.10'], conditions: { ready: true } }]);
});
