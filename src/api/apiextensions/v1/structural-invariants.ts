import type { FieldError } from '#apimachinery/field-error.ts';
import { goRegexp, RegexpError } from '#apimachinery/go-regexp.ts';
import { itemsOf, propertyOf, type SchemaProps } from '#apimachinery/structural-schema.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { child, forbiddenField, index, invalidField, keyed, required } from '#apimachinery/validation.ts';

type Level = 'root' | 'item' | 'field';

/** Why a schema cannot be structural at all; undefined if it can. Follows NewStructural of apiserver/schema, v1.33. */
export function notStructural(schema: SchemaProps | undefined): string | undefined {
  if (!schema) return undefined;
  const unsupported: readonly [string, boolean][] = [
    ['id', Boolean(schema.id)],
    ['schema', Boolean(schema.$schema)],
    ['$ref', Boolean(schema.$ref)],
    ['patternProperties', Object.keys(schema.patternProperties ?? {}).length > 0],
    ['dependencies', Object.keys(schema.dependencies ?? {}).length > 0],
    ['additionalItems', schema.additionalItems !== undefined],
    ['definitions', Object.keys(schema.definitions ?? {}).length > 0],
  ];
  const found = unsupported.find(([, is]) => is);
  if (found) return `OpenAPIV3Schema '${found[0]}' is not supported`;
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  if (Array.isArray(schema.items) && schema.items.length > 0)
    return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  const { additionalProperties: values, not, allOf = [], anyOf = [], oneOf = [] } = schema;
  const held = [not, ...allOf, ...anyOf, ...oneOf, itemsOf(schema), ...Object.values(schema.properties ?? {})];
  if (typeof values === 'object') held.push(values);
  for (const each of held) {
    const why = notStructural(each);
    if (why) return why;
  }
  return undefined;
}

/** Follows ValidateStructural of apiserver/schema/validation.go, v1.33: errors sorted by their text. */
export function validateStructural(schema: SchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  invariants(schema, 'root', path, errors);
  completeness(schema, schema, path, path, errors);
  const text = (error: FieldError) => `${error.field}: ${error.text}`;
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
}

const INT_OR_STRING: readonly SchemaProps[] = [{ type: 'integer' }, { type: 'string' }];
const isIntOrString = (anyOf: readonly SchemaProps[] | undefined): boolean => semanticEqual(anyOf, INT_OR_STRING);

function invariants(schema: SchemaProps, level: Level, path: string, errors: FieldError[]): void {
  const { type = '', properties = {}, additionalProperties } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const items = itemsOf(schema);
  if (type === 'array' && !items) errors.push(required(child(path, 'items'), 'must be specified'));
  if (items) invariants(items, 'item', child(path, 'items'), errors);
  for (const [key, property] of Object.entries(properties))
    invariants(property, 'field', keyed(child(path, 'properties'), key), errors);
  if (additionalProperties !== undefined) {
    const at = child(path, 'additionalProperties');
    if (level === 'root') errors.push(forbiddenField(at, 'must not be used at the root'));
    if (typeof additionalProperties === 'object') invariants(additionalProperties, 'field', at, errors);
  }
  if (schema['x-kubernetes-int-or-string']) {
    const message = 'must be false if x-kubernetes-int-or-string is true';
    if (preserves) errors.push(invalidField(child(path, 'x-kubernetes-preserve-unknown-fields'), true, message));
    if (isEmbedded) errors.push(invalidField(child(path, 'x-kubernetes-embedded-resource'), true, message));
  }
  const skipAnyOf = isIntOrString(schema.anyOf);
  const skipFirst = isIntOrString(schema.allOf?.[0]?.anyOf);
  valueRules(schema, skipAnyOf, skipFirst, level, path, errors);

  const typeAt = child(path, 'type');
  if (isEmbedded && type !== 'object') {
    const message = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(typeAt, message) : invalidField(typeAt, type, message));
  } else if (type === '' && !schema['x-kubernetes-int-or-string'] && !preserves) {
    const where = { root: 'at the root', item: 'for specified array items', field: 'for specified object fields' };
    errors.push(required(typeAt, `must not be empty ${where[level]}`));
  }
  if (isEmbedded && additionalProperties !== undefined) {
    const message = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbiddenField(child(path, 'additionalProperties'), message));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalidField(typeAt, type, 'must be object at the root'));
  metadataRules(schema, level, level === 'root' || isEmbedded, path, errors);
  if (isEmbedded && !preserves && Object.keys(properties).length === 0) {
    const message =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(child(path, 'properties'), message));
  }
}

