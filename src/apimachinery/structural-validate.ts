import { jsonEqual } from './equal.ts';
import type { FieldError } from './field-error.ts';
import { formatFloat } from './go-float.ts';
import { formatGoSyntax } from './go-format.ts';
import { goRegexp, RegexpError } from './go-regexp.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { type Correlation, itemCorrelation, memberCorrelation, unchanged } from './structural-correlation.ts';
import { formatCheck } from './structural-formats.ts';
import { isJsonObject, itemsOf, membersOf, propertyOf, type SchemaProps, valuesOf } from './structural-schema.ts';
import {
  type BadValue,
  child,
  GoValue,
  goQuote,
  invalidField,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './validation.ts';

/**
 * Checks a value against a schema: types, formats, bounds and combinations (not lists' uniqueness, and no expressions).
 * `path` is where the value stands. With `old`, an update: errors about what did not change are forgiven. Follows
 * kube-openapi/pkg/validation/validate and apiextensions-apiserver/pkg/apiserver/validation, v1.33. Errors of properties
 * come in the schema's order (upstream: at random).
 */
export function validateSchema(
  value: JsonValue,
  schema: SchemaProps,
  path = '',
  old?: JsonValue,
): readonly FieldError[] {
  const correlation = old === undefined ? undefined : { value, old, schema };
  const { failures } = ratcheted(value, schema, '', correlation);
  return failures.map((failure) => failure.error(path));
}

/** A value as an error shows it. */
export function badValue(value: JsonValue | undefined): BadValue {
  if (typeof value === 'number' && !Number.isInteger(value)) return new GoValue(formatFloat(value));
  if (typeof value === 'object' && value !== null) return new GoValue(formatGoSyntax(value));
  return value === null ? 'null' : value;
}

interface Failure {
  /** Failures with the same text are one. */
  readonly text: string;
  error(path: string): FieldError;
}

interface Result {
  readonly failures: Failure[];
  /** How much of the schema fits: tells which alternative was meant. */
  matches: number;
}

const newResult = (): Result => ({ failures: [], matches: 0 });

function addFailure(result: Result, failure: Failure | undefined): void {
  if (failure && result.failures.every(({ text }) => text !== failure.text)) result.failures.push(failure);
}

function merge(result: Result, other: Result): void {
  for (const failure of other.failures) addFailure(result, failure);
  result.matches += other.matches;
}

const below = (path: string, name: string): string =>
  name === '' || name === '.' ? path : child(path, name.replace(/^\./, ''));

function fails(name: string, text: string, make: (field: string, text: string) => FieldError): Failure {
  return { text, error: (path) => make(below(path, name) || NOWHERE, text) };
}

const invalid = (name: string, value: JsonValue | undefined, text: string): Failure =>
  fails(name, text, (field) => invalidField(field, badValue(value ?? ''), text));

/** A failure of a combination of schemas, which is told of the whole value. */
const composite = (text: string): Failure => ({
  text,
  error: (path) => invalidField(path || NOWHERE, '', text),
});

/** How Go prints a path that is nil. */
export const NOWHERE = '<nil>';

function wrongType(name: string, wanted: string, found: string): Failure {
  const text = `${name} in body must be of type ${wanted}: ${goQuote(found)}`;
  return fails(name, text, (field) => typeInvalid(field, found, text));
}

function ratcheted(value: JsonValue, schema: SchemaProps, path: string, correlation: Correlation | undefined): Result {
  const result = validateValue(value, schema, path, correlation);
  return result.failures.length > 0 && unchanged(correlation) ? { ...result, failures: [] } : result;
}

/** The types that a schema allows. */
export function typesOf(schema: SchemaProps): readonly string[] {
  if (schema['x-kubernetes-int-or-string']) return ['integer', 'string'];
  return schema.type ? [schema.type] : [];
}

function jsonType(value: Exclude<JsonValue, null>): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'bigint' ? 'integer' : typeof value;
}

function validateValue(
  value: JsonValue,
  schema: SchemaProps,
  path: string,
  correlation: Correlation | undefined,
): Result {
  const result = newResult();
  if (value === null) {
    checkNull(result, schema, path);
    addFailure(result, checkEnum(value, schema, path));
    return result;
  }
  const types = typesOf(schema);
  const format = knownFormat(schema.format);
  const wrong = checkType(value, types, format, path);
  if (types.length > 0 || format !== '') {
    addFailure(result, wrong);
    result.matches += wrong ? 1 : 2;
  }
  merge(result, combinations(value, schema, path, correlation));
  result.matches++;
  if (typeof value === 'string') {
    addFailure(result, checkString(value, schema, path));
    result.matches++;
    const check = formatCheck(format);
    if (check) {
      result.matches++;
      if (!check(value)) addFailure(result, wrongType(path, format, value));
    }
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    checkNumber(result, value, schema, path);
    result.matches += 2;
  } else if (Array.isArray(value)) {
    checkList(result, value, schema, path, correlation);
    result.matches += 2;
  }
  addFailure(result, checkEnum(value, schema, path));
  result.matches++;
  if (isJsonObject(value)) {
    checkObject(result, value, schema, path, correlation);
    result.matches++;
  }
  result.matches++;
  return result;
}

