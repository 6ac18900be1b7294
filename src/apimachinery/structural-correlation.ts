import { jsonEqual } from './equal.ts';
import type { JsonValue } from './json.ts';
import { isJsonObject, itemsOf, memberOf, type SchemaProps } from './structural-schema.ts';

/**
 * A value, what it was before an update, and their schema. Where both are known to be the same thing, errors about what
 * did not change are forgiven. Follows apiserver/pkg/cel/common/equality.go, v1.33.
 */
export interface Correlation {
  readonly value: JsonValue;
  readonly old: JsonValue;
  readonly schema: SchemaProps;
}

export function unchanged(correlation: Correlation | undefined): boolean {
  return correlation !== undefined && jsonEqual(correlation.value, correlation.old);
}

/** Of a member that both have and the schema knows. */
export function memberCorrelation(correlation: Correlation | undefined, key: string): Correlation | undefined {
  if (!correlation) return undefined;
  const { value, old } = correlation;
  const schema = memberOf(correlation.schema, key);
  if (!schema || !isJsonObject(value) || !isJsonObject(old)) return undefined;
  if (!Object.hasOwn(value, key) || !Object.hasOwn(old, key)) return undefined;
  return { value: value[key] as JsonValue, old: old[key] as JsonValue, schema };
}

/** Of an item of a list map: the old one has the same keys. */
export function itemCorrelation(correlation: Correlation | undefined, index: number): Correlation | undefined {
  if (!correlation) return undefined;
  const { value, old, schema } = correlation;
  const items = itemsOf(schema);
  if (!items || !Array.isArray(value) || !Array.isArray(old)) return undefined;
  const item = (value as readonly JsonValue[])[index];
  const before = item === undefined ? undefined : correlatedItem(schema, old, item);
  return before === undefined ? undefined : { value: item as JsonValue, old: before, schema: items };
}

/** The item of an old list map with the keys of this one; undefined when there is none, or for other lists. */
export function correlatedItem(
  schema: SchemaProps,
  old: readonly JsonValue[] | undefined,
  item: JsonValue,
): JsonValue | undefined {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !old || !isJsonObject(item)) return undefined;
  return old.find((other) => isJsonObject(other) && keys.every((key) => jsonEqual(other[key], item[key])));
}
