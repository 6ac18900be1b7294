import { decodeBase64, encodeBase64 } from '#base/base64.ts';
import { canonicalTime, TimeError } from './go-time.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { OddNumber, plainJson, type ReadObject, type ReadValue, RepeatedKeys } from './json-reader.ts';
import { canonicalQuantity, QuantityError } from './quantity.ts';
import type { FieldSchema, ScalarSchema, Schema, StructSchema } from './schema.ts';

/** A value that does not fit its schema; the message is Go's, such as `json: cannot unmarshal string into Go struct field …`. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export interface Decoded {
  /** As the API server would give it back: fields in Go's order, empty ones left out or written as Go does. */
  readonly object: JsonObject;
  /** What strict validation refuses, such as `unknown field "spec.foo"`, in the document's order; at most 100. */
  readonly strictErrors: readonly string[];
}

/**
 * Decodes a value by the schema of a built-in kind. Unknown fields are dropped and reported; quantities, times and base64
 * become canonical. Throws {@link DecodeError}. Follows sigs.k8s.io/json's UnmarshalStrict and what Go writes after a round
 * trip through etcd, v1.33: `omitempty` drops empty values, but no structs and no times, and other absent fields are
 * written as their zero value, lists and maps as null. A struct that comes twice counts as it came last.
 */
export function decodeObject(schema: StructSchema, value: ReadValue): Decoded {
  const decoder = new Decoder();
  const object = decoder.document(schema, value);
  return { object, strictErrors: decoder.strictErrors };
}

/** What a field holds when nothing was said: Go's zero value. Structs are shared, and frozen. */
export function zeroValue(schema: Schema): JsonValue {
  if (schema.kind === 'struct') return layoutOf(schema).zero;
  return schema.kind === 'scalar' ? ZERO[schema.type] : null;
}

const ZERO: Readonly<Record<ScalarSchema['type'], JsonValue>> = {
  string: '',
  boolean: false,
  int32: 0,
  int64: 0,
  double: 0,
  bytes: '',
  quantity: '0',
  'int-or-string': 0,
  time: null,
  'micro-time': null,
  any: null,
  object: null,
};

const GO_TYPES: Readonly<Record<ScalarSchema['type'], string>> = {
  string: 'string',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  'int-or-string': 'intstr.IntOrString',
  time: 'v1.Time',
  'micro-time': 'v1.MicroTime',
  any: 'interface {}',
  object: 'runtime.RawExtension',
};

/** How Go writes a struct. */
export interface StructLayout {
  readonly names: readonly string[];
  readonly fields: readonly FieldSchema[];
  /** Field name → its place in the lists. */
  readonly places: ReadonlyMap<string, number>;
  /** What is written for an absent field; undefined: nothing. */
  readonly absent: readonly (JsonValue | undefined)[];
  /** What all fields' being absent comes to. */
  readonly zero: JsonObject;
}

const layouts = new WeakMap<StructSchema, StructLayout>();

export function layoutOf(schema: StructSchema): StructLayout {
  let layout = layouts.get(schema);
  if (!layout) {
    const names = [...schema.fields.keys()];
    const fields = [...schema.fields.values()];
    const absent = fields.map(writtenWhenAbsent);
    const zero: Record<string, JsonValue> = {};
    absent.forEach((value, place) => {
      if (value !== undefined) zero[names[place]!] = value;
    });
    const places = new Map(names.map((name, place) => [name, place]));
    layout = { names, fields, places, absent, zero: Object.freeze(zero) };
    layouts.set(schema, layout);
  }
  return layout;
}

function writtenWhenAbsent({ schema, omitEmpty, pointer }: FieldSchema): JsonValue | undefined {
  if (pointer) return omitEmpty ? undefined : null;
  if (schema.kind === 'struct') return zeroValue(schema);
  const isLeaf = schema.kind === 'scalar' && !OMITTED.has(schema.type);
  if (omitEmpty && !isLeaf) return undefined;
  return schema.kind === 'scalar' && schema.type !== 'bytes' ? ZERO[schema.type] : null;
}

/** The scalars that `omitempty` leaves out; to Go the other ones are structs. */
const OMITTED: ReadonlySet<ScalarSchema['type']> = new Set(['string', 'boolean', 'int32', 'int64', 'double', 'bytes']);

/** Values by their place, as Go writes them: in its order, with what it writes for nothing, without what it leaves out. */
export function assemble(layout: StructLayout, values: readonly (JsonValue | undefined)[]): JsonObject {
  const { names, fields, absent } = layout;
  const object: Record<string, JsonValue> = {};
  for (let place = 0; place < names.length; place++) {
    let value = values[place];
    if (value === undefined || (isEmptyValue(value) && dropsEmpty(fields[place]!))) value = absent[place];
    if (value !== undefined) object[names[place]!] = value;
  }
  return object;
}

