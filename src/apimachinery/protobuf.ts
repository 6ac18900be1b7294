import { encodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { assemble, DecodeError, layoutOf, type StructLayout, zeroValue } from './decode.ts';
import { timeFromUnix } from './go-time.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { JsonSyntaxError, plainJson, readJson, setMember } from './json-reader.ts';
import { canonicalQuantity, QuantityError } from './quantity.ts';
import type { ScalarSchema, Schema, StructSchema } from './schema.ts';

/** A body in protobuf whose kind has been read and whose object has not. */
export interface ProtobufMessage {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object in the JSON model, as `decodeObject` would give it. Throws {@link DecodeError}. */
  decode(schema: StructSchema): JsonObject;
}

interface WireType {
  /** By field number: the JSON name, or the type that is inlined. */
  readonly fields: ReadonlyMap<number, { readonly name: string } | { readonly inlined: string }>;
}

const PREFIX = [0x6b, 0x38, 0x73, 0x00];

/**
 * Decodes `application/vnd.kubernetes.protobuf`. `wire` has the field numbers, a type a line, and is read only as far as it
 * is needed. Follows apimachinery/pkg/runtime/serializer/protobuf and the generated.proto files, v1.33. CustomResourceDefinitions
 * have no such form here: no client sends it.
 */
export class ProtobufReader {
  readonly #text: string;
  #lines: Map<string, string> | undefined;
  readonly #types = new Map<string, WireType>();

  constructor(wire: string) {
    this.#text = wire;
  }

  /** Opens the envelope. Throws {@link DecodeError}. */
  read(body: Uint8Array): ProtobufMessage {
    if (body.length === 0) throw new DecodeError('empty data');
    if (PREFIX.some((byte, i) => body[i] !== byte)) {
      throw new DecodeError(
        `provided data does not appear to be a protobuf message, expected prefix [${PREFIX.join(' ')}]`,
      );
    }
    let apiVersion = '';
    let kind = '';
    let raw: Uint8Array = new Uint8Array();
    for (const [number, value] of new WireFields(body.subarray(PREFIX.length))) {
      if (number === 2) raw = bytesOf(value);
      if (number !== 1) continue;
      for (const [name, text] of new WireFields(bytesOf(value))) {
        if (name === 1) apiVersion = decodeUtf8(bytesOf(text));
        if (name === 2) kind = decodeUtf8(bytesOf(text));
      }
    }
    return { apiVersion, kind, decode: (schema) => this.#struct(schema, raw) };
  }

  #struct(schema: StructSchema, bytes: Uint8Array): JsonObject {
    const layout = layoutOf(schema);
    const values: Values = [];
    this.#fields(layout, wireName(schema), bytes, values);
    return assemble(layout, values);
  }

  #fields(layout: StructLayout, typeName: string, bytes: Uint8Array, values: Values): void {
    const { fields } = this.#type(typeName);
    for (const [number, value] of new WireFields(bytes)) {
      const entry = fields.get(number);
      if (!entry) continue;
      if ('inlined' in entry) {
        this.#fields(layout, entry.inlined, bytesOf(value), values);
        continue;
      }
      const place = layout.places.get(entry.name);
      if (place !== undefined) values[place] = this.#add(layout.fields[place]!.schema, value, values[place]);
    }
  }

  /** A field's value with one more occurrence of it on the wire. */
  #add(schema: Schema, value: WireValue, before: JsonValue | undefined): JsonValue {
    if (schema.kind === 'list') {
      const items = (before ?? []) as JsonValue[];
      for (const item of this.#items(schema.items, value)) items.push(item);
      return items;
    }
    if (schema.kind === 'map') {
      let key = '';
      let member = zeroValue(schema.values);
      for (const [number, part] of new WireFields(bytesOf(value))) {
        if (number === 1) key = decodeUtf8(bytesOf(part));
        if (number === 2) member = this.#member(schema.values, part);
      }
      const members = (before ?? {}) as Record<string, JsonValue>;
      setMember(members, key, member);
      return members;
    }
    return this.#single(schema, value);
  }

  /** One item, or several numbers in one piece. */
  #items(schema: Schema, value: WireValue): readonly JsonValue[] {
    const isNumber = schema.kind === 'scalar' && ['int32', 'int64', 'boolean'].includes(schema.type);
    if (!isNumber || !(value instanceof Uint8Array)) return [this.#single(schema, value)];
    const cursor = new Cursor(value);
    const items: JsonValue[] = [];
    while (!cursor.done) items.push(this.#single(schema, cursor.varint()));
    return items;
  }

  /** A list inside a map is a message of its own. */
  #member(schema: Schema, value: WireValue): JsonValue {
    if (schema.kind !== 'list') return this.#single(schema, value);
    const items = [...new WireFields(bytesOf(value))].map(([, item]) => this.#single(schema.items, item));
    return items.length > 0 ? items : null;
  }

  #single(schema: Schema, value: WireValue): JsonValue {
    if (schema.kind === 'struct') return this.#struct(schema, bytesOf(value));
    if (schema.kind !== 'scalar') throw new DecodeError('proto: a list in a list');
    return scalar(schema, value);
  }

  #type(name: string): WireType {
    let type = this.#types.get(name);
    if (!type) {
      this.#lines ??= new Map(this.#text.split('\n').map((line) => [line.slice(0, line.indexOf(' ')), line]));
      const line = this.#lines.get(name);
      if (line === undefined && name !== '') throw new DecodeError(`proto: ${name} has no protobuf form`);
      const fields = (line ?? '')
        .split(' ')
        .slice(1)
        .map((text) => {
          const [, number, sign, target = ''] = /^(\d+)([=>])(.*)$/.exec(text)!;
          return [Number(number), sign === '>' ? { inlined: target } : { name: target }] as const;
        });
      type = { fields: new Map(fields) };
      this.#types.set(name, type);
    }
    return type;
  }
}

