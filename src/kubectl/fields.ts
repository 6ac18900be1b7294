import type { JsonObject, JsonValue } from '#apimachinery/json.ts';

/** The value at a path of keys and indexes; undefined as soon as something on the way is not there. */
export function at(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as JsonObject)[step];
  }
  return current;
}

/** The string at a path; empty when there is none. */
export function text(value: JsonValue | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return found === undefined || found === null || typeof found === 'object' ? '' : String(found);
}

/** The number at a path; 0 when there is none. */
export function number(value: JsonValue | undefined, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' || typeof found === 'bigint' ? Number(found) : 0;
}

/** The array at a path; empty when there is none. */
export function list(value: JsonValue | undefined, ...path: readonly (string | number)[]): readonly JsonValue[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly JsonValue[]) : [];
}

/** The objects of the array at a path. */
export function objects(value: JsonValue | undefined, ...path: readonly (string | number)[]): readonly JsonObject[] {
  return list(value, ...path).filter(isObject);
}

/** The object at a path; empty when there is none. */
export function object(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonObject {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

/** The map of strings at a path; empty when there is none. */
export function strings(
  value: JsonValue | undefined,
  ...path: readonly (string | number)[]
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(object(value, ...path)).map(([key, item]) => [key, typeof item === 'object' ? '' : String(item)]),
  );
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy with one field of the metadata set, or removed when `value` is undefined. */
export function withMetadata(value: JsonObject, name: string, field: JsonValue | undefined): JsonObject {
  return { ...value, metadata: without({ ...object(value, 'metadata'), [name]: field }) };
}

/** A copy without fields that are undefined. */
export function without(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

/** `{group, version}` of an apiVersion. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export interface ObjectKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What an object says it is. */
export function kindOf(value: JsonObject): ObjectKind {
  return { ...parseApiVersion(text(value, 'apiVersion')), kind: text(value, 'kind') };
}

/** Whether the object is a list of objects (a kind with an array `items`). */
export function isList(value: JsonValue | undefined): boolean {
  return Array.isArray(at(value, 'items'));
}
