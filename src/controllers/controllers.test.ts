import { beforeEach, describe, expect, test } from 'vitest';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { formatMicroTime, formatTime } from '#base/clock.ts';
import { leases } from '#api/coordination/v1/lease.ts';
import { configMaps } from '#api/core/v1/config-map.ts';
import { events } from '#api/core/v1/event.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { secrets } from '#api/core/v1/secret.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import type { Node, OwnerReference, Pod } from '#api/generated/types.ts';
import { resources } from '#api/resources.ts';
import { TestApi } from '#testing/test-api.ts';
import { ControllerManager } from './controller-manager.ts';
import { defaultControllerConfig } from './define-controller.ts';

let api: TestApi;
let manager: ControllerManager;

beforeEach(async () => {
  api = new TestApi('none', true);
  manager = new ControllerManager(api.root.child('kube-controller-manager'), {
    backend: api.backend,
    resources,
    config: {
      ...defaultControllerConfig,
      rootCA: 'PEM',
      signLegacyToken: ({ metadata }) => `token of ${metadata.name}`,
      clusterCIDR: '10.244.0.0/16',
      terminatedPodGCThreshold: 1,
    },
  });
  manager.start();
  await api.run(0);
});

const get = <T extends ApiObject>(resource: ResourceDefinition<T>, name: string, namespace = 'default') =>
  api.do((client) => client.get(resource, { ...(resource.scope === 'Namespaced' ? { namespace } : {}), name }));

const exists = <T extends ApiObject>(resource: ResourceDefinition<T>, name: string, namespace = 'default') =>
  get(resource, name, namespace).then(
    () => true,
    (error: unknown) => {
      if (isStatus(error, 'NotFound')) return false;
      throw error;
    },
  );

const said = async (reason: string) => {
  const { items } = await api.do((client) => client.list(events));
  return items
    .filter((event) => event.reason === reason)
    .map(({ message, source }) => `${source?.component}: ${message}`);
};

const configMap = (name: string, metadata: Partial<ApiObject['metadata']> = {}, namespace = 'default') =>
  api.do((client) => client.create(configMaps, { metadata: { namespace, name, ...metadata } }));

