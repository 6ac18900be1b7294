import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../command.ts';
import type { ApiResource } from '../discovery.ts';
import { at, isObject, list, object, parseApiVersion, text } from '../fields.ts';
import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import type { OpenApiDocument } from '../openapi.ts';
import { OpenApi, referenceOf } from '../openapi.ts';
import { qualifiedName } from '../rest-mapper.ts';

export const explain: Command = {
  name: 'explain',
  short: 'Get documentation for a resource',
  long: `Show what the fields of a type mean, as the server documents them.

 A field is named by its path:

  <type>.<fieldName>[.<fieldName>]

Use "kubectl api-resources" for a complete list of supported resources.`,
  examples: `
# A type and its fields
kubectl explain pods

# With the fields of the fields
kubectl explain pods --recursive

# In another version of its API
kubectl explain deployments --api-version=apps/v1

# One field
kubectl explain pods.spec.containers`,
  usage:
    'explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [--output=plaintext|plaintext-openapiv2]',
  flags: [
    { name: 'api-version', type: 'string', usage: 'The group and version of the API to explain.' },
    {
      name: 'output',
      type: 'string',
      default: 'plaintext',
      usage: 'Format (plaintext).',
      values: ['plaintext'],
    },
    { name: 'recursive', type: 'bool', usage: 'Show the fields of fields, all the way down, without descriptions.' },
  ],
  completion: 'types',
  run: runExplain,
};

async function runExplain(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  if (args.length === 0) {
    throw new Error(
      'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported resources.\n',
    );
  }
  if (args.length > 1) throw new Error('We accept only this format: explain RESOURCE\n');
  const apiVersion = flags.string('api-version');
  const { resource, path } = await parseRequest(invocation, args[0] as string, apiVersion === '');
  const { group, version } = apiVersion === '' ? resource : parseApiVersion(apiVersion);
  const format = flags.string('output');
  if (format === 'plaintext-openapiv2') throw new Error('this kubectl reads OpenAPI v3 only');
  const document = await new OpenApi(await invocation.client()).find(group, version);
  const gvr = `${group}/${version}, Resource=${resource.name}`;
  if (!document) throw new Error(`couldn't find resource for "${gvr}"`);
  if (format !== 'plaintext') throw new Error(`unrecognized format: ${format}`);
  const name = document.definitionOf({ group, version, kind: resource.kind });
  const definition = name === undefined ? undefined : document.definition(name);
  if (!definition) throw new Error(`GVR (${gvr}) not found in OpenAPI schema`);

  if (group !== '') invocation.println(`GROUP:      ${group}`);
  invocation.println(`KIND:       ${resource.kind}\nVERSION:    ${version}\n`);
  const page = new Page(document, flags.bool('recursive')).describe(definition, path, new Set());
  if (page === '') throw new Error(`field "${path.at(-1)}" does not exist`);
  invocation.println(page);
}

/** Tells the type in `TYPE[.GROUP].FIELD…` from its fields. */
async function parseRequest(
  invocation: Invocation,
  argument: string,
  grouped: boolean,
): Promise<{ readonly resource: ApiResource; readonly path: readonly string[] }> {
  const mapper = await invocation.mapper();
  const parts = argument.replace(/\.$/, '').split('.');
  const resource = await mapper.forArgument(parts[0] as string);
  const named = (await mapper.resources()).find(
    (each) => grouped && each.name === resource.name && argument.startsWith(qualifiedName(each)),
  );
  const path = named ? parts.slice(qualifiedName(named).split('.').length) : parts.slice(1);
  if (path.some((part) => /[[\]*@?]/.test(part))) {
    throw new Error('invalid jsonpath syntax, first node must be field node');
  }
  return { resource: named ?? resource, path };
}

/** Lays out what a definition says. Follows kubectl/pkg/explain/v2/templates/plaintext.tmpl, v1.33. */
class Page {
  readonly #document: OpenApiDocument;
  readonly #recursive: boolean;

  constructor(document: OpenApiDocument, recursive: boolean) {
    this.#document = document;
    this.#recursive = recursive;
  }

  /** The schema at the path's end; empty when the path leads nowhere. `seen`: references followed on the way. */
  describe(schema: JsonObject, path: readonly string[], seen: ReadonlySet<string>): string {
    const reference = referenceIn(schema);
    const resolved = this.#resolve(schema);
    const [field, ...rest] = path;
    if (field === undefined) return this.#whole(resolved);
    if (reference !== undefined && seen.has(reference)) return '';
    const followed = reference === undefined ? seen : new Set([...seen, reference]);
    const property = at(resolved, 'properties', field);
    if (isObject(property)) {
      const heading = rest.length === 0 ? `FIELD: ${field} <${this.#typeOf(property)}>\n${longEnum(property)}\n\n` : '';
      const below = this.describe(property, rest, new Set());
      return heading === '' ? below : heading + below;
    }
    for (const inner of [resolved['items'], resolved['additionalProperties']]) {
      if (isObject(inner)) return this.describe(inner, path, followed);
    }
    for (const part of list(resolved, 'allOf').filter(isObject)) {
      const found = this.describe(part, path, followed);
      if (found !== '') return found;
    }
    return '';
  }

