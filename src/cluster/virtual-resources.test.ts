import { expect, test } from 'vitest';
import type { ComponentStatusList, Pod } from '#api/generated/types.ts';
import { LiveCluster } from '#testing/live-cluster.ts';

test('the health of the control plane is told, and a Binding puts a Pod on a node', async () => {
  const live = await new LiveCluster({ scheduler: false, workers: 1, latency: 'none' }).start();
  const { items } = await live.send<ComponentStatusList>('GET', '/api/v1/componentstatuses');
  expect(items.map(({ metadata, conditions }) => [metadata.name, conditions])).toEqual([
    [
      'scheduler',
      [
        {
          type: 'Healthy',
          status: 'False',
          message: 'Get "https://127.0.0.1:10259/healthz": dial tcp 127.0.0.1:10259: connect: connection refused',
        },
      ],
    ],
    ['controller-manager', [{ type: 'Healthy', status: 'True', message: 'ok' }]],
    ['etcd-0', [{ type: 'Healthy', status: 'True', message: 'ok' }]],
  ]);
  const one = await live.send('GET', '/api/v1/componentstatuses/etcd-0');
  expect(one).toMatchObject({ apiVersion: 'v1', kind: 'ComponentStatus', metadata: { name: 'etcd-0' } });
  const selected = '/api/v1/componentstatuses?fieldSelector=metadata.name%3Detcd-0';
  expect((await live.send<ComponentStatusList>('GET', selected)).items).toHaveLength(1);
  await expect(live.send('GET', '/api/v1/componentstatuses/etcd-1')).rejects.toThrow(
    String.raw`"message":"componentstatus \"etcd-1\" not found"`,
  );
  await expect(live.send('POST', '/api/v1/componentstatuses', {})).rejects.toThrow('does not allow this method');

  const at = '/api/v1/namespaces/default';
  const spec = { containers: [{ name: 'a', image: 'nginx' }] };
  await live.send('POST', `${at}/pods`, { metadata: { name: 'web' }, spec });
  const binding = (name: string, node: string) =>
    live.send('POST', `${at}/bindings`, { metadata: { name }, target: { kind: 'Node', name: node } });
  await expect(binding('none', 'worker-1')).rejects.toThrow(
    'not found","reason":"NotFound","details":{"name":"none","kind":"pods"}',
  );
  expect(await binding('web', 'worker-1')).toMatchObject({ kind: 'Status', status: 'Success', code: 201 });
  expect((await live.send<Pod>('GET', `${at}/pods/web`)).spec.nodeName).toBe('worker-1');
  await expect(binding('web', 'worker-1')).rejects.toThrow('already assigned');
});
