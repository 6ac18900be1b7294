import { expect, test } from 'vitest';
import { scoresOf } from './scheduler-scores.ts';

const decision = (attributes: Record<string, string | readonly string[]>) => ({
  id: 1,
  kind: 'decision',
  component: 'kube-scheduler',
  name: 'default/nginx',
  parents: [],
  start: 0,
  attributes,
});

test('a decision names each Node with its score, or why it was turned down', () => {
  const span = decision({
    node: 'node-2',
    scores: [
      'node-2 495 = TaintToleration 300 + NodeResourcesFit 195',
      'node-1 490 = TaintToleration 300 + NodeResourcesFit 190',
    ],
    filtered: ['control-plane: TaintToleration: node(s) had untolerated taint {a: b}'],
  });
  expect(scoresOf(span)).toEqual([
    { node: 'node-2', chosen: true, total: 495, why: 'TaintToleration 300 · NodeResourcesFit 195' },
    { node: 'node-1', chosen: false, total: 490, why: 'TaintToleration 300 · NodeResourcesFit 190' },
    { node: 'control-plane', chosen: false, why: 'TaintToleration: node(s) had untolerated taint {a: b}' },
  ]);
  expect(scoresOf(decision({ message: 'x' }))).toEqual([]);
});
