import type { JsonValue } from './json.ts';
import type {
  FieldSchema,
  GroupVersionKind,
  ListSchema,
  MapSchema,
  ScalarSchema,
  ScalarType,
  Schema,
  SchemaSource,
} from './schema.ts';

// The compact form of the schemas, one definition a line, read only when it is asked for:
//
//   ## meta.v1 universal kinds' group versions: /v1 apps/v1 …
//   @core.v1 io.k8s.api.core.v1 /v1           an alias, its package, its apiVersion
//   Toleration key operator:s<Equal|Exists>@v1.TolerationOperator … tolerationSeconds*:l
//   Pod# metadata:meta.v1.ObjectMeta …        a kind; `##` belongs to all group versions; `%A` is atomic
//   Quantity =quantity                        a leaf
//
// A field is its name, `!` (required), `^` (optional, but written when empty) or `+` (required, but not written when empty),
// `*` (pointer), and after a colon its type (none: string). Types are s, i (int32), l (int64), d (double), b, y (bytes), a
// definition of the same package or of another by its alias, `[…]T` a list (A atomic, S set, else its keys), `{…}T` a map
// (A atomic, G granular), `<A|B>` an enum. After the type: `~strategy:key`, `=default`, `@Go type`, `%M` and `%L` for map
// and list types of the field itself.

const SCALARS: Readonly<Record<string, ScalarSchema>> = {
  s: { kind: 'scalar', type: 'string' },
  i: { kind: 'scalar', type: 'int32' },
  l: { kind: 'scalar', type: 'int64' },
  d: { kind: 'scalar', type: 'double' },
  b: { kind: 'scalar', type: 'boolean' },
  y: { kind: 'scalar', type: 'bytes' },
};

const MAP_TYPES = { A: 'atomic', G: 'granular' } as const;

interface Package {
  readonly name: string;
  readonly groupVersion: string;
}

/** Reads the compact form. Nothing but an index of lines is made before a definition is looked up. */
export function parseSchemas(text: string): SchemaSource {
  return new TextSchemas(text);
}

class TextSchemas implements SchemaSource {
  readonly #text: string;
  /** Definition name → its line, its package's alias. */
  #lines: Map<string, { readonly alias: string; readonly line: string }> | undefined;
  readonly #packages = new Map<string, Package>();
  readonly #parsed = new Map<string, Schema>();
  #universal: readonly string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  names(): readonly string[] {
    return [...this.#index().keys()];
  }

  lookup(definitionName: string): Schema | undefined {
    const known = this.#parsed.get(definitionName);
    if (known) return known;
    const entry = this.#index().get(definitionName);
    if (!entry) return undefined;
    const schema = this.#definition(definitionName, entry.alias, entry.line);
    this.#parsed.set(definitionName, schema);
    return schema;
  }

  #index(): Map<string, { readonly alias: string; readonly line: string }> {
    if (this.#lines) return this.#lines;
    this.#lines = new Map();
    let alias = '';
    let prefix = '';
    for (const line of this.#text.split('\n')) {
      if (line.startsWith('## ')) {
        this.#universal = line.slice(3).split(' ');
      } else if (line.startsWith('@')) {
        const [name = '', packageName = '', groupVersion = ''] = line.slice(1).split(' ');
        alias = name;
        prefix = `${packageName}.`;
        this.#packages.set(alias, { name: packageName, groupVersion });
      } else if (line !== '') {
        this.#lines.set(prefix + /^\w+/.exec(line)![0], { alias, line });
      }
    }
    return this.#lines;
  }

