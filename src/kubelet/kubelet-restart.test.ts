import { expect, test } from 'vitest';
import { namespaces } from '#api/core/v1/namespace.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { Pod } from '#api/generated/types.ts';
import { resources } from '#api/resources.ts';
import { schemas } from '#api/schemas.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { createApiServer } from '#apiserver/api-server.ts';
import { latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { Client } from '#client/client.ts';
import { fullRegistry } from '#cri/userland.ts';
import { ContainerRuntime } from '#cri/runtime.ts';
import { Etcd } from '#etcd/etcd.ts';
import { Network } from '#network/network.ts';
import { Kubelet } from './kubelet.ts';

/** An API server and one machine, whose kubelet can be started again and again. */
async function start() {
  const pump = new Pump({ epoch: Date.UTC(2025, 10, 22, 12) });
  const root = new Process('test', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const latency = latencyOf('none');
  const api = createApiServer({
    process: root.child('kube-apiserver'),
    etcd: new Etcd<ApiObject>({ process: root.child('etcd') }),
    latency,
    resources,
    admission: [],
    subresources: [],
    schemaOf: (definition) => lookupStruct(schemas, definition.schema),
  });
  const client = new Client(api.backend, { user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test' });
  const network = new Network(root.child('network'), latency);
  const host = network.createHost('node-1', '192.168.0.11');
  const runtime = new ContainerRuntime({
    machine: root.child('machine'),
    network,
    host,
    registry: fullRegistry(),
    latency,
  });
  const wait = (ms: number) => pump.run({ until: pump.now + ms });
  async function run<T>(work: () => Promise<T>): Promise<T> {
    let result: { readonly value: T } | undefined;
    root.spawn('test', async () => {
      result = { value: await work() };
    });
    await wait(0);
    if (!result) throw new Error('the task has not ended');
    return result.value;
  }
  let count = 0;
  const startKubelet = () => {
    const process = root.child(`kubelet ${++count}`);
    const capacity = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' };
    new Kubelet({
      process,
      client,
      runtime,
      images: runtime.images,
      network: host,
      config: {
        nodeName: 'node-1',
        nodeAddress: '192.168.0.11',
        capacity,
        version: 'v1.33.0',
        clusterDns: '10.96.0.10',
        clusterDomain: 'cluster.local',
      },
    }).start();
    return process;
  };
  for (const name of ['default', 'kube-node-lease'])
    await run(() => client.create(namespaces, { metadata: { name }, spec: {} }));
  return { run, wait, client, runtime, startKubelet };
}

const pod = (name: string): Pod => ({
  metadata: { namespace: 'default', name },
  spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'nginx' }] },
});

test('containers go on without their kubelet; the next one takes them over and catches up', async () => {
  const { run, wait, client, runtime, startKubelet } = await start();
  const first = startKubelet();
  await wait(1000);
  const type = 'application/merge-patch+json';
  await run(() => client.patch(nodes, { name: 'node-1' }, type, { spec: { podCIDR: '10.244.1.0/24' } }));
  for (const name of ['stays', 'goes', 'fails']) await run(() => client.create(pods, pod(name)));
  await wait(2000);
  const phases = async () =>
    Object.fromEntries(
      (await run(() => client.list(pods))).items.map(({ metadata, status }) => [metadata.name, status?.phase]),
    );
  expect(await phases()).toEqual({ stays: 'Running', goes: 'Running', fails: 'Running' });
  const ids = async () =>
    (await run(() => client.get(pods, { namespace: 'default', name: 'stays' }))).status?.containerStatuses?.[0]
      ?.containerID;
  const id = await ids();

  first.exit();
  const failing = runtime.listPodSandboxes().find(({ config }) => config.name === 'fails');
  const [container] = runtime.listContainers(failing?.id ?? '');
  await run(() => runtime.stopContainer(container?.id ?? '', 1000));
  await run(() => client.delete(pods, { namespace: 'default', name: 'goes' }, { gracePeriodSeconds: 0 }));
  await run(() => client.create(pods, pod('new')));
  await wait(60_000);
  expect(await phases()).toEqual({ stays: 'Running', fails: 'Running', new: 'Pending' });
  expect(runtime.listPodSandboxes()).toHaveLength(3);

  startKubelet();
  await wait(5000);
  expect(await phases()).toEqual({ stays: 'Running', fails: 'Running', new: 'Running' });
  expect(await ids()).toBe(id);
  const restarted = await run(() => client.get(pods, { namespace: 'default', name: 'fails' }));
  expect(restarted.status?.containerStatuses?.[0]).toMatchObject({
    restartCount: 1,
    lastState: { terminated: { exitCode: 0 } },
  });
  expect(
    runtime
      .listPodSandboxes()
      .map(({ config }) => config.name)
      .sort(),
  ).toEqual(['fails', 'new', 'stays']);
});
