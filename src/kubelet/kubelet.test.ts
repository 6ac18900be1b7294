import { describe, expect, test } from 'vitest';
import { configMaps } from '#api/core/v1/config-map.ts';
import { events } from '#api/core/v1/event.ts';
import { pods } from '#api/core/v1/pod.ts';
import { secrets } from '#api/core/v1/secret.ts';
import type { ConfigMap, Container, Pod, PodSpec, Secret } from '#api/generated/types.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { LatencyProfile } from '#base/latency.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { Cluster } from '#cluster/cluster.ts';
import { userland } from '#cri/userland.ts';
import { readBody, type Upgraded } from '#transport/http.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A cluster of one worker, and what tests do with it. */
async function start(latency: LatencyProfile = 'none') {
  const cluster = new Cluster({
    userland,
    seed: 1,
    epoch: Date.UTC(2025, 10, 22, 12),
    workers: 1,
    controlPlaneNode: false,
    latency,
    loadBalancer: false,
  });
  const { pump, root } = cluster;
  const client = cluster.adminClient();
  const wait = (ms: number) => pump.run({ until: pump.now + ms });
  /** Runs a task, and `ms` more. */
  async function run<T>(work: () => Promise<T>, ms = 0): Promise<T> {
    let result: { readonly value: T } | { readonly error: unknown } | undefined;
    root.spawn('test', async () => {
      try {
        result = { value: await work() };
      } catch (error) {
        result = { error };
      }
    });
    const end = pump.now + Math.max(ms, latency === 'none' ? 0 : 100);
    await pump.run({ until: end });
    if (!result) throw new Error('the task has not ended');
    if ('error' in result) throw result.error;
    return result.value;
  }
  const key = (name: string) => ({ namespace: 'default', name });
  const api = {
    cluster,
    client,
    wait,
    run,
    create: (name: string, spec: PodSpec, metadata: Partial<Pod['metadata']> = {}) =>
      run(() => client.create(pods, { metadata: { ...key(name), ...metadata }, spec })),
    get: (name: string) => run(() => client.get(pods, key(name))),
    exists: (name: string) =>
      run(async () => {
        try {
          await client.get(pods, key(name));
          return true;
        } catch (error) {
          if (isStatus(error, 'NotFound')) return false;
          throw error;
        }
      }),
    remove: (name: string, gracePeriodSeconds?: number) =>
      run(() => client.delete(pods, key(name), gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })),
    put: (object: ConfigMap | Secret) =>
      run(() =>
        'type' in object ? client.create(secrets, object as Secret) : client.create(configMaps, object as ConfigMap),
      ),
    /** `reason: message` of the Pod's Events, those of the scheduler left out, with counts. */
    events: (name: string) =>
      run(async () => {
        const { items } = await client.list(events, { namespace: 'default' });
        return items
          .filter(({ involvedObject, source }) => involvedObject?.name === name && source?.component === 'kubelet')
          .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
      }),
    /** Commands in a container by the API, as kubectl does it. */
    logs: async (name: string, query = '') => {
      const response = await cluster.http.handle({
        method: 'GET',
        path: `/api/v1/namespaces/default/pods/${name}/log${query}`,
        headers: {},
      });
      return { status: response.status, text: decodeUtf8(await readBody(response)) };
    },
    exec: (
      name: string,
      command: readonly string[],
      options: { readonly stdin?: string; readonly tty?: boolean } = {},
    ) => exec(api, name, command, options),
  };
  await wait(2 * SECOND);
  return api;
}

