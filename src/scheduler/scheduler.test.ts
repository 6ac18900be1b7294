import { beforeEach, describe, expect, test } from 'vitest';
import { latencyOf } from '#base/latency.ts';
import { events } from '#api/core/v1/event.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { services } from '#api/core/v1/service.ts';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import type { OwnerReference } from '#apimachinery/resource.ts';
import type { Node, Pod, ReplicaSet } from '#api/generated/types.ts';
import { resources } from '#api/resources.ts';
import { TestApi } from '#testing/test-api.ts';
import { Scheduler } from './scheduler.ts';

let api: TestApi;

beforeEach(async () => {
  api = new TestApi('none', true);
  startScheduler();
  await api.run(0);
});

function startScheduler(): void {
  const latency = latencyOf('realistic');
  const options = { backend: api.backend, hostname: 'control-plane', latency, resources };
  new Scheduler(api.root.child('kube-scheduler'), options).start();
}

interface NodeFixture {
  readonly labels?: Record<string, string>;
  readonly spec?: Node['spec'];
  readonly cpu?: string;
  readonly pods?: string;
}

async function addNode(
  name: string,
  { labels, spec = {}, cpu = '4', pods: count = '110' }: NodeFixture = {},
): Promise<void> {
  const allocatable = { cpu, memory: '8Gi', pods: count };
  await api.do(async (client) => {
    await client.create(nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec });
    const node = await client.get(nodes, { name });
    await client.updateStatus(nodes, { ...node, status: { ...node.status, allocatable, capacity: allocatable } });
  });
}

/** Creates a Pod and says where it went. */
async function schedule(
  name: string,
  spec: Partial<Pod['spec']> = {},
  labels?: Record<string, string>,
  ownerReferences?: readonly OwnerReference[],
): Promise<string> {
  await api.do((client) =>
    client.create(pods, {
      metadata: {
        namespace: 'default',
        name,
        ...(labels ? { labels } : {}),
        ...(ownerReferences ? { ownerReferences } : {}),
      },
      spec: { containers: [{ name: 'c', image: 'nginx', ...spec.containers?.[0] }], ...spec } as Pod['spec'],
    }),
  );
  return placeOf(name);
}

async function placeOf(name: string): Promise<string> {
  await api.run(50);
  const { spec, status } = await api.do((client) => client.get(pods, { namespace: 'default', name }));
  if (spec.nodeName) return spec.nodeName;
  const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return condition ? `${condition.reason}: ${condition.message}` : 'waiting';
}

const requests = (cpu: string, memory = '1Mi') => ({
  containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu, memory } } }],
});

const NOT_HELPFUL = 'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';

describe('messages of a real cluster', () => {
  beforeEach(async () => {
    for (const name of ['node-1', 'node-2', 'node-3']) await addNode(name);
  });

  const check = (name: string, spec: Partial<Pod['spec']>, expected: string) =>
    test(name, async () => expect(await schedule('pod', spec)).toBe(`Unschedulable: ${expected}`));

  check(
    'node selector',
    { nodeSelector: { gpu: 'yes' } },
    `0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${NOT_HELPFUL}`,
  );
  check(
    'resources',
    requests('64', '1Ti'),
    '0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
  );
  check(
    'Pod affinity',
    {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: { run: 'nobody' } }, topologyKey: 'kubernetes.io/hostname' },
          ],
        },
      },
    },
    `0/3 nodes are available: 3 node(s) didn't match pod affinity rules. ${NOT_HELPFUL}`,
  );

  check(
    'a claim that is not there',
    { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
    `0/3 nodes are available: persistentvolumeclaim "data" not found. ${NOT_HELPFUL}`,
  );

  test('taints and a cordoned node', async () => {
    await api.do(async (client) => {
      for (const name of ['node-1', 'node-3']) {
        const spec = { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] };
        await client.patch(nodes, { name }, 'application/merge-patch+json', { spec });
      }
      await client.patch(nodes, { name: 'node-2' }, 'application/merge-patch+json', { spec: { unschedulable: true } });
    });
    expect(await schedule('lost')).toBe(
      `Unschedulable: 0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had untolerated taint {dedicated: db}. ${NOT_HELPFUL}`,
    );
    await api.do((client) =>
      client.patch(nodes, { name: 'node-1' }, 'application/merge-patch+json', { spec: { taints: null } }),
    );
    expect(await placeOf('lost')).toBe('node-1');
  });

  test('a node that gets the label wanted', async () => {
    await schedule('gpu', { nodeSelector: { gpu: 'yes' } });
    const labels = { gpu: 'yes' };
    await api.do((client) =>
      client.patch(nodes, { name: 'node-2' }, 'application/merge-patch+json', { metadata: { labels } }),
    );
    expect(await placeOf('gpu')).toBe('node-2');
    const all = await api.do((client) => client.list(events, { namespace: 'default' }));
    const told = all.items.map(({ type, reason, message, action, reportingComponent, reportingInstance, source }) => ({
      type,
      reason,
      message,
      action,
      reportingComponent,
      reportingInstance,
      source,
    }));
    const same = {
      reportingComponent: 'default-scheduler',
      reportingInstance: 'default-scheduler-control-plane',
      source: {},
    };
    expect(told).toEqual(
      expect.arrayContaining([
        {
          ...same,
          type: 'Warning',
          reason: 'FailedScheduling',
          action: 'Scheduling',
          message: `0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${NOT_HELPFUL}`,
        },
        {
          ...same,
          type: 'Normal',
          reason: 'Scheduled',
          action: 'Binding',
          message: 'Successfully assigned default/gpu to node-2',
        },
      ]),
    );
  });
});

