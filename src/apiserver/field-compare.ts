import { assemble, layoutOf, zeroValue } from '#apimachinery/decode.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { isJsonMap } from '#apimachinery/patch-merge.ts';
import type { FieldSchema, ListSchema, Schema, StructSchema } from '#apimachinery/schema.ts';
import { type FieldSet, insert, newSet, setOf } from './field-set.ts';
import { fieldElement, keyElement, type PathElement, valueElement } from './path-element.ts';

/** What differs between two objects, as sets of paths. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Value = JsonValue | undefined;
type JsonMap = Readonly<Record<string, JsonValue>>;

/** Fields that nobody owns. Follows managedfields/internal/stripmeta.go, v1.33. */
export const UNOWNED: FieldSet = setOf(
  ...['apiVersion', 'kind'].map((name) => [fieldElement(name)]),
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', fieldElement(name)]),
);

/**
 * Compares two objects of a schema, which they need not have gone through: absent fields count as what Go writes for
 * them. What both share by reference is not looked at. `ignored`: what the endpoint does not write, with all below it.
 * Follows structured-merge-diff's typed comparison, v1.33.
 */
export function compareObjects(
  schema: StructSchema,
  before: JsonValue,
  after: JsonValue,
  ignored?: FieldSet,
): Comparison {
  return new Comparer(ignored, false).run(schema, before, after);
}

/** Compares two values to the letter, the first as Go would write it: an explicit empty value is a value. */
export function compareValues(
  schema: StructSchema,
  before: JsonValue,
  after: JsonValue,
  ignored?: FieldSet,
): Comparison {
  return new Comparer(ignored, true).run(schema, before, after);
}

class Comparer implements Comparison {
  readonly added = newSet();
  readonly modified = newSet();
  readonly removed = newSet();
  readonly #asIs: boolean;
  readonly #path: PathElement[] = [];
  /** What is ignored at and below the path. */
  #ignored: FieldSet | undefined;

  constructor(ignored: FieldSet | undefined, asIs: boolean) {
    this.#ignored = ignored;
    this.#asIs = asIs;
  }

  run(schema: StructSchema, before: JsonValue, after: JsonValue): Comparison {
    this.#fields(schema, before as JsonMap, after as JsonMap);
    return this;
  }

