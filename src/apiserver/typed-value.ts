import type { JsonValue } from '#apimachinery/json.ts';
import { isJsonMap } from '#apimachinery/patch-merge.ts';
import { goValue } from '#apimachinery/patch-strategic.ts';
import type { ListSchema, ScalarType, Schema, StructSchema } from '#apimachinery/schema.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { elementOf, isAtomic, keyDefault } from './field-compare.ts';
import { type FieldSet, insert, newSet } from './field-set.ts';
import { fieldElement, type PathElement, printElement } from './path-element.ts';

type MapType = 'atomic' | 'granular' | undefined;

/** A schema as it is used at one place; undefined: whatever the value is. */
export interface TypeAt {
  readonly schema: Schema | undefined;
  readonly mapType: MapType;
}

/** The type of a map's member; undefined: the struct has no such field. */
export function memberType(schema: Schema | undefined, name: string): TypeAt | undefined {
  if (schema?.kind === 'struct') {
    const field = schema.fields.get(name);
    if (field) return { schema: field.schema, mapType: field.mapType };
    return schema.preserveUnknown ? DEDUCED : undefined;
  }
  return schema?.kind === 'map' ? { schema: schema.values, mapType: undefined } : DEDUCED;
}
const DEDUCED: TypeAt = { schema: undefined, mapType: undefined };

/**
 * Why a value does not fit its type, in the words of the API server; undefined when it fits. Items of sets and keyed lists
 * must differ. Follows typed/validate.go of structured-merge-diff, v1.33.
 */
export function typeErrors(schema: StructSchema, value: JsonValue): string | undefined {
  const errors: string[] = [];
  check(schema, value, '', errors);
  if (errors.length === 0) return undefined;
  return errors.length === 1 ? errors[0] : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
}

function check(schema: Schema | undefined, value: JsonValue, path: string, errors: string[]): void {
  const error = (text: string) => errors.push(path === '' ? text : `${path}: ${text}`);
  if (value === null || schema === undefined) return;
  if (schema.kind === 'scalar') {
    const wrong = SCALARS[schema.type]?.(value);
    if (wrong) error(wrong);
  } else if (schema.kind === 'list') {
    if (!Array.isArray(value)) {
      error(`expected list, got ${shown(value)}`);
      return;
    }
    const seen = new Set<PathElement>();
    for (const [index, item] of (value as readonly JsonValue[]).entries()) {
      let element = `[${index}]`;
      if (!isAtomic(schema, undefined)) {
        const wrong = itemError(schema, item);
        if (wrong) {
          error(`element ${index}: ${wrong}`);
          return;
        }
        const key = elementOf(schema, item);
        element = printElement(key);
        if (seen.has(key)) error(`duplicate entries for key ${element}`);
        seen.add(key);
      }
      check(schema.items, item, path + element, errors);
    }
  } else {
    if (!isJsonMap(value)) {
      error(`expected map, got ${shown(value)}`);
      return;
    }
    for (const [name, member] of Object.entries(value)) {
      const type = memberType(schema, name);
      if (!type) {
        errors.push(`${path}.${name}: field not declared in schema`);
        return;
      }
      check(type.schema, member ?? null, `${path}.${name}`, errors);
    }
  }
}

/** Why an item of a set or keyed list has no place in it. */
function itemError({ listType, mapKeys, items }: ListSchema, item: JsonValue): string | undefined {
  if (listType === 'set') {
    if (isJsonMap(item)) return "associative list without keys has an element that's a map type";
    if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
    return item === null ? "associative list without keys has an element that's an explicit null" : undefined;
  }
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isJsonMap(item)) return 'associative list with keys may not have non-map elements';
  const fields = items.kind === 'struct' ? items.fields : undefined;
  const missing = mapKeys?.find((name) => !Object.hasOwn(item, name) && keyDefault(fields?.get(name)) === undefined);
  return (
    missing &&
    `associative list with keys has an element that omits key field ${goQuote(missing)} (and doesn't have default value)`
  );
}

const isNumber = (value: JsonValue) => typeof value === 'number' || typeof value === 'bigint';
const text = (value: JsonValue) =>
  typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
const numeric = (value: JsonValue) =>
  isNumber(value) ? undefined : `expected numeric (int or float), got ${goTypeName(value)}`;
const untyped = (value: JsonValue) =>
  typeof value === 'object' ? `expected any scalar, got ${shown(value)}` : undefined;

const SCALARS: Readonly<Partial<Record<ScalarType, (value: JsonValue) => string | undefined>>> = {
  string: text,
  bytes: text,
  int32: numeric,
  int64: numeric,
  double: numeric,
  boolean: (value) => (typeof value === 'boolean' ? undefined : `expected boolean, got ${shown(value)}`),
  quantity: untyped,
  'int-or-string': untyped,
  time: untyped,
  'micro-time': untyped,
};

/** As `%v` prints the library's wrapper of a value. */
const shown = (value: JsonValue): string => `&{${goValue(value)}}`;

function goTypeName(value: JsonValue): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isJsonMap(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** As `%#v` prints a value. */
function goSyntax(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isJsonMap(value)) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${goQuote(key)}:${goSyntax(value[key])}`);
    return `map[string]interface {}{${members.join(', ')}}`;
  }
  if (typeof value === 'string') return goQuote(value);
  return value === null || value === undefined ? 'interface {}(nil)' : goValue(value);
}

/**
 * Every leaf and item that a value mentions. Follows typed/tofieldset.go of structured-merge-diff, v1.33.
 */
export function fieldSetOf(schema: StructSchema, value: JsonValue): FieldSet {
  const set = newSet();
  gather(set, [], { schema, mapType: undefined }, value);
  return set;
}

function gather(set: FieldSet, path: PathElement[], { schema, mapType }: TypeAt, value: JsonValue): void {
  if (isAtomic(schema, mapType)) {
    insert(set, path);
  } else if (schema?.kind === 'list') {
    if (!Array.isArray(value)) return;
    const elements = (value as readonly JsonValue[]).map((item) => elementOf(schema, item));
    for (const [index, element] of elements.entries()) {
      const below = [...path, element];
      const once = elements.indexOf(element) === elements.lastIndexOf(element);
      if (once)
        gather(set, below, { schema: schema.items, mapType: undefined }, (value as JsonValue[])[index] as JsonValue);
      insert(set, below);
    }
  } else if (isJsonMap(value)) {
    for (const [name, member = null] of Object.entries(value)) {
      const below = [...path, fieldElement(name)];
      gather(set, below, memberType(schema, name) ?? DEDUCED, member);
      const declared = schema?.kind === 'struct' && schema.fields.has(name);
      if (!declared || member === null || (isJsonMap(member) && Object.keys(member).length === 0)) insert(set, below);
    }
  } else if (schema === undefined || schema.kind === 'scalar') {
    insert(set, path);
  }
}
