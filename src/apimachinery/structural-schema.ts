import type { JsonObject, JsonValue } from './json.ts';

/** A rule of `x-kubernetes-validations`. */
export interface ExpressionRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/**
 * An OpenAPI v3 schema as CustomResourceDefinitions hold it. Keys of `properties` are the user's: look them up with
 * {@link propertyOf}.
 */
export interface SchemaProps {
  readonly $ref?: string;
  readonly $schema?: string;
  readonly id?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: JsonValue;
  readonly nullable?: boolean;
  readonly enum?: readonly JsonValue[];
  readonly maximum?: number;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  readonly items?: SchemaProps | readonly SchemaProps[];
  readonly properties?: Readonly<Record<string, SchemaProps>>;
  readonly additionalProperties?: SchemaProps | boolean;
  readonly patternProperties?: Readonly<Record<string, SchemaProps>>;
  readonly additionalItems?: SchemaProps | boolean;
  readonly dependencies?: Readonly<Record<string, SchemaProps | readonly string[]>>;
  readonly definitions?: Readonly<Record<string, SchemaProps>>;
  readonly allOf?: readonly SchemaProps[];
  readonly anyOf?: readonly SchemaProps[];
  readonly oneOf?: readonly SchemaProps[];
  readonly not?: SchemaProps;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ExpressionRule[];
}

/** The schema of a property; undefined where none is declared. */
export function propertyOf(schema: SchemaProps, name: string): SchemaProps | undefined {
  return schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
}

/** The schema of a list's items. */
export function itemsOf(schema: SchemaProps | undefined): SchemaProps | undefined {
  const items = schema?.items;
  return items && !Array.isArray(items) ? (items as SchemaProps) : undefined;
}

/** The schema of a map's values, where it has one (`additionalProperties: true` has none). */
export function valuesOf(schema: SchemaProps | undefined): SchemaProps | undefined {
  const values = schema?.additionalProperties;
  return typeof values === 'object' ? values : undefined;
}

/** The schema of a member: the declared property, or that of the map's values. */
export function memberOf(schema: SchemaProps | undefined, name: string): SchemaProps | undefined {
  return schema && (propertyOf(schema, name) ?? valuesOf(schema));
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Visits a schema and all that it holds; stops when `visit` says true, and tells so. */
export function someSchema(schema: SchemaProps | undefined, visit: (schema: SchemaProps) => boolean): boolean {
  if (!schema) return false;
  if (visit(schema)) return true;
  const { items, allOf = [], anyOf = [], oneOf = [], not, properties, additionalProperties } = schema;
  const { patternProperties, additionalItems, definitions, dependencies } = schema;
  const held = [
    ...(Array.isArray(items) ? items : [items]),
    ...allOf,
    ...anyOf,
    ...oneOf,
    not,
    ...Object.values(properties ?? {}),
    additionalProperties,
    ...Object.values(patternProperties ?? {}),
    additionalItems,
    ...Object.values(definitions ?? {}),
    ...Object.values(dependencies ?? {}),
  ];
  return held.some(
    (each) => typeof each === 'object' && !Array.isArray(each) && someSchema(each as SchemaProps, visit),
  );
}

/** The object without some members, or with some changed; itself when nothing changes. `changed` undefined: it goes. */
export function withMembers(object: JsonObject, changed: ReadonlyMap<string, JsonValue | undefined>): JsonObject {
  if (changed.size === 0) return object;
  const entries: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(object)) {
    const next = changed.has(key) ? changed.get(key) : value;
    if (next !== undefined) entries.push([key, next as JsonValue]);
  }
  for (const [key, value] of changed)
    if (value !== undefined && !Object.hasOwn(object, key)) entries.push([key, value]);
  return Object.fromEntries(entries);
}

/** The members of an object that are there. */
export function membersOf(object: JsonObject): [string, JsonValue][] {
  return Object.entries(object).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
}