/** By the place of the field in its struct. */
type Values = (JsonValue | undefined)[];

/** `core.v1.Pod` of `io.k8s.api.core.v1.Pod`. */
function wireName(schema: StructSchema): string {
  return schema.name?.split('.').slice(-3).join('.') ?? '';
}

function scalar(schema: ScalarSchema, value: WireValue): JsonValue {
  switch (schema.type) {
    case 'string':
      return decodeUtf8(bytesOf(value));
    case 'bytes':
      return encodeBase64(bytesOf(value));
    case 'boolean':
      return varintOf(value) !== 0n;
    case 'int32':
      return Number(BigInt.asIntN(32, varintOf(value)));
    case 'int64':
      return integer(BigInt.asIntN(64, varintOf(value)));
    case 'double': {
      const bytes = fixedOf(value);
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
    }
    case 'quantity':
      return quantity(textOf(bytesOf(value), 1) || '0');
    case 'int-or-string': {
      const parts = new Map(new WireFields(bytesOf(value)));
      const part = (number: number, none: WireValue) => parts.get(number) ?? none;
      if (varintOf(part(1, 0n)) === 0n) return Number(BigInt.asIntN(32, varintOf(part(2, 0n))));
      return decodeUtf8(bytesOf(part(3, new Uint8Array())));
    }
    case 'time':
    case 'micro-time': {
      const bytes = bytesOf(value);
      if (bytes.length === 0) return null;
      const parts = new Map(new WireFields(bytes));
      const seconds = Number(BigInt.asIntN(64, varintOf(parts.get(1) ?? 0n)));
      return timeFromUnix(seconds, Number(varintOf(parts.get(2) ?? 0n)), schema.type);
    }
    case 'any':
    case 'object':
      return raw(textOf(bytesOf(value), 1));
  }
}

const integer = (value: bigint): JsonValue => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

function quantity(text: string): string {
  try {
    return canonicalQuantity(text);
  } catch (error) {
    throw error instanceof QuantityError ? new DecodeError(error.message) : error;
  }
}

/** JSON inside protobuf. */
function raw(text: string): JsonValue {
  if (text === '') return null;
  try {
    return plainJson(readJson(text));
  } catch (error) {
    throw error instanceof JsonSyntaxError ? new DecodeError(error.message) : error;
  }
}

function textOf(message: Uint8Array, number: number): string {
  for (const [found, value] of new WireFields(message)) if (found === number) return decodeUtf8(bytesOf(value));
  return '';
}

/** Varints are BigInts, the fixed widths and everything with a length are bytes. */
type WireValue = bigint | Uint8Array;

function bytesOf(value: WireValue): Uint8Array {
  if (typeof value === 'bigint') throw new DecodeError('proto: wrong wireType = 0');
  return value;
}

function varintOf(value: WireValue): bigint {
  if (typeof value !== 'bigint') throw new DecodeError('proto: wrong wireType = 2');
  return value;
}

function fixedOf(value: WireValue): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes.length !== 8) throw new DecodeError('proto: wrong wireType for a double');
  return bytes;
}

class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new DecodeError('unexpected EOF');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new DecodeError('proto: integer overflow');
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (!(end <= this.#bytes.length)) throw new DecodeError('unexpected EOF');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** The fields of a message in their order: number and value. */
class WireFields implements Iterable<readonly [number, WireValue]> {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  *[Symbol.iterator](): Iterator<readonly [number, WireValue]> {
    const cursor = new Cursor(this.#bytes);
    while (!cursor.done) {
      const tag = Number(cursor.varint());
      const number = Math.floor(tag / 8);
      switch (tag % 8) {
        case 0:
          yield [number, cursor.varint()];
          break;
        case 1:
          yield [number, cursor.take(8)];
          break;
        case 2:
          yield [number, cursor.take(Number(cursor.varint()))];
          break;
        case 5:
          yield [number, cursor.take(4)];
          break;
        default:
          throw new DecodeError(`proto: illegal wireType ${tag % 8}`);
      }
    }
  }
}
