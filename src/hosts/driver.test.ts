import { expect, test } from 'vitest';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { Driver } from './driver.ts';

/** A wall clock and timers by hand. */
function setUp() {
  const pump = new Pump({ epoch: 1000 });
  const root = new Process('root', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  let wall = 0;
  const timers: { at: number; run: () => void }[] = [];
  const host = {
    now: () => wall,
    schedule: (run: () => void, ms: number) => {
      const timer = { at: wall + ms, run };
      timers.push(timer);
      return () => {
        const i = timers.indexOf(timer);
        if (i >= 0) timers.splice(i, 1);
      };
    },
  };
  const pass = async (ms: number) => {
    const end = wall + ms;
    for (;;) {
      timers.sort((a, b) => a.at - b.at);
      const next = timers[0];
      if (!next || next.at > end) break;
      timers.shift();
      wall = Math.max(wall, next.at);
      next.run();
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
    wall = end;
  };
  const jump = (ms: number) => {
    wall += ms;
  };
  return { pump, root, host, pass, jump };
}

test('virtual time follows the wall at the speed that is set', async () => {
  const { pump, root, host, pass } = setUp();
  const fired: number[] = [];
  root.clock.ticker(10, 'tick', () => fired.push(root.clock.now()));
  const driver = new Driver(pump, host);
  await pass(35);
  expect(fired).toEqual([1010, 1020, 1030]);
  driver.setSpeed(10);
  await pass(10);
  driver.sync();
  expect([pump.now, fired.length]).toEqual([1135, 13]);
});

test('nothing runs while paused; steps run one turn each', async () => {
  const { pump, root, host, pass } = setUp();
  const driver = new Driver(pump, host);
  driver.pause();
  const seen: string[] = [];
  root.post('now', () => seen.push('now'));
  root.clock.afterFunc(500, 'later', () => seen.push('later'));
  await pass(1000);
  expect([seen, driver.state.next?.name]).toEqual([[], 'now']);
  const stepped = driver.step(2);
  await pass(10);
  await stepped;
  expect([seen, pump.now, driver.state.paused]).toEqual([['now', 'later'], 1500, true]);
  driver.play();
  await pass(10);
  driver.sync();
  expect(pump.now).toBe(1510);
});

test('a host that was away does not make the cluster race', async () => {
  const { pump, root, host, pass, jump } = setUp();
  let ticks = 0;
  root.clock.ticker(10, 'tick', () => {
    ticks++;
    jump(20);
  });
  new Driver(pump, host);
  jump(60_000);
  await pass(1);
  const after = ticks;
  await pass(100);
  expect(after).toBe(1);
  expect(ticks).toBeLessThan(30);
});

test('a crash of the engine is told once and ends it', async () => {
  const { pump, root, host, pass } = setUp();
  const driver = new Driver(pump, host);
  const crashes: unknown[] = [];
  driver.onCrash = (error) => crashes.push(error);
  root.post('bad', () => {
    throw new Error('bug');
  });
  await pass(500);
  expect(crashes).toEqual([new Error('bug')]);
});

test('skipping ahead runs to its end at once, and leaves the clock as it was', async () => {
  const { pump, root, host, pass } = setUp();
  let ticks = 0;
  root.clock.ticker(1000, 'tick', () => ticks++);
  const driver = new Driver(pump, host);
  driver.pause();
  let arrived = false;
  void driver.advance(300_000).then(() => (arrived = true));
  expect(driver.state).toMatchObject({ paused: true, advancingTo: 301_000 });
  await pass(5);
  expect([arrived, ticks, pump.now, driver.state.advancingTo, driver.state.paused]).toEqual([
    true,
    300,
    301_000,
    undefined,
    true,
  ]);
  driver.play();
  await pass(100);
  driver.sync();
  expect(pump.now).toBe(301_100);
});

test('a pause ends a skip', async () => {
  const { pump, root, host, jump, pass } = setUp();
  root.clock.ticker(1000, 'slow', () => jump(10));
  const driver = new Driver(pump, host);
  let arrived = false;
  void driver.advance(60_000).then(() => (arrived = true));
  await pass(30);
  driver.pause();
  await pass(1000);
  expect([arrived, driver.state.advancingTo]).toEqual([true, undefined]);
  expect(pump.now).toBeLessThan(61_000);
});