test('without nodes a Pod waits, and goes to the first that comes', async () => {
  expect(await schedule('early')).toBe('Unschedulable: no nodes available to schedule pods');
  await addNode('node-1');
  await api.run(3_000);
  expect(await placeOf('early')).toBe('node-1');
});

/** Of two Nodes the roomy one gets all Pods that nothing spreads. */
test.each([
  ['nobody selects', undefined, 5],
  ['a Service selects', 'Service', 3],
  ['a ReplicaSet controls', 'ReplicaSet', 3],
])('Pods that %s', async (_, owner, onRoomy) => {
  await addNode('roomy', { cpu: '400' });
  await addNode('tight', { cpu: '4' });
  const labels = { app: 'web' };
  const metadata = { namespace: 'default', name: 'web' };
  if (owner === 'Service') {
    await api.do((client) => client.create(services, { metadata, spec: { selector: labels, ports: [{ port: 80 }] } }));
  }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'nginx' }] } };
  const replicaSet: ReplicaSet = { metadata, spec: { selector: { matchLabels: labels }, template } };
  const made = owner === 'ReplicaSet' ? await api.do((client) => client.create(replicaSets, replicaSet)) : undefined;
  const ownerReferences = made && [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: made.metadata.uid ?? '', controller: true },
  ];
  const places: string[] = [];
  for (let i = 0; i < 5; i++) places.push(await schedule(`web-${i}`, requests('500m'), labels, ownerReferences));
  expect(places.filter((place) => place === 'roomy')).toHaveLength(onRoomy);
});

test('Pods are spread by what they ask for, and the decision says why', async () => {
  for (const name of ['node-1', 'node-2']) await addNode(name);
  const first = await schedule('a', requests('1'));
  const second = await schedule('b', requests('1'));
  expect([first, second].sort()).toEqual(['node-1', 'node-2']);
  expect(await schedule('c', { ...requests('100m'), nodeSelector: { 'kubernetes.io/hostname': 'node-2' } })).toBe(
    'node-2',
  );
  const decisions = [...api.tracer.from(0)].filter(({ kind }) => kind === 'decision');
  expect(decisions[2]).toMatchObject({
    component: 'kube-scheduler',
    name: 'default/c',
    attributes: {
      node: 'node-2',
      feasible: 1,
      filtered: ["node-1: NodeAffinity: node(s) didn't match Pod's node affinity/selector"],
    },
  });
  const { scores } = (decisions[1] as (typeof decisions)[0]).attributes;
  expect((scores as string[])[0]).toMatch(/^node-[12] \d+ = TaintToleration 300 \+ NodeResourcesFit \d+ \+ /);
  // The write of the binding is caused by the decision, and that by the creation of the Pod.
  const pod = await api.do((client) => client.list(pods, { namespace: 'default' }));
  const cause = pod.causes?.[pod.items.findIndex(({ metadata }) => metadata.name === 'c')] ?? 0;
  expect(api.tracer.ancestry(cause).map(({ kind }) => kind)).toEqual([
    'write',
    'request',
    'decision',
    'take',
    'delivery',
    'write',
    'request',
  ]);
});

test('room that a Pod leaves goes to one that waits', async () => {
  await addNode('node-1', { pods: '1' });
  expect(await schedule('first')).toBe('node-1');
  expect(await schedule('second')).toMatch(/^Unschedulable: 0\/1 nodes are available: 1 Too many pods\./);
  await api.do((client) => client.delete(pods, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 }));
  await api.run(10_000);
  expect(await placeOf('second')).toBe('node-1');
});

