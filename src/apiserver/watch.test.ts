import { expect, test } from 'vitest';
import type { ApiRequest, RequestOptions, WatchEvent } from '#apimachinery/api-request.ts';
import { startWidgetServer, type Widget, type WidgetServer, widgets } from '#testing/widget-server.ts';

const request = (options: RequestOptions, rest: Partial<ApiRequest> = {}): ApiRequest => ({
  verb: 'watch',
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  options,
  user: { name: 'me', groups: [] },
  userAgent: 'kubectl/v1.33.0',
  cause: 0,
  observer: true,
  ...rest,
});

/** What a watch of an observer has said so far. */
async function observed({ api }: WidgetServer, options: RequestOptions, rest: Partial<ApiRequest> = {}) {
  const said: string[] = [];
  const handle = await api.local.watch(request(options, rest), {
    event: ({ type, object }) =>
      void said.push(`${type} ${object.metadata.name ?? '-'} ${object.metadata.resourceVersion}`),
    closed: (error) => void said.push(`closed ${error instanceof Error ? error.message : ''}`),
  });
  return { said, handle };
}

const widget = (name: string, nodeName = ''): Widget => ({
  metadata: { namespace: 'default', name },
  spec: { nodeName },
});
const move = (name: string, nodeName: string) => ({ name, patch: { spec: { nodeName } } });

async function change(server: WidgetServer, ...steps: (Widget | string | ReturnType<typeof move>)[]) {
  await server.run(async (client) => {
    for (const step of steps) {
      if (typeof step === 'string') await client.delete(widgets, { namespace: 'default', name: step });
      else if ('patch' in step)
        await client.patch(
          widgets,
          { namespace: 'default', name: step.name },
          'application/merge-patch+json',
          step.patch,
        );
      else await client.create(widgets, step);
    }
  });
}

test('begins with what there is, or with what has happened since a version', async () => {
  const server = startWidgetServer();
  await change(server, widget('a'), widget('b'), move('a', 'n1'), 'b');
  const fromNow = await observed(server, {});
  const fromZero = await observed(server, { resourceVersion: '0' });
  const since2 = await observed(server, { resourceVersion: '2' });
  const current = await observed(server, { resourceVersion: '5' });
  await change(server, widget('c'));
  expect(fromNow.said).toEqual(['ADDED a 4', 'ADDED c 6']);
  expect(fromZero.said).toEqual(fromNow.said);
  expect(since2.said).toEqual(['ADDED b 3', 'MODIFIED a 4', 'DELETED b 5', 'ADDED c 6']);
  expect(current.said).toEqual(['ADDED c 6']);
});

test('what begins to match is added, what ceases to is deleted', async () => {
  const server = startWidgetServer();
  const onN1 = await observed(server, { fieldSelector: 'spec.nodeName=n1' });
  const notN1 = await observed(server, { fieldSelector: 'spec.nodeName!=n1' });
  const named = await observed(server, { fieldSelector: 'metadata.name=b' }, { namespace: 'default' });
  const elsewhere = await observed(server, {}, { namespace: 'other' });
  await change(server, widget('a'), widget('b', 'n1'), move('a', 'n1'), move('a', 'n2'), 'b');
  expect(onN1.said).toEqual(['ADDED b 3', 'ADDED a 4', 'DELETED a 5', 'DELETED b 6']);
  expect(notN1.said).toEqual(['ADDED a 2', 'DELETED a 4', 'ADDED a 5']);
  expect(named.said).toEqual(['ADDED b 3', 'DELETED b 6']);
  expect(elsewhere.said).toEqual([]);
  const replayed = await observed(server, { fieldSelector: 'spec.nodeName=n1', resourceVersion: '1' });
  expect(replayed.said).toEqual(onN1.said);
});

test('old versions are gone after two compactions; a bookmark keeps a quiet watcher up to date', async () => {
  const server = startWidgetServer();
  const { pump, etcd } = server;
  await change(server, widget('a'), widget('b'));
  const quiet = await observed(server, {
    fieldSelector: 'spec.nodeName=n1',
    resourceVersion: '1',
    allowWatchBookmarks: true,
  });
  await change(server, move('a', 'n2'));
  await pump.run({ until: pump.now + 60_000 });
  expect(quiet.said).toEqual(['BOOKMARK - 4']);
  await pump.run({ until: pump.now + 540_000 });
  expect(etcd.compactRevision).toBe(4);
  await expect(observed(server, { resourceVersion: '2' })).rejects.toThrow('too old resource version: 2 (4)');
  expect((await observed(server, { resourceVersion: '4' })).said).toEqual([]);
});

test('ends after timeoutSeconds, on the clock of the watcher', async () => {
  const timers: { ms: number; run: () => void }[] = [];
  const server = startWidgetServer({ hostTimer: (ms, run) => (timers.push({ ms, run }), () => {}) });
  const outside = await observed(server, { timeoutSeconds: 5 });
  expect(timers.map(({ ms }) => ms)).toEqual([5000]);
  timers[0]?.run();
  expect(outside.said).toEqual(['closed ']);
  await server.run(async (client, process) => {
    const ended: number[] = [];
    const start = process.clock.now();
    const sink = { event: () => {}, closed: () => void ended.push(process.clock.now() - start) };
    await client.watch(widgets, { timeoutSeconds: 7 }, sink);
    await process.clock.sleep(10_000);
    expect(ended).toEqual([7000]);
  });
});

test('an engine watcher gets its events in order, however long each takes', async () => {
  const server = startWidgetServer({ profile: 'realistic' });
  const events: WatchEvent<Widget>[] = [];
  await server.run(async (client, process) => {
    await client.watch(
      widgets,
      { resourceVersion: '1' },
      { event: (event) => void events.push(event), closed: () => {} },
    );
    const jobs = Array.from({ length: 40 }, (_, i) =>
      process.spawn('create', () => client.create(widgets, widget(`w${i}`))),
    );
    for (const job of jobs) await job.join();
    await process.clock.sleep(10);
  });
  const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
  expect(versions).toEqual(Array.from({ length: 40 }, (_, i) => i + 2));
});

test('observers leave no trace', async () => {
  const digest = async (observe: boolean) => {
    const server = startWidgetServer({ profile: 'realistic' });
    if (observe) await observed(server, { allowWatchBookmarks: true });
    await change(server, widget('a'), move('a', 'n1'));
    if (observe) await server.api.local.list({ ...request({}), verb: 'list' });
    await change(server, 'a');
    return { turns: server.pump.turns, now: server.pump.now, spans: [...server.root.tracer.from(0)] };
  };
  expect(await digest(true)).toEqual(await digest(false));
});

test('rejects what v1.33 rejects', async () => {
  const server = startWidgetServer();
  await expect(observed(server, { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' })).rejects.toThrow(
    'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
  );
  await expect(observed(server, { resourceVersionMatch: 'Exact' })).rejects.toThrow(
    'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
  );
});