/** An empty value is no better than none: not behind a pointer, in a struct, or where an empty scalar is written anyway. */
function dropsEmpty({ schema, pointer, omitEmpty }: FieldSchema): boolean {
  if (pointer || schema.kind === 'struct') return false;
  return schema.kind === 'scalar' ? omitEmpty === true && OMITTED.has(schema.type) : true;
}

function isEmptyValue(value: JsonValue): boolean {
  return typeof value === 'object' ? value === null || isEmpty(value) : !value;
}

function isEmpty(value: JsonObject | readonly JsonValue[]): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const _key in value as JsonObject) return false;
  return true;
}

class Decoder {
  readonly strictErrors: string[] = [];
  /** The first error that lets decoding go on; it is thrown at the end. */
  #saved: string | undefined;
  /** Keys and indexes down to the value at hand. */
  readonly #path: (string | number)[] = [];
  /** Struct fields down to the value at hand, and the struct that has the last of them. */
  readonly #fields: string[] = [];
  #struct = '';

  document(schema: StructSchema, value: ReadValue): JsonObject {
    const object = this.#value(schema, value, undefined);
    if (this.#saved !== undefined) throw new DecodeError(this.#saved);
    return (object ?? zeroValue(schema)) as JsonObject;
  }

  /** Undefined for null, which leaves things as they are. `goType` is what Go calls the type, where it is not plain. */
  #value(schema: Schema, value: ReadValue, goType: string | undefined): JsonValue | undefined {
    if (value === null) return undefined;
    switch (schema.kind) {
      case 'struct':
        return isObject(value) ? this.#structValue(schema, value) : this.#save(value, schema, goType);
      case 'map':
        return isObject(value) ? this.#map(schema.values, value, goType) : this.#save(value, schema, goType);
      case 'list':
        return Array.isArray(value) ? this.#list(schema.items, value, goType) : this.#save(value, schema, goType);
      case 'scalar':
        return this.#scalar(schema, value, goType);
    }
  }

