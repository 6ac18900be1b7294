import { expect, test } from 'vitest';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { FlowControl } from './flow-control.ts';

const LIMITED = { level: 'limited', seats: 1, queueLength: 3, headers: {} };
const EXEMPT = { level: 'exempt', seats: undefined, queueLength: 0, headers: {} };

test('flows take turns, waiting ends with 429, exempt ones do not wait', async () => {
  const pump = new Pump({ epoch: 0 });
  const process = new Process('api', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const flow = new FlowControl(process, () => ({ ...EXEMPT, key: '' }), 1000);
  const served: string[] = [];
  const request = (who: string, name: string, ms: number, level = LIMITED as typeof LIMITED | typeof EXEMPT) =>
    process.spawn(name, async () => {
      const own = { ...level, key: who };
      try {
        const wait = flow.enter(own);
        if (wait) await wait;
      } catch (error) {
        served.push(`${name}: ${(error as Error).message}`);
        return;
      }
      await process.clock.sleep(ms);
      served.push(name);
      flow.leave(own);
    });
  for (let i = 0; i < 5; i++) request('a', `a${i}`, 100);
  request('b', 'b0', 100);
  request('root', 'root', 1, EXEMPT);
  await pump.run({ until: 10 });
  expect([flow.executing, flow.inQueue]).toEqual([1, 4]);
  await pump.run({ until: 5000 });
  expect(served).toEqual(['a4: Too many requests, please try again later.', 'root', 'a0', 'a1', 'b0', 'a2', 'a3']);
  request('a', 'long', 3000);
  request('a', 'late', 1);
  await pump.run({ until: 20_000 });
  expect(served.slice(-2)).toEqual(['late: Too many requests, please try again later.', 'long']);
  expect([flow.executing, flow.inQueue, flow.rejected, flow.dispatched]).toEqual([0, 0, 2, 7]);
});
