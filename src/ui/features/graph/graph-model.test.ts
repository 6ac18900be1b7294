import { expect, test } from 'vitest';
import type { Row } from '../../cluster-store/table.ts';
import { chooseDetail, DETAIL_LIMITS } from './graph-detail.ts';
import { GraphModeller } from './graph-model.ts';
import { assignSlots } from './graph-slots.ts';

const pod = (name: string, nodeName: string, namespace = 'default'): Row => ({
  key: `pods/${namespace}/${name}`,
  object: { metadata: { name, namespace }, spec: nodeName ? { nodeName } : {} },
  cells: [name, '1/1'],
  status: 'Running',
});
const node = (name: string, labels: Record<string, string> = {}): Row => ({
  key: `nodes/${name}`,
  object: { metadata: { name, labels } },
  cells: [name],
  status: 'Ready',
});

test('Pods stand in their Nodes; those without wait; Nodes that are gone are drawn for their Pods', () => {
  const nodes = [
    node('node-10'),
    node('node-2'),
    node('control-plane', { 'node-role.kubernetes.io/control-plane': '' }),
  ];
  const model = new GraphModeller().model(
    [pod('a', 'node-2'), pod('b', ''), pod('c', 'node-99'), pod('d', 'node-2', 'kube-system')],
    nodes,
  );
  expect(model.nodes.map(({ name, status }) => [name, status])).toEqual([
    ['control-plane', 'Ready'],
    ['node-2', 'Ready'],
    ['node-10', 'Ready'],
    ['node-99', undefined],
  ]);
  expect(model.podsByNode.get('node-2')?.map(({ name, system }) => [name, system])).toEqual([
    ['a', false],
    ['d', true],
  ]);
  expect(model.waiting.map(({ name }) => name)).toEqual(['b']);
  expect(model.podCount).toBe(4);
});

test('what did not change keeps its identity', () => {
  const modeller = new GraphModeller();
  const rows = [pod('a', 'n'), pod('b', 'n')];
  const first = modeller.model(rows, []).podsByNode.get('n');
  const second = modeller.model([rows[0] as Row, pod('b', 'n')], []).podsByNode.get('n');
  expect(second?.[0]).toBe(first?.[0]);
  expect(second?.[1]).not.toBe(first?.[1]);
});

test('detail falls as Pods grow in number, and comes back late', () => {
  const crowd = (count: number) =>
    new GraphModeller().model(
      Array.from({ length: count }, (_, at) => pod(`p${at}`, 'n')),
      [],
    );
  expect(chooseDetail(crowd(3), 'card')).toBe('card');
  expect(chooseDetail(crowd(DETAIL_LIMITS.card + 1), 'card')).toBe('chip');
  expect(chooseDetail(crowd(DETAIL_LIMITS.card), 'chip')).toBe('chip');
  expect(chooseDetail(crowd(DETAIL_LIMITS.card / 2), 'chip')).toBe('card');
  expect(chooseDetail(crowd(DETAIL_LIMITS.chip + 1), 'chip')).toBe('cell');
  expect(chooseDetail(crowd(DETAIL_LIMITS.cell + 1), 'cell')).toBe('count');
});

test('who has a place keeps it, and newcomers fill the gaps', () => {
  let slots = assignSlots(new Map(), new Map([['n', ['a', 'b', 'c']]]));
  expect(slots.get('n')).toEqual(['a', 'b', 'c']);
  slots = assignSlots(slots, new Map([['n', ['c', 'd', 'b', 'e']]]));
  expect(slots.get('n')).toEqual(['d', 'b', 'c', 'e']);
  slots = assignSlots(slots, new Map([['n', ['d']]]));
  expect(slots.get('n')).toEqual(['d']);
});
