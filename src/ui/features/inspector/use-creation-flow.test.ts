import { expect, test } from 'vitest';
import { LiveCluster } from '#testing/live-cluster.ts';
import { creationFlow } from './creation-flow.ts';
import { recordedCreation } from './use-creation-flow.ts';

test('the steps of a Pod that had to wait for a Node', async () => {
  const live = new LiveCluster();
  const { tracer } = live.cluster;
  const control = {
    revisions: async (key: string) => live.cluster.revisions(key),
    ancestry: async (id: number, limit?: number) => tracer.ancestry(id, limit),
    descendants: async (id: number, limit?: number) => tracer.descendants(id, limit),
  };
  const states = async () =>
    creationFlow(...(await recordedCreation(control, 'default', 'waits')))
      .map(({ state }) => state)
      .join(' ');
  await live.start();
  const spec = { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'nginx', image: 'nginx' }] };
  await live.send('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'waits' }, spec });
  await live.run(2_000);
  expect(await states()).toBe('done done failed waiting waiting');
  await live.send('PATCH', '/api/v1/nodes/node-1', { metadata: { labels: { disk: 'ssd' } } });
  await live.run(20_000);
  expect(await states()).toBe('done done done done done');
});
