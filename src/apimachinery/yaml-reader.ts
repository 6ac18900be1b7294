import { decodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { resolvePlain, Timestamp } from './yaml-scalar.ts';
import type { Mark, Token } from './yaml-scanner.ts';
import { YamlError, YamlScanner } from './yaml-scanner.ts';

type YamlNode =
  | { readonly kind: 'scalar'; readonly value: string; readonly plain: boolean; readonly tag: string }
  | { readonly kind: 'sequence'; readonly items: readonly YamlNode[] }
  | { readonly kind: 'mapping'; readonly entries: readonly (readonly [YamlNode, YamlNode, number])[] }
  | { readonly kind: 'alias'; readonly name: string };

const EMPTY: YamlNode = { kind: 'scalar', value: '', plain: true, tag: '' };
const CORE = 'tag:yaml.org,2002:';

export interface YamlReadOptions {
  /** A key that comes twice in a map is an error (`key "a" already set in map`); otherwise the last one counts. */
  readonly strict?: boolean;
}

/**
 * The first document of a text as the JSON that Kubernetes makes of it. Throws {@link YamlError} with go-yaml's words.
 * Follows sigs.k8s.io/yaml (go-yaml v2), v1.33: YAML 1.1 with merge keys, without numbers of base 60; times are strings.
 */
export function readYaml(text: string, options: YamlReadOptions = {}): JsonValue {
  const parser = new DocumentParser(new YamlScanner(text));
  const node = parser.document();
  return node ? new Decoder(parser.anchors, options.strict ?? false).document(node) : null;
}

/** Builds the nodes of one document. Follows libyaml's grammar and its errors. */
class DocumentParser {
  readonly anchors = new Map<string, YamlNode>();
  readonly #scanner: YamlScanner;
  readonly #tagPrefixes = new Map([
    ['!', '!'],
    ['!!', CORE],
  ]);

  constructor(scanner: YamlScanner) {
    this.#scanner = scanner;
  }

  /** Undefined when the stream is empty. */
  document(): YamlNode | undefined {
    if (this.#is('stream-end')) return undefined;
    if (this.#is('version-directive', 'tag-directive', 'document-start')) {
      this.#directives();
      if (!this.#is('document-start')) this.#fail('did not find expected <document start>', this.#scanner.peek().start);
      this.#scanner.next();
      if (this.#is('version-directive', 'tag-directive', 'document-start', 'document-end', 'stream-end')) return EMPTY;
    }
    const node = this.#node(true, false);
    // What follows is not read, but it must scan.
    this.#scanner.peek();
    return node;
  }

  #is(...types: readonly Token['type'][]): boolean {
    return types.includes(this.#scanner.peek().type);
  }

  #fail(problem: string, mark: Mark, context?: Mark): never {
    throw new YamlError(problem, mark.line || context?.line || 0);
  }

  #directives(): void {
    let version = false;
    while (this.#is('version-directive', 'tag-directive')) {
      const token = this.#scanner.next();
      if (token.type === 'version-directive' && 'major' in token) {
        if (version) this.#fail('found duplicate %YAML directive', token.start);
        if (token.major !== 1 || token.minor !== 1) this.#fail('found incompatible YAML document', token.start);
        version = true;
      } else if ('prefix' in token) {
        this.#tagPrefixes.set(token.handle, token.prefix);
      }
    }
  }

  #node(block: boolean, indentless: boolean): YamlNode {
    const { start } = this.#scanner.peek();
    if (this.#is('alias')) {
      const token = this.#scanner.next() as { readonly value: string };
      if (!this.anchors.has(token.value)) throw new YamlError(`unknown anchor '${token.value}' referenced`);
      return { kind: 'alias', name: token.value };
    }
    let anchor: string | undefined;
    let tag = '';
    for (let i = 0; i < 2; i++) {
      const token = this.#scanner.peek();
      if (token.type === 'anchor' && anchor === undefined && 'value' in token) {
        anchor = token.value;
      } else if (token.type === 'tag' && tag === '' && 'suffix' in token) {
        tag = this.#tag(token.handle, token.suffix, token.start, start);
      } else break;
      this.#scanner.next();
    }
    // Known while its content is read, so that an alias to itself is told from one to nothing.
    if (anchor !== undefined) this.anchors.set(anchor, { kind: 'alias', name: anchor });
    const node = this.#content(block, indentless, tag, start, anchor !== undefined || tag !== '');
    if (anchor !== undefined) this.anchors.set(anchor, node);
    return node;
  }

  #tag(handle: string, suffix: string, mark: Mark, context: Mark): string {
    if (handle === '') return suffix;
    const prefix = this.#tagPrefixes.get(handle);
    if (prefix === undefined) this.#fail('found undefined tag handle', mark, context);
    return prefix + suffix;
  }

  #content(block: boolean, indentless: boolean, tag: string, start: Mark, decorated: boolean): YamlNode {
    const token = this.#scanner.peek();
    if (indentless && token.type === 'block-entry') return this.#indentlessSequence();
    if (token.type === 'scalar' && 'style' in token) {
      this.#scanner.next();
      return { kind: 'scalar', value: token.value, plain: token.style === 'plain', tag };
    }
    if (token.type === 'flow-sequence-start') return this.#flowSequence();
    if (token.type === 'flow-mapping-start') return this.#flowMapping();
    if (block && token.type === 'block-sequence-start') return this.#blockSequence();
    if (block && token.type === 'block-mapping-start') return this.#blockMapping();
    if (decorated) return { ...EMPTY, tag } as YamlNode;
    return this.#fail('did not find expected node content', token.start, start);
  }

  #blockSequence(): YamlNode {
    const { start } = this.#scanner.next();
    const items: YamlNode[] = [];
    while (this.#is('block-entry')) {
      this.#scanner.next();
      items.push(this.#is('block-entry', 'block-end') ? EMPTY : this.#node(true, false));
    }
    if (!this.#is('block-end')) this.#fail("did not find expected '-' indicator", this.#scanner.peek().start, start);
    this.#scanner.next();
    return { kind: 'sequence', items };
  }

  #indentlessSequence(): YamlNode {
    const items: YamlNode[] = [];
    while (this.#is('block-entry')) {
      this.#scanner.next();
      items.push(this.#is('block-entry', 'key', 'value', 'block-end') ? EMPTY : this.#node(true, false));
    }
    return { kind: 'sequence', items };
  }

  #blockMapping(): YamlNode {
    const { start } = this.#scanner.next();
    const entries: [YamlNode, YamlNode, number][] = [];
    while (this.#is('key')) {
      const { line } = this.#scanner.next().start;
      const key = this.#is('key', 'value', 'block-end') ? EMPTY : this.#node(true, true);
      let value: YamlNode = EMPTY;
      if (this.#is('value')) {
        this.#scanner.next();
        if (!this.#is('key', 'value', 'block-end')) value = this.#node(true, true);
      }
      entries.push([key, value, line]);
    }
    if (!this.#is('block-end')) this.#fail('did not find expected key', this.#scanner.peek().start, start);
    this.#scanner.next();
    return { kind: 'mapping', entries };
  }

  #flowSequence(): YamlNode {
    const { start } = this.#scanner.next();
    const items: YamlNode[] = [];
    while (!this.#is('flow-sequence-end')) {
      if (items.length > 0) {
        if (!this.#is('flow-entry')) this.#fail("did not find expected ',' or ']'", this.#scanner.peek().start, start);
        this.#scanner.next();
        if (this.#is('flow-sequence-end')) break;
      }
      if (this.#is('key')) {
        const { line } = this.#scanner.next().start;
        const key = this.#is('value', 'flow-entry', 'flow-sequence-end') ? EMPTY : this.#node(false, false);
        const value = this.#flowValue('flow-sequence-end');
        items.push({ kind: 'mapping', entries: [[key, value, line]] });
      } else {
        items.push(this.#node(false, false));
      }
    }
    this.#scanner.next();
    return { kind: 'sequence', items };
  }

  #flowMapping(): YamlNode {
    const { start } = this.#scanner.next();
    const entries: [YamlNode, YamlNode, number][] = [];
    while (!this.#is('flow-mapping-end')) {
      if (entries.length > 0) {
        if (!this.#is('flow-entry')) this.#fail("did not find expected ',' or '}'", this.#scanner.peek().start, start);
        this.#scanner.next();
        if (this.#is('flow-mapping-end')) break;
      }
      const { line } = this.#scanner.peek().start;
      if (this.#is('key')) {
        this.#scanner.next();
        const key = this.#is('value', 'flow-entry', 'flow-mapping-end') ? EMPTY : this.#node(false, false);
        entries.push([key, this.#flowValue('flow-mapping-end'), line]);
      } else {
        entries.push([this.#node(false, false), EMPTY, line]);
      }
    }
    this.#scanner.next();
    return { kind: 'mapping', entries };
  }

  #flowValue(end: Token['type']): YamlNode {
    if (!this.#is('value')) return EMPTY;
    this.#scanner.next();
    return this.#is('flow-entry', end) ? EMPTY : this.#node(false, false);
  }
}

/** Turns nodes into JSON values. */
class Decoder {
  readonly #anchors: ReadonlyMap<string, YamlNode>;
  readonly #strict: boolean;
  readonly #duplicates: string[] = [];
  #decoded = 0;
  #aliased = 0;
  #depth = 0;

  constructor(anchors: ReadonlyMap<string, YamlNode>, strict: boolean) {
    this.#anchors = anchors;
    this.#strict = strict;
  }

  document(node: YamlNode): JsonValue {
    const value = this.#value(node, []);
    if (this.#duplicates.length > 0)
      throw new YamlError(`unmarshal errors:\n${this.#duplicates.map((each) => `  ${each}`).join('\n')}`);
    return value;
  }

  #value(node: YamlNode, open: readonly string[]): JsonValue {
    this.#decoded++;
    if (this.#depth > 0) this.#aliased++;
    if (
      this.#aliased > 100 &&
      this.#decoded > 1000 &&
      this.#aliased / this.#decoded > allowedAliasRatio(this.#decoded)
    ) {
      throw new YamlError('document contains excessive aliasing');
    }
    switch (node.kind) {
      case 'scalar':
        return scalarValue(node);
      case 'sequence':
        return node.items.map((item) => this.#value(item, open));
      case 'mapping':
        return this.#mapping(node.entries, open);
      case 'alias': {
        const target = this.#anchors.get(node.name) as YamlNode;
        if (open.includes(node.name) || target === node)
          throw new YamlError(`anchor '${node.name}' value contains itself`);
        this.#depth++;
        const value = this.#value(target, [...open, node.name]);
        this.#depth--;
        return value;
      }
    }
  }

  #mapping(entries: readonly (readonly [YamlNode, YamlNode, number])[], open: readonly string[]): JsonObject {
    const merged: [string, JsonValue][] = [];
    const own = new Map<string, JsonValue>();
    for (const [key, value, line] of entries) {
      if (key.kind === 'scalar' && key.value === '<<' && (key.tag === '' ? key.plain : key.tag === `${CORE}merge`)) {
        const source = this.#value(value, open);
        const maps = (Array.isArray(source) ? [...source].reverse() : [source]) as JsonValue[];
        for (const map of maps) {
          if (typeof map !== 'object' || map === null || Array.isArray(map)) {
            throw new YamlError('map merge requires map or sequence of maps as the value');
          }
          merged.push(...(Object.entries(map) as [string, JsonValue][]));
        }
        continue;
      }
      const name = keyText(this.#value(key, open));
      if (this.#strict && own.has(name))
        this.#duplicates.push(`line ${line + 1}: key ${JSON.stringify(name)} already set in map`);
      own.set(name, this.#value(value, open));
    }
    return Object.fromEntries([...merged, ...own]);
  }
}

/** How much of a document may come from aliases: nearly all of a small one, a tenth of a huge one. */
function allowedAliasRatio(decoded: number): number {
  if (decoded <= 400_000) return 0.99;
  if (decoded >= 4_000_000) return 0.1;
  return 0.99 - 0.89 * ((decoded - 400_000) / 3_600_000);
}

function scalarValue(node: { readonly value: string; readonly plain: boolean; readonly tag: string }): JsonValue {
  const { value, plain, tag } = node;
  const short = tag.startsWith(CORE) ? `!!${tag.slice(CORE.length)}` : tag;
  if (short === '!!binary') {
    const bytes = decodeBase64(value.replace(/\s/g, ''));
    if (typeof bytes === 'number') throw new YamlError('!!binary value contains invalid base64 data');
    return decodeUtf8(bytes);
  }
  if (short === '!!str' || short === '!' || (!plain && tag === '')) return value;
  const resolved = plain || tag !== '' ? resolvePlain(value) : value;
  if (resolved instanceof Timestamp) return value;
  if (short.startsWith('!!') && short !== '!!timestamp') {
    const found =
      resolved === null
        ? '!!null'
        : typeof resolved === 'boolean'
          ? '!!bool'
          : typeof resolved === 'string'
            ? '!!str'
            : Number.isInteger(Number(resolved)) && !/[.eE]/.test(value)
              ? '!!int'
              : '!!float';
    if (
      found !== short &&
      !(short === '!!float' && found === '!!int') &&
      ['!!int', '!!float', '!!bool', '!!null'].includes(short)
    ) {
      throw new YamlError(`cannot decode ${found} \`${value}\` as a ${short}`);
    }
  } else if (tag !== '' && !short.startsWith('!!')) {
    return resolved;
  }
  if (typeof resolved === 'number' && !Number.isFinite(resolved)) {
    throw new Error(`json: unsupported value: ${Number.isNaN(resolved) ? 'NaN' : resolved > 0 ? '+Inf' : '-Inf'}`);
  }
  return resolved;
}

/** Keys of JSON are strings: numbers and booleans are written out. */
function keyText(key: JsonValue): string {
  if (key === null) throw new Error('unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>');
  if (typeof key === 'object') throw new YamlError(`invalid map key: ${goSyntax(key)}`);
  return String(key);
}

/** Go's %#v of a decoded value. */
function goSyntax(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[interface {}]interface {}{${entries.map(([key, item]) => `${JSON.stringify(key)}:${goSyntax(item)}`).join(', ')}}`;
  }
  return value === null ? 'interface {}(nil)' : typeof value === 'string' ? JSON.stringify(value) : String(value);
}
