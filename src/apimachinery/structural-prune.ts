import type { JsonValue } from './json.ts';
import {
  isJsonObject,
  itemsOf,
  memberOf,
  membersOf,
  propertyOf,
  type SchemaProps,
  valuesOf,
  withMembers,
} from './structural-schema.ts';

const META: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

export interface Pruned<T extends JsonValue> {
  readonly value: T;
  /** Paths of what was dropped, sorted. */
  readonly unknown: readonly string[];
}

/**
 * Drops the fields that the schema does not know. apiVersion, kind and metadata of resources stay; at the root, if it is
 * one. Shares what stays. Follows apiextensions-apiserver's schema/pruning, v1.33.
 */
export function prune<T extends JsonValue>(value: T, schema: SchemaProps | undefined, isRoot: boolean): Pruned<T> {
  const unknown: string[] = [];
  const root = isRoot ? { ...schema, 'x-kubernetes-embedded-resource': true } : schema;
  const pruned = pruneValue(value, root, '', unknown);
  return { value: pruned as T, unknown: unknown.sort() };
}

function pruneValue(value: JsonValue, schema: SchemaProps | undefined, path: string, unknown: string[]): JsonValue {
  if (Array.isArray(value)) {
    if (!schema?.['x-kubernetes-preserve-unknown-fields'])
      return mapList(value, (item, i) => pruneValue(item, itemsOf(schema), `${path}[${i}]`, unknown));
    return mapList(value, (item, i) => keepUnknown(item, itemsOf(schema), `${path}[${i}]`, unknown));
  }
  if (!isJsonObject(value)) return value;
  if (schema?.['x-kubernetes-preserve-unknown-fields']) return keepUnknown(value, schema, path, unknown);
  const changed = new Map<string, JsonValue | undefined>();
  for (const [key, member] of membersOf(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (schema?.['x-kubernetes-embedded-resource'] && META.has(key)) continue;
    const property = schema && propertyOf(schema, key);
    if (property || schema?.additionalProperties !== undefined) {
      const next = pruneValue(member, property ?? valuesOf(schema), at, unknown);
      if (next !== member) changed.set(key, next);
      continue;
    }
    if (!schema || !META.has(key) || path !== '') unknown.push(at);
    changed.set(key, undefined);
  }
  return withMembers(value, changed);
}

/** Below a schema that keeps what it does not know, what it does know is pruned all the same. */
function keepUnknown(value: JsonValue, schema: SchemaProps | undefined, path: string, unknown: string[]): JsonValue {
  if (!schema) return value;
  if (Array.isArray(value))
    return mapList(value, (item, i) => keepUnknown(item, itemsOf(schema), `${path}[${i}]`, unknown));
  if (!isJsonObject(value)) return value;
  const changed = new Map<string, JsonValue | undefined>();
  for (const [key, member] of membersOf(value)) {
    if (schema['x-kubernetes-embedded-resource'] && META.has(key)) continue;
    const property = propertyOf(schema, key);
    if (!property && schema.additionalProperties === undefined) continue;
    const next = pruneValue(member, property ?? valuesOf(schema), path === '' ? key : `${path}.${key}`, unknown);
    if (next !== member) changed.set(key, next);
  }
  return withMembers(value, changed);
}

/**
 * Drops nulls where null is no value and no default will come for it. Follows PruneNonNullableNullsWithoutDefaults of
 * schema/defaulting, v1.33.
 */
export function pruneNulls<T extends JsonValue>(value: T, schema: SchemaProps | undefined): T {
  if (Array.isArray(value)) return mapList(value, (item) => pruneNulls(item, itemsOf(schema))) as T;
  if (!isJsonObject(value)) return value;
  const changed = new Map<string, JsonValue | undefined>();
  for (const [key, member] of membersOf(value)) {
    const property = memberOf(schema, key);
    if (member === null && property && !property.nullable && property.default === undefined) {
      changed.set(key, undefined);
      continue;
    }
    const next = pruneNulls(member, property);
    if (next !== member) changed.set(key, next);
  }
  return withMembers(value, changed) as T;
}

/**
 * Fills in the defaults of the schema, also for nulls where null is no value. Shares what stays. Follows Default of
 * schema/defaulting, v1.33.
 */
export function fillDefaults<T extends JsonValue>(value: T, schema: SchemaProps | undefined): T {
  if (!schema) return value;
  const isGap = (member: JsonValue | undefined, own: SchemaProps | undefined) =>
    member === null && own !== undefined && !own.nullable;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return mapList(value, (item) => fillDefaults(isGap(item, items) ? (items?.default ?? null) : item, items)) as T;
  }
  if (!isJsonObject(value)) return value;
  const changed = new Map<string, JsonValue | undefined>();
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined) continue;
    if (!Object.hasOwn(value, key) || isGap(value[key], property)) changed.set(key, property.default);
  }
  const current: [string, JsonValue][] = [
    ...membersOf(value).filter(([key]) => !changed.has(key)),
    ...(changed as Map<string, JsonValue>),
  ];
  const values = valuesOf(schema);
  for (const [key, member] of current) {
    const property = propertyOf(schema, key);
    const start = !property && isGap(member, values) ? (values?.default ?? null) : member;
    const next = fillDefaults(start, property ?? values);
    if (next !== member) changed.set(key, next);
  }
  return withMembers(value, changed) as T;
}

/** The list with each item mapped; itself when none changes. */
export function mapList(
  list: readonly JsonValue[],
  map: (item: JsonValue, index: number) => JsonValue,
): readonly JsonValue[] {
  let result: JsonValue[] | undefined;
  list.forEach((item, i) => {
    const next = map(item, i);
    if (next === item) return;
    result ??= [...list];
    result[i] = next;
  });
  return result ?? list;
}
