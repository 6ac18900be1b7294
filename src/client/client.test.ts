import { beforeEach, describe, expect, test } from 'vitest';
import { events } from '#api/core/v1/event.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { Pod } from '#api/generated/types.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import type { Process } from '#base/pump.ts';
import type { Tracer } from '#base/tracer.ts';
import { TestApi } from '#testing/test-api.ts';
import { Client } from './client.ts';
import type { EventObject } from './event.ts';
import { CoreEventRecorder } from './event-recorder.ts';
import { SeriesEventRecorder } from './event-series-recorder.ts';
import { Expectations } from './expectations.ts';
import { byControllerUid, byNodeName, Indexer } from './indexer.ts';
import { InformerFactory } from './informer.ts';
import { nameOfKey } from './key.ts';
import { referenceTo } from './object-reference.ts';
import { TokenBucket } from './rate-limiter.ts';
import { retryOnConflict } from './retry-on-conflict.ts';
import { WorkQueue } from './work-queue.ts';

const pod = (name: string, labels: Record<string, string> = {}, nodeName?: string): Pod => ({
  metadata: { namespace: 'default', name, labels },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...(nodeName ? { nodeName } : {}) },
});
const key = (name: string) => ({ namespace: 'default', name });

let api: TestApi;
let component: Process;
let tracer: Tracer;
let client: Client;

beforeEach(() => {
  api = new TestApi('none', true);
  component = api.root.child('component');
  tracer = api.tracer;
  client = new Client(api.backend, { user: { name: 'component', groups: [] }, userAgent: 'component/v1' });
});

const run = (ms: number) => api.run(ms);
const create = (name: string, nodeName?: string) => api.do((own) => own.create(pods, pod(name, {}, nodeName)));
const label = (name: string, value: string) =>
  api.do((own) => own.patch(pods, key(name), 'application/merge-patch+json', { metadata: { labels: { l: value } } }));
const remove = (name: string) => api.do((own) => own.delete(pods, key(name), { gracePeriodSeconds: 0 }));

describe('Informer', () => {
  function follow() {
    const log: string[] = [];
    const informers = new InformerFactory(component, client);
    const informer = informers.informer(pods).addIndex(byNodeName);
    expect(informers.informer(pods)).toBe(informer);
    informer.addHandlers({
      add: (object, span, initial) =>
        log.push(`add ${object.metadata.name}${initial ? ' initially' : ''}${span ? '' : ' uncaused'}`),
      update: (_, object) => log.push(`update ${object.metadata.name}`),
      delete: (object) => log.push(`delete ${object.metadata.name}`),
    });
    informers.start();
    return { informers, informer, log };
  }

  /** What the component has asked the server for. */
  const asked = () =>
    [...tracer.from(0)]
      .filter(
        ({ kind, parents, name }) => kind === 'request' && parents.length === 0 && /^(GET|WATCH) .*\/pods$/.test(name),
      )
      .map(({ name }) => name.split(' ')[0]);

  test('lists, then follows; each change reaches the handlers with its cause', async () => {
    await create('a', 'n1');
    const { informers, informer, log } = follow();
    await run(0);
    await api.do(() => informers.whenSynced());
    await create('b', 'n1');
    await label('b', 'x');
    await remove('a');
    await run(0);
    // Even a Pod that is deleted at once is marked first.
    expect(log).toEqual(['add a initially', 'add b', 'update b', 'update a', 'delete a']);
    const names = (node: string) => informer.lister.byIndex(byNodeName, node).map((object) => object.metadata.name);
    expect([names('n1'), names('n2')]).toEqual([['b'], []]);
    expect([informer.lister.list('default').length, informer.lister.list('other').length]).toEqual([1, 0]);
    const late: string[] = [];
    informer.addHandlers({ add: (object) => late.push(object.metadata.name ?? '') });
    expect(late).toEqual(['b']);
  });

  test('waits for a server that is gone with growing pauses, and goes on where it was', async () => {
    const { log } = follow();
    await run(5_000);
    expect(asked()).toEqual(['GET', 'WATCH']);
    api.stopServer();
    await run(300_000);
    api.startServer();
    await create('a');
    await run(60_000);
    expect(log).toEqual(['add a']);
    expect(asked()).toEqual(['GET', 'WATCH', 'WATCH']);
  });

  test('lists anew when its version is gone, and finds what went and came meanwhile', async () => {
    await create('a');
    await create('b');
    const { log } = follow();
    await run(5_000);
    api.stopServer();
    await run(1_000);
    api.startServer();
    await remove('a');
    await label('b', 'x');
    await create('c');
    api.etcd.compact(api.etcd.revision);
    await run(60_000);
    expect(log).toEqual(['add a initially', 'add b initially', 'update b', 'add c', 'delete a']);
  });

  test('takes an object that was made anew for another one', async () => {
    await create('a');
    const { log } = follow();
    await run(5_000);
    api.stopServer();
    await run(1_000);
    api.startServer();
    await remove('a');
    await create('a');
    api.etcd.compact(api.etcd.revision);
    await run(60_000);
    expect(log).toEqual(['add a initially', 'delete a', 'add a']);
  });

  test('is abandoned with its process', async () => {
    const { log } = follow();
    await run(5_000);
    component.exit();
    await create('a');
    await run(60_000);
    expect([log, asked()]).toEqual([[], ['GET', 'WATCH']]);
  });
});

