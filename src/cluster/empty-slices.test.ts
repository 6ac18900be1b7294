import { expect, test } from 'vitest';
import type { EndpointSlice } from '#api/generated/types.ts';
import { LiveCluster } from '#testing/live-cluster.ts';

test('EndpointSlices without a list of endpoints hurt nobody', async () => {
  const live = await new LiveCluster({ workers: 1, latency: 'none' }).start();
  const path = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices';
  const labels = { 'kubernetes.io/service-name': 'kube-dns' };
  const ports = [{ name: 'dns', port: 53, protocol: 'UDP' }];
  const slice = { metadata: { name: 'own', labels }, addressType: 'IPv4', ports };
  await live.send('POST', path, slice);
  const { items } = await live.send<{ readonly items: readonly EndpointSlice[] }>('GET', path);
  for (const { metadata } of items) await live.send('PATCH', `${path}/${metadata.name}`, { endpoints: null });
  await live.run(5000);
  expect(await live.send<EndpointSlice>('GET', `${path}/own`)).toMatchObject({ endpoints: null });
});