test('host ports', async () => {
  await addNode('node-1');
  const ports = { containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80, hostPort: 8080 }] }] };
  expect(await schedule('a', ports)).toBe('node-1');
  expect(await schedule('b', ports)).toMatch(
    /1 node\(s\) didn't have free ports for the requested pod ports\. preemption: /,
  );
});

test('the same seed gives the same turns, on a strict pump and a fast one', async () => {
  const turnsOf = async (strict: boolean) => {
    api = new TestApi('realistic', strict);
    const turns: string[] = [];
    api.pump.onTurn = ({ time, process, name }) => turns.push(`${time} ${process} ${name}`);
    startScheduler();
    for (const name of ['node-1', 'node-2', 'node-3']) await addNode(name);
    for (let i = 0; i < 5; i++) await schedule(`p-${i}`, requests('1'));
    await api.run(1_000);
    return turns;
  };
  const strict = await turnsOf(true);
  expect(strict.length).toBeGreaterThan(100);
  expect(await turnsOf(false)).toEqual(strict);
});

test('scheduling gates', async () => {
  await addNode('node-1');
  await schedule('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
  await api.run(600_000);
  expect(
    (await api.do((client) => client.get(pods, { namespace: 'default', name: 'gated' }))).spec.nodeName,
  ).toBeUndefined();
  const spec = { schedulingGates: null };
  await api.do((client) =>
    client.patch(pods, { namespace: 'default', name: 'gated' }, 'application/merge-patch+json', { spec }),
  );
  expect(await placeOf('gated')).toBe('node-1');
});

test('a Pod of higher priority takes the place of the least important', async () => {
  await addNode('node-1', { cpu: '2' });
  await schedule('low', { ...requests('1'), priority: 1 });
  await schedule('lower', { ...requests('1'), priority: 0 });
  expect(await schedule('high', { ...requests('1'), priority: 10 })).toMatch(
    /^Unschedulable: 0\/1 nodes are available: 1 Insufficient cpu\./,
  );
  const status = async (name: string) =>
    (await api.do((client) => client.get(pods, { namespace: 'default', name }))).status;
  expect((await status('high'))?.nominatedNodeName).toBe('node-1');
  expect((await status('lower'))?.conditions).toContainEqual(
    expect.objectContaining({ type: 'DisruptionTarget', reason: 'PreemptionByScheduler' }),
  );
  await api.do((client) => client.delete(pods, { namespace: 'default', name: 'lower' }, { gracePeriodSeconds: 0 }));
  await api.run(10_000);
  expect(await placeOf('high')).toBe('node-1');
  expect(await placeOf('low')).toBe('node-1');
});

describe('Pods and their like', () => {
  beforeEach(async () => {
    for (const name of ['a1', 'a2', 'b1'])
      await addNode(name, { labels: { 'topology.kubernetes.io/zone': name[0] as string } });
  });
  const near = (role: string, topologyKey: string) => ({ labelSelector: { matchLabels: { role } }, topologyKey });

  test('affinity follows, anti-affinity keeps away, also from those who came first', async () => {
    const web = await schedule('web', {}, { role: 'web' });
    const cache = {
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near('web', 'kubernetes.io/hostname')] },
    };
    expect(await schedule('cache', { affinity: cache })).toBe(web);
    const alone = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near('db', 'topology.kubernetes.io/zone')] },
    };
    const db = await schedule('db-1', { affinity: alone }, { role: 'db' });
    const other = await schedule('db-2', { affinity: alone }, { role: 'db' });
    expect(db[0]).not.toBe(other[0]);
    expect(await schedule('db-3', { affinity: alone }, { role: 'db' })).toMatch(
      /3 node\(s\) didn't match pod anti-affinity rules\. preemption: 0\/3 nodes are available: 3 No preemption victims/,
    );
    expect(await schedule('plain-db', {}, { role: 'db' })).toMatch(
      /3 node\(s\) didn't satisfy existing pods anti-affinity rules/,
    );
  });

  test('topology spread', async () => {
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'x' } },
        },
      ],
    };
    const zones: string[] = [];
    for (let i = 0; i < 4; i++) zones.push((await schedule(`x-${i}`, spread, { app: 'x' }))[0] as string);
    expect(zones.sort()).toEqual(['a', 'a', 'b', 'b']);
    await api.do((client) =>
      client.patch(nodes, { name: 'b1' }, 'application/merge-patch+json', { spec: { unschedulable: true } }),
    );
    await schedule('x-4', spread, { app: 'x' });
    expect(await schedule('x-5', spread, { app: 'x' })).toBe(
      "Unschedulable: 0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.",
    );
  });
});
