import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonEqual } from './equal.ts';
import type { JsonObject, JsonValue } from './json.ts';
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
  [{ a: 1 }, [{ op: 'replace', path: '/b', value: 2 }], { a: 1, b: 2 }],
  [{ a: 1 }, [{ op: 'add', path: '/b' }], { a: 1, b: null }],
  [{ a: [1, 2, 3] }, [{ op: 'replace', path: '/a/-1', value: 4 }], { a: [1, 2, 4] }],
])('JSON patch %j %j', (document, patch, expected) => {
  expect(applyJsonPatch(document, patch)).toEqual(expected);
});

test.each([
  [[{ op: 'remove', path: '/nope' }], /Unable to remove nonexistent key: nope/],
  [[{ op: 'test', path: '/a', value: 5 }], 'testing value /a failed: test failed'],
  [[{ op: 'replace', path: '/b/c', value: 5 }], /missing path: "\/b\/c"/],
  [[{ op: 'copy', path: '/b' }], /failed to decode from/],
  [[{ op: 'add', path: '', value: 5 }], /missing path: ""/],
  [[{ op: 'frobnicate', path: '/a' }], 'Unexpected kind: frobnicate'],
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

test.each<[JsonObject, string]>([
  [{ $patch: 'merge' }, 'unknown patch type: merge in map: map[$patch:merge]'],
  [{ '$setElementOrder/containers': {} }, 'expected a []interface {}, but received a map[string]interface {}'],
  [{ $setElementOrder: [] }, 'invalid patch format of setElementOrder list'],
  [{ $deleteFromPrimitiveList: [] }, 'invalid patch format of primitive list'],
  [{ '$setElementOrder/nope': [] }, 'unable to find api field in struct Root for the json field "nope"'],
  [{ strategy: { $retainKeys: {} } }, 'invalid patch format of retainKeys'],
  [{ strategy: { $retainKeys: ['type'], other: 'x' } }, 'invalid patch format of retainKeys'],
  [{ containers: [{ $patch: 'merge' }] }, 'merging lists cannot yet be specified in the patch'],
  [{ containers: [{ $patch: 'delete' }] }, 'map: map[$patch:delete] does not contain declared merge key: name'],
  [{ containers: ['x'] }, 'list element types are not identical: [[map[name:a]] [x]]'],
  [
    { '$setElementOrder/containers': [{ name: 'x' }], containers: [{ name: 'b' }] },
    "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:x]]\n",
  ],
])('strategic merge patch %j is refused', (patch, message) => {
  const document = { containers: [{ name: 'a' }], strategy: { type: 'x' } };
  expect(() => applyStrategicMergePatch(document, patch, root)).toThrow(message);
});

const leaf = fc.constantFrom<JsonValue>(1, 2, 'x', true);
const key = fc.constantFrom('a', 'b', 'c');
const { tree } = fc.letrec<{ tree: JsonValue; list: JsonValue; map: JsonObject }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3 }, leaf, tie('list'), tie('map')),
  list: fc.array(tie('tree'), { maxLength: 3 }) as fc.Arbitrary<JsonValue>,
  map: fc.dictionary(key, tie('tree'), { maxKeys: 3 }).map((map) => ({ ...map })),
}));
const document = fc.dictionary(key, tree, { maxKeys: 3 }).map((map): JsonObject => ({ ...map }));

test('merge patches do what RFC 7386 says', () => {
  type Mutable = { [name: string]: JsonValue | undefined };
  const isMap = (value: JsonValue | undefined): value is JsonObject =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const defined = (target: JsonValue | undefined, patch: JsonValue): JsonValue => {
    if (!isMap(patch)) return patch;
    const result: Mutable = isMap(target) ? { ...target } : {};
    for (const [name, value] of Object.entries(patch)) {
      if (value === null) delete result[name];
      else result[name] = defined(result[name], value as JsonValue);
    }
    return result;
  };
  const nulls = (value: JsonValue, which: readonly string[]): JsonValue =>
    isMap(value)
      ? Object.fromEntries(
          Object.entries(value).map(([name, each], i) => [
            name,
            which[i] === 'a' ? null : nulls(each as JsonValue, which),
          ]),
        )
      : value;
  fc.assert(
    fc.property(document, document, fc.array(key), (target, plain, which) => {
      const patch = nulls(plain, which);
      expect(jsonEqual(applyMergePatch(target, patch), defined(target, patch))).toBe(true);
    }),
  );
});

