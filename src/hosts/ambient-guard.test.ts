import { expect, test } from 'vitest';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { guardAmbient } from './ambient-guard.ts';

test.each([
  ['Date.now', () => Date.now()],
  ['new Date()', () => new Date()],
  ['Math.random', () => Math.random()],
  ['setTimeout', () => setTimeout(() => {}, 1)],
])('%s throws while the pump runs, and works afterwards', async (name, use) => {
  const pump = new Pump({ epoch: 0 });
  guardAmbient(pump);
  new Process('p', { pump, rng: new Rng(1), tracer: new Tracer(() => 0) }).post('use', () => void use());
  await expect(pump.run({ until: 1 })).rejects.toThrow(`${name} was called while the engine runs`);
  expect(use()).toBeDefined();
  expect(new Date(0).toISOString()).toBe('1970-01-01T00:00:00.000Z');
});
