import { assemble, layoutOf } from '#apimachinery/decode.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { isJsonMap } from '#apimachinery/patch-merge.ts';
import type { ListSchema, Schema, StructSchema } from '#apimachinery/schema.ts';
import { type FieldSet, insert, newSet } from './field-set.ts';

/** What differs between two objects, as sets of paths. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Value = JsonValue | undefined;
type JsonMap = Readonly<Record<string, JsonValue>>;

/** Fields that nobody owns. Follows managedfields/internal/stripmeta.go, v1.33. */
const UNOWNED = new Set(['apiVersion', 'kind']);
const UNOWNED_METADATA = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/**
 * Compares two objects of a schema, which they need not have gone through: absent fields count as what Go writes for
 * them. What both share by reference is not looked at. `ignored`: fields at the top that the endpoint does not write.
 * Follows structured-merge-diff's typed comparison, v1.33.
 */
export function compareObjects(
  schema: StructSchema,
  before: JsonValue,
  after: JsonValue,
  ignored: ReadonlySet<string>,
): Comparison {
  return new Comparer(ignored).run(schema, before, after);
}

class Comparer implements Comparison {
  readonly added = newSet();
  readonly modified = newSet();
  readonly removed = newSet();
  readonly #ignored: ReadonlySet<string>;
  readonly #path: string[] = [];

  constructor(ignored: ReadonlySet<string>) {
    this.#ignored = ignored;
  }

  run(schema: StructSchema, before: JsonValue, after: JsonValue): Comparison {
    this.#fields(schema, before as JsonMap, after as JsonMap);
    return this;
  }

  #skips(name: string): boolean {
    if (this.#path.length === 0) return UNOWNED.has(name) || this.#ignored.has(name);
    return this.#path.length === 1 && this.#path[0] === 'f:metadata' && UNOWNED_METADATA.has(name);
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

  #child(element: string, schema: Schema | undefined, atomic: boolean, left: Value, right: Value): void {
    this.#path.push(element);
    this.#compare(schema, atomic, left, right);
    this.#path.pop();
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
    const before = pick(left);
    const after = pick(right);
    for (const [i, name] of layout.names.entries()) {
      if (before[name] === after[name] || this.#skips(name)) continue;
      const field = layout.fields[i];
      if (field)
        this.#child(`f:${name}`, field.schema, isAtomic(field.schema, field.mapType), before[name], after[name]);
    }
    if (!schema.preserveUnknown) return;
    const unknown = (map: JsonMap | undefined) =>
      map && Object.fromEntries(Object.entries(map).filter(([name]) => !layout.places.has(name)));
    this.#entries(undefined, unknown(left), unknown(right));
  }

  #entries(values: Schema | undefined, left: JsonMap | undefined, right: JsonMap | undefined): void {
    const atomic = isAtomic(values, undefined);
    for (const key in left)
      this.#child(`f:${key}`, values, atomic, left[key], right && Object.hasOwn(right, key) ? right[key] : undefined);
    for (const key in right) {
      if (!(left && Object.hasOwn(left, key))) this.#child(`f:${key}`, values, atomic, undefined, right[key]);
    }
  }

  #items(schema: ListSchema, left: readonly JsonValue[] | undefined, right: readonly JsonValue[] | undefined): void {
    const atomic = isAtomic(schema.items, undefined);
    const before = itemsByElement(schema, left);
    const after = itemsByElement(schema, right);
    for (const [element, item] of before) this.#child(element, schema.items, atomic, item, after.get(element));
    for (const [element, item] of after)
      if (!before.has(element)) this.#child(element, schema.items, atomic, undefined, item);
  }
}

/** Whether a value is one whole to its owner. Lists are, unless they are sets or have keys. */
export function isAtomic(schema: Schema | undefined, mapType: 'atomic' | 'granular' | undefined): boolean {
  switch (schema?.kind) {
    case 'scalar':
      return true;
    case 'list':
      return schema.listType !== 'map' && schema.listType !== 'set';
    case 'struct':
    case 'map':
      return (mapType ?? schema.mapType) === 'atomic';
    default:
      return false;
  }
}

function itemsByElement(schema: ListSchema, items: readonly JsonValue[] | undefined): Map<string, JsonValue> {
  return new Map((items ?? []).map((item) => [elementOf(schema, item), item]));
}

/** The path element of an item of a set or of a list with keys. */
export function elementOf({ listType, mapKeys, items }: ListSchema, item: JsonValue): string {
  if (listType !== 'map' || !isJsonMap(item)) return `v:${JSON.stringify(item)}`;
  const fields = items.kind === 'struct' ? items.fields : undefined;
  const keys: [string, JsonValue][] = [];
  for (const name of [...(mapKeys ?? [])].sort()) {
    const value = item[name] ?? fields?.get(name)?.default;
    if (value !== undefined) keys.push([name, value]);
  }
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
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
