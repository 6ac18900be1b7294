import { expect, test } from 'vitest';
import { runScenario, type Variant } from './determinism-scenario.ts';

const plain = runScenario();

test.each<readonly [string, Variant]>([
  ['again', {}],
  ['with a strict pump', { strictHop: () => new Promise((resolve) => setImmediate(resolve)) }],
  ['stopped every few turns', { turnsAtATime: 7 }],
  ['observed', { observers: true }],
  ['observed and stopped', { observers: true, turnsAtATime: 101 }],
])('the same session gives the same turns, spans and etcd: %s', async (_, variant) => {
  expect(await runScenario(variant)).toEqual(await plain);
});
