import { expect, test } from 'vitest';
import type { Row } from '../../cluster-store/table.ts';
import { lightOf } from './graph-light.ts';
import { GraphModeller } from './graph-model.ts';
import { ServiceModeller } from './graph-services.ts';
import { WorkloadModeller, type WorkloadRows } from './graph-workloads.ts';

const owned = (kind: string, name: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: name, controller: true }],
});
const row = (plural: string, name: string, metadata: object, spec: object, status: object): Row => ({
  key: `${plural}/default/${name}`,
  object: { metadata: { name, namespace: 'default', ...metadata }, spec, status } as Row['object'],
  cells: [name, '1/1'],
  status: 'Running',
});
const set = (name: string, deployment: string, revision: number, pods: number) =>
  row(
    'replicasets',
    name,
    {
      ...(deployment ? owned('Deployment', deployment) : {}),
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    },
    { replicas: pods },
    { replicas: pods, readyReplicas: pods },
  );
const pod = (name: string, kind: string, owner: string) =>
  row('pods', name, owned(kind, owner), { nodeName: 'node-1' }, {});
const nothing: WorkloadRows = { deployments: [], replicaSets: [], daemonSets: [], replicationControllers: [] };
const rolling: WorkloadRows = {
  ...nothing,
  deployments: [row('deployments', 'web', {}, { replicas: 3 }, { readyReplicas: 2 })],
  replicaSets: [set('web-a', 'web', 1, 1), set('web-b', 'web', 2, 2), set('alone', '', 0, 1)],
  daemonSets: [row('daemonsets', 'agent', {}, {}, { desiredNumberScheduled: 3, numberReady: 3 })],
};

test('a Deployment holds its ReplicaSets, newest first; what nobody holds stands for itself', () => {
  const { items, deploymentOf } = new WorkloadModeller().model(rolling);
  expect(items.map(({ key, ready, wanted, tone }) => [key, ready, wanted, tone])).toEqual([
    ['daemonsets/default/agent', 3, 3, 'ok'],
    ['replicasets/default/alone', 1, 1, 'ok'],
    ['deployments/default/web', 2, 3, 'pending'],
  ]);
  expect(items.at(-1)?.revisions.map(({ name, revision, pods, old }) => [name, revision, pods, old])).toEqual([
    ['web-b', '2', 2, false],
    ['web-a', '1', 1, true],
  ]);
  expect(deploymentOf.get('replicasets/default/web-a')).toBe('deployments/default/web');
});

test('an item is the same value while its Deployment and ReplicaSets are', () => {
  const modeller = new WorkloadModeller();
  const web = (rows: WorkloadRows) => modeller.model(rows).items.find(({ name }) => name === 'web');
  const first = web(rolling);
  expect(web(rolling)).toBe(first);
  expect(web({ ...rolling, replicaSets: [set('web-a', 'web', 1, 0), set('web-b', 'web', 2, 3)] })).not.toBe(first);
});

test('looking at one lights up what belongs to it', () => {
  const pods = [
    pod('web-a-1', 'ReplicaSet', 'web-a'),
    pod('web-b-1', 'ReplicaSet', 'web-b'),
    pod('x', 'DaemonSet', 'agent'),
  ];
  const scene = {
    model: new GraphModeller().model(pods, []),
    workloads: new WorkloadModeller().model(rolling),
    services: new ServiceModeller().model([], []),
  };
  const lit = (key: string) => [...(lightOf(key, scene)?.lit ?? [])].sort();
  expect(lit('deployments/default/web')).toEqual([
    'deployments/default/web',
    'pods/default/web-a-1',
    'pods/default/web-b-1',
    'replicasets/default/web-a',
    'replicasets/default/web-b',
  ]);
  expect(lit('replicasets/default/web-a')).toEqual([
    'deployments/default/web',
    'pods/default/web-a-1',
    'replicasets/default/web-a',
  ]);
  expect(lit('pods/default/web-b-1')).toEqual([
    'deployments/default/web',
    'pods/default/web-b-1',
    'replicasets/default/web-b',
  ]);
  expect(lit('daemonsets/default/agent')).toEqual(['daemonsets/default/agent', 'pods/default/x']);
  expect(lightOf('nodes/node-1', scene)).toBeUndefined();
});