  #structValue(schema: StructSchema, value: ReadObject | RepeatedKeys): JsonObject {
    const layout = layoutOf(schema);
    const values: (JsonValue | undefined)[] = [];
    if (value instanceof RepeatedKeys) {
      const seen = new Set<string>();
      for (const [key, member] of value.entries) {
        if (seen.has(key) && schema.fields.has(key)) this.#strict('duplicate', key);
        seen.add(key);
        this.#field(schema, layout, values, key, member);
      }
    } else for (const key in value) this.#field(schema, layout, values, key, value[key]);
    const object = assemble(layout, values);
    if (!schema.preserveUnknown) return object;
    const unknown = Object.entries(plainJson(value) as JsonObject).filter(([key]) => !schema.fields.has(key));
    return { ...object, ...Object.fromEntries(unknown) };
  }

  #field(
    schema: StructSchema,
    { places, fields }: StructLayout,
    values: (JsonValue | undefined)[],
    key: string,
    member: ReadValue | undefined,
  ): void {
    if (member === undefined) return;
    const place = places.get(key);
    if (place === undefined) {
      if (!schema.preserveUnknown) this.#strict('unknown', key);
      return;
    }
    const field = fields[place]!;
    const outer = this.#struct;
    this.#path.push(key);
    this.#fields.push(key);
    this.#struct = schema.name?.slice(schema.name.lastIndexOf('.') + 1) ?? '';
    values[place] = this.#value(field.schema, member, field.goType);
    this.#path.pop();
    this.#fields.pop();
    this.#struct = outer;
  }

  #map(values: Schema, value: ReadObject | RepeatedKeys, goType: string | undefined): JsonObject {
    const inner = goType && /^map\[[^\]]*\](.*)$/.exec(goType)?.[1];
    const entries = value instanceof RepeatedKeys ? value.entries : Object.entries(value);
    const seen = new Set<string>();
    const decoded = entries.map(([key, member]): [string, JsonValue] => {
      if (seen.has(key)) this.#strict('duplicate', key);
      seen.add(key);
      this.#path.push(key);
      const result = this.#value(values, member ?? null, inner) ?? zeroValue(values);
      this.#path.pop();
      return [key, result];
    });
    return Object.fromEntries(decoded);
  }

  #list(items: Schema, value: readonly ReadValue[], goType: string | undefined): readonly JsonValue[] {
    const inner = goType?.startsWith('[]') ? goType.slice(2) : undefined;
    return value.map((item, index) => {
      this.#path.push(index);
      const result = this.#value(items, item, inner) ?? zeroValue(items);
      this.#path.pop();
      return result;
    });
  }

  #scalar(schema: ScalarSchema, value: Exclude<ReadValue, null>, goType: string | undefined): JsonValue | undefined {
    const { type } = schema;
    switch (type) {
      case 'string':
        return typeof value === 'string' ? value : this.#save(value, schema, goType);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#save(value, schema, goType);
      case 'int32':
      case 'int64':
        return isInteger(value, type) ? value : this.#save(value, schema, goType, literal(value));
      case 'double':
        return this.#double(value, schema);
      case 'bytes':
        return typeof value === 'string' ? this.#bytes(value) : this.#save(value, schema, goType);
      case 'quantity':
        return this.#throws(() => canonicalQuantity(quantityText(value)));
      case 'int-or-string':
        if (typeof value === 'string' || isInteger(value, 'int32')) return value;
        throw new DecodeError(this.#typeError(literal(value) ?? jsonTypeOf(value), 'int32'));
      case 'time':
      case 'micro-time':
        if (typeof value === 'string') return this.#throws(() => canonicalTime(value, type));
        throw new DecodeError(this.#typeError(jsonTypeOf(value), 'string'));
      case 'any':
      case 'object':
        return plainJson(value);
    }
  }

  #double(value: Exclude<ReadValue, null>, schema: ScalarSchema): JsonValue | undefined {
    if (typeof value === 'number') return value;
    const number =
      value instanceof OddNumber ? Number(value.text) : typeof value === 'bigint' ? Number(value) : Number.NaN;
    return Number.isFinite(number) ? number : this.#save(value, schema, undefined, literal(value));
  }

  #bytes(text: string): string | undefined {
    const bytes = decodeBase64(text);
    if (typeof bytes !== 'number') return encodeBase64(bytes);
    this.#saved ??= `illegal base64 data at input byte ${bytes}`;
    return undefined;
  }

  #throws<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof QuantityError || error instanceof TimeError) throw new DecodeError(error.message);
      throw error;
    }
  }

  #save(value: ReadValue, schema: Schema, goType: string | undefined, described = jsonTypeOf(value)): undefined {
    this.#saved ??= this.#typeError(described, goType ?? goTypeOf(schema));
  }

  #typeError(described: string, goType: string): string {
    const into =
      this.#struct || this.#fields.length > 0 ? `struct field ${this.#struct}.${this.#fields.join('.')}` : 'value';
    return `json: cannot unmarshal ${described} into Go ${into} of type ${goType}`;
  }

  #strict(what: 'unknown' | 'duplicate', key: string): void {
    const path = [...this.#path, key].map((part, i) =>
      typeof part === 'number' ? `[${part}]` : i > 0 ? `.${part}` : part,
    );
    const text = `${what} field ${JSON.stringify(path.join(''))}`;
    if (this.strictErrors.length < 100 && !this.strictErrors.includes(text)) this.strictErrors.push(text);
  }
}

function isObject(value: ReadValue): value is ReadObject | RepeatedKeys {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof OddNumber);
}

function isInteger(value: ReadValue, type: 'int32' | 'int64'): value is number | bigint {
  if (typeof value === 'bigint') return type === 'int64';
  return Number.isSafeInteger(value) && (type === 'int64' || (value as number) === ((value as number) | 0));
}

/** How Go names a JSON value in an error: `object`, `array`, `string`, `number` or `bool`. */
export function jsonTypeOf(value: ReadValue): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return typeof value === 'object' && !(value instanceof OddNumber) ? 'object' : 'number';
}

/** Errors about integers show the digits. */
function literal(value: ReadValue): string | undefined {
  if (value instanceof OddNumber) return `number ${value.text}`;
  return typeof value === 'number' || typeof value === 'bigint' ? `number ${value}` : undefined;
}

/** Numbers will do as quantities; lists and objects are as good as any text that is none. */
function quantityText(value: ReadValue): string {
  if (value instanceof OddNumber) return value.text;
  return typeof value === 'object' ? '{}' : String(value).trim();
}

/** The Go type of a schema, as far as it follows from it. */
function goTypeOf(schema: Schema): string {
  switch (schema.kind) {
    case 'struct':
      return schema.name?.split('.').slice(-2).join('.') ?? 'map[string]interface {}';
    case 'list':
      return `[]${goTypeOf(schema.items)}`;
    case 'map':
      return `map[string]${goTypeOf(schema.values)}`;
    case 'scalar':
      return schema.name ? schema.name.split('.').slice(-2).join('.') : GO_TYPES[schema.type];
  }
}