async function exec(
  { cluster, wait }: { readonly cluster: Cluster; readonly wait: (ms: number) => Promise<number> },
  name: string,
  command: readonly string[],
  { stdin, tty }: { readonly stdin?: string; readonly tty?: boolean },
) {
  const query = [
    ...command.map((word) => `command=${encodeURIComponent(word)}`),
    'stdout=true',
    ...(tty ? ['tty=true'] : ['stderr=true']),
    ...(stdin === undefined ? [] : ['stdin=true']),
  ].join('&');
  const pending = cluster.http.upgrade({
    method: 'GET',
    path: `/api/v1/namespaces/default/pods/${name}/exec?${query}`,
    headers: { 'sec-websocket-protocol': 'v5.channel.k8s.io' },
  });
  await wait(SECOND);
  const answer = await pending;
  if ('status' in answer) return { refused: `${answer.status} ${decodeUtf8(await readBody(answer))}` };
  const { socket } = answer as Upgraded;
  const result = { stdout: '', stderr: '', status: undefined as unknown };
  socket.onMessage(([channel, ...data]) => {
    const text = decodeUtf8(Uint8Array.from(data));
    if (channel === 1) result.stdout += text;
    if (channel === 2) result.stderr += text;
    if (channel === 3) result.status = JSON.parse(text);
  });
  if (stdin !== undefined) {
    socket.send(Uint8Array.of(0, ...encodeUtf8(stdin)));
    if (!tty) socket.send(Uint8Array.of(255, 0));
  }
  await wait(SECOND);
  return result;
}

const nginx: Container = { name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] };
const box = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'box',
  image: 'busybox',
  command: ['sh', '-c', script],
  ...more,
});
const conditionsOf = (pod: Pod) =>
  Object.fromEntries((pod.status?.conditions ?? []).map(({ type, status }) => [type, status]));
const stateOf = (pod: Pod, i = 0) => pod.status?.containerStatuses?.[i]?.state;

