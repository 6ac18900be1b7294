import { beforeEach, expect, test } from 'vitest';
import { deployments } from '#api/apps/v1/deployment.ts';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { Deployment, DeploymentSpec, ReplicaSet } from '#api/generated/types.ts';
import { TestControllers } from '#testing/controllers.ts';

const key = { namespace: 'default', name: 'web' };
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const REVISION = 'deployment.kubernetes.io/revision';

const deployment = (spec: Partial<DeploymentSpec> = {}): Deployment => ({
  metadata: { ...key, annotations: { note: 'x' } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image: 'nginx:1' }] } },
    ...spec,
  },
});

let api: TestControllers;
beforeEach(() => {
  api = new TestControllers();
});

const create = (object = deployment()) => api.do((client) => client.create(deployments, object));
const get = () => api.do((client) => client.get(deployments, key));
const patch = (spec: object) => api.do((client) => client.patch(deployments, key, merge, { spec }));
const setImage = (image: string) =>
  api.do((client) =>
    client.patch(deployments, key, strategic, { spec: { template: { spec: { containers: [{ name: 'a', image }] } } } }),
  );
/** By revision. */
const sets = async (): Promise<ReplicaSet[]> => {
  const { items } = await api.do((client) => client.list(replicaSets, { namespace: 'default' }));
  const revision = ({ metadata }: ReplicaSet) => Number(metadata.annotations?.[REVISION]);
  return items.toSorted((a, b) => revision(a) - revision(b));
};
const sizes = async () =>
  (await sets()).map(({ metadata, spec }) => `${metadata.annotations?.[REVISION]}: ${spec.replicas}`);
const conditions = async () =>
  (await get()).status?.conditions?.map(
    ({ type, status, reason, message }) => `${type}=${status} ${reason} ${message}`,
  );
const images = async () => (await api.pods()).map(({ spec }) => spec.containers[0]?.image);

