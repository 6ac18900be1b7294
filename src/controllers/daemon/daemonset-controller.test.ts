import { beforeEach, expect, test } from 'vitest';
import { controllerRevisions } from '#api/apps/v1/controller-revision.ts';
import { daemonSets } from '#api/apps/v1/daemon-set.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { DaemonSet, DaemonSetSpec, Pod, Taint } from '#api/generated/types.ts';
import { forbidden } from '#apimachinery/status-error.ts';
import type { AdmissionAttributes } from '#apiserver/contract.ts';
import { controllerOf } from '#client/key.ts';
import { TestControllers } from '#testing/controllers.ts';
import { targetNodeName } from './daemon-pod.ts';
import { daemonSetController } from './daemonset-controller.ts';

const key = { namespace: 'default', name: 'agent' };
const merge = 'application/merge-patch+json';
const podOf = (image: string) => ({ containers: [{ name: 'a', image }] });
const daemonSet = (spec: Partial<DaemonSetSpec> = {}): DaemonSet => ({
  metadata: { ...key },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: { metadata: { labels: { app: 'agent' } }, spec: podOf('agent:1') },
    ...spec,
  },
});

let api: TestControllers;
beforeEach(() => {
  api = new TestControllers([daemonSetController]);
});

const addNode = (name: string, taints: readonly Taint[] = [], labels: Record<string, string> = {}) =>
  api.do((client) => client.create(nodes, { metadata: { name, labels }, spec: { taints } }));
const addNodes = async (count: number) => {
  for (let i = 1; i <= count; i++) await addNode(`node-${i}`);
};
const taint = (name: string, ...taints: Taint[]) =>
  api.do((client) => client.patch(nodes, { name }, merge, { spec: { taints } }));
const create = (object = daemonSet()) => api.do((client) => client.create(daemonSets, object));
const status = async () => (await api.do((client) => client.get(daemonSets, key))).status;
const patch = (spec: object) => api.do((client) => client.patch(daemonSets, key, merge, { spec }));
const setImage = (image: string) => patch({ template: { spec: podOf(image) } });
/** `node-1 agent:1`, without those that are being deleted. */
const placed = async () =>
  (await api.pods())
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map((pod) => `${targetNodeName(pod)} ${pod.spec.containers[0]?.image}`)
    .toSorted();
const places = async () => (await placed()).map((text) => text.split(' ')[0]);
const setPhase = (pod: Pod, phase: string) =>
  api.do((client) => client.updateStatus(pods, { ...pod, status: { ...pod.status, phase } }));

test('one Pod on each Node, which the scheduler binds there', async () => {
  await addNodes(3);
  await create();
  await api.run(100);
  expect(await places()).toEqual(['node-1', 'node-2', 'node-3']);
  const [pod] = (await api.pods()) as [Pod];
  const hash = pod.metadata.labels?.['controller-revision-hash'];
  expect(pod.metadata.labels).toEqual({
    app: 'agent',
    'controller-revision-hash': hash,
    'pod-template-generation': '1',
  });
  expect(pod.spec.tolerations?.map(({ key: name, effect }) => `${name}:${effect}`)).toEqual([
    'node.kubernetes.io/not-ready:NoExecute',
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/disk-pressure:NoSchedule',
    'node.kubernetes.io/memory-pressure:NoSchedule',
    'node.kubernetes.io/pid-pressure:NoSchedule',
    'node.kubernetes.io/unschedulable:NoSchedule',
  ]);
  expect(await status()).toMatchObject({
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberReady: 0,
    numberUnavailable: 3,
    updatedNumberScheduled: 3,
    observedGeneration: 1,
  });
  await api.settle();
  expect(await status()).toMatchObject({ numberReady: 3, numberAvailable: 3 });
  const said = await api.said('DaemonSet');
  expect(said.filter((text) => text.startsWith('Normal SuccessfulCreate Created pod: agent-'))).toHaveLength(3);
});

