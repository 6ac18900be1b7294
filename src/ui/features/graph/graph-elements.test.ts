import { expect, test } from 'vitest';
import type { Row } from '../../cluster-store/table.ts';
import { GraphComposer } from './graph-elements.ts';
import { GraphModeller } from './graph-model.ts';
import { ServiceModeller } from './graph-services.ts';
import { WorkloadModeller } from './graph-workloads.ts';

const viewport = { width: 620, height: 545 };
const node = (name: string): Row => ({
  key: `nodes/${name}`,
  object: { metadata: { name } },
  cells: [name],
  status: 'Ready',
});
const pod = (name: string, nodeName = '', status = 'Pending'): Row => ({
  key: `pods/default/${name}`,
  object: { metadata: { name, namespace: 'default' }, spec: nodeName ? { nodeName } : {} },
  cells: [name, '0/1'],
  status,
});
const nodes = [node('node-1'), node('node-2')];
const scene = (
  modeller: GraphModeller,
  pods: readonly Row[],
  services: readonly Row[] = [],
  slices: readonly Row[] = [],
) => ({
  model: modeller.model(pods, nodes),
  services: new ServiceModeller().model(services, slices),
  workloads: new WorkloadModeller().model({
    deployments: [],
    replicaSets: [],
    daemonSets: [],
    replicationControllers: [],
  }),
});

test('a Pod moves from the queue to its Node, and only what changed is a new value', () => {
  const composer = new GraphComposer();
  const modeller = new GraphModeller();
  const kept = pod('kept', 'node-1', 'Running');
  const compose = (...pods: Row[]) => composer.compose(scene(modeller, pods), viewport);
  const before = compose(kept, pod('nginx'));
  const after = compose(kept, pod('nginx', 'node-2'));
  const of = (elements: typeof before, id: string) => elements.nodes.find((element) => element.id === id);
  const queue = before.layout.boxes.get('queue');
  expect(of(before, 'pods/default/nginx')?.position.y).toBeGreaterThan(queue?.y ?? 0);
  expect(of(after, 'pods/default/nginx')?.position.y).toBeGreaterThan(after.layout.boxes.get('node:node-2')?.y ?? 0);
  for (const id of ['kube-apiserver', 'etcd', 'node:node-1', 'node:node-2', 'pods/default/kept'])
    expect(of(after, id), id).toBe(of(before, id));
  expect(after.edges).toBe(before.edges);
});

test('thousands of Pods are cells inside their Nodes, more are a number', () => {
  const composer = new GraphComposer();
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, at) => pod(`p${at}`, at % 2 ? 'node-1' : 'node-2', 'Running'));
  const drawn = (count: number) => composer.compose(scene(new GraphModeller(), crowd(count)), viewport).nodes;
  expect(drawn(100).filter(({ type }) => type === 'pod')).toHaveLength(100);
  const cells = drawn(1000);
  expect(cells.filter(({ type }) => type === 'pod')).toHaveLength(0);
  const machine = cells.find(({ id }) => id === 'node:node-1');
  expect(machine?.type === 'machine' && machine.data.inside.length).toBe(500);
  expect(machine?.type === 'machine' && machine.data.detail).toBe('cell');
});
