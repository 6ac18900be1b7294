import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What the real API server serves beside names and types. Definition → field (`''`: the definition itself) → facts. */
export type SchemaFacts = Record<string, Record<string, SchemaFact>>;

export interface SchemaFact {
  'patch-strategy'?: string;
  'patch-merge-key'?: string;
  'list-type'?: string;
  'list-map-keys'?: string[];
  'map-type'?: string;
  default?: unknown;
}

/** A field of a type as Go declares it, in Go's order. */
export interface WireField {
  /** JSON name; empty for a type that is inlined. */
  readonly name: string;
  /** The protobuf field number; none for types that have no protobuf form. */
  readonly number?: number;
  /** A nil pointer and a zero value differ. */
  readonly pointer: boolean;
  readonly omitEmpty: boolean;
  /** The inlined type, such as `core.v1.VolumeSource`. */
  readonly inlined?: string;
}

/** Facts of v1.33's Go types that neither OpenAPI nor the protobuf facts have. */
export interface TypeFacts {
  /** All group versions of the scheme; DeleteOptions and WatchEvent belong to each. */
  readonly groupVersions: readonly string[];
  /** `x-kubernetes-unions` of the definitions that have it. */
  readonly unions: Record<string, unknown>;
  /** Definition → field → a declared default that is Go's zero value, which the schema facts leave out. */
  readonly zeroDefaults: Record<string, Record<string, unknown>>;
  /** Definition → field → Go type as error messages name it, where it does not follow from the schema. */
  readonly goTypes: Record<string, Record<string, string>>;
}

const here = import.meta.dirname;
const shared = path.resolve(here, '../../../shared');
const read = (file: string) => JSON.parse(readFileSync(path.join(here, file), 'utf8'));

/** Carries the facts of `../shared` over into this folder, in the project's own form. Does nothing where it is absent. */
export function refreshFacts(): void {
  if (!existsSync(shared)) return;
  const schema: SchemaFacts = JSON.parse(readFileSync(path.join(shared, 'schema-facts.json'), 'utf8'));
  writeLines('facts-schema.json', schema);
  // Read as text: the order of a type's fields is a fact, and JSON.parse would sort them by number.
  const wire: Record<string, string> = {};
  for (const [, type, fields] of readFileSync(path.join(shared, 'wire-facts.json'), 'utf8').matchAll(
    /^"([\w.]+)": \{(.*)\},?$/gm,
  )) {
    if (type === 'runtime.Unknown') continue; // the envelope, which the decoder knows by itself
    wire[type!] = [...fields!.matchAll(/"(\d+)":\["([^"]*)",(?:"([^"]*)"|\[(?:"[^"]*",?)+\])(?:,"(\w+)")?\]/g)]
      .map(([, number, name, fieldType, flags = '']) =>
        flags.includes('i')
          ? `${number} >${fieldType}`
          : `${number} ${name}${flags.replace('r', '') && ` ${flags.replace('r', '')}`}`,
      )
      .join(', ');
  }
  writeLines('facts-wire.json', wire);
}

function writeLines(file: string, facts: object): void {
  const lines = Object.entries(facts).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  writeFileSync(path.join(here, file), `{\n${lines.join(',\n')}\n}\n`);
}

export function readSchemaFacts(): SchemaFacts {
  return read('facts-schema.json');
}

export function readTypeFacts(): TypeFacts {
  return read('facts-types.json');
}

/** Type such as `core.v1.Pod` to its fields. */
export function readWireFacts(): ReadonlyMap<string, readonly WireField[]> {
  const texts: Record<string, string> = { ...read('facts-wire.json'), ...read('facts-types.json').wire };
  return new Map(Object.entries(texts).map(([type, text]) => [type, text.split(', ').filter(Boolean).map(wireField)]));
}

function wireField(text: string): WireField {
  const [, number, inlined, name = '', flags = ''] = /^(?:(\d+) )?(?:>(\S+)|(\S+)(?: (\w+))?)$/.exec(text)!;
  return {
    name,
    ...(number ? { number: Number(number) } : {}),
    pointer: flags.includes('p'),
    omitEmpty: flags.includes('o'),
    ...(inlined ? { inlined } : {}),
  };
}