test('an index follows its objects', () => {
  const indexer = new Indexer<ApiObject>();
  const owned = (uid?: string): ApiObject => ({
    metadata: {
      name: 'a',
      ...(uid ? { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid, controller: true }] } : {}),
    },
  });
  indexer.set('a', owned('1'));
  indexer.addIndex(byControllerUid);
  expect(indexer.byIndex(byControllerUid, '1')).toHaveLength(1);
  indexer.set('a', owned('2'));
  expect([indexer.byIndex(byControllerUid, '1').length, indexer.byIndex(byControllerUid, '2').length]).toEqual([0, 1]);
  indexer.set('a', owned());
  expect(indexer.byIndex(byControllerUid, '2')).toEqual([]);
  expect(indexer.delete('a')).toBeDefined();
  expect(indexer.delete('a')).toBeUndefined();
});

describe('WorkQueue', () => {
  test('coalesces, never hands a key out twice, and remembers what was added meanwhile', async () => {
    const queue = new WorkQueue(component, 'q');
    const taken: string[] = [];
    for (const worker of ['w1', 'w2']) {
      component.spawn(worker, async () => {
        for (;;) {
          const { key, span } = await queue.take();
          taken.push(`${worker} ${key} because of ${tracer.get(span)?.parents}`);
          await component.clock.sleep(10);
          queue.done(key);
        }
      });
    }
    queue.add('a', 1);
    queue.add('b', 2);
    queue.add('a', 3);
    await run(5);
    queue.add('a', 4);
    await run(4);
    expect(taken).toEqual(['w1 a because of 1,3', 'w2 b because of 2']);
    await run(100);
    expect(taken.slice(2)).toEqual(['w1 a because of 4']);
  });

  test('many causes are counted', async () => {
    const queue = new WorkQueue(component, 'q');
    for (let i = 1; i <= 40; i++) queue.add('a', i);
    const { span } = await api.do(() => queue.take());
    expect(tracer.get(span)).toMatchObject({
      attributes: { coalesced: 40 },
      parents: Array.from({ length: 16 }, (_, i) => i + 1),
    });
  });

  test('delays: the earliest counts; failures double it; the timer is a cause', async () => {
    const queue = new WorkQueue(component, 'q');
    const start = api.pump.now;
    const times: string[] = [];
    component.spawn('worker', async () => {
      for (;;) {
        const { key, span } = await queue.take();
        const timer = tracer.get(tracer.get(span)?.parents[0] ?? 0);
        times.push(`${key} ${api.pump.now - start} ${timer?.kind} of ${timer?.parents}`);
        queue.done(key);
        if (times.length > 1 && times.length < 5) queue.addRateLimited('b', 8);
      }
    });
    queue.addAfter('a', 50, 7);
    queue.addAfter('a', 20, 6);
    queue.addAfter('a', 90, 5);
    await run(100);
    queue.addRateLimited('b', 8);
    await run(100);
    expect(times).toEqual([
      'a 20 timer of 6',
      'b 105 timer of 8',
      'b 115 timer of 8',
      'b 135 timer of 8',
      'b 175 timer of 8',
    ]);
    queue.forget('b');
    expect(queue.requeues('b')).toBe(0);
  });

  test('deliveries that are due come before a take', async () => {
    const queue = new WorkQueue(component, 'q');
    const order: string[] = [];
    component.spawn('worker', async () => {
      await queue.take();
      order.push('take');
    });
    queue.add('a');
    component.post('delivery', () => {
      order.push('first');
      component.post('delivery', () => order.push('second'));
    });
    await run(0);
    expect(order).toEqual(['first', 'second', 'take']);
  });
});

test('a token bucket refills, and reserves ahead', async () => {
  const bucket = new TokenBucket(component.clock, 10, 2);
  expect([bucket.reserve(), bucket.reserve(), bucket.reserve(), bucket.reserve()]).toEqual([0, 0, 100, 200]);
  await run(1000);
  expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
});

