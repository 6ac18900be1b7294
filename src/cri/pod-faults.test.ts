import { expect, test } from 'vitest';
import { events } from '#api/core/v1/event.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { Container, Probe } from '#api/generated/types.ts';
import { latencyOf } from '#base/latency.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { Client } from '#client/client.ts';
import { Kubelet } from '#kubelet/kubelet.ts';
import { Network } from '#network/network.ts';
import { createMachine } from '#testing/machine.ts';
import { TestApi } from '#testing/test-api.ts';
import type { PodFault } from './contract.ts';
import { fullRegistry } from './userland.ts';
import { ContainerRuntime } from './runtime.ts';

/** A node with a kubelet, and one Pod of nginx that is Running. */
async function startPod(container: Partial<Container> = {}) {
  const api = new TestApi();
  const node = api.root.child('node-1');
  const network = new Network(api.root.child('network'), latencyOf('none'));
  const host = network.createHost('node-1', '192.168.0.11');
  const runtime = new ContainerRuntime({
    machine: node,
    network,
    host,
    registry: fullRegistry(),
    latency: latencyOf('none'),
  });
  runtime.updatePodCidr('10.244.1.0/24');
  new Kubelet({
    process: node.child('kubelet node-1'),
    client: new Client(api.backend, { user: { name: 'system:node:node-1', groups: [] }, userAgent: 'kubelet' }),
    runtime,
    images: runtime.images,
    network: host,
    config: {
      nodeName: 'node-1',
      nodeAddress: '192.168.0.11',
      capacity: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' },
      version: 'v1.33.0',
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
    },
  }).start();
  const key = { namespace: 'default', name: 'web' };
  const { metadata } = await api.do((client) =>
    client.create(pods, {
      metadata: key,
      spec: { nodeName: 'node-1', containers: [{ name: 'nginx', image: 'nginx', ...container }] },
    }),
  );
  await api.run(15_000);
  return {
    run: (seconds: number) => api.run(seconds * 1000),
    set: (fault: PodFault | undefined) => runtime.setPodFault(metadata.uid ?? '', fault),
    status: async () => {
      const { status } = await api.do((client) => client.get(pods, key));
      const [one] = status?.containerStatuses ?? [];
      return { ready: one?.ready, restarts: one?.restartCount, state: one?.state, last: one?.lastState?.terminated };
    },
    remove: () => api.do((client) => client.delete(pods, key)),
    exists: () => api.do(async (client) => (await client.list(pods, { namespace: 'default' })).items.length === 1),
    warnings: () =>
      api.do(async (client) => {
        const { items } = await client.list(events, { namespace: 'default' });
        return items
          .filter(({ reason }) => reason === 'Unhealthy' || reason === 'Killing')
          .map(({ message }) => message);
      }),
  };
}

const httpProbe = (more: Partial<Probe> = {}): Probe => ({
  httpGet: { path: '/', port: 80 },
  periodSeconds: 2,
  ...more,
});
const DEADLINE =
  'Get "http://10.244.1.2:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)';

test('hang: liveness kills what does not answer, after the grace period; the next one hangs too, until it is over', async () => {
  const pod = await startPod({ livenessProbe: httpProbe() });
  expect(await pod.status()).toMatchObject({ ready: true, restarts: 0 });
  pod.set('hang');
  await pod.run(10);
  expect(await pod.warnings()).toEqual([
    `Liveness probe failed: ${DEADLINE}`,
    'Container nginx failed liveness probe, will be restarted',
  ]);
  expect(await pod.status()).toMatchObject({ restarts: 0 });
  await pod.run(30);
  expect(await pod.status()).toMatchObject({ restarts: 1, state: { running: {} }, last: { exitCode: 137 } });
  pod.set(undefined);
  await pod.run(100);
  expect(await pod.status()).toMatchObject({ restarts: 1, ready: true });
  pod.set('hang');
  await pod.remove();
  await pod.run(25);
  expect(await pod.exists()).toBe(true);
  await pod.run(10);
  expect(await pod.exists()).toBe(false);
});

test('hang: what was asked meanwhile is answered afterwards; SIGTERM waits', async () => {
  const machine = createMachine();
  await machine.run(() => machine.startContainer('nginx'));
  machine.runtime.setPodFault('pod-1', 'hang');
  const curl = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code} %{time_total}', '10.244.1.2'];
  const client = await machine.run(() => machine.startContainer('nginx', { command: curl }));
  await machine.run(async () => {}, 7000);
  expect(machine.logOf(client)).toBe('');
  const [sandbox] = machine.runtime.listPodSandboxes('pod-1');
  const [server] = machine.runtime.listContainers(sandbox?.id ?? '');
  machine.root.spawn('stop', () => machine.runtime.stopContainer(server?.id ?? '', 60_000));
  await machine.run(async () => {}, 7000);
  expect(machine.runtime.containerStatus(server?.id ?? '')?.state).toBe('Running');
  machine.runtime.setPodFault('pod-1', undefined);
  await machine.run(async () => {}, 1000);
  expect(machine.logOf(client)).toBe('200 14.000000');
  expect(machine.runtime.containerStatus(server?.id ?? '')).toMatchObject({ state: 'Exited', exitCode: 0 });
});

test('crash: the container dies whenever it is started', async () => {
  const pod = await startPod();
  pod.set('crash');
  await pod.run(60);
  expect(await pod.status()).toMatchObject({
    ready: false,
    restarts: 3,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    last: { exitCode: 139, reason: 'Error' },
  });
  pod.set(undefined);
  await pod.run(60);
  expect(await pod.status()).toMatchObject({ ready: true, restarts: 4 });
});

test('slow: probes time out, others wait', async () => {
  const pod = await startPod({ readinessProbe: httpProbe({ timeoutSeconds: 1 }) });
  expect(await pod.status()).toMatchObject({ ready: true });
  pod.set('slow');
  await pod.run(10);
  expect(await pod.status()).toMatchObject({ ready: false, restarts: 0 });
  expect(await pod.warnings()).toEqual([`Readiness probe failed: ${DEADLINE}`]);
  pod.set(undefined);
  await pod.run(10);
  expect(await pod.status()).toMatchObject({ ready: true });

  const machine = createMachine();
  const id = await machine.run(() => machine.startContainer('nginx'));
  machine.runtime.setPodFault('pod-1', 'slow');
  const { stdout } = await machine.run(
    () => machine.runtime.execSync(id, ['curl', '-s', '-o', '/dev/null', '-w', '%{time_total}', 'localhost']),
    6000,
  );
  expect(decodeUtf8(stdout)).toBe('5.000000');
});

test('unready: HTTP servers and probing commands fail, and recover', async () => {
  const pod = await startPod({ readinessProbe: httpProbe() });
  pod.set('unready');
  await pod.run(10);
  expect(await pod.status()).toMatchObject({ ready: false, restarts: 0 });
  expect(await pod.warnings()).toEqual(['Readiness probe failed: HTTP probe failed with statuscode: 503']);
  pod.set(undefined);
  await pod.run(10);
  expect(await pod.status()).toMatchObject({ ready: true });

  const other = await startPod({ readinessProbe: { exec: { command: ['true'] }, periodSeconds: 2 } });
  expect(await other.status()).toMatchObject({ ready: true });
  other.set('unready');
  await other.run(10);
  expect(await other.status()).toMatchObject({ ready: false });
});