function metadataRules(schema: SchemaProps, level: Level, checked: boolean, path: string, errors: FieldError[]): void {
  for (const key of ['kind', 'apiVersion']) {
    const property = propertyOf(schema, key);
    if (!checked || !property || property.type === 'string') continue;
    errors.push(
      invalidField(child(keyed(child(path, 'properties'), key), 'type'), property.type ?? '', 'must be string'),
    );
  }
  const metadata = propertyOf(schema, 'metadata');
  if (!metadata) return;
  const at = keyed(child(path, 'properties'), 'metadata');
  if (checked && metadata.type !== 'object')
    errors.push(invalidField(child(at, 'type'), metadata.type ?? '', 'must be object'));
  if (level !== 'root') return;
  const { type: _type, default: _default, properties = {}, ...rest } = metadata;
  const names = Object.keys(properties);
  const onlyNames = names.every((name) => name === 'name' || name === 'generateName');
  if (!onlyNames || Object.values(rest).some((value) => value !== undefined && value !== false && value !== '')) {
    const message = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbiddenField(at, message));
  }
}

function valueRules(
  schema: SchemaProps,
  skipAnyOf: boolean,
  skipFirstAllOf: boolean,
  level: Level,
  path: string,
  errors: FieldError[],
): void {
  const { anyOf = [], allOf = [], oneOf = [], not, pattern } = schema;
  if (!skipAnyOf) anyOf.forEach((each, i) => nested(each, false, level, index(child(path, 'anyOf'), i), errors));
  allOf.forEach((each, i) => nested(each, skipFirstAllOf && i === 0, level, index(child(path, 'allOf'), i), errors));
  oneOf.forEach((each, i) => nested(each, false, level, index(child(path, 'oneOf'), i), errors));
  if (not) nested(not, false, level, child(path, 'not'), errors);
  if (!pattern) return;
  try {
    goRegexp(pattern);
  } catch (error) {
    if (!(error instanceof RegexpError)) throw error;
    const message = `must be a valid regular expression, but isn't: ${error.message}`;
    errors.push(invalidField(child(path, 'pattern'), pattern, message));
  }
}

/** What may not stand in a schema inside of a combination. */
const EMPTY: readonly (readonly [keyof SchemaProps, string])[] = [
  ['title', 'empty'],
  ['description', 'empty'],
  ['nullable', 'false'],
  ['x-kubernetes-preserve-unknown-fields', 'false'],
  ['x-kubernetes-embedded-resource', 'false'],
  ['x-kubernetes-int-or-string', 'false'],
  ['x-kubernetes-list-map-keys', 'empty'],
  ['x-kubernetes-list-type', 'undefined'],
  ['x-kubernetes-map-type', 'undefined'],
  ['x-kubernetes-validations', 'empty'],
];

function nested(schema: SchemaProps, skipAnyOf: boolean, level: Level, path: string, errors: FieldError[]): void {
  const forbid = (key: string, what: string) =>
    errors.push(forbiddenField(child(path, key), `must be ${what} to be structural`));
  valueRules(schema, skipAnyOf, false, level, path, errors);
  const items = itemsOf(schema);
  if (items) nested(items, false, level, child(path, 'items'), errors);
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    nested(property, false, 'field', keyed(child(path, 'properties'), key), errors);
  if (schema.type) forbid('type', 'empty');
  if (schema.additionalProperties) forbid('additionalProperties', 'undefined');
  if (schema.default !== undefined) forbid('default', 'undefined');
  for (const [key, what] of EMPTY) {
    const value = schema[key];
    if (Array.isArray(value) ? value.length > 0 : value) forbid(key, what);
  }
  if (propertyOf(schema, 'metadata'))
    errors.push(
      forbiddenField(keyed(child(path, 'properties'), 'metadata'), 'must not be specified in a nested context'),
    );
}

/** What combinations speak of must stand outside of them too. */
function completeness(
  value: SchemaProps,
  schema: SchemaProps,
  path: string,
  valuePath: string,
  errors: FieldError[],
): void {
  const inner = (each: SchemaProps, at: string) => nestedCompleteness(each, schema, path, at, errors);
  const { not, allOf = [], anyOf = [], oneOf = [] } = value;
  if (not) inner(not, child(valuePath, 'not'));
  allOf.forEach((each, i) => inner(each, index(child(valuePath, 'allOf'), i)));
  anyOf.forEach((each, i) => inner(each, index(child(valuePath, 'anyOf'), i)));
  oneOf.forEach((each, i) => inner(each, index(child(valuePath, 'oneOf'), i)));
}

function nestedCompleteness(
  value: SchemaProps,
  schema: SchemaProps | undefined,
  path: string,
  valuePath: string,
  errors: FieldError[],
): void {
  if (!schema) {
    errors.push(required(path, `because it is defined in ${valuePath}`));
    return;
  }
  completeness(value, schema, path, valuePath, errors);
  const items = itemsOf(value);
  if (items) nestedCompleteness(items, itemsOf(schema), child(path, 'items'), child(valuePath, 'items'), errors);
  for (const [key, property] of Object.entries(value.properties ?? {})) {
    const at = keyed(child(path, 'properties'), key);
    nestedCompleteness(property, propertyOf(schema, key), at, keyed(child(valuePath, 'properties'), key), errors);
  }
}
