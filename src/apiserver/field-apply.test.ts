import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import type { Schema, StructSchema } from '#apimachinery/schema.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { type Application, applyConfiguration } from './field-apply.ts';
import { compareValues } from './field-compare.ts';
import type { Owner } from './field-owners.ts';
import {
  decodeFieldSet,
  difference,
  EMPTY,
  encodeFieldSet,
  type FieldSet,
  has,
  insert,
  intersection,
  newSet,
  pathsOf,
  recursiveDifference,
  setOf,
  union,
} from './field-set.ts';
import { compareElements, printPath, readElement } from './path-element.ts';
import { mergeValues, reconcileWithSchema, removeItems } from './typed-merge.ts';
import { fieldSetOf, typeErrors } from './typed-value.ts';

const text: Schema = { kind: 'scalar', type: 'string' };
const number: Schema = { kind: 'scalar', type: 'int32' };
const struct = (fields: Readonly<Record<string, Schema>>, name = 'Test'): StructSchema => ({
  kind: 'struct',
  name,
  fields: new Map(
    Object.entries(fields).map(([field, schema]) => [
      field,
      { schema, omitEmpty: true, ...(field === 'protocol' ? { default: 'TCP' } : {}) },
    ]),
  ),
});
const port = struct({ containerPort: number, protocol: text, hostPort: number });
const item = struct({
  name: text,
  image: text,
  ports: { kind: 'list', items: port, listType: 'map', mapKeys: ['containerPort', 'protocol'] },
});
const schema = struct({
  apiVersion: text,
  kind: text,
  metadata: struct({ name: text, labels: { kind: 'map', values: text }, annotations: { kind: 'map', values: text } }),
  spec: struct({
    size: number,
    word: text,
    items: { kind: 'list', items: item, listType: 'map', mapKeys: ['name'] },
    tags: { kind: 'list', items: text, listType: 'set' },
    args: { kind: 'list', items: text },
    whole: { kind: 'map', values: text, mapType: 'atomic' },
    nested: struct({ deep: text, map: { kind: 'map', values: number } }),
  }),
});

interface State {
  readonly object: JsonValue;
  readonly owners: readonly Owner[];
}
const NOTHING: State = { object: {}, owners: [] };

function apply(state: State, manager: string, config: JsonObject, force = false, time = 'now'): State {
  const application: Application = {
    owner: { manager, apiVersion: 'v1', subresource: '', time },
    force,
    live: { apiVersion: 'v1', schema, value: state.object },
    config,
    owners: state.owners,
    ignored: EMPTY,
    convert: (object, apiVersion) => (apiVersion === 'v1' ? object : undefined),
  };
  const { value, owners } = applyConfiguration(application);
  return { object: value === undefined ? state.object : (value ?? {}), owners };
}
const fieldsOf = ({ owners }: State, manager: string): FieldSet =>
  owners.find((owner) => owner.manager === manager)?.fields ?? EMPTY;

const word = fc.constantFrom('a', 'b', 'c');
const small = fc.integer({ min: 1, max: 3 });
const words = fc.dictionary(word, word, { minKeys: 1, maxKeys: 3 }).map((map) => ({ ...map }));
const part = (shape: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []) =>
  fc.record(shape, { requiredKeys });