function checkNull(result: Result, schema: SchemaProps, path: string): void {
  const types = typesOf(schema);
  if (types.length > 0 && !schema.nullable) addFailure(result, wrongType(path, types.join(','), 'null'));
  else result.matches++;
}

/** Formats that CRDs do not support count as none. */
function knownFormat(format = ''): string {
  return formatCheck(format) ? format : '';
}

function checkType(
  value: Exclude<JsonValue, null>,
  types: readonly string[],
  format: string,
  path: string,
): Failure | undefined {
  const type = jsonType(value);
  const fits = types.includes(type) || (type === 'integer' && types.includes('number'));
  const own = type === 'integer' ? 'int64' : type === 'number' ? 'float64' : '';
  const isText = type === 'string' || type === 'array';
  if (!isText && format !== '' && !fits) return wrongType(path, format, own);
  if (!types.includes('number') && !types.includes('integer') && format !== '' && isText) return undefined;
  return fits || types.length === 0 ? undefined : wrongType(path, types.join(','), type);
}

function checkEnum(value: JsonValue, schema: SchemaProps, path: string): Failure | undefined {
  const allowed = schema.enum ?? [];
  if (allowed.length === 0 || allowed.some((each) => each !== null && jsonEqual(each, value))) return undefined;
  const texts = allowed.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
  const text = `${path} in body should be one of [${texts.join(' ')}]`;
  return fails(path, text, (field) => notSupported(field, badValue(value), texts));
}

function checkString(value: string, schema: SchemaProps, path: string): Failure | undefined {
  const { maxLength, minLength, pattern } = schema;
  const length = maxLength === undefined && minLength === undefined ? 0 : Array.from(value).length;
  if (maxLength !== undefined && length > maxLength) {
    const text = `${path} in body should be at most ${maxLength} chars long`;
    return fails(path, text, (field) => tooLong(field, maxLength));
  }
  if (minLength !== undefined && length < minLength)
    return invalid(path, value, `${path} in body should be at least ${minLength} chars long`);
  if (!pattern) return undefined;
  try {
    if (goRegexp(pattern).test(value)) return undefined;
  } catch (error) {
    if (!(error instanceof RegexpError)) throw error;
    const why = `${pattern}, but pattern is invalid: ${error.message}`;
    return invalid(path, value, `${path} in body should match '${why}'`);
  }
  return invalid(path, value, `${path} in body should match '${pattern}'`);
}

const EPSILON = 1e-9;

function isWhole(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  const whole = Math.trunc(value);
  if (value === whole) return true;
  return whole !== 0 && Math.abs(value - whole) / (Math.abs(value) + Math.abs(whole)) < EPSILON;
}

function checkNumber(result: Result, value: number | bigint, schema: SchemaProps, path: string): void {
  const isInteger = typeof value === 'bigint' || Number.isInteger(value);
  const bound = (limit: number) => (isInteger ? Math.trunc(limit) : limit);
  const should = (words: string, limit: number) =>
    addFailure(result, invalid(path, value, `${path} in body should be ${words} ${formatFloat(limit)}`));
  const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (multipleOf !== undefined) {
    const factor = bound(multipleOf);
    if (factor <= 0) {
      const text = `factor MultipleOf declared for ${path} must be positive: ${formatFloat(factor)}`;
      addFailure(result, invalid(path, factor, text));
    } else {
      const fits = isInteger
        ? BigInt(value) % BigInt(factor) === 0n
        : isWhole(factor < 1 ? (1 / factor) * (value as number) : (value as number) / factor);
      if (!fits) should('a multiple of', factor);
    }
  }
  if (minimum !== undefined) {
    const limit = bound(minimum);
    if (exclusiveMinimum ? value <= limit : value < limit)
      should(exclusiveMinimum ? 'greater than' : 'greater than or equal to', limit);
  }
  if (maximum !== undefined) {
    const limit = bound(maximum);
    if (exclusiveMaximum ? value >= limit : value > limit)
      should(exclusiveMaximum ? 'less than' : 'less than or equal to', limit);
  }
}