describe('namespaces', () => {
  test('have a service account and the certificate of the authority, also when somebody deletes them', async () => {
    await api.do((client) => client.create(namespaces, { metadata: { name: 'team' }, spec: {} }));
    expect((await get(configMaps, 'kube-root-ca.crt', 'team')).data).toEqual({ 'ca.crt': 'PEM' });
    await api.do((client) => client.delete(serviceAccounts, { namespace: 'team', name: 'default' }));
    await api.do((client) =>
      client.patch(configMaps, { namespace: 'team', name: 'kube-root-ca.crt' }, 'application/merge-patch+json', {
        data: { 'ca.crt': 'x' },
      }),
    );
    expect(await exists(serviceAccounts, 'default', 'team')).toBe(true);
    expect((await get(configMaps, 'kube-root-ca.crt', 'team')).data).toEqual({ 'ca.crt': 'PEM' });
  });

  test('are emptied and go, five seconds after they were deleted', async () => {
    await api.do((client) => client.create(namespaces, { metadata: { name: 'temp' }, spec: {} }));
    await configMap('c', {}, 'temp');
    await api.do((client) => client.delete(namespaces, { name: 'temp' }));
    await api.run(4_900);
    expect(await exists(configMaps, 'c', 'temp')).toBe(true);
    await api.run(200);
    expect(await exists(namespaces, 'temp')).toBe(false);
    expect(await exists(configMaps, 'c', 'temp')).toBe(false);
    expect(await exists(serviceAccounts, 'default', 'temp')).toBe(false);
  });

  test('say what they wait for', async () => {
    await api.do((client) => client.create(namespaces, { metadata: { name: 'temp' }, spec: {} }));
    await configMap('stuck', { finalizers: ['example.com/hold'] }, 'temp');
    await api.do((client) => client.delete(namespaces, { name: 'temp' }));
    await api.run(6_000);
    const { status } = await get(namespaces, 'temp');
    expect(status?.phase).toBe('Terminating');
    expect(
      status?.conditions?.map(({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`),
    ).toEqual([
      'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered: All resources successfully discovered',
      'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions: All legacy kube types successfully parsed',
      'NamespaceDeletionContentFailure=False ContentDeleted: All content successfully deleted, may be waiting on finalization',
      'NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances',
      'NamespaceFinalizersRemaining=True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ]);
    await api.do((client) =>
      client.patch(configMaps, { namespace: 'temp', name: 'stuck' }, 'application/merge-patch+json', {
        metadata: { finalizers: null },
      }),
    );
    await api.run(20_000);
    expect(await exists(namespaces, 'temp')).toBe(false);
  });
});

test('token secrets are filled, and go with their service account', async () => {
  await api.do((client) =>
    client.create(secrets, {
      metadata: { namespace: 'default', name: 't', annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    }),
  );
  const { data } = await get(secrets, 't');
  expect(Object.fromEntries(Object.entries(data ?? {}).map(([key, text]) => [key, atob(text)]))).toEqual({
    'ca.crt': 'PEM',
    namespace: 'default',
    token: 'token of default',
  });
  await api.do((client) => client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'robot' } }));
  await api.do((client) =>
    client.create(secrets, {
      metadata: { namespace: 'default', name: 'r', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
    }),
  );
  await api.do((client) => client.delete(serviceAccounts, { namespace: 'default', name: 'robot' }));
  expect([await exists(secrets, 'r'), await exists(secrets, 't')]).toEqual([false, true]);
});

describe('garbage', () => {
  const owner = async (name: string, changes: Partial<OwnerReference> = {}): Promise<OwnerReference> => {
    const { metadata } = await configMap(name);
    return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: metadata.uid ?? '', ...changes };
  };
  const remove = (name: string, propagationPolicy: 'Background' | 'Foreground' | 'Orphan') =>
    api.do((client) => client.delete(configMaps, { namespace: 'default', name }, { propagationPolicy }));

  test('in the background, also the dependents of dependents', async () => {
    const root = await owner('root');
    const child = await configMap('child', { ownerReferences: [root] });
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'child', uid: child.metadata.uid ?? '' };
    await configMap('grandchild', { ownerReferences: [reference] });
    await remove('root', 'Background');
    expect([
      await exists(configMaps, 'root'),
      await exists(configMaps, 'child'),
      await exists(configMaps, 'grandchild'),
    ]).toEqual([false, false, false]);
  });

  test('in the foreground the owner goes last', async () => {
    const root = await owner('root', { blockOwnerDeletion: true });
    await configMap('child', { ownerReferences: [root], finalizers: ['example.com/hold'] });
    await remove('root', 'Foreground');
    expect((await get(configMaps, 'root')).metadata.finalizers).toEqual(['foregroundDeletion']);
    expect((await get(configMaps, 'child')).metadata.deletionTimestamp).toBeDefined();
    await api.do((client) =>
      client.patch(configMaps, { namespace: 'default', name: 'child' }, 'application/merge-patch+json', {
        metadata: { finalizers: null },
      }),
    );
    expect([await exists(configMaps, 'child'), await exists(configMaps, 'root')]).toEqual([false, false]);
  });

  test('orphans stay, without their owner', async () => {
    const root = await owner('root');
    await configMap('child', { ownerReferences: [root] });
    await remove('root', 'Orphan');
    expect(await exists(configMaps, 'root')).toBe(false);
    expect((await get(configMaps, 'child')).metadata.ownerReferences ?? []).toEqual([]);
  });

  test('an owner that never was', async () => {
    await configMap('child', {
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'ghost', uid: 'no-such-uid' }],
    });
    await api.run(1_000);
    expect(await exists(configMaps, 'child')).toBe(false);
  });

  test('one of two owners is enough to live', async () => {
    const gone = await owner('gone');
    const stays = await owner('stays');
    await configMap('child', { ownerReferences: [gone, stays] });
    await remove('gone', 'Background');
    expect((await get(configMaps, 'child')).metadata.ownerReferences?.map(({ name }) => name)).toEqual(['stays']);
  });
});

const node = (name: string, labels: Record<string, string> = {}): Node => ({ metadata: { name, labels }, spec: {} });

/** Makes a Node that is Ready, as its kubelet would say it now. */
async function reportReady(name: string, create = false): Promise<void> {
  await api.do(async (client) => {
    if (create) await client.create(nodes, node(name, { 'kubernetes.io/os': 'linux' }));
    const latest = await client.get(nodes, { name });
    const now = formatTime(api.pump.now);
    const reported = { status: 'False', lastHeartbeatTime: now, lastTransitionTime: now };
    const conditions = [
      {
        ...reported,
        type: 'MemoryPressure',
        reason: 'KubeletHasSufficientMemory',
        message: 'kubelet has sufficient memory available',
      },
      {
        ...reported,
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
      },
    ];
    await client.updateStatus(nodes, { ...latest, status: { ...latest.status, conditions } });
  });
}

/** Renews leases of Nodes every ten seconds for so long, as their kubelets would. */
async function renew(names: readonly string[], forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 10_000) {
    for (const name of names) {
      await api.do(async (client) => {
        const key = { namespace: 'kube-node-lease', name };
        const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(api.pump.now) };
        const lease = await client.get(leases, key).catch(() => undefined);
        if (lease) await client.update(leases, { ...lease, spec });
        else await client.create(leases, { metadata: key, spec });
      });
    }
    await api.run(10_000);
  }
}

const runningPod = (name: string, nodeName: string, spec: Partial<Pod['spec']> = {}) =>
  api.do(async (client) => {
    const pod = await client.create(pods, {
      metadata: { namespace: 'default', name },
      spec: { nodeName, containers: [{ name: 'c', image: 'nginx' }], ...spec } as Pod['spec'],
    });
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(api.pump.now) }];
    await client.updateStatus(pods, { ...pod, status: { ...pod.status, phase: 'Running', conditions } });
  });

const taints = async (name: string) =>
  ((await get(nodes, name)).spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();

describe('nodes', () => {
  test('get a part of the range for their Pods, each its own', async () => {
    await api.do(async (client) => {
      for (const name of ['a', 'b']) await client.create(nodes, node(name));
    });
    expect((await get(nodes, 'a')).spec).toMatchObject({ podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] });
    await api.do((client) => client.delete(nodes, { name: 'b' }));
    await api.do((client) => client.create(nodes, node('c')));
    expect((await get(nodes, 'c')).spec.podCIDR).toBe('10.244.2.0/24');
  });

  test('that are silent become Unknown after 50 seconds, are tainted, and emptied', async () => {
    for (const name of ['a', 'b']) await reportReady(name, true);
    await renew(['a', 'b'], 10_000);
    expect(await taints('a')).toEqual([]);
    expect((await get(nodes, 'a')).metadata.labels).toMatchObject({ 'beta.kubernetes.io/os': 'linux' });
    expect((await said('RegisteredNode')).sort()).toEqual([
      'node-controller: Node a event: Registered Node a in Controller',
      'node-controller: Node b event: Registered Node b in Controller',
    ]);
    const unreachable = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' };
    await runningPod('patient', 'a', { tolerations: [{ ...unreachable, tolerationSeconds: 300 }] });
    await runningPod('faithful', 'a', { tolerations: [unreachable] });
    await renew(['b'], 40_000);
    expect(await taints('a')).toEqual([]);
    await renew(['b'], 20_000);
    const { status } = await get(nodes, 'a');
    expect(status?.conditions).toMatchObject([
      {
        type: 'MemoryPressure',
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      },
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      },
      {
        type: 'DiskPressure',
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
      },
      { type: 'PIDPressure', status: 'Unknown', reason: 'NodeStatusNeverUpdated' },
    ]);
    expect(await taints('a')).toEqual([
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/unreachable:NoSchedule',
    ]);
    expect(await taints('b')).toEqual([]);
    expect(await said('NodeNotReady')).toEqual(
      expect.arrayContaining([
        'node-controller: Node a status is now: NodeNotReady',
        'node-controller: Node is not ready',
      ]),
    );
    expect((await get(pods, 'patient')).status?.conditions).toMatchObject([{ type: 'Ready', status: 'False' }]);
    await renew(['b'], 300_000);
    expect((await get(pods, 'patient')).metadata.deletionTimestamp).toBeDefined();
    expect((await get(pods, 'patient')).status?.conditions?.[1]).toMatchObject({
      type: 'DisruptionTarget',
      reason: 'DeletionByTaintManager',
    });
    expect((await get(pods, 'faithful')).metadata.deletionTimestamp).toBeUndefined();
    expect(await said('TaintManagerEviction')).toEqual([
      'taint-eviction-controller: Marking for deletion Pod default/patient',
    ]);
  });

  test('that come back in time keep their Pods', async () => {
    for (const name of ['a', 'b']) await reportReady(name, true);
    const toleration = {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    };
    await runningPod('patient', 'a', { tolerations: [toleration] });
    await renew(['b'], 120_000);
    expect(await taints('a')).toHaveLength(2);
    await reportReady('a');
    await renew(['a', 'b'], 400_000);
    expect(await taints('a')).toEqual([]);
    expect((await get(pods, 'patient')).metadata.deletionTimestamp).toBeUndefined();
    expect(await said('TaintManagerEviction')).toEqual([
      'taint-eviction-controller: Cancelling deletion of Pod default/patient',
    ]);
  });

  test('that all are silent are not emptied: it is rather the master', async () => {
    for (const name of ['a', 'b']) await reportReady(name, true);
    await api.run(200_000);
    expect(await taints('a')).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
    await renew(['b'], 10_000);
    await reportReady('b');
    await renew(['b'], 120_000);
    expect(await taints('a')).toEqual([
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/unreachable:NoSchedule',
    ]);
  });

  test('are tainted one by one, every ten seconds', async () => {
    const all = ['a', 'b', 'c', 'd', 'e'];
    for (const name of all) await reportReady(name, true);
    await renew(['c', 'd', 'e'], 70_000);
    const tainted = async () => {
      let count = 0;
      for (const name of all) if ((await taints(name)).includes('node.kubernetes.io/unreachable:NoExecute')) count++;
      return count;
    };
    expect(await tainted()).toBe(1);
    await renew(['c', 'd', 'e'], 10_000);
    expect(await tainted()).toBe(2);
  });

  test('a cordon is a taint', async () => {
    await reportReady('a', true);
    const cordon = (unschedulable: boolean | null) =>
      api.do((client) =>
        client.patch(nodes, { name: 'a' }, 'application/merge-patch+json', { spec: { unschedulable } }),
      );
    await cordon(true);
    expect(await taints('a')).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']);
    await cordon(null);
    expect(await taints('a')).toEqual([]);
  });
});

describe('Pods that nobody else ends', () => {
  test('of a node that is gone', async () => {
    await reportReady('a', true);
    await runningPod('lost', 'a');
    await api.run(6_000);
    await api.do((client) => client.delete(nodes, { name: 'a' }));
    await api.run(30_000);
    expect(await exists(pods, 'lost')).toBe(true);
    await api.run(50_000);
    expect(await exists(pods, 'lost')).toBe(false);
    expect(await said('RemovingNode')).toEqual(['node-controller: Node a event: Removing Node a from Controller']);
  });

  test('too many that have ended, the oldest first', async () => {
    await reportReady('a', true);
    for (const name of ['old', 'new']) {
      await runningPod(name, 'a');
      await api.do(async (client) => {
        const pod = await client.get(pods, { namespace: 'default', name });
        await client.updateStatus(pods, { ...pod, status: { ...pod.status, phase: 'Succeeded' } });
      });
      await api.run(2_000);
    }
    await api.run(20_000);
    expect([await exists(pods, 'old'), await exists(pods, 'new')]).toEqual([false, true]);
  });
});

test('a controller that is stopped does nothing until it is started again', async () => {
  manager.stop('serviceaccount-controller');
  await api.do((client) => client.create(namespaces, { metadata: { name: 'team' }, spec: {} }));
  await api.run(10_000);
  expect(await exists(serviceAccounts, 'default', 'team')).toBe(false);
  expect(manager.running).not.toContain('serviceaccount-controller');
  manager.start();
  await api.run(0);
  expect(await exists(serviceAccounts, 'default', 'team')).toBe(true);
});

test('what a controller writes was caused by what it saw', async () => {
  await api.do((client) => client.create(namespaces, { metadata: { name: 'team' }, spec: {} }));
  const { items, causes = [] } = await api.do((client) => client.list(serviceAccounts, { namespace: 'team' }));
  expect(items).toHaveLength(1);
  expect(api.tracer.ancestry(causes[0] ?? 0).map(({ kind, component }) => `${kind} ${component}`)).toEqual([
    'write etcd',
    'request kube-apiserver',
    'reconcile serviceaccount-controller',
    'take serviceaccount-controller',
    expect.stringMatching(/^delivery /),
    'write etcd',
    'request kube-apiserver',
  ]);
});

test('an idle cluster leaves no trace', async () => {
  await reportReady('a', true);
  await api.run(30_000);
  const before = api.tracer.size;
  await api.run(15_000);
  expect(api.tracer.size).toBe(before);
});
