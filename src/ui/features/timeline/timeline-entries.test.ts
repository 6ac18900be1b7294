import { expect, test } from 'vitest';
import type { TraceSpan } from '#hosts/control.ts';
import { DEFAULT_GROUPS, EntryReader, filterEntries, GROUPS, type Filter } from './timeline-entries.ts';

const span = (
  id: number,
  kind: string,
  component: string,
  attributes: TraceSpan['attributes'],
  parents: readonly number[] = [],
): TraceSpan => ({
  id,
  kind,
  component,
  name: 'name',
  parents,
  start: id,
  attributes,
});
const spans = [
  span(1, 'request', 'kube-apiserver', { verb: 'list', resource: 'pods', userAgent: 'kube-scheduler/v1' }),
  span(2, 'request', 'kube-apiserver', {
    verb: 'create',
    resource: 'pods',
    namespace: 'default',
    name: 'nginx',
    userAgent: 'kubectl/v1',
    code: 201,
  }),
  span(3, 'write', 'etcd', { key: '/registry/pods/default/nginx', operation: 'put', revision: 7 }, [2]),
  span(4, 'write', 'etcd', { key: '/registry/leases/kube-node-lease/node-1', operation: 'put' }),
  span(5, 'delivery', 'node-lifecycle-controller', { resource: 'leases', name: 'node-1' }, [4]),
  span(6, 'take', 'node-lifecycle-controller', {}, [5]),
  span(7, 'connection', 'pods/default/client', {
    to: '10.96.0.5:80',
    service: 'default/web',
    target: 'pods/default/nginx',
    outcome: 'connected',
  }),
  span(8, 'write', 'etcd', { key: '/registry/events/default/nginx.18', operation: 'put' }),
  span(9, 'write', 'etcd', { key: '/registry/pods/default/nginx-2', operation: 'put' }),
  span(10, 'input', 'fault', { target: 'kube-scheduler', state: 'stopped' }),
];
const ids = (groups: Filter['groups'], filter: Partial<Filter> = {}) =>
  filterEntries(spans, new EntryReader(), { groups, text: '', actor: undefined, object: undefined, ...filter }).map(
    (entry) => entry.span.id,
  );

test('reads, queues and heartbeats stay hidden until asked for', () => {
  expect(ids(DEFAULT_GROUPS)).toEqual([2, 3, 7, 9, 10]);
  expect(ids(new Set(GROUPS))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(ids(new Set(['heartbeats']))).toEqual([4, 5, 6]);
});

test('every word of the filter has to be there', () => {
  expect(ids(DEFAULT_GROUPS, { text: 'NGINX' })).toEqual([2, 3, 7, 9]);
  expect(ids(DEFAULT_GROUPS, { text: 'nginx rev' })).toEqual([3]);
  expect(ids(DEFAULT_GROUPS, { actor: 'kubectl' })).toEqual([2]);
});

test('only one object: it itself, who connects to it, and on demand what is said about it', () => {
  expect(ids(DEFAULT_GROUPS, { object: 'pods/default/nginx' })).toEqual([2, 3, 7]);
  expect(ids(new Set(GROUPS), { object: 'pods/default/nginx' })).toEqual([2, 3, 7, 8]);
  expect(ids(DEFAULT_GROUPS, { object: 'services/default/web' })).toEqual([7]);
});

test('connections and faults are kinds of their own', () => {
  expect(ids(new Set(['connections']))).toEqual([7]);
  expect(ids(new Set(['faults']))).toEqual([10]);
});