function checkList(
  result: Result,
  list: readonly JsonValue[],
  schema: SchemaProps,
  path: string,
  correlation: Correlation | undefined,
): void {
  const items = itemsOf(schema);
  if (items)
    list.forEach((item, i) => {
      merge(result, ratcheted(item, items, `${path}[${i}]`, itemCorrelation(correlation, i)));
    });
  const { minItems, maxItems, uniqueItems } = schema;
  if (minItems !== undefined && list.length < minItems)
    addFailure(result, invalid(path, list.length, `${path} in body should have at least ${minItems} items`));
  if (maxItems !== undefined && list.length > maxItems) {
    const text = `${path} in body should have at most ${maxItems} items`;
    addFailure(
      result,
      fails(path, text, (field) => tooMany(field, list.length, maxItems)),
    );
  }
  if (uniqueItems && list.some((item, i) => list.slice(0, i).some((other) => jsonEqual(item, other))))
    addFailure(result, invalid(path, undefined, `${path} in body shouldn't contain duplicates`));
}

function checkObject(
  result: Result,
  object: JsonObject,
  schema: SchemaProps,
  path: string,
  correlation: Correlation | undefined,
): void {
  const members = membersOf(object);
  const { minProperties, maxProperties, properties = {}, additionalProperties, required: needed = [] } = schema;
  if (minProperties !== undefined && members.length < minProperties)
    addFailure(
      result,
      invalid(path, members.length, `${path} in body should have at least ${minProperties} properties`),
    );
  if (maxProperties !== undefined && members.length > maxProperties) {
    const text = `${path} in body should have at most ${maxProperties} properties`;
    addFailure(
      result,
      fails(path, text, (field) => tooMany(field, members.length, maxProperties)),
    );
  }
  const member = (key: string) =>
    path === '' && (key === 'kind' || key === 'apiVersion') ? undefined : memberCorrelation(correlation, key);
  const values = valuesOf(schema);
  for (const [key, value] of members) {
    if (propertyOf(schema, key)) continue;
    if (additionalProperties === false)
      addFailure(result, invalid(path, key, `${path}.${key} in body is a forbidden property`));
    else if (values) merge(result, ratcheted(value, values, `${path}.${key}`, member(key)));
  }
  for (const [key, property] of Object.entries(properties)) {
    if (!Object.hasOwn(object, key) || object[key] === undefined) continue;
    merge(result, ratcheted(object[key] as JsonValue, property, path === '' ? key : `${path}.${key}`, member(key)));
  }
  for (const key of needed) {
    if (Object.hasOwn(object, key) && object[key] !== undefined) continue;
    const name = `${path}.${key}`;
    addFailure(
      result,
      fails(name, `${name} in body is required`, (field) => required(field)),
    );
  }
}

/** allOf, anyOf, oneOf and not. */
function combinations(
  value: JsonValue,
  schema: SchemaProps,
  path: string,
  correlation: Correlation | undefined,
): Result {
  const result = newResult();
  const { anyOf = [], oneOf = [], allOf = [], not } = schema;
  const at = goQuote(path);
  if (anyOf.length > 0) {
    let best: Result | undefined;
    for (const each of anyOf) {
      const found = validateValue(value, each, path, correlation);
      if (found.failures.length === 0) {
        best = found;
        break;
      }
      if (!best || found.matches > best.matches) best = found;
    }
    if (best && best.failures.length > 0)
      addFailure(result, composite(`${at} must validate at least one schema (anyOf)`));
    merge(result, best as Result);
  }
  if (oneOf.length > 0) {
    let best: Result | undefined;
    let valid: Result | undefined;
    let count = 0;
    for (const each of oneOf) {
      const found = validateValue(value, each, path, correlation);
      if (found.failures.length === 0) {
        count++;
        valid ??= found;
      } else if (!best || found.matches > best.matches) best = found;
    }
    if (count === 1) merge(result, valid as Result);
    else {
      const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
      addFailure(result, composite(`${at} must validate one and only one schema (oneOf). ${found}`));
      if (count === 0) merge(result, best as Result);
    }
  }
  if (allOf.length > 0) {
    const all = allOf.map((each) => validateValue(value, each, path, correlation));
    for (const each of all) merge(result, each);
    const count = all.filter(({ failures }) => failures.length === 0).length;
    if (count < allOf.length)
      addFailure(
        result,
        composite(`${at} must validate all the schemas (allOf)${count === 0 ? '. None validated' : ''}`),
      );
  }
  if (not && validateValue(value, not, path, correlation).failures.length === 0)
    addFailure(result, composite(`${at} must not validate the schema (not)`));
  result.matches++;
  return result;
}
