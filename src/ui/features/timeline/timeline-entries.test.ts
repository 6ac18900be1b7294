import { expect, test } from 'vitest';
import type { TraceSpan } from '#hosts/control.ts';
import { DEFAULT_GROUPS, EntryReader, filterEntries, GROUPS } from './timeline-entries.ts';

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
];
const ids = (groups: Parameters<typeof filterEntries>[2], filter = '', actor?: string) =>
  filterEntries(spans, new EntryReader(), groups, filter, actor).map((entry) => entry.span.id);

test('reads, queues and heartbeats stay hidden until asked for', () => {
  expect(ids(DEFAULT_GROUPS)).toEqual([2, 3]);
  expect(ids(new Set(GROUPS))).toEqual([1, 2, 3, 4, 5, 6]);
  expect(ids(new Set(['heartbeats']))).toEqual([4, 5, 6]);
});

test('every word of the filter has to be there', () => {
  expect(ids(DEFAULT_GROUPS, 'NGINX')).toEqual([2, 3]);
  expect(ids(DEFAULT_GROUPS, 'nginx rev')).toEqual([3]);
  expect(ids(DEFAULT_GROUPS, '', 'kubectl')).toEqual([2]);
});