test('follows Nodes that come, change and go', async () => {
  await addNode('node-1');
  await addNode('node-2', [{ key: 'own', effect: 'NoSchedule' }]);
  await create();
  await api.run(100);
  expect(await places()).toEqual(['node-1']);
  await addNode('node-3');
  await taint('node-2');
  await api.run(100);
  expect(await places()).toEqual(['node-1', 'node-2', 'node-3']);
  await taint('node-1', { key: 'own', effect: 'NoSchedule' });
  await taint('node-2', { key: 'own', effect: 'NoExecute' });
  await taint('node-3', { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' });
  await api.run(100);
  expect(await places()).toEqual(['node-1', 'node-3']);
  expect(await status()).toMatchObject({ desiredNumberScheduled: 1, numberMisscheduled: 1 });
  await api.do((client) => client.delete(nodes, { name: 'node-3' }));
  await taint('node-1');
  await api.run(100);
  expect(await places()).toEqual(['node-1']);
  expect(await status()).toMatchObject({ desiredNumberScheduled: 1, numberMisscheduled: 0 });
});

test('means the Nodes that its template selects', async () => {
  await addNode('node-1');
  await addNode('node-2', [], { disk: 'ssd' });
  await create();
  await api.settle();
  await patch({ template: { spec: { nodeSelector: { disk: 'ssd' } } } });
  await api.settle();
  expect(await places()).toEqual(['node-2']);
  await api.do((client) => client.patch(nodes, { name: 'node-1' }, merge, { metadata: { labels: { disk: 'ssd' } } }));
  await api.settle();
  expect(await places()).toEqual(['node-1', 'node-2']);
});

test('a heartbeat and a change of one Pod cost nothing on the other Nodes', async () => {
  await addNodes(50);
  await create();
  await api.settle();
  const spans = api.tracer.size;
  const node = await api.do((client) => client.get(nodes, { name: 'node-1' }));
  await api.do((client) => client.updateStatus(nodes, { ...node, status: { conditions: [] } }));
  await api.run(100);
  expect(api.tracer.size - spans).toBeLessThan(12);
});

test('replaces failed Pods, ever slower', async () => {
  await addNode('node-1');
  await create();
  await api.run(100);
  const fail = async () => {
    const [pod] = (await api.pods()) as [Pod];
    await setPhase(pod, 'Failed');
    await api.run(100);
    return (await api.pods())[0]?.metadata.name !== pod.metadata.name;
  };
  expect(await fail()).toBe(true);
  expect(await fail()).toBe(false);
  await api.run(1_000);
  expect(await fail()).toBe(false);
  await api.run(2_000);
  const said = await api.said('DaemonSet');
  expect(
    said.filter((text) => text.startsWith('Warning FailedDaemonPod Found failed daemon pod default/agent-')),
  ).toHaveLength(3);
  const [pod] = (await api.pods()) as [Pod];
  await setPhase(pod, 'Succeeded');
  await api.run(100);
  expect(await api.said('DaemonSet')).toContain(
    `Normal SucceededDaemonPod Found succeeded daemon pod default/${pod.metadata.name} on node node-1, will try to delete it`,
  );
});

test('rolls one Node after another', async () => {
  await addNodes(3);
  await create();
  await api.settle();
  await setImage('agent:2');
  await api.run(100);
  expect(await placed()).toEqual(['node-1 agent:2', 'node-2 agent:1', 'node-3 agent:1']);
  await api.run(60_000);
  expect((await placed()).filter((text) => text.endsWith(':2'))).toHaveLength(1);
  await api.settle();
  expect(await placed()).toEqual(['node-1 agent:2', 'node-2 agent:2', 'node-3 agent:2']);
  expect(await status()).toMatchObject({ updatedNumberScheduled: 3, numberAvailable: 3, observedGeneration: 2 });
});

test('with a surge, the new Pod is available before the old one goes', async () => {
  await addNodes(2);
  await create(
    daemonSet({ updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }, minReadySeconds: 5 }),
  );
  await api.settle();
  await api.run(10_000);
  await setImage('agent:2');
  await api.run(100);
  expect(await placed()).toEqual(['node-1 agent:1', 'node-1 agent:2', 'node-2 agent:1']);
  const ready = async () => {
    await api.markReady((await api.pods()).filter(({ status: { phase } = {} }) => phase === 'Pending'));
  };
  await ready();
  await api.run(4_000);
  expect(await placed()).toHaveLength(3);
  await api.run(4_000);
  expect(await placed()).toEqual(['node-1 agent:2', 'node-2 agent:1', 'node-2 agent:2']);
  await ready();
  await api.run(8_000);
  expect(await placed()).toEqual(['node-1 agent:2', 'node-2 agent:2']);
});

test('OnDelete leaves it to others to delete old Pods', async () => {
  await addNodes(2);
  await create(daemonSet({ updateStrategy: { type: 'OnDelete' } }));
  await api.settle();
  await setImage('agent:2');
  await api.settle();
  expect(await placed()).toEqual(['node-1 agent:1', 'node-2 agent:1']);
  const [pod] = (await api.pods()) as [Pod];
  await api.do((client) => client.delete(pods, { namespace: 'default', name: pod.metadata.name ?? '' }));
  await api.settle();
  expect((await placed()).filter((text) => text.endsWith(':2'))).toHaveLength(1);
});

test('keeps revisions, and goes back to one', async () => {
  await addNode('node-1');
  await create(daemonSet({ revisionHistoryLimit: 1 }));
  await api.settle();
  const list = async () => {
    const { items } = await api.do((client) => client.list(controllerRevisions, { namespace: 'default' }));
    return items.toSorted((a, b) => a.revision - b.revision);
  };
  const [first] = await list();
  expect(first).toMatchObject({
    metadata: { labels: { app: 'agent', 'controller-revision-hash': first?.metadata.name?.slice('agent-'.length) } },
    data: {
      spec: { template: { $patch: 'replace', metadata: { labels: { app: 'agent' } } } },
    },
    revision: 1,
  });
  await setImage('agent:2');
  await api.settle();
  const back = first?.data as object;
  await api.do((client) => client.patch(daemonSets, key, 'application/strategic-merge-patch+json', back));
  await api.settle();
  expect(await placed()).toEqual(['node-1 agent:1']);
  expect((await list()).map(({ revision }) => revision)).toEqual([2, 3]);
  expect((await list())[1]?.metadata.name).toBe(first?.metadata.name);
  await setImage('agent:3');
  await api.settle();
  expect((await list()).map(({ revision }) => revision)).toEqual([3, 4]);
});

test('adopts orphans that it selects, and releases what it selects no more', async () => {
  await addNodes(2);
  const labels = { app: 'agent' };
  const spec = { ...podOf('agent:0'), nodeName: 'node-2' };
  await api.do((client) => client.create(pods, { metadata: { namespace: 'default', name: 'orphan', labels }, spec }));
  const { metadata } = await create(daemonSet({ updateStrategy: { type: 'OnDelete' } }));
  await api.run(100);
  expect((await api.pods()).map((pod) => controllerOf(pod)?.uid)).toEqual([metadata.uid, metadata.uid]);
  expect(await placed()).toEqual(['node-1 agent:1', 'node-2 agent:0']);
  const orphan = { namespace: 'default', name: 'orphan' };
  await api.do((client) => client.patch(pods, orphan, merge, { metadata: { labels: { app: 'other' } } }));
  await api.run(100);
  expect((await api.do((client) => client.get(pods, orphan))).metadata.ownerReferences ?? []).toEqual([]);
  expect(await placed()).toEqual(['node-1 agent:1', 'node-2 agent:0', 'node-2 agent:1']);
});

test('tells what the server refuses, and tries again', async () => {
  let refuses = true;
  const admission = {
    name: 'PodLimit',
    validate({ resource, operation, name }: AdmissionAttributes) {
      if (refuses && resource.plural === 'pods' && operation === 'CREATE') throw forbidden(resource, name, 'no more');
    },
  };
  api = new TestControllers([daemonSetController], { admission: [admission] });
  await addNodes(8);
  await create();
  await api.run(1);
  expect(await api.pods()).toEqual([]);
  const said = await api.said('DaemonSet');
  expect(said[0]).toMatch(/^Warning FailedCreate Error creating: pods "agent-.*" is forbidden: no more/);
  // One of eight is tried each time.
  expect(said.length).toBeLessThan(8);
  refuses = false;
  await api.run(20_000);
  expect(await places()).toHaveLength(8);
});

test('goes on when it is started again', async () => {
  await addNodes(2);
  await create();
  await api.settle();
  api.manager.stop('daemonset-controller');
  await addNode('node-3');
  await setImage('agent:2');
  await api.run(1_000);
  expect(await placed()).toEqual(['node-1 agent:1', 'node-2 agent:1']);
  api.manager.start([daemonSetController]);
  await api.run(100);
  await api.settle();
  expect(await placed()).toEqual(['node-1 agent:2', 'node-2 agent:2', 'node-3 agent:2']);
});