  #compare(schema: Schema | undefined, atomic: boolean, left: Value, right: Value): void {
    if (left === right) return;
    if (atomic || (isNothing(left) && isNothing(right))) {
      this.#leaf(left, right);
      return;
    }
    if (schema?.kind === 'struct') this.#fields(schema, mapOf(left), mapOf(right));
    else if (schema?.kind === 'list') this.#items(schema, listOf(left), listOf(right));
    else if (isJsonMap(left) || isJsonMap(right))
      this.#entries(schema?.kind === 'map' ? schema.values : undefined, mapOf(left), mapOf(right));
    else {
      this.#leaf(left, right);
      return;
    }
    if (left === undefined) insert(this.added, this.#path);
    else if (right === undefined) insert(this.removed, this.#path);
  }

  #leaf(left: Value, right: Value): void {
    if (left === undefined) insert(this.added, this.#path);
    else if (right === undefined) insert(this.removed, this.#path);
    else if (!jsonEqual(left, right)) insert(this.modified, this.#path);
  }

  #child(element: PathElement, schema: Schema | undefined, atomic: boolean, left: Value, right: Value): void {
    const outer = this.#ignored;
    this.#ignored = outer?.children?.get(element);
    if (!this.#ignored?.member) {
      this.#path.push(element);
      this.#compare(schema, atomic, left, right);
      this.#path.pop();
    }
    this.#ignored = outer;
  }

  #fields(schema: StructSchema, left: JsonMap | undefined, right: JsonMap | undefined): void {
    const layout = layoutOf(schema);
    const pick = (map: JsonMap | undefined): JsonMap =>
      map === undefined
        ? {}
        : (assemble(
            layout,
            layout.names.map((name) => (Object.hasOwn(map, name) ? map[name] : undefined)),
          ) as JsonMap);
    const before = this.#asIs ? (left ?? {}) : pick(left);
    const after = this.#asIs ? (right ?? {}) : pick(right);
    for (const [i, name] of layout.names.entries()) {
      const leftMember = Object.hasOwn(before, name) ? before[name] : undefined;
      const rightMember = Object.hasOwn(after, name) ? after[name] : undefined;
      if (leftMember === rightMember) continue;
      const field = layout.fields[i];
      if (field)
        this.#child(fieldElement(name), field.schema, isAtomic(field.schema, field.mapType), leftMember, rightMember);
    }
    if (!schema.preserveUnknown) return;
    const unknown = (map: JsonMap | undefined) =>
      map && Object.fromEntries(Object.entries(map).filter(([name]) => !layout.places.has(name)));
    this.#entries(undefined, unknown(left), unknown(right));
  }

  #entries(values: Schema | undefined, left: JsonMap | undefined, right: JsonMap | undefined): void {
    const atomic = isAtomic(values, undefined);
    for (const key in left)
      this.#child(
        fieldElement(key),
        values,
        atomic,
        left[key],
        right && Object.hasOwn(right, key) ? right[key] : undefined,
      );
    for (const key in right) {
      if (!(left && Object.hasOwn(left, key))) this.#child(fieldElement(key), values, atomic, undefined, right[key]);
    }
  }

  /** Items that come more than once count as one whole. */
  #items(schema: ListSchema, left: readonly JsonValue[] | undefined, right: readonly JsonValue[] | undefined): void {
    const atomic = isAtomic(schema.items, undefined);
    const before = itemsByElement(schema, left);
    const after = itemsByElement(schema, right);
    for (const element of new Set([...before.keys(), ...after.keys()])) {
      const lefts = before.get(element) ?? [];
      const rights = after.get(element) ?? [];
      if (lefts.length <= 1 && rights.length <= 1) this.#child(element, schema.items, atomic, lefts[0], rights[0]);
      else if (lefts.length > 1 && rights.length > 1) {
        if (!jsonEqual(lefts, rights)) insert(this.modified, [...this.#path, element]);
      } else if (lefts.length > 1) {
        if (rights.length > 0) this.#child(element, schema.items, atomic, undefined, rights[0]);
        insert(this.removed, [...this.#path, element]);
      } else {
        if (lefts.length > 0) this.#child(element, schema.items, atomic, lefts[0], undefined);
        insert(this.added, [...this.#path, element]);
      }
    }
  }
}

/** Whether a value is one whole to its owner. Lists are, unless they are sets or have keys. */
export function isAtomic(schema: Schema | undefined, mapType: 'atomic' | 'granular' | undefined): boolean {
  switch (schema?.kind) {
    case 'scalar':
      return schema.type !== 'any';
    case 'list':
      return schema.listType !== 'map' && schema.listType !== 'set';
    case 'struct':
    case 'map':
      return (mapType ?? schema.mapType) === 'atomic';
    default:
      return false;
  }
}

function itemsByElement(schema: ListSchema, items: readonly JsonValue[] = []): Map<PathElement, JsonValue[]> {
  const byElement = new Map<PathElement, JsonValue[]>();
  for (const item of items) {
    const element = elementOf(schema, item);
    const same = byElement.get(element);
    if (same) same.push(item);
    else byElement.set(element, [item]);
  }
  return byElement;
}

/** What a key that an item does not have counts as: what the published schema has as its default. */
export function keyDefault(field: FieldSchema | undefined): JsonValue | undefined {
  if (!field || field.default !== undefined) return field?.default;
  const written = !field.omitEmpty && !field.pointer && field.schema.kind === 'scalar';
  return written ? zeroValue(field.schema) : undefined;
}

/** The path element of an item of a set or of a list with keys. */
export function elementOf({ listType, mapKeys, items }: ListSchema, item: JsonValue): PathElement {
  if (listType !== 'map' || !isJsonMap(item)) return valueElement(item);
  const fields = items.kind === 'struct' ? items.fields : undefined;
  const keys: [string, JsonValue][] = [];
  for (const name of mapKeys ?? []) {
    const value = (Object.hasOwn(item, name) ? item[name] : undefined) ?? keyDefault(fields?.get(name));
    if (value !== undefined) keys.push([name, value]);
  }
  return keyElement(keys);
}

const mapOf = (value: Value): JsonMap | undefined => (isJsonMap(value) ? value : undefined);
const listOf = (value: Value): readonly JsonValue[] | undefined =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : undefined;

/** Absent, null, or empty: then the difference between these is what counts. */
function isNothing(value: Value): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'object') return false;
  return Object.keys(value).length === 0;
}
