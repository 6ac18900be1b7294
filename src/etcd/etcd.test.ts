import { expect, test } from 'vitest';
import { Process, Pump } from '#base/pump.ts';
import { Rng } from '#base/rng.ts';
import { Tracer } from '#base/tracer.ts';
import {
  CompactedError,
  Etcd,
  type EtcdEvent,
  type EtcdOptions,
  EtcdUnavailableError,
  FutureRevisionError,
} from './etcd.ts';

function setUp(options: Partial<EtcdOptions> = {}) {
  const pump = new Pump({ epoch: 1000 });
  const process = new Process('etcd', { pump, rng: new Rng(1), tracer: new Tracer(() => pump.now) });
  const etcd = new Etcd<string>({ process, ...options });
  const put = (key: string, text: string, lease?: number) =>
    etcd.txn({ compare: [], operations: [{ put: key, value: () => text, ...(lease ? { lease } : {}) }], cause: 7 });
  const remove = (key: string) => etcd.txn({ compare: [], operations: [{ delete: key }], cause: 7 });
  const values = (prefix: string, revision?: number) =>
    etcd.range(prefix, { ...(revision ? { revision } : {}) }).kvs.map(({ value }) => value);
  return { pump, process, etcd, put, remove, values };
}

const shown = ({ kv, previous }: EtcdEvent<string>) =>
  `${kv.modRevision} ${kv.key} ${previous?.value ?? '-'}→${kv.value ?? '-'}`;

test('counts revisions and versions, and knows when and why', () => {
  const { etcd, put, remove, process } = setUp();
  put('/a/1', 'x');
  put('/a/1', 'y');
  expect(etcd.get('/a/1')).toMatchObject({ value: 'y', createRevision: 2, modRevision: 3, version: 2, time: 1000 });
  expect(process.tracer.get(etcd.get('/a/1')?.cause ?? 0)).toMatchObject({
    parents: [7],
    name: 'put /a/1',
    attributes: { revision: 3 },
  });
  remove('/a/1');
  remove('/a/1');
  expect(etcd.revision).toBe(4);
  expect(etcd.get('/a/1')).toBeUndefined();
  put('/a/1', 'z');
  expect(etcd.get('/a/1')).toMatchObject({ createRevision: 5, version: 1 });
});

test('a transaction happens as a whole, at one revision, or not at all', () => {
  const { etcd, put } = setUp();
  put('/a', '1');
  const operations = [
    { put: '/a', value: (revision: number) => `at ${revision}` },
    { put: '/b', value: () => 'b' },
    { delete: '/c' },
  ];
  const compare = (revision: number) => [{ key: '/a', target: 'modRevision' as const, revision }];
  expect(etcd.txn({ compare: compare(9), operations, cause: 0 }).succeeded).toBe(false);
  expect(
    etcd.txn({ compare: [{ key: '/b', target: 'createRevision', revision: 0 }, ...compare(2)], operations, cause: 0 }),
  ).toMatchObject({
    succeeded: true,
    revision: 3,
  });
  expect(etcd.range('/').kvs.map(({ value, modRevision }) => [value, modRevision])).toEqual([
    ['at 3', 3],
    ['b', 3],
  ]);
});

test('reads the past until it is compacted; time travel reads on', () => {
  const { etcd, put, remove, values } = setUp();
  put('/p/b', '1');
  put('/p/a', '2');
  remove('/p/b');
  put('/q/c', '3');
  put('/p/a', '4');
  expect(values('/p/', 2)).toEqual(['1']);
  expect(values('/p/', 3)).toEqual(['2', '1']);
  expect(values('/p/', 4)).toEqual(['2']);
  expect(values('/p/')).toEqual(['4']);
  expect(etcd.range('/p/', { revision: 3, start: '/p/a\0', limit: 1 })).toMatchObject({
    count: 1,
    kvs: [{ value: '1' }],
  });
  expect(() => values('/p/', 7)).toThrow(FutureRevisionError);
  etcd.compact(4);
  expect(() => values('/p/', 3)).toThrow(CompactedError);
  expect(() => etcd.eventsSince('/p/', 4)).toThrow(CompactedError);
  expect(etcd.eventsSince('/p/', 5).map(shown)).toEqual(['6 /p/a 2→4']);
  expect(etcd.rangeAt('/p/', 3).map(({ value }) => value)).toEqual(['2', '1']);
  expect(etcd.revisionsOf('/p/b').map(({ value }) => value)).toEqual(['1', undefined]);
});

test('watches from a revision on, each event once and in order', () => {
  const { etcd, put, remove } = setUp();
  put('/p/a', '1');
  put('/q/a', '1');
  put('/p/a', '2');
  const seen: string[] = [];
  const watch = etcd.watch('/p/', 3, (events) => seen.push(events.map(shown).join(' ')));
  remove('/p/a');
  etcd.txn({ compare: [], operations: ['x', 'y'].map((key) => ({ put: `/p/${key}`, value: () => key })), cause: 0 });
  watch.stop();
  put('/p/z', '1');
  expect(seen).toEqual(['4 /p/a 1→2', '5 /p/a 2→-', '6 /p/x -→x 6 /p/y -→y']);
});

test('leases take their keys with them', async () => {
  const { etcd, put, pump, values } = setUp();
  const lease = etcd.grantLease(5000, 0);
  put('/a', '1', lease);
  put('/b', '2', lease);
  put('/c', '3', lease);
  put('/b', 'free');
  await pump.run({ until: 5000 });
  expect(etcd.keepAlive(lease)).toBe(true);
  await pump.run({ until: 9999 });
  expect(values('/')).toEqual(['1', 'free', '3']);
  const { revision } = etcd;
  await pump.run({ until: 10_000 });
  expect(values('/')).toEqual(['free']);
  expect(etcd.revision).toBe(revision + 1);
  expect(etcd.keepAlive(lease)).toBe(false);
});

test('history is bounded as a whole, and for keys in a ring', () => {
  const { etcd, put, remove } = setUp({
    historyLimit: 3,
    ringSize: (key) => (key.startsWith('/ring/') ? 2 : undefined),
  });
  for (let i = 0; i < 10; i++) put('/ring/a', String(i));
  expect(etcd.revisionsOf('/ring/a').map(({ value }) => value)).toEqual(['8', '9']);
  expect(etcd.rangeAt('/ring/', 5).map(({ value }) => value)).toEqual(['8']);
  for (let i = 0; i < 5; i++) put('/b', String(i));
  remove('/b');
  expect(etcd.revisionsOf('/b').map(({ value }) => value)).toEqual(['3', '4', undefined]);
  expect(etcd.horizon).toBe(15);
  for (let i = 0; i < 5; i++) put('/c', String(i));
  expect(etcd.revisionsOf('/b')).toEqual([]);
});

test('a stopped etcd answers nothing, and keeps everything', async () => {
  const { etcd, put, pump, values } = setUp();
  put('/a', '1', etcd.grantLease(5000, 0));
  const seen: string[] = [];
  etcd.watch('/', undefined, (events) => seen.push(...events.map(shown)));
  etcd.stop();
  expect(() => put('/b', '2')).toThrow(EtcdUnavailableError);
  expect(() => etcd.get('/a')).toThrow(EtcdUnavailableError);
  expect(etcd.revisionsOf('/a')).toHaveLength(1);
  await pump.run({ until: 20_000 });
  etcd.start();
  expect(values('/')).toEqual(['1']);
  await pump.run({ until: 25_000 });
  expect(values('/')).toEqual([]);
  expect(seen).toEqual(['3 /a 1→-']);
});