test('expectations hold until seen, or for five minutes', async () => {
  const expectations = new Expectations(component.clock);
  expect(expectations.satisfied('k')).toBe(true);
  expectations.expectCreations('k', 2);
  expectations.creationObserved('k');
  expect(expectations.satisfied('k')).toBe(false);
  expectations.creationObserved('k');
  expect(expectations.satisfied('k')).toBe(true);
  expectations.expectDeletions('k', ['a']);
  expectations.deletionObserved('k', 'b');
  expect(expectations.satisfied('k')).toBe(false);
  await run(300_001);
  expect(expectations.satisfied('k')).toBe(true);
});

test('retryOnConflict tries five times', async () => {
  await create('a');
  let tries = 0;
  const attempt = api.do(() =>
    retryOnConflict(component, async () => {
      tries++;
      const stale = pod('a');
      return client.update(pods, { ...stale, metadata: { ...stale.metadata, resourceVersion: '1' } });
    }),
  );
  await expect(attempt).rejects.toThrow('the object has been modified');
  expect(tries).toBe(5);
});

test('names of keys', () => {
  expect([nameOfKey('a/b'), nameOfKey('b')]).toEqual([{ namespace: 'a', name: 'b' }, { name: 'b' }]);
});

async function stored(): Promise<EventObject[]> {
  return [...(await api.do((own) => own.list<EventObject>(events))).items];
}

describe('CoreEventRecorder', () => {
  const object = referenceTo(
    pods,
    { ...pod('web'), metadata: { ...key('web'), uid: 'u', resourceVersion: '7' } },
    'spec.containers{c}',
  );
  const record = () => new CoreEventRecorder(component, client, events, { component: 'kubelet', host: 'node-1' });

  test('writes what client-go writes', async () => {
    record().event(object, 'Normal', 'Pulled', 'done', 0);
    await run(0);
    expect(await stored()).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {
          namespace: 'default',
          name: expect.stringMatching(/^web\.[0-9a-f]{16}$/),
          creationTimestamp: '2026-01-01T00:00:00Z',
          resourceVersion: expect.any(String),
          uid: expect.any(String),
        },
        involvedObject: {
          kind: 'Pod',
          namespace: 'default',
          name: 'web',
          uid: 'u',
          apiVersion: 'v1',
          resourceVersion: '7',
          fieldPath: 'spec.containers{c}',
        },
        reason: 'Pulled',
        message: 'done',
        source: { component: 'kubelet', host: 'node-1' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        count: 1,
        type: 'Normal',
        eventTime: null,
        reportingComponent: 'kubelet',
        reportingInstance: 'node-1',
      },
    ]);
  });

  test('counts equal ones, and drops what is too much', async () => {
    const recorder = record();
    for (let i = 0; i < 30; i++) {
      recorder.event(object, 'Warning', 'BackOff', 'again', 0);
      await run(1000);
    }
    expect(await stored()).toMatchObject([{ count: 25, lastTimestamp: '2026-01-01T00:00:24Z' }]);
  });

  test('combines many that differ by message', async () => {
    const recorder = record();
    for (let i = 0; i < 15; i++) recorder.event(object, 'Normal', 'R', `message ${i}`, 0);
    await run(0);
    const all = await stored();
    expect(all).toHaveLength(10);
    expect(all[9]).toMatchObject({ message: '(combined from similar events): message 14', count: 6 });
  });

  test('waits for a server that is gone', async () => {
    const recorder = record();
    await run(0);
    api.stopServer();
    recorder.event(object, 'Normal', 'A', 'a', 0);
    await run(1000);
    api.startServer();
    await run(20_000);
    expect(await stored()).toHaveLength(1);
  });
});

test('SeriesEventRecorder makes a series of repetitions, and writes its count at its end', async () => {
  const recorder = new SeriesEventRecorder(component, client, events, 'default-scheduler', 'default-scheduler-cp');
  const object = referenceTo(pods, pod('web'));
  for (let i = 0; i < 4; i++) {
    recorder.event(object, undefined, 'Warning', 'FailedScheduling', 'Scheduling', `0/${i} nodes`, 0);
    await run(1000);
  }
  const series = async () =>
    (await stored()).map(({ message, series, action, eventTime }) => ({ message, series, action, eventTime }));
  const event = { message: '0/0 nodes', action: 'Scheduling', eventTime: '2026-01-01T00:00:00.000000Z' };
  expect(await series()).toEqual([{ ...event, series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' } }]);
  await run(15 * 60_000);
  expect(await series()).toEqual([{ ...event, series: { count: 4, lastObservedTime: '2026-01-01T00:00:03.000000Z' } }]);
  // Nothing ticks once there is no series left.
  const turns: string[] = [];
  api.pump.onTurn = ({ process }) => turns.push(process);
  await run(30 * 60_000);
  expect(turns).not.toContain('component');
});
