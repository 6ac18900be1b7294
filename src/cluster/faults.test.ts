import { expect, test } from 'vitest';
import type { Event, Node, Pod } from '#api/generated/types.ts';
import { LiveCluster } from '#testing/live-cluster.ts';
import { readBody } from '#transport/http.ts';

const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

async function start(options: ConstructorParameters<typeof LiveCluster>[0] = {}) {
  const live = await new LiveCluster({ workers: 3, ...options }).start();
  const list = async <T>(path: string) => (await live.send<{ items: T[] }>('GET', path)).items;
  return Object.assign(live, {
    fault: (target: string, state: string) => live.until(live.cluster.faults.set(target, state)),
    seconds: (count: number) => live.run(count * 1000),
    state: (target: string) => live.cluster.faults.list().find((one) => one.target === target)?.state,
    pods: () => list<Pod>(PODS),
    events: (namespace = 'default') => list<Event>(`/api/v1/namespaces/${namespace}/events`),
    node: (name: string) => live.send<Node>('GET', `/api/v1/nodes/${name}`),
    deploy: (name: string, replicas: number, more: object = {}) =>
      live.send('POST', DEPLOYMENTS, {
        metadata: { name },
        spec: {
          replicas,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'main', image: 'nginx' }], ...more },
          },
        },
      }),
    create: (name: string, more: object = {}) =>
      live.send('POST', PODS, {
        metadata: { name },
        spec: { containers: [{ name: 'main', image: 'nginx' }], ...more },
      }),
  });
}

type Live = Awaited<ReturnType<typeof start>>;

const ready = ({ status }: Node) => status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const where = async (live: Live) =>
  (await live.pods()).map(({ metadata, spec }) => [spec.nodeName, metadata.deletionTimestamp ? 'Terminating' : '']);

