import type { FieldError } from './field-error.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { badValue } from './structural-validate.ts';
import { encodeJson } from './go-encode.ts';
import { isJsonObject, itemsOf, membersOf, propertyOf, type SchemaProps, valuesOf } from './structural-schema.ts';
import { child, duplicate, index, invalidField, keyed } from './validation.ts';

/**
 * Checks that lists of type `set` and `map` hold nothing twice. Follows apiextensions-apiserver's schema/listtype, v1.33.
 */
export function validateLists(value: JsonValue, schema: SchemaProps, path = ''): FieldError[] {
  if (Array.isArray(value)) return validateList(value as readonly JsonValue[], schema, path);
  if (!isJsonObject(value)) return [];
  const errors: FieldError[] = [];
  const values = valuesOf(schema);
  for (const [key, member] of membersOf(value)) {
    if (values) errors.push(...validateLists(member, values, keyed(path, key)));
    const property = propertyOf(schema, key);
    if (property) errors.push(...validateLists(member, property, child(path, key)));
  }
  return errors;
}

function validateList(list: readonly JsonValue[], schema: SchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') {
    for (const i of repeated(list)) errors.push(duplicate(index(path, i), badValue(list[i])));
  } else if (type === 'map') errors.push(...validateListMap(list, schema, path));
  const items = itemsOf(schema);
  if (items) list.forEach((item, i) => errors.push(...validateLists(item, items, index(path, i))));
  return errors;
}

function validateListMap(list: readonly JsonValue[], schema: SchemaProps, path: string): FieldError[] {
  const wrong = list.findIndex((item) => item !== null && !isJsonObject(item));
  if (wrong >= 0) {
    const message = 'must be an object for an array of list-type map';
    return [invalidField(index(path, wrong), badValue(list[wrong]), message)];
  }
  const names = schema['x-kubernetes-list-map-keys'] ?? [];
  const keys = list.map((item): JsonObject => {
    const own = names.filter((name) => isJsonObject(item) && Object.hasOwn(item, name));
    return Object.fromEntries(own.map((name) => [name, (item as JsonObject)[name]]));
  });
  return repeated(keys).map((i) => duplicate(index(path, i), badValue(keys[i])));
}

/** Where each value that comes more than once comes for the second time. */
function repeated(list: readonly JsonValue[]): number[] {
  const times = new Map<string, number>();
  return list.flatMap((item, i) => {
    const key = encodeJson(item);
    const count = (times.get(key) ?? 0) + 1;
    times.set(key, count);
    return count === 2 ? [i] : [];
  });
}
