import { expect, test } from 'vitest';
import type { ApiBackend, ApiRequest, WatchEvent, WatchSink } from '#apimachinery/api-request.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { Process, ProcessExitedError, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import { NodeLink } from './node-link.ts';

/** A link to a server that answers at once, and whose watches are fed by hand. */
function start() {
  const pump = new Pump({ epoch: 0 });
  const root = new Process('test', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const object = { metadata: { name: 'a' } } as ApiObject;
  let sink: WatchSink | undefined;
  let asked = 0;
  let stopped = 0;
  const backend = {
    request: async () => {
      asked++;
      return object;
    },
    watch: async (_: ApiRequest, given: WatchSink) => {
      sink = given;
      return { stop: () => stopped++ };
    },
  } as unknown as ApiBackend;
  const link = new NodeLink(root, backend);
  const seen: string[] = [];
  const request = (resource: string) => ({ verb: 'get', group: '', resource }) as ApiRequest;
  const ask = (resource: string) =>
    root.spawn('ask', async () => {
      try {
        await link.request(request(resource));
        seen.push(`${pump.now} ${resource} answered`);
      } catch (error) {
        expect(error).toBeInstanceOf(ProcessExitedError);
        seen.push(`${pump.now} ${resource} timed out`);
      }
    });
  const watch = () =>
    root.spawn('watch', () =>
      link.watch(request('pods'), {
        event: ({ object: { metadata } }) => seen.push(`${pump.now} ${metadata.name}`),
        closed: () => seen.push(`${pump.now} closed`),
      }),
    );
  const tell = (name: string) => sink?.event({ type: 'ADDED', object: { metadata: { name } }, span: 0 } as WatchEvent);
  const run = (ms: number) => pump.run({ until: pump.now + ms });
  return { link, seen, ask, watch, tell, run, asked: () => asked, stopped: () => stopped };
}

test('over a cut link requests time out, heartbeats sooner; joined in time they go through', async () => {
  const { link, seen, ask, run, asked } = start();
  link.cut();
  ask('nodes');
  ask('pods');
  await run(35_000);
  expect([seen, asked()]).toEqual([['10000 nodes timed out', '30000 pods timed out'], 0]);
  ask('pods');
  await run(5_000);
  link.join();
  await run(0);
  expect(seen.at(-1)).toBe('40000 pods answered');
});

test('a watch over a cut link is silent; joined in time nothing is lost, otherwise it ends', async () => {
  const { link, seen, watch, tell, run, stopped } = start();
  watch();
  await run(0);
  tell('one');
  link.cut();
  tell('two');
  tell('three');
  await run(44_000);
  expect(seen).toEqual(['0 one']);
  link.join();
  expect(seen).toEqual(['0 one', '44000 two', '44000 three']);
  link.cut();
  tell('four');
  await run(60_000);
  expect([seen.slice(3), stopped()]).toEqual([['89000 closed'], 1]);
  tell('five');
  link.join();
  expect(seen).toHaveLength(4);
});