  #definition(name: string, alias: string, line: string): Schema {
    const [head = '', ...fields] = line.split(' ');
    if (fields[0]?.startsWith('=')) return { kind: 'scalar', type: fields[0].slice(1) as ScalarType, name };
    const unions = fields.at(-1)?.startsWith('|') ? JSON.parse(fields.pop()!.slice(1)) : undefined;
    const [, short = '', kind = '', mapType] = /^(\w+)(#*)(?:%(\w))?$/.exec(head)!;
    const groupVersions =
      kind === '##' ? this.#universal : kind === '#' ? [this.#packages.get(alias)!.groupVersion] : [];
    return {
      kind: 'struct',
      name,
      fields: new Map(fields.map((field) => this.#field(field, alias))),
      ...(mapType ? { mapType: MAP_TYPES[mapType as 'A'] } : {}),
      ...(groupVersions.length > 0 ? { kinds: groupVersions.map((groupVersion) => kindOf(groupVersion, short)) } : {}),
      ...(unions ? { unions } : {}),
    };
  }

  #field(text: string, alias: string): [string, FieldSchema] {
    const [, name = '', presence = '', pointer, type = 's'] = /^([\w$-]+)([!^+]?)(\*?)(?::(.*))?$/.exec(text)!;
    const end = /^[^<~=@%]*(<[^>]*>)?/.exec(type)![0].length;
    const options: { -readonly [K in keyof FieldSchema]?: FieldSchema[K] } = {};
    for (const [, sign, value = ''] of type.slice(end).matchAll(/([~=@%])([^~=@%]*)/g)) {
      if (sign === '=') options.default = JSON.parse(value);
      else if (sign === '@') options.goType = value;
      else if (sign === '~') {
        const [strategy = '', key] = value.split(':');
        options.patchStrategy = strategy.split(',');
        if (key) options.patchMergeKey = key;
      } else if (value.startsWith('M')) options.mapType = MAP_TYPES[value.slice(1) as 'A'];
      else options.listType = 'atomic';
    }
    if (presence === '!' || presence === '+') options.required = true;
    if (presence === '' || presence === '+') options.omitEmpty = true;
    if (pointer) options.pointer = true;
    return [name, new Field(() => this.#type(type.slice(0, end), alias), options)];
  }

  #type(text: string, alias: string): Schema {
    const bracket = /^([[{])(.*?)[\]}]/.exec(text);
    if (bracket) {
      const inner = this.#type(text.slice(bracket[0].length), alias);
      return bracket[1] === '[' ? list(inner, bracket[2]!) : map(inner, bracket[2]!);
    }
    const [, name = '', values] = /^([\w.]+)(?:<(.*)>)?$/.exec(text)!;
    const scalar = SCALARS[name];
    if (scalar) return values === undefined ? scalar : { ...scalar, enum: values.replaceAll('%20', ' ').split('|') };
    const dot = name.lastIndexOf('.');
    const referenced = this.#packages.get(dot < 0 ? alias : name.slice(0, dot))!;
    return this.lookup(`${referenced.name}.${name.slice(dot + 1)}`)!;
  }
}

function list(items: Schema, type: string): ListSchema {
  if (type === '') return { kind: 'list', items };
  if (type === 'A' || type === 'S') return { kind: 'list', items, listType: type === 'A' ? 'atomic' : 'set' };
  return { kind: 'list', items, listType: 'map', mapKeys: type.split(',') };
}

function map(values: Schema, type: string): MapSchema {
  return { kind: 'map', values, ...(type ? { mapType: MAP_TYPES[type as 'A'] } : {}) };
}

function kindOf(groupVersion: string, kind: string): GroupVersionKind {
  const [group = '', version = ''] = groupVersion.split('/');
  return { group, version, kind };
}

/** A field whose type is read when somebody wants it: types refer to each other in circles. */
class Field implements FieldSchema {
  readonly required?: boolean;
  readonly omitEmpty?: boolean;
  readonly pointer?: boolean;
  readonly patchStrategy?: readonly string[];
  readonly patchMergeKey?: string;
  readonly default?: JsonValue;
  readonly mapType?: 'atomic' | 'granular';
  readonly listType?: string;
  readonly goType?: string;
  #read: (() => Schema) | undefined;
  #schema: Schema | undefined;

  constructor(read: () => Schema, options: Partial<FieldSchema>) {
    this.#read = read;
    Object.assign(this, options);
  }

  get schema(): Schema {
    if (this.#read) {
      this.#schema = this.#read();
      this.#read = undefined;
    }
    return this.#schema!;
  }
}