const config = part({
  metadata: part({ labels: words, annotations: words }).filter((metadata) => Object.keys(metadata).length > 0),
  spec: part({
    size: small,
    word,
    items: fc.uniqueArray(
      part(
        {
          name: word,
          image: word,
          ports: fc.uniqueArray(part({ containerPort: small, hostPort: small }, ['containerPort']), {
            selector: ({ containerPort }) => containerPort,
            minLength: 1,
            maxLength: 3,
          }),
        },
        ['name'],
      ),
      { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
    ),
    tags: fc.uniqueArray(word, { minLength: 1 }),
    args: fc.array(word, { minLength: 1, maxLength: 3 }),
    whole: words,
    nested: part({
      deep: word,
      map: fc.dictionary(word, small, { minKeys: 1, maxKeys: 2 }).map((map) => ({ ...map })),
    }).filter((nested) => Object.keys(nested).length > 0),
  }).filter((spec) => Object.keys(spec).length > 0),
}) as fc.Arbitrary<JsonObject>;

/** Lists of a set or with keys have no order here. */
function unordered(value: JsonValue | undefined): unknown {
  if (Array.isArray(value))
    return value.map(unordered).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]): [string, unknown] => [key, unordered(member)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describe('applying random configurations', () => {
  test('by one: the object is what was applied last, and all of it is theirs', () => {
    fc.assert(
      fc.property(fc.array(config, { minLength: 1, maxLength: 4 }), (configs) => {
        let state = NOTHING;
        for (const each of configs) state = apply(state, 'm', each);
        const last = configs.at(-1) as JsonObject;
        expect(unordered(withoutNothing(state.object) ?? {})).toEqual(unordered(last));
        expect(encodeFieldSet(fieldsOf(state, 'm'))).toEqual(encodeFieldSet(fieldSetOf(schema, last)));
      }),
      { numRuns: 400 },
    );
  });

  test('twice: nothing changes, not even the time', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const before = apply(apply(NOTHING, 'a', first), 'b', second, true);
        const after = apply(before, 'b', second, false, 'later');
        expect(after.object).toBe(before.object);
        expect(after.owners.find(({ manager }) => manager === 'b')?.time).toBe(
          before.owners.find(({ manager }) => manager === 'b')?.time,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('by several: each owns what they applied and nobody has taken; what nobody owns is gone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), config), { minLength: 2, maxLength: 6 }),
        (steps) => {
          let state = NOTHING;
          for (const [manager, each] of steps) {
            const before = state;
            state = apply(state, manager, each, true);
            expect(encodeFieldSet(fieldsOf(state, manager))).toEqual(encodeFieldSet(fieldSetOf(schema, each)));
            const { added, modified, removed } = compareValues(schema, before.object, state.object);
            for (const other of ['a', 'b', 'c'].filter((name) => name !== manager)) {
              const lost = difference(fieldsOf(before, other), fieldsOf(state, other));
              const touched = union(union(added, modified), removed);
              expect(pathsOf(difference(lost, touched))).toEqual([]);
            }
          }
          const all = state.owners.map(({ fields }) => fields).reduce(union, EMPTY);
          const leaves = pathsOf(fieldSetOf(schema, withoutNothing(state.object) ?? {}));
          expect(leaves.filter((path) => !has(all, path)).map(printPath)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('without force: it is refused exactly when others own what would change', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const before = apply(NOTHING, 'a', first);
        const merged = mergeValues(schema, before.object, second);
        const { added, modified } = compareValues(schema, before.object, merged);
        const taken = pathsOf(intersection(fieldsOf(before, 'a'), union(added, modified)));
        let refused: readonly unknown[] = [];
        try {
          apply(before, 'b', second);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          refused = error.status.details?.causes ?? [];
        }
        expect(refused).toEqual(
          taken.map((path) => ({
            reason: 'FieldManagerConflict',
            message: 'conflict with "a"',
            field: printPath(path),
          })),
        );
      }),
      { numRuns: 300 },
    );
  });
});

/** Without the null that is left of what is gone altogether. */
function withoutNothing(value: JsonValue): JsonValue | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, member]) => [
    key,
    member === undefined ? undefined : withoutNothing(member),
  ]);
  return Object.fromEntries(entries.filter(([, member]) => member !== undefined)) as JsonObject;
}

describe('sets of paths', () => {
  const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1', 'i:0');
  const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
  const asTexts = (set: FieldSet) =>
    pathsOf(set)
      .map((path) => path.join('/'))
      .sort();
  const model = (list: readonly (readonly string[])[]) => new Set(list.map((path) => path.join('/')));

  test('agree with sets of texts', () => {
    fc.assert(
      fc.property(paths, paths, (left, right) => {
        const [a, b] = [setOf(...left), setOf(...right)];
        const [x, y] = [model(left), model(right)];
        expect(asTexts(union(a, b))).toEqual([...new Set([...x, ...y])].sort());
        expect(asTexts(intersection(a, b))).toEqual([...x].filter((path) => y.has(path)).sort());
        expect(asTexts(difference(a, b))).toEqual([...x].filter((path) => !y.has(path)).sort());
        const below = (path: string) => [...y].some((other) => path === other || path.startsWith(`${other}/`));
        expect(asTexts(recursiveDifference(a, b))).toEqual([...x].filter((path) => !below(path)).sort());
        expect(asTexts(decodeFieldSet(encodeFieldSet(a)) as FieldSet)).toEqual(asTexts(a));
        expect(difference(a, newSet())).toBe(a);
      }),
    );
  });

  test('elements have one spelling and an order', () => {
    expect(readElement('k:{"b": 1,  "a":"x"}')).toBe('k:{"a":"x","b":1}');
    expect(readElement('x:what')).toBe('unknown');
    expect(readElement('nonsense')).toBeUndefined();
    const elements = ['v:"z"', 'k:{"containerPort":443}', 'f:b', 'k:{"containerPort":80}', 'i:3', 'f:a'];
    expect(elements.toSorted(compareElements)).toEqual([
      'f:a',
      'f:b',
      'k:{"containerPort":80}',
      'k:{"containerPort":443}',
      'v:"z"',
      'i:3',
    ]);
    expect(printPath(['f:spec', 'k:{"containerPort":80,"protocol":"TCP"}', 'v:"x"', 'i:1'])).toBe(
      '.spec[containerPort=80,protocol="TCP"][="x"][1]',
    );
    expect(decodeFieldSet({ 'f:a': { 'x:future': {} }, 'y:future': {} })).toEqual(setOf(['f:a']));
    expect(decodeFieldSet({ a: {} })).toBeUndefined();
  });
});

