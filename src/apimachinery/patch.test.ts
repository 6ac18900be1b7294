import { expect, test } from 'vitest';
import { applyJsonPatch } from './patch-json.ts';
import { applyMergePatch } from './patch-merge.ts';
import { applyStrategicMergePatch } from './patch-strategic.ts';
import type { Schema } from './schema.ts';

test.each([
  [{ a: { b: 1 } }, [{ op: 'add', path: '/a/c', value: 2 }], { a: { b: 1, c: 2 } }],
  [
    { a: [1, 3] },
    [
      { op: 'add', path: '/a/1', value: 2 },
      { op: 'add', path: '/a/-', value: 4 },
    ],
    { a: [1, 2, 3, 4] },
  ],
  [{ a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
  [{ 'x/y': 1 }, [{ op: 'replace', path: '/x~1y', value: 2 }], { 'x/y': 2 }],
  [{ a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
  [
    { a: 1 },
    [
      { op: 'test', path: '/a', value: 1 },
      { op: 'copy', from: '/a', path: '/b' },
    ],
    { a: 1, b: 1 },
  ],
])('JSON patch %j %j', (document, patch, expected) => {
  expect(applyJsonPatch(document, patch)).toEqual(expected);
});

test.each([
  [[{ op: 'remove', path: '/nope' }], /Unable to remove nonexistent key: nope/],
  [[{ op: 'test', path: '/a', value: 5 }], 'testing value /a failed: test failed'],
  [[{ op: 'replace', path: '/b', value: 5 }], /missing key: \/b/],
])('JSON patch %j fails', (patch, message) => {
  expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow(message);
});

test('merge patch', () => {
  expect(applyMergePatch({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: null, e: { f: null } }, d: [2] })).toEqual({
    a: { c: 2, e: {} },
    d: [2],
  });
});

const scalar: Schema = { kind: 'scalar', type: 'string' };
const container: Schema = {
  kind: 'struct',
  name: 'Container',
  fields: new Map([
    ['name', { schema: scalar }],
    ['image', { schema: scalar }],
  ]),
};
const root: Schema = {
  kind: 'struct',
  name: 'Root',
  fields: new Map([
    ['containers', { schema: { kind: 'list', items: container }, patchStrategy: ['merge'], patchMergeKey: 'name' }],
    ['finalizers', { schema: { kind: 'list', items: scalar }, patchStrategy: ['merge'] }],
    ['args', { schema: { kind: 'list', items: scalar } }],
    ['labels', { schema: { kind: 'map', values: scalar } }],
    ['strategy', { schema: { kind: 'map', values: scalar }, patchStrategy: ['retainKeys'] }],
  ]),
};

test.each([
  [
    'merges by key',
    { containers: [{ name: 'a', image: '1' }, { name: 'b' }] },
    { containers: [{ name: 'a', image: '2' }, { name: 'c' }] },
    { containers: [{ name: 'a', image: '2' }, { name: 'c' }, { name: 'b' }] },
  ],
  [
    'keeps the order wanted',
    { containers: [{ name: 'a' }, { name: 'b' }] },
    {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
      containers: [{ name: 'c', image: 'x' }],
    },
    { containers: [{ name: 'b' }, { name: 'c', image: 'x' }, { name: 'a' }] },
  ],
  [
    'deletes an item',
    { containers: [{ name: 'a' }, { name: 'b' }] },
    { containers: [{ $patch: 'delete', name: 'a' }] },
    { containers: [{ name: 'b' }] },
  ],
  [
    'replaces a list',
    { containers: [{ name: 'a' }] },
    { containers: [{ $patch: 'replace' }, { name: 'z' }] },
    { containers: [{ name: 'z' }] },
  ],
  ['merges scalars', { finalizers: ['a', 'b'] }, { finalizers: ['c'] }, { finalizers: ['c', 'a', 'b'] }],
  [
    'deletes scalars',
    { finalizers: ['a', 'b'] },
    { '$deleteFromPrimitiveList/finalizers': ['a'] },
    { finalizers: ['b'] },
  ],
  ['replaces atomic lists', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
  ['null deletes', { labels: { a: '1', b: '2' } }, { labels: { a: null } }, { labels: { b: '2' } }],
  [
    'retains keys',
    { strategy: { type: 'x', other: 'y' } },
    { strategy: { $retainKeys: ['type'], type: 'z' } },
    { strategy: { type: 'z' } },
  ],
  ['replaces a map', { labels: { a: '1' } }, { labels: { $patch: 'replace', b: '2' } }, { labels: { b: '2' } }],
])('strategic merge patch %s', (_, document, patch, expected) => {
  const before = structuredClone(document);
  expect(applyStrategicMergePatch(document as never, patch as never, root)).toEqual(expected);
  expect(document).toEqual(before);
});

test('a list item without its merge key is refused', () => {
  expect(() =>
    applyStrategicMergePatch({ containers: [{ name: 'a' }] }, { containers: [{ image: 'x' }] }, root),
  ).toThrow('map: map[image:x] does not contain declared merge key: name');
});
