import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import {
  createMergePatch,
  createThreeWayJsonMergePatch,
  createThreeWayMergePatch,
  createTwoWayMergePatch,
} from './patch-create.ts';
import { applyMergePatch } from './patch-merge.ts';
import { applyStrategicMergePatch } from './patch-strategic.ts';
import type { Schema } from './schema.ts';

const text: Schema = { kind: 'scalar', type: 'string' };
const container: Schema = {
  kind: 'struct',
  fields: new Map([
    ['name', { schema: text }],
    ['image', { schema: text }],
    ['args', { schema: { kind: 'list', items: text } }],
  ]),
};
const schema: Schema = {
  kind: 'struct',
  fields: new Map([
    ['containers', { schema: { kind: 'list', items: container }, patchStrategy: ['merge'], patchMergeKey: 'name' }],
    ['finalizers', { schema: { kind: 'list', items: text }, patchStrategy: ['merge'] }],
    [
      'strategy',
      { schema: { kind: 'struct', fields: new Map([['type', { schema: text }]]) }, patchStrategy: ['retainKeys'] },
    ],
    ['labels', { schema: { kind: 'map', values: text } }],
  ]),
};

test('a merge patch says what is new, what changed and what is gone', () => {
  expect(createMergePatch({ a: 1, b: { c: 1, d: 2 }, e: [1] }, { b: { c: 1, d: 3 }, e: [1, 2], f: 'x' })).toEqual({
    a: null,
    b: { d: 3 },
    e: [1, 2],
    f: 'x',
  });
});

// As the real kubectl makes them.
const twoWay: readonly (readonly [name: string, original: JsonObject, modified: JsonObject, patch: JsonObject])[] = [
  [
    'items of a list with a merge key',
    {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '1' },
      ],
    },
    {
      containers: [
        { name: 'a', image: '2' },
        { name: 'c', image: '1' },
      ],
    },
    {
      '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }],
      containers: [
        { name: 'a', image: '2' },
        { name: 'c', image: '1' },
        { $patch: 'delete', name: 'b' },
      ],
    },
  ],
  [
    'a merged list of strings',
    { finalizers: ['a', 'b'] },
    { finalizers: ['b', 'c'] },
    { '$deleteFromPrimitiveList/finalizers': ['a'], '$setElementOrder/finalizers': ['b', 'c'], finalizers: ['c'] },
  ],
  [
    'keys that are retained',
    { strategy: { type: 'x', rollingUpdate: {} } },
    { strategy: { type: 'y' } },
    { strategy: { $retainKeys: ['type'], rollingUpdate: null, type: 'y' } },
  ],
  [
    'an order alone',
    { containers: [{ name: 'a' }, { name: 'b' }] },
    { containers: [{ name: 'b' }, { name: 'a' }] },
    { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
  ],
  ['nothing', { labels: { a: 'b' } }, { labels: { a: 'b' } }, {}],
];

test.each(twoWay)('two-way strategic patch: %s', (_, original, modified, patch) => {
  expect(createTwoWayMergePatch(original, modified, schema)).toEqual(patch);
});

test('a three-way patch leaves alone what others set, and takes away only what was applied before', () => {
  const original = { labels: { a: '1', b: '2' }, containers: [{ name: 'x', image: '1' }, { name: 'old' }] };
  const modified = { labels: { a: '1' }, containers: [{ name: 'x', image: '2' }] };
  const current = {
    labels: { a: '1', b: '2', other: 'tool' },
    containers: [{ name: 'x', image: '1', args: ['set'] }, { name: 'old' }, { name: 'injected' }],
  };
  const patch = createThreeWayMergePatch(original, modified, current, schema);
  expect(patch).toEqual({
    '$setElementOrder/containers': [{ name: 'x' }],
    containers: [
      { name: 'x', image: '2' },
      { $patch: 'delete', name: 'old' },
    ],
    labels: { b: null },
  });
  expect(applyStrategicMergePatch(current, patch, schema)).toEqual({
    labels: { a: '1', other: 'tool' },
    containers: [{ name: 'x', image: '2', args: ['set'] }, { name: 'injected' }],
  });
});

test('a three-way merge patch keeps what others set', () => {
  const current = { spec: { a: 1, b: 2, other: 3 } };
  const patch = createThreeWayJsonMergePatch({ spec: { a: 1, b: 2 } }, { spec: { a: 5 } }, current);
  expect(patch).toEqual({ spec: { a: 5, b: null } });
  expect(applyMergePatch(current, patch)).toEqual({ spec: { a: 5, other: 3 } });
});

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(fc.integer(), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), { maxKeys: 4 }),
}));

test('applying a created merge patch gives the modified object', () => {
  fc.assert(
    fc.property(json.object, json.object, (original, modified) => {
      const patch = createMergePatch(original as JsonObject, modified as JsonObject);
      expect(JSON.stringify(sorted(applyMergePatch(original as JsonObject, patch)))).toBe(
        JSON.stringify(sorted(modified)),
      );
    }),
  );
});

const pod = fc.record({
  containers: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      image: fc.constantFrom('1', '2'),
      args: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
    }),
    {
      selector: ({ name }) => name,
      maxLength: 4,
    },
  ),
  finalizers: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 3 }),
  labels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')),
});

test('applying a created strategic patch gives the modified object, in its order', () => {
  fc.assert(
    fc.property(pod, pod, (original, modified) => {
      const patch = createTwoWayMergePatch(original, modified, schema);
      expect(applyStrategicMergePatch(original, patch, schema)).toEqual(modified);
    }),
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}
