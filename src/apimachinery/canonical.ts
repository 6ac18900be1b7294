import { assemble, layoutOf } from './decode.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { Schema, StructSchema } from './schema.ts';

/** The schema under which an object or list is canonical: what is shared between revisions is not looked at again. */
const known = new WeakMap<object, Schema>();

/**
 * An object made by our own code as it would come back from the API server: fields in Go's order, empty values left out
 * or written as Go does (`resources: {}`, `lastState: {}`, `creationTimestamp: null`), members that are undefined or not in
 * the schema gone. Scalars are taken as they are. Shares every part that is canonical already, and returns its argument
 * when all is. For built-in kinds; objects must not be changed afterwards (they are frozen).
 */
export function canonicalObject<T extends object>(schema: StructSchema, object: T): T {
  return canonical(schema, object as unknown as JsonValue) as unknown as T;
}

function canonical(schema: Schema, value: JsonValue): JsonValue {
  if (schema.kind === 'scalar' || typeof value !== 'object' || value === null || known.get(value) === schema)
    return value;
  const result =
    schema.kind === 'struct'
      ? canonicalStruct(schema, value as JsonObject)
      : schema.kind === 'list'
        ? canonicalList(schema.items, value as readonly JsonValue[])
        : canonicalMap(schema.values, value as JsonObject);
  known.set(result, schema);
  return result;
}

function canonicalStruct(schema: StructSchema, object: JsonObject): JsonObject {
  const layout = layoutOf(schema);
  const values = layout.names.map((name, place) => {
    const member = Object.hasOwn(object, name) ? object[name] : undefined;
    return member === undefined || member === null ? undefined : canonical(layout.fields[place]!.schema, member);
  });
  const result = assemble(layout, values);
  const names = Object.keys(result);
  const before = Object.keys(object);
  const same =
    names.length === before.length && names.every((name, i) => name === before[i] && result[name] === object[name]);
  return same ? object : result;
}

function canonicalList(items: Schema, list: readonly JsonValue[]): readonly JsonValue[] {
  if (items.kind === 'scalar') return list;
  let result: JsonValue[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = canonical(items, list[i]!);
    if (item !== list[i]) result ??= [...list];
    if (result) result[i] = item;
  }
  return result ?? list;
}

function canonicalMap(values: Schema, map: JsonObject): JsonObject {
  if (values.kind === 'scalar') return map;
  const entries = Object.entries(map).map(([key, member]): [string, JsonValue] => [
    key,
    canonical(values, member ?? null),
  ]);
  return entries.every(([key, member]) => member === map[key]) ? map : Object.fromEntries(entries);
}