  #whole(schema: JsonObject): string {
    const fields = this.#fields(schema, 1, new Set());
    const description = this.#description(schema) || '<empty>';
    return `DESCRIPTION:\n${indent(4, wrap(76, description))}\n${externalDocs(schema)}${fields === '' ? '' : `FIELDS:\n${fields}`}`;
  }

  #resolve(schema: JsonObject): JsonObject {
    const reference = referenceIn(schema);
    return (reference === undefined ? undefined : this.#document.definition(reference)) ?? schema;
  }

  #description(schema: JsonObject): string {
    const resolved = this.#resolve(schema);
    const own = text(resolved, 'description');
    const parts = [...list(resolved, 'allOf'), resolved['items'], resolved['additionalProperties']];
    return [own === '' ? '' : `${own}\n`, ...parts.filter(isObject).map((part) => this.#description(part))].join('');
  }

  #fields(schema: JsonObject, level: number, seen: ReadonlySet<string>): string {
    const reference = referenceIn(schema);
    if (reference !== undefined && seen.has(reference)) return '';
    const followed = reference === undefined ? seen : new Set([...seen, reference]);
    const resolved = this.#resolve(schema);
    const own = Object.entries(object(resolved, 'properties'))
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([name, field]) => {
        const line = this.#field(name, field as JsonObject, list(resolved, 'required').includes(name), level);
        return this.#recursive ? line + this.#fields(field as JsonObject, level + 1, followed) : line;
      });
    const parts = [...list(resolved, 'allOf'), resolved['items'], resolved['additionalProperties']];
    return [...own, ...parts.filter(isObject).map((part) => this.#fields(part, level, followed))].join('');
  }

  #field(name: string, schema: JsonObject, required: boolean, level: number): string {
    const margin = level * 2;
    const line = `${indent(margin, name)}\t<${this.#typeOf(schema)}>${required ? ' -required-' : ''}${shortEnum(schema, margin)}\n`;
    if (this.#recursive) return line;
    const description = text(schema, 'description') || '<no description>';
    const docs = isObject(schema['externalDocs']) ? `\n${indent(2, externalDocs(schema).trimEnd())}\n` : '';
    return `${line}${indent(margin + 2, wrap(78 - margin, description))}\n${docs}\n`;
  }

  #typeOf(schema: JsonObject): string {
    const { items, additionalProperties } = schema;
    if (isObject(items)) return `[]${this.#typeOf(items)}`;
    if (isObject(additionalProperties)) return `map[string]${this.#typeOf(additionalProperties)}`;
    const parts = list(schema, 'allOf').filter(isObject);
    if (parts.length === 1 && schema['properties'] === undefined) return this.#typeOf(parts[0] as JsonObject);
    const reference = referenceIn(schema);
    const type = text(reference === undefined ? schema : this.#document.definition(reference), 'type');
    if (reference !== undefined && (type === '' || type === 'object')) return reference.split('.').at(-1) || 'Object';
    return type === '' || type === 'object' ? 'Object' : type;
  }
}

/** The definition that the schema itself refers to; an `allOf` does not count. */
function referenceIn(schema: JsonObject): string | undefined {
  return schema['$ref'] === undefined ? undefined : referenceOf(schema);
}

function externalDocs(schema: JsonObject): string {
  const docs = schema['externalDocs'];
  if (!isObject(docs)) return '';
  const description = text(docs, 'description');
  const url = text(docs, 'url');
  return `\nEXTERNAL DOCS:\n${description === '' ? '' : `${indent(4, wrap(76, description))}\n`}${url === '' ? '' : `    URL: ${url}\n`}`;
}

const enumText = (value: JsonValue) => (value === '' ? '""' : formatValue(value));

function longEnum(schema: JsonObject): string {
  const values = list(schema, 'enum');
  return values.length === 0 ? '' : `ENUM:${values.map((value) => `\n    ${enumText(value)}`).join('')}`;
}

function shortEnum(schema: JsonObject, margin: number): string {
  const values = list(schema, 'enum');
  if (values.length === 0) return '';
  const more = values.length > 4 ? ', ....' : '';
  return `\n${' '.repeat(margin)}enum: ${values.slice(0, 4).map(enumText).join(', ')}${more}`;
}

function indent(amount: number, lines: string): string {
  const margin = ' '.repeat(amount);
  return margin + lines.replaceAll('\n', `\n${margin}`);
}

/** Breaks lines at spaces. Words that are too long stay whole. Follows github.com/mitchellh/go-wordwrap. */
function wrap(limit: number, lines: string): string {
  return lines
    .split('\n')
    .map((line) => {
      let out = '';
      let width = 0;
      for (const [, space = '', word = ''] of line.matchAll(/([^\S\u00a0]*)([\S\u00a0]*)/g)) {
        const length = Array.from(word).length;
        if (length === 0) {
          if (width + space.length <= limit) out += space;
        } else if (width + space.length + Math.min(length, limit - 1) > limit) {
          out += `\n${word}`;
          width = length;
        } else {
          out += space + word;
          width += space.length + length;
        }
      }
      return out;
    })
    .join('\n');
}