test('JSON patches do what a mutable document would', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c', '0', '1', '-'), { minLength: 1, maxLength: 3 });
  const operation = fc.record({ op: fc.constantFrom('add', 'remove', 'replace'), path, value: tree });
  type Box = Record<string, unknown> | unknown[];
  /** Undefined: refused. */
  const naive = (
    start: JsonObject,
    operations: readonly { op: string; path: string[]; value: JsonValue }[],
  ): unknown => {
    const copy = structuredClone(start) as Box;
    for (const { op, path: keys, value } of operations) {
      let at: unknown = copy;
      for (const name of keys.slice(0, -1))
        at = typeof at === 'object' ? (at as Record<string, unknown>)[name] : undefined;
      const last = keys.at(-1) as string;
      if (typeof at !== 'object' || at === null) return undefined;
      if (Array.isArray(at)) {
        const index = last === '-' ? (op === 'add' ? at.length : Number.NaN) : Number(last);
        if (!(index < at.length + (op === 'add' ? 1 : 0))) return undefined;
        if (op === 'add') at.splice(index, 0, structuredClone(value));
        else if (op === 'remove') at.splice(index, 1);
        else at[index] = structuredClone(value);
      } else {
        const map = at as Record<string, unknown>;
        if (op !== 'remove') map[last] = structuredClone(value);
        else if (!Object.hasOwn(map, last)) return undefined;
        else delete map[last];
      }
    }
    return copy;
  };
  fc.assert(
    fc.property(document, fc.array(operation, { minLength: 1, maxLength: 4 }), (start, operations) => {
      const before = structuredClone(start);
      const expected = naive(start, operations);
      let result: unknown;
      try {
        result = applyJsonPatch(
          start,
          operations.map((each) => ({ ...each, path: `/${each.path.join('/')}` })),
        );
      } catch {
        result = undefined;
      }
      expect(result).toEqual(expected);
      expect(start).toEqual(before);
    }),
    { numRuns: 1000 },
  );
});

test('strategic merge patches merge items by their keys, and twice is once', () => {
  const item = fc.record({ name: key, image: fc.constantFrom('1', '2') }, { requiredKeys: ['name'] });
  const items = fc.uniqueArray(item, { selector: ({ name }) => name, maxLength: 3 });
  const shape = fc.record(
    {
      containers: items,
      finalizers: fc.uniqueArray(key),
      args: fc.array(key, { maxLength: 2 }),
      labels: fc.dictionary(key, key).map((map) => ({ ...map })),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>;
  const byName = (value: JsonValue | undefined) =>
    Object.fromEntries(((value ?? []) as { name: string; image?: string }[]).map((each) => [each.name, each]));
  fc.assert(
    fc.property(shape, shape, (before, patch) => {
      const after = applyStrategicMergePatch(before, patch, root) as JsonObject;
      const [old, changed] = [byName(before.containers), byName(patch.containers)];
      const names = new Set([...Object.keys(old), ...Object.keys(changed)]);
      expect(byName(after.containers)).toEqual(
        Object.fromEntries([...names].map((name) => [name, { ...old[name], ...changed[name] }])),
      );
      const all = [before, patch].flatMap(({ finalizers }) => (finalizers ?? []) as string[]);
      expect(new Set((after.finalizers ?? []) as string[])).toEqual(new Set(all));
      expect(after.args).toEqual(patch.args ?? before.args);
      if (before.labels || patch.labels)
        expect({ ...(after.labels as object) }).toEqual({ ...(before.labels as object), ...(patch.labels as object) });
      expect(jsonEqual(applyStrategicMergePatch(after, patch, root), after)).toBe(true);
    }),
    { numRuns: 400 },
  );
});