test.each<[JsonObject, string | undefined]>([
  [{ spec: { size: 1, items: [{ name: 'a' }, { name: 'b' }] } }, undefined],
  [{ spec: { siz: 1 } }, '.spec.siz: field not declared in schema'],
  [{ spec: { size: 'x' } }, '.spec.size: expected numeric (int or float), got string'],
  [{ spec: { word: 1 } }, '.spec.word: expected string, got &value.valueUnstructured{Value:1}'],
  [{ spec: [] }, '.spec: expected map, got &{[]}'],
  [{ spec: { tags: 'x' } }, '.spec.tags: expected list, got &{x}'],
  [{ spec: { tags: ['x', 'x'] } }, '.spec.tags: duplicate entries for key [="x"]'],
  [
    { spec: { items: [{ name: 'a', ports: [{ containerPort: 1 }, { containerPort: 1, protocol: 'TCP' }] }] } },
    '.spec.items[name="a"].ports: duplicate entries for key [containerPort=1,protocol="TCP"]',
  ],
  [
    { spec: { items: [{ image: 'a' }] } },
    '.spec.items: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
  ],
  [
    { spec: { size: true, word: {} } },
    'errors:\n  .spec.size: expected numeric (int or float), got bool\n  .spec.word: expected string, got &value.valueUnstructured{Value:map[string]interface {}{}}',
  ],
])('the type of %j', (value, error) => {
  expect(typeErrors(schema, value)).toBe(error);
});

const tags = (...list: string[]) => ({ spec: { tags: list } });
test.each([
  [
    ['a', 'b', 'c'],
    ['c', 'd'],
    ['a', 'b', 'c', 'd'],
  ],
  [
    ['a', 'b', 'c'],
    ['c', 'a'],
    ['b', 'c', 'a'],
  ],
  [
    ['a', 'b'],
    ['x', 'b'],
    ['a', 'x', 'b'],
  ],
  [['a'], ['b'], ['a', 'b']],
])('%j with %j on top is %j', (left, right, merged) => {
  expect(mergeValues(schema, tags(...left), tags(...right))).toEqual(tags(...merged));
});

test('what is taken away leaves nothing behind but null', () => {
  const value = { spec: { size: 1, nested: { deep: 'x' }, tags: ['a', 'b'] } };
  const set = setOf(['f:spec', 'f:nested', 'f:deep'], ['f:spec', 'f:tags', 'v:"a"']);
  expect(removeItems(schema, value, set)).toEqual({ spec: { size: 1, nested: null, tags: ['b'] } });
});

test('owners of parts own the whole of what has become atomic', () => {
  const set = setOf(['f:spec', 'f:whole', 'f:a'], ['f:spec', 'f:size']);
  expect(encodeFieldSet(reconcileWithSchema(schema, set))).toEqual({ 'f:spec': { 'f:size': {}, 'f:whole': {} } });
  const fine = setOf(['f:spec', 'f:nested', 'f:map', 'f:a']);
  expect(reconcileWithSchema(schema, fine)).toBe(fine);
});

describe('client-side apply', () => {
  const last = { apiVersion: 'v1', kind: 'Test', metadata: { name: 'x' }, spec: { size: 1, word: 'a' } };
  const live = {
    ...last,
    metadata: { name: 'x', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(last) } },
  };
  const fields = newSet();
  for (const name of ['f:size', 'f:word']) insert(fields, ['f:spec', name]);
  const owner: Owner = {
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    apiVersion: 'v1',
    subresource: '',
    time: 'then',
    fields,
  };
  const next = (size: number) => ({ ...last, spec: { size } });

  test('is taken over by kubectl without a conflict, and by nobody else', () => {
    const state = { object: live, owners: [owner] };
    expect(apply(state, 'kubectl', next(2)).object).toMatchObject({ spec: { size: 2, word: 'a' } });
    expect(() => apply(state, 'other', next(2))).toThrow(
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .spec.size',
    );
  });

  test('does not allow what somebody has changed since', () => {
    const changed = { object: { ...live, spec: { size: 3, word: 'a' } }, owners: [owner] };
    expect(() => apply(changed, 'kubectl', next(2))).toThrow('.spec.size');
  });
});

test('an object that nobody owned has an owner before the first apply', () => {
  const state = apply({ object: { spec: { size: 1, word: 'a' } }, owners: [] }, 'm', { spec: { size: 1 } });
  expect(state.owners.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
    'before-first-apply Update',
    'm Apply',
  ]);
  expect(jsonEqual(state.object, { spec: { size: 1, word: 'a' } })).toBe(true);
});
