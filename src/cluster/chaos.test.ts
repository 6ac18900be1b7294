import { expect, test } from 'vitest';
import type { Deployment, Node, Pod } from '#api/generated/types.ts';
import { Rng } from '#base/rng.ts';
import { LiveCluster } from '#testing/live-cluster.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

/** Half an hour in which anything fails at any time while somebody works; then everything runs again. */
async function chaos(seed: number) {
  const rng = new Rng(seed);
  const live = await new LiveCluster({ seed, workers: 3, controlPlaneNode: seed % 2 === 0 }).start();
  const { cluster } = live;
  const attempt = async (work: Promise<unknown>) => {
    try {
      await live.until(work);
    } catch (error) {
      // What is refused for a reason may be refused; anything else is a bug.
      expect(String(error)).toMatch(/connection refused|EOF|FaultError/);
    }
  };
  const send = async (method: string, path: string, body?: unknown) => {
    try {
      await live.send(method, path, body);
    } catch (error) {
      expect(String(error)).toMatch(/connection refused|EOF|code = Unavailable|NotFound|Conflict|AlreadyExists/);
    }
  };
  const podNames = async () => {
    try {
      const { items } = await live.send<{ items: Pod[] }>('GET', '/api/v1/namespaces/default/pods');
      return items.map(({ metadata }) => metadata.name as string);
    } catch {
      return [];
    }
  };
  for (let step = 0; step < 40; step++) {
    await live.run(rng.int(4) === 0 ? rng.int(90_000) : rng.int(8_000));
    const name = `app-${rng.int(3)}`;
    switch (rng.int(4)) {
      case 0:
        await send('POST', DEPLOYMENTS, {
          metadata: { name },
          spec: {
            replicas: 1 + rng.int(4),
            selector: { matchLabels: { app: name } },
            template: {
              metadata: { labels: { app: name } },
              spec: { containers: [{ name: 'main', image: 'nginx' }], terminationGracePeriodSeconds: 5 },
            },
          },
        });
        break;
      case 1:
        await send('POST', '/api/v1/namespaces/default/services', {
          metadata: { name },
          spec: { type: 'NodePort', selector: { app: name }, ports: [{ port: 80 }] },
        });
        await send('PATCH', `${DEPLOYMENTS}/${name}/scale`, { spec: { replicas: rng.int(6) } });
        break;
      default: {
        const names = await podNames();
        const pods = names.map((pod) => ({
          target: `pods/default/${pod}`,
          states: ['hang', 'crash', 'slow', 'unready'],
        }));
        const { target, states } = rng.pick([...cluster.faults.list(), ...pods]);
        await attempt(cluster.faults.set(target, rng.pick(states)));
      }
    }
  }
  for (let round = 0; round < 3; round++) {
    const broken = cluster.faults.list().filter(({ state }) => state !== 'running');
    const order = (target: string) => (target.startsWith('nodes/') ? 0 : target === 'etcd' ? 1 : 2);
    for (const { target } of broken.sort((a, b) => order(a.target) - order(b.target)))
      await attempt(cluster.faults.set(target, 'running'));
  }
  expect(cluster.faults.list().filter(({ state }) => state !== 'running')).toEqual([]);
  await live.run(900_000);
  const list = async <T>(path: string) => (await live.send<{ items: T[] }>('GET', path)).items;
  const nodes = (await list<Node>('/api/v1/nodes')).map(({ metadata, status }) => [
    metadata.name,
    status?.conditions?.find(({ type }) => type === 'Ready')?.status,
  ]);
  expect(nodes.filter(([, ready]) => ready !== 'True')).toEqual([]);
  const deployments = await list<Deployment>(DEPLOYMENTS);
  expect(
    deployments.map(({ metadata, spec, status }) => [
      metadata.name,
      (status?.readyReplicas ?? 0) - (spec?.replicas ?? 0),
    ]),
  ).toEqual(deployments.map(({ metadata }) => [metadata.name, 0]));
  const pods = await list<Pod>('/api/v1/pods');
  expect(
    pods
      .filter(({ status }) => status?.phase !== 'Running')
      .map(({ metadata, status }) => [metadata.name, status?.phase]),
  ).toEqual([]);
}

test.each(Array.from({ length: Number(process.env['CHAOS_SEEDS'] ?? 2) }, (_, i) => i + 1))(
  'whatever fails, in the end all is as it was asked for (seed %i)',
  (seed) => chaos(seed),
  60_000,
);
