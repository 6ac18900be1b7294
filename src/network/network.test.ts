import { describe, expect, test } from 'vitest';
import { latencyOf } from '#base/latency.ts';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { httpExchange, serveHttp } from './http.ts';
import { PodAddresses } from './ipam.ts';
import { type Flow, Network, type Translation } from './network.ts';

function setUp(profile: 'none' | 'realistic' = 'none') {
  const pump = new Pump({ epoch: 0 });
  const root = new Process('root', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const network = new Network(root.child('network'), latencyOf(profile));
  const one = network.createHost('node-1', '192.168.0.11');
  const two = network.createHost('node-2', '192.168.0.12');
  const web = network.createNamespace('web', one, '10.244.1.2');
  const box = network.createNamespace('box', two, '10.244.2.2');
  return { pump, root, network, one, two, web, box };
}

type World = ReturnType<typeof setUp>;

/** Runs `work` as a task; what it returns or throws, and how long it took. */
async function outcome(world: World, work: () => Promise<unknown>) {
  const result: { value?: unknown; error?: string; ms?: number } = {};
  world.root.spawn('test', async () => {
    const start = world.pump.now;
    try {
      result.value = await work();
    } catch (error) {
      result.error = (error as Error).message;
    }
    result.ms = world.pump.now - start;
  });
  await world.pump.run({ until: world.pump.now + 1_000_000 });
  return result;
}

const get = (world: World, address: string, port: number, timeoutMs?: number) => async () => {
  const answer = await httpExchange(world.root, world.box, { address, port }, { path: '/x' }, timeoutMs);
  return `${answer.status} ${answer.reason} ${decodeUtf8(answer.body)}`;
};

test('HTTP goes from one Pod to another', async () => {
  const world = setUp();
  serveHttp(world.web, world.root.child('nginx'), 80, (request, { remote }) => ({
    status: 200,
    body: `${request.method} ${request.path} ${request.headers.host} from ${remote.address}`,
  }));
  expect(await outcome(world, get(world, '10.244.1.2', 80))).toEqual({
    value: '200 OK GET /x 10.244.1.2 from 10.244.2.2',
    ms: 0,
  });
});

test('with latency the same takes two round trips', async () => {
  const world = setUp('realistic');
  serveHttp(world.web, world.root.child('nginx'), 80, () => ({ status: 204 }));
  const { value, ms } = await outcome(world, get(world, '10.244.1.2', 80));
  expect(value).toBe('204 No Content ');
  expect(ms).toBeGreaterThan(0.4);
  expect(ms).toBeLessThan(1.7);
});

describe('failures', () => {
  const cases: [string, (world: World) => void, string, number | undefined, { error: string; ms: number }][] = [
    ['nobody listens', () => {}, '10.244.1.2', undefined, { error: 'Connection refused', ms: 0 }],
    ['no such Pod', () => {}, '10.244.1.9', undefined, { error: 'No route to host', ms: 3000 }],
    ['no such Pod, impatient', () => {}, '10.244.1.9', 1000, { error: 'Connection timed out', ms: 1000 }],
    ['unplugged', ({ one }) => (one.unplugged = true), '10.244.1.2', 1000, { error: 'Connection timed out', ms: 1000 }],
    [
      'rejected',
      ({ two }) => (two.translation = () => ({ to: 'reject' })),
      '10.96.0.1',
      undefined,
      { error: 'Connection refused', ms: 0 },
    ],
    [
      'accepts and says nothing',
      ({ web, root }) =>
        web.listen(
          root.child('dumb'),
          80,
          async (connection) => void (await connection.read(), await connection.read()),
        ),
      '10.244.1.2',
      1000,
      { error: 'Connection timed out', ms: 1000 },
    ],
    [
      'dies while it is asked',
      ({ web, root }) => {
        const server = root.child('mortal');
        web.listen(server, 80, async () => server.exit());
      },
      '10.244.1.2',
      1000,
      { error: 'Connection reset by peer', ms: 0 },
    ],
  ];
  for (const [name, prepare, address, timeoutMs, expected] of cases) {
    test(name, async () => {
      const world = setUp();
      prepare(world);
      expect(await outcome(world, get(world, address, 80, timeoutMs))).toEqual(expected);
    });
  }
});

test('rules of the host translate; a node port is translated where it arrives', async () => {
  const world = setUp();
  serveHttp(world.web, world.root.child('nginx'), 80, () => ({ status: 200, body: 'web' }));
  const rule = ({ destination: { address, port } }: Flow): Translation | undefined =>
    address === '10.96.0.7' || port === 30080
      ? { to: { address: '10.244.1.2', port: 80 }, service: 'default/web' }
      : undefined;
  world.two.translation = (flow) => (flow.destination.port === 30080 ? undefined : rule(flow));
  world.one.translation = rule;
  expect((await outcome(world, get(world, '10.96.0.7', 8080))).value).toBe('200 OK web');
  expect((await outcome(world, get(world, '192.168.0.11', 30080))).value).toBe('200 OK web');
});

test('loopback is the namespace’s own, and a removed namespace answers no more', async () => {
  const world = setUp();
  serveHttp(world.box, world.root.child('own'), 80, () => ({ status: 200, body: 'own' }));
  expect((await outcome(world, get(world, '127.0.0.1', 80))).value).toBe('200 OK own');
  expect((await outcome(world, get(world, '10.244.2.2', 80))).value).toBe('200 OK own');
  world.network.remove(world.web);
  expect((await outcome(world, get(world, '10.244.1.2', 80))).error).toBe('No route to host');
});

test('a slow reader holds up the writer, nothing is lost or overtaken', async () => {
  for (const profile of ['none', 'realistic'] as const) {
    const world = setUp(profile);
    const server = world.root.child('sink');
    let got = '';
    world.web.listen(server, 9, async (connection) => {
      await server.clock.sleep(100);
      for (let bytes = await connection.read(); bytes; bytes = await connection.read()) got += decodeUtf8(bytes);
    });
    const { ms } = await outcome(world, async () => {
      const connection = await world.box.connect(world.root, { address: '10.244.1.2', port: 9 });
      for (let i = 0; i < 40; i++) {
        await connection.write(encodeUtf8(`${String(i).padStart(4, '0')}${'.'.repeat(4092)}`));
        if (profile === 'realistic') await world.root.clock.sleep(1);
      }
      connection.end();
    });
    expect(got.replaceAll('.', '').match(/\d{4}/g)?.map(Number)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(ms).toBeGreaterThanOrEqual(100);
  }
});

test('addresses go up and come round', () => {
  const addresses = new PodAddresses('10.244.1.0/29');
  const take = () => addresses.allocate();
  expect([addresses.gateway, take(), take(), take()]).toEqual(['10.244.1.1', '10.244.1.2', '10.244.1.3', '10.244.1.4']);
  addresses.release('10.244.1.2');
  expect([take(), take(), take(), take()]).toEqual(['10.244.1.5', '10.244.1.6', '10.244.1.2', undefined]);
});