test('makes a ReplicaSet with its template', async () => {
  const { metadata } = await create();
  await api.settle();
  const [made] = (await sets()) as [ReplicaSet];
  const hash = made.metadata.labels?.['pod-template-hash'];
  expect(made.metadata).toMatchObject({
    name: `web-${hash}`,
    labels: { app: 'web', 'pod-template-hash': hash },
    annotations: {
      note: 'x',
      [REVISION]: '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    },
    ownerReferences: [{ kind: 'Deployment', uid: metadata.uid, controller: true }],
  });
  expect(made.spec.selector).toEqual({ matchLabels: { app: 'web', 'pod-template-hash': hash } });
  const now = await get();
  expect(now.metadata.annotations?.[REVISION]).toBe('1');
  expect(now.metadata.generation).toBe(1);
  expect(now.status).toMatchObject({
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  });
  expect(await conditions()).toEqual([
    'Available=True MinimumReplicasAvailable Deployment has minimum availability.',
    `Progressing=True NewReplicaSetAvailable ReplicaSet "web-${hash}" has successfully progressed.`,
  ]);
  expect(await api.said('Deployment')).toEqual([
    `Normal ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`,
  ]);
});

test('rolls to a new template step by step, never with too few or too many', async () => {
  await create(deployment({ replicas: 4 }));
  await api.settle();
  await setImage('nginx:2');
  await api.run(100);
  expect(await sizes()).toEqual(['1: 3', '2: 2']);
  for (let round = 0; round < 10; round++) {
    const all = await api.pods();
    const ready = all.filter(({ status }) => status?.conditions?.some(({ status: value }) => value === 'True'));
    expect(ready.length).toBeGreaterThanOrEqual(3);
    expect(all.length).toBeLessThanOrEqual(5);
    await api.markReady(all.filter((pod) => !ready.includes(pod)).slice(0, 1));
    await api.run(100);
  }
  expect(await sizes()).toEqual(['1: 0', '2: 4']);
  expect(await images()).toEqual(Array.from({ length: 4 }, () => 'nginx:2'));
  expect((await get()).metadata.annotations?.[REVISION]).toBe('2');
  const said = (await api.said('Deployment')).map((text) => text.replace(/web-\w+/, 'web'));
  expect(said[0]).toBe('Normal ScalingReplicaSet Scaled up replica set web from 0 to 4');
  expect(said).toContain('Normal ScalingReplicaSet Scaled up replica set web from 0 to 1');
  expect(said).toContain('Normal ScalingReplicaSet Scaled down replica set web from 4 to 3');
  expect(said).toContain('Normal ScalingReplicaSet Scaled down replica set web from 1 to 0');
});

test('goes back to an old ReplicaSet, which becomes the newest revision, and keeps no more than its history', async () => {
  await create(deployment({ revisionHistoryLimit: 1 }));
  await api.settle();
  await setImage('nginx:2');
  await api.settle();
  await setImage('nginx:1');
  await api.settle();
  expect(await sizes()).toEqual(['2: 0', '3: 3']);
  expect((await sets())[1]?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
  await setImage('nginx:3');
  await api.settle();
  expect(await sizes()).toEqual(['3: 0', '4: 3']);
});

test('a scaling is told from a rollout', async () => {
  await create();
  await api.settle();
  await patch({ replicas: 5 });
  await api.settle();
  expect(await sizes()).toEqual(['1: 5']);
  await setImage('nginx:2');
  await api.run(100);
  expect(await sizes()).toEqual(['1: 4', '2: 3']);
  await patch({ replicas: 10 });
  await api.run(100);
  expect(await sizes()).toEqual(['1: 7', '2: 6']);
  expect((await sets())[0]?.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/desired-replicas': '10',
    'deployment.kubernetes.io/max-replicas': '13',
  });
});

test('rests while it is paused, but can be scaled', async () => {
  await create();
  await api.settle();
  await patch({ paused: true });
  await setImage('nginx:2');
  await patch({ replicas: 2 });
  await api.settle();
  expect(await sizes()).toEqual(['1: 2']);
  expect((await conditions())?.at(-1)).toBe('Progressing=Unknown DeploymentPaused Deployment is paused');
  await patch({ paused: null });
  await api.settle();
  expect(await sizes()).toEqual(['1: 0', '2: 2']);
  expect((await conditions())?.at(-1)).toMatch(/^Progressing=True NewReplicaSetAvailable/);
});

test('says when it does not get on', async () => {
  await create(deployment({ progressDeadlineSeconds: 60 }));
  await api.run(59_000);
  expect((await conditions())?.at(-1)).toMatch(/^Progressing=True (ReplicaSetUpdated|NewReplicaSetCreated)/);
  await api.run(5_000);
  const [made] = (await sets()) as [ReplicaSet];
  expect(await conditions()).toEqual([
    'Available=False MinimumReplicasUnavailable Deployment does not have minimum availability.',
    `Progressing=False ProgressDeadlineExceeded ReplicaSet "${made.metadata.name}" has timed out progressing.`,
  ]);
  await api.settle();
  expect((await conditions())?.at(-1)).toMatch(/^Progressing=True NewReplicaSetAvailable/);
});

test('Recreate: the old ones first, to the last', async () => {
  await create(deployment({ strategy: { type: 'Recreate' } }));
  await api.settle();
  const [first] = await api.pods();
  const held = { namespace: 'default', name: first?.metadata.name ?? '' };
  const hold = (finalizers: readonly string[] | null) =>
    api.do((client) => client.patch(pods, held, merge, { metadata: { finalizers } }));
  await hold(['example.com/hold']);
  await setImage('nginx:2');
  await api.run(1_000);
  expect(await images()).toEqual(['nginx:1']);
  expect(await sizes()).toEqual(['1: 0']);
  await hold(null);
  await api.settle();
  expect(await images()).toEqual(['nginx:2', 'nginx:2', 'nginx:2']);
  expect(await sizes()).toEqual(['1: 0', '2: 3']);
});

test('all of it goes with the Deployment', async () => {
  await create();
  await api.settle();
  await api.do((client) => client.delete(deployments, key));
  await api.run(1_000);
  expect([await sets(), await api.pods()]).toEqual([[], []]);
});
