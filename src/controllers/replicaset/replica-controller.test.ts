import { beforeEach, expect, test } from 'vitest';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import { pods } from '#api/core/v1/pod.ts';
import { replicationControllers } from '#api/core/v1/replication-controller.ts';
import type { Pod, ReplicaSet } from '#api/generated/types.ts';
import { forbidden } from '#apimachinery/status-error.ts';
import type { AdmissionAttributes } from '#apiserver/contract.ts';
import { controllerOf } from '#client/key.ts';
import { TestControllers } from '#testing/controllers.ts';
import { replicaSetController } from './replicaset-controller.ts';

const key = { namespace: 'default', name: 'web' };
const merge = 'application/merge-patch+json';
const template = {
  metadata: { labels: { app: 'web' }, annotations: { note: 'x' } },
  spec: { containers: [{ name: 'a', image: 'nginx' }] },
};
const replicaSet = (replicas: number, spec: Partial<ReplicaSet['spec']> = {}): ReplicaSet => ({
  metadata: { ...key },
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template, ...spec },
});

let api: TestControllers;
beforeEach(() => {
  api = new TestControllers();
});

const create = (object: ReplicaSet) => api.do((client) => client.create(replicaSets, object));
const get = () => api.do((client) => client.get(replicaSets, key));
const scale = (replicas: number) => api.do((client) => client.patch(replicaSets, key, merge, { spec: { replicas } }));

test('makes Pods of its template, and as many as are wanted', async () => {
  const { metadata } = await create(replicaSet(3));
  await api.run(100);
  const made = await api.pods();
  expect(made).toHaveLength(3);
  expect(made[0]?.metadata).toMatchObject({
    generateName: 'web-',
    labels: { app: 'web' },
    annotations: { note: 'x' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web',
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
  expect((await get()).status).toMatchObject({
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 0,
    observedGeneration: 1,
  });
  await api.markReady(made);
  await api.run(100);
  expect((await get()).status).toMatchObject({ readyReplicas: 3, availableReplicas: 3 });
  await scale(1);
  await api.run(100);
  expect(await api.pods()).toHaveLength(1);
  expect((await get()).status).toMatchObject({ replicas: 1, availableReplicas: 1, observedGeneration: 2 });
  const names = made.map((pod) => pod.metadata.name);
  const said = await api.said('ReplicaSet');
  expect(said.filter((text) => text.includes('SuccessfulCreate')).toSorted()).toEqual(
    names.map((name) => `Normal SuccessfulCreate Created pod: ${name}`).toSorted(),
  );
  expect(said.filter((text) => text.startsWith('Normal SuccessfulDelete Deleted pod: web-'))).toHaveLength(2);
});

test('replaces Pods that are deleted or have ended', async () => {
  await create(replicaSet(2));
  await api.run(100);
  const [first, second] = (await api.pods()) as [Pod, Pod];
  await api.do((client) => client.delete(pods, { namespace: 'default', name: first.metadata.name ?? '' }));
  await api.do((client) => client.updateStatus(pods, { ...second, status: { ...second.status, phase: 'Failed' } }));
  await api.run(100);
  const now = await api.pods();
  expect(now).toHaveLength(3);
  expect((await get()).status?.replicas).toBe(2);
});

test('adopts orphans that it selects and releases what it does not select any more', async () => {
  await api.do((client) =>
    client.create(pods, {
      metadata: { namespace: 'default', name: 'orphan', labels: { app: 'web' } },
      spec: template.spec,
    }),
  );
  const { metadata } = await create(replicaSet(2));
  await api.run(100);
  const made = await api.pods();
  expect(made.map((pod) => controllerOf(pod)?.uid)).toEqual([metadata.uid, metadata.uid]);
  await api.do((client) =>
    client.patch(pods, { namespace: 'default', name: 'orphan' }, merge, { metadata: { labels: { app: 'other' } } }),
  );
  await api.run(100);
  const orphan = await api.do((client) => client.get(pods, { namespace: 'default', name: 'orphan' }));
  expect(orphan.metadata.ownerReferences ?? []).toEqual([]);
  expect(await api.pods('app=web')).toHaveLength(2);
});

test('waits until Pods have been ready for long enough', async () => {
  await create(replicaSet(1, { minReadySeconds: 10 }));
  await api.run(100);
  await api.markReady(await api.pods());
  await api.run(9_000);
  expect((await get()).status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
  await api.run(3_000);
  expect((await get()).status).toMatchObject({ readyReplicas: 1, availableReplicas: 1 });
});

test('tells what the server refuses, and tries again', async () => {
  let refuses = true;
  const admission = {
    name: 'PodLimit',
    validate({ resource, operation, name }: AdmissionAttributes) {
      if (refuses && resource.plural === 'pods' && operation === 'CREATE') throw forbidden(resource, name, 'no more');
    },
  };
  api = new TestControllers([replicaSetController], { admission: [admission] });
  await create(replicaSet(4));
  await api.run(100);
  const { status } = await get();
  const message = expect.stringMatching(/^pods "web-.*" is forbidden: no more$/);
  expect(status?.replicas).toBe(0);
  expect(status?.conditions).toMatchObject([
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message },
  ]);
  expect((await api.said('ReplicaSet'))[0]).toMatch(
    /^Warning FailedCreate Error creating: pods "web-.*" is forbidden: no more/,
  );
  refuses = false;
  await api.run(20_000);
  expect(await api.pods()).toHaveLength(4);
  expect((await get()).status?.conditions ?? []).toEqual([]);
});

test('goes on when the server comes back', async () => {
  await create(replicaSet(4));
  api.stopServer();
  await api.run(1_000);
  api.startServer();
  await api.run(20_000);
  expect(await api.pods()).toHaveLength(4);
});

test('ReplicationControllers do the same', async () => {
  await api.do((client) =>
    client.create(replicationControllers, { metadata: { ...key }, spec: { replicas: 2, template } }),
  );
  await api.run(100);
  await api.markReady(await api.pods());
  await api.run(100);
  const { status } = await api.do((client) => client.get(replicationControllers, key));
  expect(status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 2, observedGeneration: 1 });
  expect((await api.said('ReplicationController'))[0]).toMatch(/^Normal SuccessfulCreate Created pod: web-/);
});
