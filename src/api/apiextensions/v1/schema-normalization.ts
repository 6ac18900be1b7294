import { decodeObject } from '#apimachinery/decode.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { badRequest } from '#apimachinery/status-error.ts';
import type { JSONSchemaProps } from '../../generated/types.ts';
import { schemas } from '../../schemas.ts';
import { mapShared, replace } from '../../fill.ts';

const DEFINITION = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';

/**
 * A schema as the server keeps it. What stands in a field that may hold something else than a schema (`items`,
 * `additionalProperties` …) has come through as plain JSON: it is decoded here, and what is unknown there goes without a
 * word, as upstream. Throws 400.
 */
export function normalizedSchema(schema: JSONSchemaProps): JSONSchemaProps {
  let next = schema;
  const set = <K extends keyof JSONSchemaProps>(key: K, value: JSONSchemaProps[K]) => {
    next = replace(next, key, value);
  };
  const { items, additionalProperties, additionalItems, dependencies, properties, not } = schema;
  if (items !== undefined && items !== null)
    set(
      'items',
      Array.isArray(items)
        ? mapShared(items as readonly JSONSchemaProps[], decoded)
        : decoded(items as JSONSchemaProps),
    );
  if (additionalProperties !== undefined) set('additionalProperties', schemaOrBool(additionalProperties));
  if (additionalItems !== undefined) set('additionalItems', schemaOrBool(additionalItems));
  if (dependencies)
    set(
      'dependencies',
      mapValues(dependencies, (each) => (Array.isArray(each) ? each : decoded(each as JSONSchemaProps))),
    );
  if (properties) set('properties', mapValues(properties, normalizedSchema));
  if (schema.patternProperties) set('patternProperties', mapValues(schema.patternProperties, normalizedSchema));
  if (schema.definitions) set('definitions', mapValues(schema.definitions, normalizedSchema));
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) {
    const list = schema[key];
    if (list) set(key, mapShared(list, normalizedSchema));
  }
  if (not) set('not', normalizedSchema(not));
  return next;
}

/** Schemas that have been decoded: what an update sends back is looked at again, what is stored is not. */
const known = new WeakSet<object>();

function decoded(value: JSONSchemaProps): JSONSchemaProps {
  if (typeof value !== 'object' || value === null) throw badRequest('json: invalid JSON schema');
  if (known.has(value)) return value;
  const { object } = decodeObject(lookupStruct(schemas, DEFINITION), value as unknown as JsonValue as never);
  const next = normalizedSchema(object as unknown as JSONSchemaProps);
  known.add(next);
  return next;
}

function schemaOrBool(value: JSONSchemaProps | boolean): JSONSchemaProps | boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'object' && value !== null) return decoded(value);
  throw badRequest('boolean or JSON schema expected');
}

function mapValues<T>(map: Readonly<Record<string, T>>, change: (value: T) => T): Readonly<Record<string, T>> {
  const entries = Object.entries(map).map(([key, value]): [string, T] => [key, change(value)]);
  return entries.every(([key, value]) => value === map[key]) ? map : Object.fromEntries(entries);
}
