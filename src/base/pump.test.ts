import { expect, test } from 'vitest';
import { Process, ProcessExitedError, Pump, type Turn } from './pump.ts';
import { Rng } from './rng.ts';
import { Tracer } from './tracer.ts';

function setUp(strict: boolean) {
  const pump = new Pump({ epoch: 0, ...(strict ? { strictHop: () => new Promise((r) => setImmediate(r)) } : {}) });
  const log: string[] = [];
  pump.onTurn = (turn: Turn) => log.push(`${turn.time} ${turn.process} ${turn.name}`);
  const root = new Process('root', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  return { pump, root, log };
}

async function scenario(strict: boolean) {
  const { pump, root, log } = setUp(strict);
  const server = root.child('server');
  const client = root.child('client');
  const said: string[] = [];
  const answer = async (n: number) => {
    await server.clock.sleep(2);
    return n * 2;
  };
  client.spawn('ask', async () => {
    said.push(`got ${await server.call('answer', () => answer(21))} at ${client.clock.now()}`);
    await client.clock.sleep(5);
    server.exit();
    await expect(server.call('answer', () => answer(1))).rejects.toThrow(ProcessExitedError);
    said.push('the server is gone');
  });
  const ticker = client.clock.ticker(3, 'tick', () => said.push(`tick ${client.clock.now()}`));
  client.clock.afterFunc(7, 'stop', () => ticker.stop());
  client.post('low', () => said.push('low'), true);
  client.post('high', () => said.push('high'));
  await pump.run({ until: 20 });
  return { said, log, now: pump.now };
}

test('tasks, calls, timers and low work run in one order, the same in both modes', async () => {
  const fast = await scenario(false);
  expect(fast.said).toEqual(['high', 'low', 'got 42 at 2', 'tick 3', 'tick 6', 'the server is gone']);
  expect(fast.now).toBe(20);
  expect(await scenario(true)).toEqual(fast);
});

test('a process that exits is abandoned where it parked', async () => {
  const { pump, root } = setUp(false);
  const victim = root.child('victim');
  let reached = 0;
  victim.spawn('work', async () => {
    reached = 1;
    await victim.clock.sleep(10);
    reached = 2;
  });
  await pump.run({ until: 5 });
  victim.exit();
  await pump.run({ until: 50 });
  expect(reached).toBe(1);
});

test('strict mode finds code that awaits something else', async () => {
  const { pump, root } = setUp(true);
  root.spawn('stray', async () => {
    const stray = (async () => {
      await new Promise((resolve) => setImmediate(resolve));
      root.post('late', () => {});
    })();
    await root.clock.sleep(1);
    await stray;
  });
  await expect(pump.run({ until: 5 })).rejects.toThrow(/went on after its turn/);
});

test('run stops after so many turns and goes on where it was', async () => {
  const { pump, root } = setUp(false);
  const seen: number[] = [];
  for (let i = 0; i < 3; i++) root.clock.afterFunc(i + 1, 'n', () => seen.push(i));
  expect(await pump.run({ until: 10, maxTurns: 1 })).toBe(1);
  expect([seen, pump.now, pump.peek()?.due]).toEqual([[0], 1, 2]);
  await pump.run({ until: 10 });
  expect(seen).toEqual([0, 1, 2]);
});

test('an error that nobody joins is loud', async () => {
  const { pump, root } = setUp(false);
  root.spawn('bad', async () => {
    await root.clock.sleep(1);
    throw new Error('bad');
  });
  await expect(pump.run({ until: 5 })).rejects.toThrow('bad');
});

test('a suspended process goes on where it was, in order, and can die meanwhile', async () => {
  const setups = [setUp(false), setUp(true)];
  const logs = [];
  for (const { pump, root, log } of setups) {
    const pod = root.child('pod');
    const shell = pod.child('shell');
    const said: string[] = [];
    const say = (text: string) => () => said.push(`${text} ${pump.now}`);
    shell.clock.ticker(10, 'tick', say('tick'));
    pod.clock.afterFunc(25, 'late', say('late'));
    pod.clock.afterFunc(60, 'later', say('later'));
    const stopped = pod.clock.afterFunc(26, 'stopped', say('stopped'));
    await pump.run({ until: 15 });
    pod.suspend();
    pod.suspend();
    expect([pod.suspended, shell.suspended, pump.peek()]).toEqual([true, true, undefined]);
    pod.post('low', say('low'), true);
    pod.post('a', say('a'));
    const young = pod.child('young');
    young.post('b', say('b'));
    pod.post('c', say('c'));
    root.clock.afterFunc(16, 'stop', () => stopped.stop());
    root.spawn('ask', async () => {
      const answer = await shell.call('answer', async () => 42);
      say(`answer ${answer}`)();
    });
    expect(pump.peek()).toMatchObject({ name: 'ask' });
    await pump.run({ until: 40 });
    expect([said, pump.nextDue(), pump.now]).toEqual([['tick 10'], undefined, 40]);
    // Suspended itself and with its parent: it waits for both.
    young.suspend();
    pod.resume();
    expect([pod.suspended, young.suspended, pump.nextDue()]).toEqual([false, true, 40]);
    await pump.run({ until: 45 });
    pod.suspend();
    young.resume();
    await pump.run({ until: 46 });
    expect(said).toEqual(['tick 10', 'a 40', 'c 40', 'answer 42 40', 'low 40', 'tick 40', 'late 40']);
    pod.resume();
    await pump.run({ until: 65 });
    expect(said.slice(7)).toEqual(['b 46', 'tick 50', 'later 60', 'tick 60']);
    pod.suspend();
    let over = false;
    shell.onExit(() => (over = true));
    root.clock.afterFunc(10, 'kill', () => pod.exit());
    await pump.run({ until: 80 });
    pod.resume();
    await pump.run({ until: 99 });
    expect([over, pod.suspended, said.length]).toEqual([true, false, 11]);
    logs.push(log);
  }
  expect(logs[1]).toEqual(logs[0]);
});