describe('a Pod that runs', () => {
  test('nginx becomes Ready, logs, answers commands, and goes', async () => {
    const api = await start('realistic');
    await api.create('nginx', { containers: [nginx] });
    await api.wait(1000);
    const pending = await api.get('nginx');
    expect(pending.status).toMatchObject({ phase: 'Pending', hostIP: '192.168.0.11', qosClass: 'BestEffort' });
    expect(stateOf(pending)).toEqual({ waiting: { reason: 'ContainerCreating' } });
    await api.wait(20 * SECOND);
    const running = await api.get('nginx');
    expect(running.status).toMatchObject({ phase: 'Running', podIP: '10.244.0.4', podIPs: [{ ip: '10.244.0.4' }] });
    expect(conditionsOf(running)).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    });
    expect(running.status?.containerStatuses).toMatchObject([
      {
        name: 'nginx',
        ready: true,
        started: true,
        restartCount: 0,
        image: 'docker.io/library/nginx:latest',
        lastState: {},
      },
    ]);
    expect((await api.events('nginx')).map((line) => line.replace(/[\d.]+m?s/g, 'N'))).toEqual([
      'Normal Pulling: Pulling image "nginx"',
      'Normal Pulled: Successfully pulled image "nginx" in N (N including waiting). Image size: 72404038 bytes.',
      'Normal Created: Created container: nginx',
      'Normal Started: Started container nginx',
    ]);
    expect((await api.logs('nginx', '?tailLines=1')).text).toMatch(/start worker process 32\n$/);
    const ls = (await api.exec('nginx', ['cat', '/etc/hostname'])) as { stdout: string };
    expect(ls).toEqual({ stdout: 'nginx\n', stderr: '', status: { metadata: {}, status: 'Success' } });
    await api.remove('nginx');
    await api.wait(5 * SECOND);
    expect(await api.exists('nginx')).toBe(false);
    expect((await api.events('nginx')).at(-1)).toBe('Normal Killing: Stopping container nginx');
  });

  test('one after the other: init containers, sidecar, then the rest', async () => {
    const api = await start();
    await api.create('ordered', {
      initContainers: [
        box('echo first > /shared/log; sleep 5', {
          name: 'first',
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        }),
        box('trap "exit 0" TERM; echo sidecar >> /shared/log; sleep 1000 & wait', {
          name: 'sidecar',
          restartPolicy: 'Always',
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        }),
      ],
      containers: [
        box('echo main >> /shared/log; cat /shared/log; sleep 1000', {
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        }),
      ],
      volumes: [{ name: 'shared', emptyDir: {} }],
    });
    await api.wait(SECOND);
    const initializing = await api.get('ordered');
    expect(initializing.status?.phase).toBe('Pending');
    expect(conditionsOf(initializing).Initialized).toBe('False');
    expect(initializing.status?.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [first sidecar]',
    });
    expect(stateOf(initializing)).toEqual({ waiting: { reason: 'PodInitializing' } });
    await api.wait(10 * SECOND);
    const running = await api.get('ordered');
    expect(running.status?.phase).toBe('Running');
    expect(
      running.status?.initContainerStatuses?.map(({ name, ready, state }) => [
        name,
        ready,
        Object.keys(state ?? {})[0],
      ]),
    ).toEqual([
      ['first', true, 'terminated'],
      ['sidecar', true, 'running'],
    ]);
    expect((await api.logs('ordered', '?container=box')).text).toBe('first\nsidecar\nmain\n');
  });

  test('environment, downward API, ConfigMap and Secret in variables and files', async () => {
    const api = await start();
    await api.put({
      metadata: { namespace: 'default', name: 'settings' },
      data: { color: 'blue', 'app.conf': 'a=1\n' },
    });
    await api.put({
      metadata: { namespace: 'default', name: 'hidden' },
      type: 'Opaque',
      data: { password: 'czNjcmV0' },
    });
    await api.create(
      'env',
      {
        containers: [
          box(
            'env | grep ^T_ | sort; ls /config; cat /config/app.conf /secret/password /info/labels; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; id',
            {
              resources: { requests: { cpu: '250m' }, limits: { memory: '64Mi' } },
              securityContext: { runAsUser: 1000, runAsGroup: 2000 },
              envFrom: [{ prefix: 'T_', configMapRef: { name: 'settings' } }],
              env: [
                { name: 'T_PLAIN', value: 'x' },
                { name: 'T_EXPANDED', value: '$(T_PLAIN)-$(NOPE)-$$(T_PLAIN)' },
                { name: 'T_NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                { name: 'T_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                { name: 'T_LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
                { name: 'T_CPU', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
                { name: 'T_MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
                { name: 'T_SECRET', valueFrom: { secretKeyRef: { name: 'hidden', key: 'password' } } },
                { name: 'T_MISSING', valueFrom: { configMapKeyRef: { name: 'nope', key: 'x', optional: true } } },
              ],
              volumeMounts: [
                { name: 'config', mountPath: '/config' },
                { name: 'secret', mountPath: '/secret' },
                { name: 'info', mountPath: '/info' },
              ],
            },
          ),
        ],
        restartPolicy: 'Never',
        volumes: [
          { name: 'config', configMap: { name: 'settings' } },
          { name: 'secret', secret: { secretName: 'hidden' } },
          { name: 'info', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
      { labels: { app: 'demo' } },
    );
    await api.wait(SECOND);
    expect((await api.logs('env')).text.split('\n')).toEqual([
      'T_CPU=250',
      'T_EXPANDED=x-$(NOPE)-$(T_PLAIN)',
      'T_IP=10.244.0.4',
      'T_LABEL=demo',
      'T_MEMORY=64',
      'T_NODE=node-1',
      'T_PLAIN=x',
      'T_SECRET=s3cret',
      'T_app.conf=a=1',
      'T_color=blue',
      'app.conf',
      'color',
      'a=1',
      's3cretapp="demo"default',
      'uid=1000 gid=2000 groups=2000',
      '',
    ]);
    expect((await api.get('env')).status?.phase).toBe('Succeeded');
  });

  test('a changed ConfigMap reaches its volume within a minute', async () => {
    const api = await start();
    const settings = { metadata: { namespace: 'default', name: 'settings' }, data: { color: 'blue' } };
    await api.put(settings);
    await api.create('live', {
      containers: [
        box('while true; do cat /config/color; echo; sleep 20; done', {
          volumeMounts: [{ name: 'config', mountPath: '/config' }],
        }),
      ],
      volumes: [{ name: 'config', configMap: { name: 'settings' } }],
    });
    await api.wait(25 * SECOND);
    await api.run(() => api.client.update(configMaps, { ...settings, data: { color: 'red' } }));
    await api.wait(60 * SECOND);
    expect((await api.logs('live')).text).toBe('blue\nblue\nblue\nred\nred\n');
  });

  test('a new image restarts the container, and only it', async () => {
    const api = await start();
    await api.create('roll', { containers: [nginx, box('sleep 1000')] });
    await api.wait(SECOND);
    const type = 'application/strategic-merge-patch+json';
    await api.run(() =>
      api.client.patch(pods, { namespace: 'default', name: 'roll' }, type, {
        spec: { containers: [{ name: 'nginx', image: 'nginx:1.27' }] },
      }),
    );
    await api.wait(5 * SECOND);
    const pod = await api.get('roll');
    expect(pod.status?.containerStatuses?.map(({ name, restartCount, image }) => [name, restartCount, image])).toEqual([
      ['nginx', 1, 'docker.io/library/nginx:1.27'],
      ['box', 0, 'docker.io/library/busybox:latest'],
    ]);
    expect(await api.events('roll')).toContain('Normal Killing: Container nginx definition changed, will be restarted');
  });
});

describe('Pods that end', () => {
  const cases: [string, PodSpec['restartPolicy'], string, object][] = [
    ['0 and Never', 'Never', 'exit 0', { phase: 'Succeeded' }],
    ['1 and Never', 'Never', 'exit 1', { phase: 'Failed' }],
    ['0 and OnFailure', 'OnFailure', 'exit 0', { phase: 'Succeeded' }],
  ];
  for (const [name, restartPolicy, script, expected] of cases) {
    test(name, async () => {
      const api = await start();
      await api.create('once', { restartPolicy, containers: [box(script)] });
      await api.wait(SECOND);
      const pod = await api.get('once');
      expect(pod.status).toMatchObject(expected);
      expect(conditionsOf(pod)).toMatchObject({
        Ready: 'False',
        ContainersReady: 'False',
        PodReadyToStartContainers: 'False',
      });
    });
  }

  test('a container that fails is restarted at once, then after 10 s, 20 s …', async () => {
    const api = await start();
    await api.create('crash', { containers: [box('echo start; exit 3')] });
    await api.wait(SECOND);
    const first = await api.get('crash');
    expect(stateOf(first)?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    expect(first.status?.containerStatuses?.[0]?.restartCount).toBe(1);
    await api.wait(14 * SECOND);
    const waiting = await api.get('crash');
    const where = `crash_default(${waiting.metadata.uid})`;
    const back = stateOf(waiting)?.waiting ?? stateOf(waiting)?.terminated;
    expect(['CrashLoopBackOff', 'Error']).toContain(back?.reason);
    await api.wait(60 * SECOND);
    const later = await api.get('crash');
    expect(later.status?.phase).toBe('Running');
    expect(later.status?.containerStatuses?.[0]?.restartCount).toBe(3);
    expect(later.status?.containerStatuses?.[0]).toMatchObject({
      state: {
        waiting: { reason: 'CrashLoopBackOff', message: `back-off 40s restarting failed container=box pod=${where}` },
      },
      lastState: { terminated: { exitCode: 3 } },
      started: false,
    });
    expect(await api.events('crash')).toContain(
      `Warning BackOff: Back-off restarting failed container box in pod ${where}`,
    );
    expect((await api.logs('crash', '?previous=true')).text).toBe('start\n');
    await api.wait(20 * MINUTE);
    const count = (await api.get('crash')).status?.containerStatuses?.[0]?.restartCount ?? 0;
    expect(count).toBeGreaterThanOrEqual(7);
    expect(count).toBeLessThanOrEqual(9);
  });

  test('an active deadline ends the Pod', async () => {
    const api = await start();
    await api.create('late', { activeDeadlineSeconds: 30, containers: [box('trap "exit 0" TERM; sleep 1000 & wait')] });
    await api.wait(29 * SECOND);
    expect((await api.get('late')).status?.phase).toBe('Running');
    await api.wait(5 * SECOND);
    expect((await api.get('late')).status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });

  test('the termination message is read', async () => {
    const api = await start();
    await api.create('words', {
      restartPolicy: 'Never',
      containers: [
        box('echo -n last words > /dev/termination-log; exit 1'),
        box('echo from the log; exit 1', { name: 'log', terminationMessagePolicy: 'FallbackToLogsOnError' }),
      ],
    });
    await api.wait(SECOND);
    const pod = await api.get('words');
    expect([stateOf(pod, 0)?.terminated?.message, stateOf(pod, 1)?.terminated?.message]).toEqual([
      'last words',
      'from the log\n',
    ]);
  });
});

describe('deletion', () => {
  test('a deaf container is killed after the grace period', async () => {
    const api = await start();
    await api.create('deaf', { terminationGracePeriodSeconds: 10, containers: [box('sleep 1000; true')] });
    await api.wait(SECOND);
    await api.remove('deaf');
    await api.wait(9 * SECOND);
    expect((await api.get('deaf')).metadata.deletionGracePeriodSeconds).toBe(10);
    await api.wait(2 * SECOND);
    expect(await api.exists('deaf')).toBe(false);
  });

  test('a second deletion with less grace is heeded', async () => {
    const api = await start();
    await api.create('deaf', { containers: [box('sleep 1000; true')] });
    await api.wait(SECOND);
    await api.remove('deaf');
    await api.wait(3 * SECOND);
    await api.remove('deaf', 1);
    await api.wait(2 * SECOND);
    expect(await api.exists('deaf')).toBe(false);
  });

  test('by force: the object goes at once, the containers soon after', async () => {
    const api = await start();
    await api.create('deaf', { containers: [box('sleep 1000; true')] });
    await api.wait(SECOND);
    await api.remove('deaf', 0);
    expect(await api.exists('deaf')).toBe(false);
    await api.wait(3 * SECOND);
    await api.create('deaf', { containers: [nginx] });
    await api.wait(SECOND);
    expect((await api.get('deaf')).status).toMatchObject({ phase: 'Running', podIP: '10.244.0.5' });
  });

  test('preStop runs first, within the grace period', async () => {
    const api = await start();
    await api.create('hook', {
      containers: [
        box('trap "echo term; exit 0" TERM; sleep 1000 & wait', {
          lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo hook > /proc/1/fd/1; sleep 4'] } } },
        }),
      ],
    });
    await api.wait(SECOND);
    const log = await api.cluster.http.handle({
      method: 'GET',
      path: '/api/v1/namespaces/default/pods/hook/log?follow=true',
      headers: {},
    });
    const body = readBody(log);
    await api.remove('hook');
    await api.wait(3 * SECOND);
    expect(await api.exists('hook')).toBe(true);
    await api.wait(2 * SECOND);
    expect(await api.exists('hook')).toBe(false);
    expect(decodeUtf8(await body)).toBe('hook\nterm\n');
  });
});

describe('what goes wrong', () => {
  const image = (name: string): PodSpec => ({ containers: [{ name: 'c', image: name }] });
  const missing =
    'failed to pull and unpack image "docker.io/library/ngnix:latest": failed to resolve reference "docker.io/library/ngnix:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed';

  test('an image that does not exist', async () => {
    const api = await start();
    await api.create('bad', image('ngnix'));
    await api.wait(SECOND);
    expect(stateOf(await api.get('bad'))).toEqual({ waiting: { reason: 'ErrImagePull', message: missing } });
    await api.wait(15 * SECOND);
    expect(stateOf(await api.get('bad'))).toEqual({
      waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "ngnix": ErrImagePull: ${missing}` },
    });
    expect((await api.events('bad')).slice(0, 5)).toEqual([
      'Normal Pulling: Pulling image "ngnix"',
      `Warning Failed: Failed to pull image "ngnix": ${missing}`,
      'Warning Failed: Error: ErrImagePull',
      'Normal BackOff: Back-off pulling image "ngnix"',
      'Warning Failed: Error: ImagePullBackOff',
    ]);
    expect(await api.logs('bad')).toMatchObject({
      status: 400,
      text: expect.stringContaining(
        'container \\"c\\" in pod \\"bad\\" is waiting to start: trying and failing to pull image',
      ),
    });
  });

  const cases: [string, PodSpec, object, string][] = [
    [
      'an image name that is none',
      image('Nginx'),
      { reason: 'InvalidImageName' },
      'Warning InspectFailed: Failed to apply default image tag "Nginx": couldn\'t parse image name "Nginx": invalid reference format: repository name (library/Nginx) must be lowercase',
    ],
    [
      'never pulled',
      { containers: [{ name: 'c', image: 'nginx', imagePullPolicy: 'Never' }] },
      { reason: 'ErrImageNeverPull' },
      'Warning ErrImageNeverPull: Container image "nginx" is not present with pull policy of Never',
    ],
    [
      'a command that is not there',
      { containers: [{ name: 'c', image: 'busybox', command: ['foo'] }] },
      { reason: 'RunContainerError' },
      'Warning Failed: Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "foo": executable file not found in $PATH: unknown',
    ],
    [
      'a ConfigMap that is not there, in a variable',
      {
        containers: [
          {
            name: 'c',
            image: 'nginx',
            env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'nope', key: 'x' } } }],
          },
        ],
      },
      { reason: 'CreateContainerConfigError', message: 'configmap "nope" not found' },
      'Warning Failed: Error: configmap "nope" not found',
    ],
    [
      'root where it must not be',
      { securityContext: { runAsNonRoot: true }, containers: [{ name: 'c', image: 'busybox' }] },
      { reason: 'CreateContainerConfigError' },
      '',
    ],
  ];
  for (const [name, spec, expected, event] of cases) {
    test(name, async () => {
      const api = await start();
      await api.create('bad', spec);
      await api.wait(SECOND);
      expect(stateOf(await api.get('bad'))?.waiting).toMatchObject(expected);
      if (event) expect(await api.events('bad')).toContain(event);
    });
  }

  test('a ConfigMap that is not there, in a volume: the Pod waits, and starts when it comes', async () => {
    const api = await start();
    await api.create('waiting', {
      containers: [{ ...nginx, volumeMounts: [{ name: 'config', mountPath: '/config' }] }],
      volumes: [{ name: 'config', configMap: { name: 'later' } }],
    });
    await api.wait(3 * SECOND);
    expect(stateOf(await api.get('waiting'))).toEqual({ waiting: { reason: 'ContainerCreating' } });
    expect(await api.events('waiting')).toEqual([
      'Warning FailedMount: MountVolume.SetUp failed for volume "config" : configmap "later" not found',
    ]);
    await api.put({ metadata: { namespace: 'default', name: 'later' }, data: {} });
    await api.wait(5 * SECOND);
    expect((await api.get('waiting')).status?.phase).toBe('Running');
  });

  test('a node that is full says so', async () => {
    const api = await start();
    await api.create('big', { nodeName: 'node-1', containers: [{ ...nginx, resources: { requests: { cpu: '5' } } }] });
    await api.wait(SECOND);
    const message = "Node didn't have enough resource: cpu, requested: 5000, used: 200, capacity: 4000";
    expect((await api.get('big')).status).toMatchObject({
      phase: 'Failed',
      reason: 'OutOfcpu',
      message: `Pod was rejected: ${message}`,
    });
    expect(await api.events('big')).toEqual([`Warning OutOfcpu: ${message}`]);
    await api.remove('big');
    await api.wait(SECOND);
    expect(await api.exists('big')).toBe(false);
  });
});

describe('probes', () => {
  test('readiness decides, and changes its mind', async () => {
    const api = await start();
    await api.create('ready', {
      containers: [
        { ...nginx, readinessProbe: { httpGet: { path: '/ready', port: 80 }, periodSeconds: 5, failureThreshold: 1 } },
      ],
    });
    await api.wait(6 * SECOND);
    expect(conditionsOf(await api.get('ready'))).toMatchObject({
      Ready: 'False',
      ContainersReady: 'False',
      Initialized: 'True',
    });
    expect(await api.events('ready')).toContain(
      'Warning Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404',
    );
    await api.exec('ready', ['touch', '/usr/share/nginx/html/ready']);
    await api.wait(6 * SECOND);
    expect(conditionsOf(await api.get('ready'))).toMatchObject({ Ready: 'True', ContainersReady: 'True' });
    await api.exec('ready', ['rm', '/usr/share/nginx/html/ready']);
    await api.wait(6 * SECOND);
    const pod = await api.get('ready');
    expect(pod.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [nginx]',
    });
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({ ready: false, started: true, restartCount: 0 });
  });

  test('liveness restarts after its threshold', async () => {
    const api = await start();
    await api.create('alive', {
      containers: [
        box('touch /tmp/healthy; trap "exit 0" TERM; sleep 20; rm /tmp/healthy; sleep 1000 & wait', {
          livenessProbe: { exec: { command: ['cat', '/tmp/healthy'] }, periodSeconds: 5 },
        }),
      ],
    });
    await api.wait(30 * SECOND);
    expect((await api.get('alive')).status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await api.wait(10 * SECOND);
    expect((await api.get('alive')).status?.containerStatuses?.[0]?.restartCount).toBe(1);
    const events = await api.events('alive');
    expect(events).toContain(
      "Warning Unhealthy: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n",
    );
    expect(events).toContain('Normal Killing: Container box failed liveness probe, will be restarted');
  });

  test('startup holds the others back, and kills what does not come up', async () => {
    const api = await start();
    await api.create('slow', {
      containers: [
        box('sleep 12; touch /tmp/up; sleep 1000', {
          startupProbe: { exec: { command: ['test', '-e', '/tmp/up'] }, periodSeconds: 5, failureThreshold: 10 },
          livenessProbe: { tcpSocket: { port: 81 }, failureThreshold: 1, periodSeconds: 1 },
          terminationGracePeriodSeconds: undefined,
        } as Partial<Container>),
      ],
      terminationGracePeriodSeconds: 2,
    });
    await api.wait(11 * SECOND);
    const before = await api.get('slow');
    expect(before.status?.containerStatuses?.[0]).toMatchObject({ started: false, ready: false, restartCount: 0 });
    await api.wait(15 * SECOND);
    expect(await api.events('slow')).toContain(
      'Warning Unhealthy: Liveness probe failed: dial tcp 10.244.0.4:81: connect: connection refused',
    );
    expect((await api.get('slow')).status?.containerStatuses?.[0]?.restartCount).toBe(1);
  });
});

describe('logs and exec', () => {
  test('what of a log is wanted', async () => {
    const api = await start();
    await api.create('talk', {
      containers: [box('for i in 1 2 3; do echo line $i; sleep 10; done; echo err >&2; sleep 1000')],
    });
    await api.wait(35 * SECOND);
    expect((await api.logs('talk')).text).toBe('line 1\nline 2\nline 3\nerr\n');
    expect((await api.logs('talk', '?tailLines=2')).text).toBe('line 3\nerr\n');
    expect((await api.logs('talk', '?sinceSeconds=20')).text).toBe('line 3\nerr\n');
    expect((await api.logs('talk', '?limitBytes=4')).text).toBe('line');
    expect((await api.logs('talk', '?tailLines=1&timestamps=true')).text).toMatch(
      /^2025-11-22T12:00:\d\d\.\d{9}Z err\n$/,
    );
    expect(await api.logs('talk', '?previous=true')).toMatchObject({
      status: 400,
      text: expect.stringContaining('previous terminated container \\"box\\" in pod \\"talk\\" not found'),
    });
    expect(await api.logs('talk', '?container=nope')).toMatchObject({
      status: 400,
      text: expect.stringContaining('container nope is not valid for pod talk'),
    });
  });

  test('exec: exit codes, input, a terminal, a command that is not there', async () => {
    const api = await start();
    await api.create('box', { containers: [box('sleep 1000')] });
    await api.wait(SECOND);
    expect(await api.exec('box', ['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      status: {
        metadata: {},
        status: 'Failure',
        message: 'command terminated with non-zero exit code: command terminated with exit code 3',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '3' }] },
      },
    });
    expect(await api.exec('box', ['sort'], { stdin: 'b\na\n' })).toMatchObject({ stdout: 'a\nb\n' });
    expect(await api.exec('box', ['sh'], { stdin: 'exit 4\r', tty: true })).toMatchObject({
      stdout: expect.stringContaining('/ # '),
      status: { reason: 'NonZeroExitCode' },
    });
    expect(await api.exec('box', ['foo'])).toMatchObject({
      status: {
        status: 'Failure',
        code: 500,
        message: expect.stringMatching(
          /^Internal error occurred: error executing command in container: failed to exec in container: .* exec: "foo": executable file not found in \$PATH: unknown$/,
        ),
      },
    });
  });
});

test('while the clock stands still logs are read, and nothing moves', async () => {
  const api = await start();
  await api.create('talk', { containers: [box('echo hello; sleep 1000')] });
  await api.wait(SECOND);
  const { pump, tracer } = api.cluster;
  const before = [pump.turns, tracer.size, pump.now];
  expect((await api.logs('talk')).text).toBe('hello\n');
  expect([pump.turns, tracer.size, pump.now]).toEqual(before);
});
