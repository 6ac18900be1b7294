import type { JsonObject, JsonValue } from './json.ts';
import { goQuote } from './validation.ts';
import { isJsonObject } from './structural-schema.ts';
import { formatGoSyntax, formatValue } from './go-format.ts';
import { encodeJson, sortedEntries } from './go-encode.ts';
import type { Node } from './json-path-parser.ts';
import { parseJsonPath } from './json-path-parser.ts';

/** A float literal: it equals no integer, as in Go. */
class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

type Value = JsonValue | Float;

/** A template in kubectl's dialect of JSONPath. Follows client-go/util/jsonpath, v1.33. */
export class JsonPath {
  readonly source: string;
  readonly #nodes: readonly (readonly Node[])[];
  readonly #allowMissing: boolean;
  #beginRange = 0;
  #inRange = 0;
  #endRange = 0;
  #lastEnd: readonly Node[] | undefined;

  /** Throws the parser's words about a template that is wrong. */
  constructor(source: string, allowMissing = true) {
    this.source = source;
    this.#nodes = parseJsonPath(source);
    this.#allowMissing = allowMissing;
  }

  /** What each piece of the template finds. */
  find(data: JsonValue): JsonValue[][] {
    this.#beginRange = this.#inRange = this.#endRange = 0;
    return this.#find([data], this.#nodes).map((values) =>
      values.map((value) => (value instanceof Float ? value.value : value)),
    );
  }

  /** The text of the template over the data. */
  execute(data: JsonValue): string {
    return this.find(data)
      .map((values) => values.map(textOf).join(' '))
      .join('');
  }

  /** Each piece's values as a JSON array. */
  executeAsJson(data: JsonValue): string {
    return this.find(data)
      .map((values) => `${encodeJson(values, { indent: '    ' })}\n`)
      .join('');
  }

  #find(start: readonly Value[], nodes: readonly (readonly Node[])[]): Value[][] {
    const found: Value[][] = [];
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as readonly Node[];
      const results = this.#list(start, node);
      if (this.#endRange > 0 && this.#endRange <= this.#inRange) {
        this.#endRange--;
        this.#lastEnd = node;
        break;
      }
      if (this.#beginRange > 0) {
        this.#beginRange--;
        this.#inRange++;
        const rest = nodes.slice(i + 1);
        // An empty range is passed over once, to find its end.
        if (results.length === 0) this.#find([], rest);
        for (const value of results) found.push(...this.#find([value], rest));
        this.#inRange--;
        const end = nodes.indexOf(this.#lastEnd as readonly Node[], i + 1);
        if (end >= 0) i = end;
        continue;
      }
      found.push([...results]);
    }
    return found;
  }

  #list(input: readonly Value[], nodes: readonly Node[]): readonly Value[] {
    let current = input;
    for (const node of nodes) current = this.#walk(current, node);
    return current;
  }

  #walk(input: readonly Value[], node: Node): readonly Value[] {
    switch (node.type) {
      case 'text':
        return [node.text];
      case 'number':
        return input.map(() => (node.float ? new Float(node.value) : node.value));
      case 'bool':
        return input.map(() => node.value);
      case 'field':
        return this.#field(input, node.name);
      case 'array':
        return input.flatMap((value) => slice(value, node.from, node.to, node.step, node.single));
      case 'filter':
        return input.flatMap((value) => this.#filter(value, node));
      case 'wildcard':
        return input.flatMap(children);
      case 'recursive':
        return descend(input);
      case 'union':
        return node.members.flatMap((member) => this.#list(input, member));
      case 'identifier':
        if (node.name === 'range') {
          this.#beginRange++;
          return input;
        }
        if (node.name === 'end') {
          if (this.#inRange === 0) throw new Error('not in range, nothing to end');
          this.#endRange++;
          return [];
        }
        throw new Error(`unrecognized identifier ${node.name}`);
    }
  }

  #field(input: readonly Value[], name: string): readonly Value[] {
    if (input.length === 0) return [];
    const found: Value[] = [];
    for (const value of input) {
      if (value instanceof Float || !isJsonObject(value) || !Object.hasOwn(value, name)) continue;
      found.push(value[name] as JsonValue);
    }
    if (found.length === 0 && !this.#allowMissing) throw new Error(`${name} is not found`);
    return found;
  }

  #filter(value: Value, node: Extract<Node, { readonly type: 'filter' }>): readonly Value[] {
    if (!Array.isArray(value)) throw new Error(`${formatValue(value)} is not array or slice and cannot be filtered`);
    const kept: Value[] = [];
    for (const item of value as readonly JsonValue[]) {
      if (node.operator === 'exists') {
        let left: readonly Value[] = [];
        try {
          left = this.#list([item], node.left);
        } catch {
          // What cannot be looked at does not exist.
        }
        if (left.length > 0) kept.push(item);
        continue;
      }
      const lefts = this.#list([item], node.left);
      if (lefts.length === 0) continue;
      if (lefts.length > 1) throw new Error('can only compare one element at a time');
      const rights = this.#list([item], node.right);
      if (rights.length === 0) continue;
      if (rights.length > 1) throw new Error('can only compare one element at a time');
      if (compare(node.operator, lefts[0] as Value, rights[0] as Value)) kept.push(item);
    }
    return kept;
  }
}

