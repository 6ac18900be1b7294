import { decodeBase64 } from '#base/base64.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { isJsonObject, itemsOf, membersOf, type SchemaProps, valuesOf } from '#apimachinery/structural-schema.ts';
import type { Environment } from '@marcbachmann/cel-js';
import { celEqual } from './cel-library.ts';

/** A type of the language that follows from a schema, and how values of it are made. */
export interface CelType {
  /** As declarations name it: `list<Object1>`. */
  readonly name: string;
  of(value: JsonValue): unknown;
}

const META: SchemaProps = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
};

const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** The name that a property has in expressions; undefined for one that has none. Follows cel.Escape, v1.33. */
export function escapedName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

/**
 * Declares the types of a schema in an environment. Follows SchemaDeclType of apiserver/pkg/cel/common, v1.33: what has no
 * known type is no field. Simplified: nullable scalars, and what may be a number or a string, are of any type.
 */
export class CelTypes {
  readonly #env: Environment;
  #count = 0;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The type of a schema; undefined where none follows from it. `isResource`: it has a kind and a name too. */
  typeOf(schema: SchemaProps, isResource: boolean): CelType | undefined {
    if (schema['x-kubernetes-int-or-string'])
      return { name: 'dyn', of: (value) => (typeof value === 'number' ? BigInt(Math.trunc(value)) : value) };
    const type = this.#plainType(schema, isResource);
    if (!type || !schema.nullable) return type;
    return { name: 'dyn', of: (value) => (value === null ? null : type.of(value)) };
  }

  #plainType(schema: SchemaProps, isResource: boolean): CelType | undefined {
    switch (schema.type) {
      case 'array': {
        const items = itemsOf(schema);
        const item = items && this.typeOf(items, items['x-kubernetes-embedded-resource'] === true);
        return (
          item && {
            name: `list<${item.name}>`,
            of: (value) => (Array.isArray(value) ? value.map((each: JsonValue) => item.of(each)) : value),
          }
        );
      }
      case 'object':
        return this.#objectType(schema, isResource);
      case 'string':
        return this.#stringType(schema.format);
      case 'boolean':
        return { name: 'bool', of: (value) => value };
      case 'integer':
        return { name: 'int', of: (value) => (typeof value === 'number' ? BigInt(Math.trunc(value)) : value) };
      case 'number':
        return { name: 'double', of: (value) => (typeof value === 'bigint' ? Number(value) : value) };
      default:
        return undefined;
    }
  }

  #stringType(format: string | undefined): CelType {
    if (format === 'date-time' || format === 'date')
      return {
        name: 'google.protobuf.Timestamp',
        of: (value) => (typeof value === 'string' ? new Date(value) : value),
      };
    if (format === 'duration') {
      const parse = this.#env.clone().registerVariable('text', 'string').parse('duration(text)');
      return { name: 'google.protobuf.Duration', of: (value) => parse({ text: value }) as unknown };
    }
    if (format === 'byte')
      return {
        name: 'bytes',
        of: (value) => {
          const bytes = typeof value === 'string' ? decodeBase64(value) : 0;
          return typeof bytes === 'number' ? new Uint8Array() : bytes;
        },
      };
    return { name: 'string', of: (value) => value };
  }

  #objectType(schema: SchemaProps, isResource: boolean): CelType | undefined {
    const values = valuesOf(schema);
    if (values && !isResource) {
      const type = this.typeOf(values, values['x-kubernetes-embedded-resource'] === true);
      return (
        type && {
          name: `map<string, ${type.name}>`,
          of: (value) =>
            isJsonObject(value) ? new Map(membersOf(value).map(([key, each]) => [key, type.of(each)])) : value,
        }
      );
    }
    if (!schema.properties && !isResource) {
      if (!schema['x-kubernetes-preserve-unknown-fields']) return this.#struct({});
      return undefined;
    }
    const meta = isResource
      ? { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: META }
      : ({} as Readonly<Record<string, SchemaProps>>);
    return this.#struct({ ...schema.properties, ...meta });
  }

  #struct(properties: Readonly<Record<string, SchemaProps>>): CelType {
    const members = new Map<string, { readonly escaped: string; readonly type: CelType }>();
    for (const [key, property] of Object.entries(properties)) {
      const escaped = escapedName(key);
      const type = this.typeOf(property, property['x-kubernetes-embedded-resource'] === true);
      if (escaped !== undefined && type) members.set(key, { escaped, type });
    }
    const name = `Object${++this.#count}`;
    const Struct = class extends Map<string, unknown> {};
    const fields = Object.fromEntries([...members.values()].map(({ escaped, type }) => [escaped, type.name]));
    this.#env.registerType(name, { ctor: Struct, fields });
    this.#env.registerOperator(`${name} == ${name}`, celEqual);
    return {
      name,
      of(value) {
        if (!isJsonObject(value)) return value;
        const own = new Struct();
        for (const [key, { escaped, type }] of members) {
          const member = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
          if (member !== undefined) own.set(escaped, type.of(member));
        }
        return own;
      },
    };
  }
}
