import { expect, test } from 'vitest';
import { wire } from '#api/generated/wire.ts';
import { schemas } from '#api/schemas.ts';
import { decodeObject } from './decode.ts';
import type { ReadValue } from './json-reader.ts';
import { ProtobufReader } from './protobuf.ts';
import type { ScalarSchema, Schema, StructSchema } from './schema.ts';

type Json = string | number | bigint | boolean | null | Json[] | { [key: string]: Json };

const lines = new Map(wire.split('\n').map((line) => [line.slice(0, line.indexOf(' ')), line.split(' ').slice(1)]));
const wireName = (schema: StructSchema) => schema.name!.split('.').slice(-3).join('.');

const SCALARS: Record<ScalarSchema['type'], Json> = {
  string: 'text é',
  boolean: true,
  int32: -5,
  int64: 9007199254740993n,
  double: 1.5,
  bytes: 'AAECAw==',
  quantity: '1500m',
  'int-or-string': '50%',
  time: '2025-01-02T03:04:05Z',
  'micro-time': '1969-12-31T23:59:58.123456Z',
  any: { a: [1, 'x'] },
  object: { 'f:metadata': {} },
};

/** A value with every field set, three structs deep; kinds have their names in the envelope. */
function sample(schema: Schema, depth: number): Json {
  switch (schema.kind) {
    case 'struct': {
      const fields = [...schema.fields]
        .filter(([, field]) => depth > 0 || field.schema.kind === 'scalar')
        .filter(([name]) => !schema.kinds || (name !== 'kind' && name !== 'apiVersion'));
      return Object.fromEntries(fields.map(([name, field]) => [name, sample(field.schema, depth - 1)]));
    }
    case 'list':
      return [sample(schema.items, depth), sample(schema.items, depth - 1)];
    case 'map':
      return { a: sample(schema.values, depth), __proto__x: sample(schema.values, depth) };
    case 'scalar':
      return SCALARS[schema.type];
  }
}

// The encoder: the least of protobuf, for tests.
const varint = (value: bigint): number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
const signed = (value: Json) => varint(BigInt.asUintN(64, BigInt(value as number | bigint)));
const tag = (number: number, type: number) => varint(BigInt(number * 8 + type));
const block = (number: number, bytes: readonly number[]) => [
  ...tag(number, 2),
  ...varint(BigInt(bytes.length)),
  ...bytes,
];
const utf8 = (text: string) => [...Buffer.from(text)];

function scalar(number: number, { type }: ScalarSchema, value: Json): number[] {
  const json = () => block(1, utf8(JSON.stringify(value)));
  switch (type) {
    case 'string':
      return block(number, utf8(value as string));
    case 'bytes':
      return block(number, [...Buffer.from(value as string, 'base64')]);
    case 'boolean':
      return [...tag(number, 0), value ? 1 : 0];
    case 'int32':
    case 'int64':
      return [...tag(number, 0), ...signed(value)];
    case 'double':
      return [...tag(number, 1), ...new Uint8Array(new Float64Array([value as number]).buffer)];
    case 'quantity':
      return block(number, block(1, utf8(value as string)));
    case 'int-or-string':
      return block(number, [...tag(1, 0), 1, ...tag(2, 0), 0, ...block(3, utf8(value as string))]);
    case 'time':
    case 'micro-time': {
      const ms = Date.parse(value as string);
      const nanos = type === 'time' ? 0 : 123_456_000;
      return block(number, [...tag(1, 0), ...signed(Math.floor(ms / 1000)), ...tag(2, 0), ...signed(nanos)]);
    }
    case 'any':
    case 'object':
      return block(number, json());
  }
}

function field(number: number, schema: Schema, value: Json): number[] {
  switch (schema.kind) {
    case 'struct':
      return block(number, message(schema, wireName(schema), value as { [key: string]: Json }));
    case 'list':
      return (value as Json[]).flatMap((item) => field(number, schema.items, item));
    case 'map':
      return Object.entries(value as object).flatMap(([key, member]: [string, Json]) => {
        const list =
          schema.values.kind === 'list' ? block(2, field(1, schema.values, member)) : field(2, schema.values, member);
        return block(number, [...block(1, utf8(key)), ...list]);
      });
    case 'scalar':
      return scalar(number, schema, value);
  }
}

function message(schema: StructSchema, type: string, value: { [key: string]: Json }): number[] {
  return lines.get(type)!.flatMap((text) => {
    const [, number, sign, target = ''] = /^(\d+)([=>])(.*)$/.exec(text)!;
    if (sign === '>') return block(Number(number), message(schema, target, value));
    return value[target] === undefined ? [] : field(Number(number), schema.fields.get(target)!.schema, value[target]);
  });
}

const kinds = schemas
  .names()
  .map((name) => schemas.lookup(name))
  .filter((schema): schema is StructSchema => schema?.kind === 'struct' && (schema.kinds?.length ?? 0) > 0)
  .filter(
    (schema) =>
      lines.has(wireName(schema)) && !/Discovery|API(?:Group|Resource|Versions)|WatchEvent|Status$/.test(schema.name!),
  );

test('every kind is read as its JSON is', () => {
  const reader = new ProtobufReader(wire);
  for (const schema of kinds) {
    const value = sample(schema, 3) as { [key: string]: Json };
    const body = [
      0x6b,
      0x38,
      0x73,
      0,
      ...block(1, [...block(1, utf8('v1')), ...block(2, utf8('K'))]),
      ...block(2, message(schema, wireName(schema), value)),
    ];
    const decoded = reader.read(Uint8Array.from(body)).decode(schema);
    expect({ [schema.name!]: decoded }).toEqual({ [schema.name!]: decodeObject(schema, value as ReadValue).object });
  }
  expect(kinds.length).toBeGreaterThan(100);
});