function slice(
  value: Value,
  from: number | undefined,
  to: number | undefined,
  step: number | undefined,
  single: boolean,
): readonly Value[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${goType(value)} is not array or slice`);
  const { length } = value;
  let start = from ?? 0;
  if (start < 0) start += length;
  let end = single ? (from ?? 0) + 1 : (to ?? length);
  // `[-1]` is the last element, not the empty slice from -1 to 0.
  if (end < 0 || (end === 0 && single)) end += length;
  if (start === end) return [];
  if (start >= length || start < 0) throw new Error(`array index out of bounds: index ${start}, length ${length}`);
  if (end > length || end < 0) throw new Error(`array index out of bounds: index ${end - 1}, length ${length}`);
  if (start > end) throw new Error(`starting index ${start} is greater than ending index ${end}`);
  if (step !== undefined && step <= 0) throw new Error('step must be > 0');
  const items = (value as readonly JsonValue[]).slice(start, end);
  return step === undefined ? items : items.filter((_, i) => i % step === 0);
}

function goType(value: Value): string {
  if (value instanceof Float) return 'float64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value === 'bigint' ? 'int64' : 'string';
}

function children(value: Value): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  if (value instanceof Float || value === null) return [];
  if (typeof value === 'object') return sortedEntries(value as JsonObject).map(([, item]) => item);
  return typeof value === 'string' ? Array.from(value, (char) => char.codePointAt(0) as number) : [];
}

/** All values that have something in them, outermost first. */
function descend(input: readonly Value[]): Value[] {
  return input.flatMap((value) => {
    const inner = children(value);
    return inner.length === 0 ? [] : [value, ...descend(inner)];
  });
}

function compare(operator: string, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case '<':
      return less(left, right);
    case '<=':
      return less(left, right) || equal(left, right);
    case '>':
      return !(less(left, right) || equal(left, right));
    case '>=':
      return !less(left, right);
    default:
      throw new Error(`unrecognized filter operator ${operator}`);
  }
}

function basicKind(value: Value): string {
  const kind = goType(value);
  if (value === null || kind.startsWith('map') || Array.isArray(value)) throw new Error('invalid type for comparison');
  return kind;
}

const plain = (value: Value): JsonValue => (value instanceof Float ? value.value : value);

function equal(left: Value, right: Value): boolean {
  if (basicKind(left) !== basicKind(right)) throw new Error('incompatible types for comparison');
  return plain(left) === plain(right);
}

function less(left: Value, right: Value): boolean {
  const kind = basicKind(left);
  if (kind !== basicKind(right)) throw new Error('incompatible types for comparison');
  if (kind === 'bool') throw new Error('invalid type for comparison');
  return (plain(left) as string) < (plain(right) as string);
}

function textOf(value: JsonValue): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? encodeJson(value) : formatValue(value);
}

/** The output of `-o jsonpath=…`; a failure shows the template and the object, as kubectl does. */
export function printJsonPath(path: JsonPath, data: JsonValue, asJson: boolean): string {
  try {
    return asJson ? path.executeAsJson(data) : path.execute(data);
  } catch (error) {
    throw new Error(
      `error executing jsonpath ${goQuote(path.source)}: Error executing template: ${(error as Error).message}. Printing more information for debugging the template:\n` +
        `\ttemplate was:\n\t\t${path.source}\n\tobject given to jsonpath engine was:\n\t\t${formatGoSyntax(data)}\n\n\n`,
    );
  }
}

/**
 * A path as flags such as --sort-by and custom columns take it, with or without braces and leading dot, as a template.
 * Follows RelaxedJSONPathExpression.
 */
export function relaxedPath(expression: string): string {
  if (expression === '') return '';
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(expression);
  if (!match) {
    throw new Error(
      "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
    );
  }
  return `{.${match[1] ?? match[2]}}`;
}
