import { expect, test } from 'vitest';
import { bodyStream, type HttpRequest, type HttpResponse } from '#transport/http.ts';
import { ApiClient } from '../session/api-client.ts';
import { Batcher, type FrameHost } from './batcher.ts';
import { createCollectionStore, follow } from './cluster-store.ts';
import { PODS } from './kube-object.ts';

/** Frames and timers by hand. */
function manualHost() {
  const frames = new Set<() => void>();
  const timers: { ms: number; run: () => void }[] = [];
  const host: FrameHost = {
    frame: (run) => {
      frames.add(run);
      return () => frames.delete(run);
    },
    after: (ms, run) => {
      const timer = { ms, run };
      timers.push(timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at >= 0) timers.splice(at, 1);
      };
    },
  };
  const drain = (runs: (() => void)[]) => {
    for (const run of runs) run();
  };
  return {
    host,
    timers,
    frame: () => drain([...frames]),
    fire: () => drain(timers.splice(0).map((timer) => timer.run)),
  };
}

const encode = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
const columns = [{ name: 'Name' }, { name: 'Ready' }, { name: 'Status' }];
const pod = (name: string, version: string, status: string) => ({
  cells: [name, '1/1', status],
  object: { metadata: { name, namespace: 'default', resourceVersion: version } },
});
const table = (version: string, rows: unknown[], next = '') => ({
  kind: 'Table',
  metadata: { resourceVersion: version, continue: next },
  columnDefinitions: columns,
  rows,
});

/** A server with scripted answers: lists in order, and watches whose ends the test holds. */
function scripted(lists: (unknown | Error)[]) {
  const paths: string[] = [];
  const watches: ReturnType<typeof bodyStream>[] = [];
  const handle = (request: HttpRequest): Promise<HttpResponse> => {
    paths.push(request.path);
    if (request.path.includes('watch=true')) {
      const watch = bodyStream();
      watches.push(watch);
      return Promise.resolve({ status: 200, headers: {}, body: watch.stream });
    }
    const answer = lists.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ status: 200, headers: {}, body: encode(answer) });
  };
  return { paths, watches, api: new ApiClient({ handle, upgrade: handle }) };
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

test('changes are coalesced per key, bounded per frame, and drawn also when frames stop', () => {
  const { host, frame, fire } = manualHost();
  const batches: (readonly string[])[] = [];
  const batcher = new Batcher<string>((changes) => batches.push(changes), host, 2);
  batcher.push('a', 'a1');
  batcher.push('b', 'b1');
  batcher.push('a', 'a2');
  batcher.push('c', 'c1');
  frame();
  expect(batches).toEqual([['a2', 'b1']]);
  fire();
  expect(batches).toEqual([['a2', 'b1'], ['c1']]);
  frame();
  expect(batches).toHaveLength(2);
});

test('a collection is listed in pages, watched, and told the status text of the server', async () => {
  const { host, frame } = manualHost();
  const server = scripted([table('5', [pod('a', '3', 'Pending')], 'next'), table('5', [pod('b', '4', 'Running')])]);
  const store = createCollectionStore();
  const stop = follow(server.api, PODS, store, host);
  await settle();
  expect(server.paths[1]).toContain('continue=next');
  expect(server.paths[2]).toContain('resourceVersion=5');
  const statuses = () => [...store.getState().rows.values()].map((row) => `${row.key} ${row.status}`);
  expect(statuses()).toEqual(['pods/default/a Pending', 'pods/default/b Running']);

  const watch = server.watches[0];
  watch?.push(
    encode({
      type: 'MODIFIED',
      object: { ...table('', [pod('a', '6', 'ContainerCreating')]), columnDefinitions: null },
    }),
  );
  watch?.push(
    encode({ type: 'MODIFIED', object: { ...table('', [pod('a', '7', 'Running')]), columnDefinitions: null } }),
  );
  watch?.push(encode({ type: 'DELETED', object: table('', [pod('b', '8', 'Running')]) }));
  await settle();
  frame();
  expect(statuses()).toEqual(['pods/default/a Running']);
  stop();
});

test('a watch that ends goes on from the last version after a back-off; an expired one lists again', async () => {
  const { host, timers, fire } = manualHost();
  const server = scripted([table('5', []), table('90', [pod('n', '80', 'Running')])]);
  const store = createCollectionStore();
  const stop = follow(server.api, PODS, store, host);
  await settle();
  server.watches[0]?.push(
    encode({
      type: 'BOOKMARK',
      object: { kind: 'Table', rows: [{ cells: [], object: { metadata: { resourceVersion: '42' } } }] },
    }),
  );
  server.watches[0]?.end();
  await settle();
  expect(timers.map((timer) => timer.ms)).toEqual([250]);
  fire();
  await settle();
  expect(server.paths.at(-1)).toContain('resourceVersion=42');

  server.watches[1]?.push(encode({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }));
  server.watches[1]?.end();
  await settle();
  expect([...store.getState().rows.keys()]).toEqual(['pods/default/n']);
  expect(server.paths.at(-1)).toContain('resourceVersion=90');
  stop();
});

test('what fails is told, and tried again later and later', async () => {
  const { host, timers, fire } = manualHost();
  const server = scripted([new Error('connection refused'), new Error('connection refused'), table('1', [])]);
  const store = createCollectionStore();
  const stop = follow(server.api, PODS, store, host);
  await settle();
  expect(store.getState()).toMatchObject({ synced: false, problem: 'connection refused' });
  fire();
  await settle();
  expect(timers.map((timer) => timer.ms)).toEqual([500]);
  fire();
  await settle();
  expect(store.getState()).toMatchObject({ synced: true });
  expect(store.getState().problem).toBeUndefined();
  stop();
});