test('a node is unplugged: its Pod is replaced after its time; plugged in again, the surplus goes', async () => {
  const live = await start();
  await live.deploy('web', 3);
  await live.seconds(30);
  const before = await live.pods();
  expect(before.map(({ status }) => status?.phase)).toEqual(['Running', 'Running', 'Running']);
  expect(new Set(before.map(({ spec }) => spec.nodeName)).size).toBe(3);

  await live.fault('nodes/node-2', 'unplugged');
  const there = before.find(({ spec }) => spec.nodeName === 'node-2')?.metadata.name;
  await expect(live.send('GET', `${PODS}/${there}/log`)).rejects.toThrow('dial tcp 192.168.0.12:10250: i/o timeout');
  await live.seconds(40);
  expect(ready(await live.node('node-2'))).toBe('True');
  await live.seconds(25);
  const lost = await live.node('node-2');
  expect(ready(lost)).toBe('Unknown');
  expect(lost.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`).sort()).toEqual([
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/unreachable:NoSchedule',
  ]);
  expect(await live.pods()).toHaveLength(3);

  await live.seconds(310);
  const during = await where(live);
  expect(during).toHaveLength(4);
  expect(during.filter(([, state]) => state)).toEqual([['node-2', 'Terminating']]);

  await live.fault('nodes/node-2', 'running');
  await live.seconds(120);
  expect(ready(await live.node('node-2'))).toBe('True');
  expect((await live.node('node-2')).spec?.taints).toBeUndefined();
  const after = await where(live);
  expect(after).toHaveLength(3);
  expect(after.filter(([node, state]) => node === 'node-2' || state)).toEqual([]);
});

test('the power of a node goes off and on: its containers start again, their ends unknown', async () => {
  const live = await start();
  await live.create('web', {
    nodeName: 'node-1',
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: ['sh', '-c', 'echo start >> /data/log; cat /data/log; sleep 10000'],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  });
  await live.seconds(20);
  const before = await live.node('node-1');
  const [first] = await live.pods();
  await live.fault('nodes/node-1', 'off');
  expect([live.state('nodes/node-1'), live.state('kubelets/node-1')]).toEqual(['off', 'stopped']);
  await expect(live.fault('kubelets/node-1', 'running')).rejects.toThrow('the node node-1 is off');
  await live.seconds(20);
  await live.fault('nodes/node-1', 'running');
  await live.seconds(30);
  const [again] = await live.pods();
  expect(again?.metadata.uid).toBe(first?.metadata.uid);
  expect(again?.status?.containerStatuses?.[0]).toMatchObject({
    ready: true,
    restartCount: 1,
    lastState: { terminated: { exitCode: 255, reason: 'Unknown' } },
  });
  expect(again?.status?.podIP).not.toBe(first?.status?.podIP);
  const log = await live.until(live.cluster.http.handle({ method: 'GET', path: `${PODS}/web/log`, headers: {} }));
  expect(new TextDecoder().decode(await readBody(log))).toBe('start\nstart\n');
  const after = await live.node('node-1');
  const ids = ({ status }: Node) => status?.nodeInfo as { machineID: string; bootID: string };
  expect(ids(after).machineID).toBe(ids(before).machineID);
  expect(ids(after).bootID).not.toBe(ids(before).bootID);
  const said = (await live.events()).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  expect(said).toContain(`Warning Rebooted Node node-1 has been rebooted, boot id: ${ids(after).bootID}`);
  expect(said.join('\n')).toContain('Normal SandboxChanged Pod sandbox changed, it will be killed and re-created.');
  expect(live.state('kubelets/node-1')).toBe('running');
});

test('without kube-apiserver nobody is answered; started again, all goes on from the same etcd', async () => {
  const live = await start();
  await live.deploy('web', 2);
  await live.seconds(20);
  const watch = await live.until(live.cluster.http.handle({ method: 'GET', path: `${PODS}?watch=1`, headers: {} }));
  let watchEnded = false;
  if (!(watch.body instanceof Uint8Array))
    watch.body.start(
      () => {},
      () => (watchEnded = true),
    );
  await live.fault('kube-apiserver', 'stopped');
  expect(watchEnded).toBe(true);
  await expect(live.send('GET', PODS)).rejects.toThrow('connection refused');
  await expect(live.create('late')).rejects.toThrow('connection refused');
  await live.seconds(90);
  await live.fault('kube-apiserver', 'running');
  const [pod] = await live.pods();
  await live.send('DELETE', `${PODS}/${pod?.metadata.name}`);
  await live.seconds(90);
  const pods = await live.pods();
  expect(pods.map(({ status }) => status?.phase)).toEqual(['Running', 'Running']);
  expect(pods.map(({ metadata }) => metadata.name)).not.toContain(pod?.metadata.name);
  expect(ready(await live.node('node-1'))).toBe('True');
});

test('without etcd what asks it fails; what the caches know is still told', async () => {
  const live = await start();
  await live.create('web');
  await live.seconds(20);
  const version = (await live.send<{ metadata: { resourceVersion: string } }>('GET', PODS)).metadata.resourceVersion;
  await live.fault('etcd', 'stopped');
  const refused =
    'rpc error: code = Unavailable desc = connection error: desc = \\"transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused\\"';
  for (const path of [PODS, `${PODS}?limit=500`, `${PODS}/web`])
    await expect(live.send('GET', path)).rejects.toThrow(refused);
  await expect(live.create('late')).rejects.toThrow(refused);
  await expect(live.send('GET', '/readyz')).rejects.toThrow('[-]etcd failed: reason withheld');
  expect((await live.send<{ items: Pod[] }>('GET', `${PODS}?resourceVersion=0`)).items).toHaveLength(1);
  const seen: string[] = [];
  const watch = await live.until(
    live.cluster.http.handle({ method: 'GET', path: `${PODS}?watch=1&resourceVersion=${version}`, headers: {} }),
  );
  if (!(watch.body instanceof Uint8Array))
    watch.body.start(
      (bytes) => seen.push(new TextDecoder().decode(bytes)),
      () => {},
    );
  await live.seconds(30);
  expect(seen).toEqual([]);
  await expect(live.fault('kube-apiserver', 'running')).resolves.toBeUndefined();
  await live.fault('kube-apiserver', 'stopped');
  await expect(live.fault('kube-apiserver', 'running')).rejects.toThrow('start etcd first');
  await live.fault('etcd', 'running');
  await live.fault('kube-apiserver', 'running');
  await live.create('later');
  await live.seconds(60);
  expect((await live.pods()).map(({ status }) => status?.phase)).toEqual(['Running', 'Running']);
});

test('without the scheduler new Pods stay Pending; without a controller its work is left undone', async () => {
  const live = await start();
  await live.fault('kube-scheduler', 'stopped');
  await live.fault('controllers/replicaset-controller', 'stopped');
  await live.create('one');
  await live.deploy('web', 2);
  await live.seconds(30);
  expect((await live.pods()).map(({ metadata, status }) => [metadata.name, status?.phase])).toEqual([
    ['one', 'Pending'],
  ]);
  await live.fault('controllers/replicaset-controller', 'running');
  await live.seconds(5);
  expect((await live.pods()).map(({ status }) => status?.phase)).toEqual(['Pending', 'Pending', 'Pending']);
  await live.fault('kube-scheduler', 'running');
  await live.seconds(20);
  expect((await live.pods()).map(({ status }) => status?.phase)).toEqual(['Running', 'Running', 'Running']);

  await live.fault('kube-controller-manager', 'stopped');
  expect(live.state('controllers/deployment-controller')).toBe('stopped');
  await expect(live.fault('controllers/deployment-controller', 'running')).rejects.toThrow(
    'kube-controller-manager, which is stopped',
  );
  await live.send('PATCH', `${DEPLOYMENTS}/web`, { spec: { replicas: 4 } });
  await live.seconds(20);
  expect(await live.pods()).toHaveLength(3);
  await live.fault('kube-controller-manager', 'running');
  await live.seconds(20);
  expect(await live.pods()).toHaveLength(5);
});

test('without its kubelet a node goes NotReady and its Pods wait to end; the next kubelet takes up what runs', async () => {
  const live = await start();
  await live.create('stays', { nodeName: 'node-1', tolerations: [{ operator: 'Exists' }] });
  await live.create('goes', { nodeName: 'node-1' });
  await live.seconds(20);
  const id = async () =>
    (await live.pods()).find(({ metadata }) => metadata.name === 'stays')?.status?.containerStatuses?.[0]?.containerID;
  const before = await id();
  await live.fault('kubelets/node-1', 'stopped');
  await live.seconds(400);
  expect(ready(await live.node('node-1'))).toBe('Unknown');
  const pods = await live.pods();
  expect(pods.map(({ metadata }) => [metadata.name, metadata.deletionTimestamp !== undefined])).toEqual([
    ['goes', true],
    ['stays', false],
  ]);
  await live.fault('kubelets/node-1', 'running');
  await live.seconds(60);
  expect(ready(await live.node('node-1'))).toBe('True');
  expect((await live.pods()).map(({ metadata }) => metadata.name)).toEqual(['stays']);
  expect(await id()).toBe(before);
});

test('a Pod is made to hang and healed; its listing goes with it', async () => {
  const live = await start();
  const told: number[] = [];
  live.cluster.faults.onChange((faults) => told.push(faults.length));
  const normal = live.cluster.faults.list().length;
  const probe = { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 1 };
  await live.create('web', { containers: [{ name: 'main', image: 'nginx', readinessProbe: probe }] });
  await expect(live.fault('pods/default/none', 'hang')).rejects.toThrow('there is no Pod "none"');
  await live.seconds(20);
  const isReady = async () => (await live.pods())[0]?.status?.containerStatuses?.[0]?.ready;
  expect(await isReady()).toBe(true);
  await live.fault('pods/default/web', 'hang');
  await live.seconds(5);
  expect([await isReady(), live.state('pods/default/web')]).toEqual([false, 'hang']);
  await live.fault('pods/default/web', 'running');
  await live.seconds(5);
  expect([await isReady(), live.state('pods/default/web')]).toEqual([true, undefined]);
  await live.fault('pods/default/web', 'slow');
  await live.send('DELETE', `${PODS}/web`);
  await live.seconds(60);
  expect(live.state('pods/default/web')).toBeUndefined();
  expect(told).toEqual([normal + 1, normal, normal + 1, normal]);
});

test('the control plane goes off with its node and comes back with it', async () => {
  const live = await start({ workers: 1, controlPlaneNode: true });
  await live.create('web');
  await live.seconds(20);
  await live.fault('nodes/control-plane', 'off');
  for (const target of ['kube-apiserver', 'etcd', 'kube-scheduler', 'kube-controller-manager'])
    expect(live.state(target)).toBe('stopped');
  await expect(live.fault('etcd', 'running')).rejects.toThrow('runs on the node control-plane, which is off');
  await live.seconds(60);
  await live.fault('nodes/control-plane', 'running');
  await live.seconds(90);
  expect((await live.pods()).map(({ status }) => status?.phase)).toEqual(['Running']);
  expect([ready(await live.node('node-1')), ready(await live.node('control-plane'))]).toEqual(['True', 'True']);
});

test('faults are inputs: logged in order with requests', async () => {
  const live = await start();
  await live.fault('kube-scheduler', 'stopped');
  await live.create('web');
  await live.fault('kube-scheduler', 'running');
  const inputs = live.cluster.inputs.map((input) =>
    'fault' in input ? `${input.fault.state} ${input.fault.target}` : `${input.request.method} ${input.request.path}`,
  );
  expect(inputs).toEqual(['stopped kube-scheduler', `POST ${PODS}`, 'running kube-scheduler']);
  const response = await live.cluster.http.handle({ method: 'GET', path: '/readyz', headers: {} });
  expect(new TextDecoder().decode(await readBody(response))).toBe('ok');
});
