import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { decodeBase64 } from '#base/base64.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { isObject } from '../fields.ts';
import { formatValue } from '#apimachinery/go-format.ts';
import { encodeJson, sortedEntries } from '#apimachinery/go-encode.ts';
import { sprint, sprintf, sprintln } from './go-printf.ts';
import type { CommandNode, Operand, ParsedTemplate, Pipeline, TemplateNode } from './go-template-parser.ts';
import { parseTemplate } from './go-template-parser.ts';

/** A value of a template. Undefined is "no value": a missing key, or null. */
type Value = JsonValue | undefined;

const FUNCTIONS = new Set(
  'and base64decode call eq exists ge gt html index js le len lt ne not or print printf println slice urlquery'.split(
    ' ',
  ),
);

/** A failure while a template runs; Go says where. */
class ExecError extends Error {
  override readonly name = 'ExecError';
}

class LoopControl {
  readonly kind: 'break' | 'continue';

  constructor(kind: 'break' | 'continue') {
    this.kind = kind;
  }
}

/** A Go template over JSON, with the functions that kubectl's have. Follows text/template of Go and cli-runtime/pkg/printers, v1.33. */
export class GoTemplate {
  readonly #source: string;
  readonly #parsed: ParsedTemplate;
  readonly #missingIsError: boolean;
  #out = '';
  #variables: { readonly name: string; value: Value }[] = [];
  #place = '';

  /** Throws the parser's words about a template that is wrong. */
  constructor(source: string, allowMissing = true) {
    this.#source = source;
    this.#parsed = parseTemplate(source, FUNCTIONS);
    this.#missingIsError = !allowMissing;
  }

  /**
   * Writes the template's text over the object; on failure first what kubectl shows for debugging, and throws.
   */
  print(data: JsonValue, write: (text: string) => void): void {
    try {
      this.execute(data);
      write(this.#out);
    } catch (error) {
      const message = (error as Error).message;
      write(this.#out);
      write(
        `Error executing template: ${message}. Printing more information for debugging the template:\n` +
          `\ttemplate was:\n\t\t${this.#source}\n\traw data was:\n\t\t${encodeJson(data)}\n\tobject given to template engine was:\n\t\t${formatValue(data)}\n\n`,
      );
      throw new Error(`error executing template ${goQuote(this.#source)}: ${message}`);
    }
  }

  /** The template's text over a value. */
  execute(data: JsonValue): string {
    this.#out = '';
    this.#variables = [{ name: '$', value: data }];
    this.#walk(this.#parsed.main, data);
    return this.#out;
  }

  #fail(message: string, node = ''): never {
    const context = node === '' ? '' : ` at <${node}>`;
    throw new ExecError(`template: output:${this.#place}: executing "output"${context}: ${message}`);
  }

  #walk(nodes: readonly TemplateNode[], dot: Value): void {
    for (const node of nodes) this.#node(node, dot);
  }

  #node(node: TemplateNode, dot: Value): void {
    switch (node.type) {
      case 'text':
        this.#out += node.text;
        return;
      case 'action': {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.declares.length === 0) this.#out += printed(value);
        return;
      }
      case 'break':
      case 'continue':
        throw new LoopControl(node.type);
      case 'template': {
        const named = this.#parsed.named.get(node.name);
        this.#place = node.place;
        if (!named) this.#fail(`template ${goQuote(node.name)} not defined`, `{{template ${goQuote(node.name)}}}`);
        const value = node.pipeline ? this.#pipeline(node.pipeline, dot) : undefined;
        const outer = this.#variables;
        this.#variables = [{ name: '$', value }];
        this.#walk(named as readonly TemplateNode[], value);
        this.#variables = outer;
        return;
      }
      default: {
        const depth = this.#variables.length;
        if (node.type === 'range') this.#range(node, dot);
        else {
          const value = this.#pipeline(node.pipeline, dot);
          if (isTrue(value)) this.#walk(node.body, node.type === 'with' ? value : dot);
          else this.#walk(node.otherwise, dot);
        }
        this.#variables.length = depth;
      }
    }
  }

  #range(node: Extract<TemplateNode, { readonly body: readonly TemplateNode[] }>, dot: Value): void {
    const depth = this.#variables.length;
    const value = this.#commands(node.pipeline, dot);
    const items = this.#entries(value, node.pipeline.text);
    const [first, second] = node.pipeline.declares;
    for (const [key, item] of items) {
      this.#variables.length = depth;
      if (second !== undefined) {
        this.#assign(first as string, key, node.pipeline.assigns);
        this.#assign(second, item, node.pipeline.assigns);
      } else if (first !== undefined) this.#assign(first, item, node.pipeline.assigns);
      try {
        this.#walk(node.body, item);
      } catch (control) {
        if (!(control instanceof LoopControl)) throw control;
        if (control.kind === 'break') break;
      }
    }
    this.#variables.length = depth;
    if (items.length === 0) this.#walk(node.otherwise, dot);
  }

  #entries(value: Value, text: string): readonly (readonly [Value, Value])[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value.map((item: JsonValue, i) => [i, item]);
    if (typeof value === 'object') return sortedEntries(value as JsonObject);
    if (typeof value === 'number') return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i]);
    return this.#fail(`range can't iterate over ${formatValue(value)}`, text);
  }

  #assign(name: string, value: Value, existing: boolean): void {
    const found = existing ? this.#variables.findLast((each) => each.name === name) : undefined;
    if (found) found.value = value;
    else this.#variables.push({ name, value });
  }

  #pipeline(pipeline: Pipeline, dot: Value): Value {
    const value = this.#commands(pipeline, dot);
    for (const name of pipeline.declares) this.#assign(name, value, pipeline.assigns);
    return value;
  }

  #commands(pipeline: Pipeline, dot: Value): Value {
    this.#place = pipeline.place;
    let value: Value;
    pipeline.commands.forEach((command, i) => {
      value = this.#command(command, dot, i === 0 ? [] : [value]);
    });
    return value === null ? undefined : value;
  }

  #command(command: CommandNode, dot: Value, final: readonly Value[]): Value {
    const [first, ...rest] = command.operands;
    this.#place = first?.place ?? this.#place;
    if (first?.type === 'function') {
      const { name } = first;
      // These two look at no more of their arguments than they must.
      if (name === 'and' || name === 'or') {
        let value: Value;
        for (const operand of rest) {
          value = this.#operand(operand, dot);
          if (isTrue(value) === (name === 'or')) return value;
        }
        return final.length > 0 ? final[0] : value;
      }
      const args = [...rest.map((operand) => this.#operand(operand, dot)), ...final];
      this.#place = first.place;
      return this.#call(name, args, command.text);
    }
    if (rest.length > 0 || final.length > 0) {
      const field = first?.type === 'field' || first?.type === 'chain' ? first.names.at(-1) : undefined;
      if (field !== undefined) this.#fail(`${field} is not a method but has arguments`, fieldText(first as Operand));
      this.#fail(`can't give argument to non-function ${command.text}`, command.text);
    }
    return this.#operand(first as Operand, dot, true);
  }

  #operand(operand: Operand, dot: Value, alone = false): Value {
    this.#place = operand.place;
    switch (operand.type) {
      case 'dot':
        return dot;
      case 'nil':
        return alone ? this.#fail('nil is not a command', 'nil') : undefined;
      case 'bool':
      case 'string':
        return operand.value;
      case 'number':
        return operand.value;
      case 'function':
        return this.#call(operand.name, [], operand.name);
      case 'pipeline':
        return this.#pipeline(operand.pipeline, dot);
      case 'chain':
        return this.#fields(
          this.#operand(operand.of, dot),
          operand.names,
          `${operand.names.map((name) => `.${name}`).join('')}`,
        );
      case 'field': {
        const start =
          operand.variable === undefined
            ? dot
            : this.#variables.findLast(({ name }) => name === operand.variable)?.value;
        return this.#fields(start, operand.names, fieldText(operand));
      }
    }
  }

  #fields(start: Value, names: readonly string[], text: string): Value {
    let value = start;
    for (const name of names) {
      if (value === undefined) {
        if (this.#missingIsError) this.#fail(`nil data; no entry for key ${goQuote(name)}`, text);
        return undefined;
      }
      if (value === null) this.#fail(`nil pointer evaluating interface {}.${name}`, text);
      if (!isObject(value)) this.#fail(`can't evaluate field ${name} in type interface {}`, text);
      const map = value as JsonObject;
      if (!Object.hasOwn(map, name)) {
        if (this.#missingIsError) this.#fail(`map has no entry for key ${goQuote(name)}`, text);
        value = undefined;
      } else value = map[name];
    }
    return value;
  }

  #call(name: string, args: readonly Value[], text: string): Value {
    const wrong = (message: string) => this.#fail(`error calling ${name}: ${message}`, text);
    const need = (least: number) => {
      if (args.length < least)
        this.#fail(
          `wrong number of args for ${name}: want ${least === 1 ? '' : 'at least '}${least} got ${args.length}`,
          text,
        );
    };
    switch (name) {
      case 'not':
        need(1);
        return !isTrue(args[0]);
      case 'len': {
        need(1);
        const [value] = args;
        if (typeof value === 'string') return new TextLength(value).bytes;
        if (Array.isArray(value)) return value.length;
        if (isObject(value)) return Object.keys(value).length;
        return wrong(
          value === undefined || value === null
            ? 'reflect: call of reflect.Value.Type on zero Value'
            : `len of type ${goType(value)}`,
        );
      }
      case 'index':
        need(1);
        return indexOf(args[0], args.slice(1), wrong);
      case 'slice': {
        need(1);
        const [value, from = 0, to] = args;
        if (typeof value !== 'string' && !Array.isArray(value))
          return wrong(`can't slice item of type ${goType(value)}`);
        return value.slice(Number(from), to === undefined ? undefined : Number(to)) as JsonValue;
      }
      case 'exists':
        return exists(args[0], args.slice(1));
      case 'base64decode': {
        need(1);
        const bytes = decodeBase64(formatValue(args[0] ?? ''));
        return typeof bytes === 'number'
          ? wrong(`base64 decode failed: illegal base64 data at input byte ${bytes}`)
          : decodeUtf8(bytes);
      }
      case 'print':
        return sprint(args);
      case 'println':
        return sprintln(args);
      case 'printf':
        need(1);
        return sprintf(formatValue(args[0]), args.slice(1));
      case 'html':
        return sprintOne(args).replace(/[\0"'&<>]/g, (char) => HTML[char] as string);
      case 'js':
        return sprintOne(args).replace(
          /[\\'"<>&=\n\r\t]|[^\u0020-\u007e]/g,
          (char) => JS[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
        );
      case 'urlquery':
        return encodeURIComponent(sprintOne(args))
          .replaceAll('%20', '+')
          .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
      case 'eq':
        need(1);
        if (args.length === 1) return wrong('missing argument for comparison');
        return args.slice(1).some((arg) => equal(args[0], arg, wrong));
      case 'ne':
        need(2);
        return !equal(args[0], args[1], wrong);
      case 'lt':
        need(2);
        return less(args[0], args[1], wrong);
      case 'le':
        need(2);
        return less(args[0], args[1], wrong) || equal(args[0], args[1], wrong);
      case 'gt':
        need(2);
        return !(less(args[0], args[1], wrong) || equal(args[0], args[1], wrong));
      case 'ge':
        need(2);
        return !less(args[0], args[1], wrong);
      default:
        return wrong(`non-function ${text.replace(/^call /, '')} of type ${goType(args[0])}`);
    }
  }
}

/** A field or a variable's field as written. */
function fieldText(operand: Operand): string {
  if (operand.type !== 'field' && operand.type !== 'chain') return '';
  const start = operand.type === 'field' ? (operand.variable ?? '') : '';
  return `${start}${operand.names.map((name) => `.${name}`).join('')}`;
}

const HTML: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};
const JS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** A string's length as Go counts it. */
class TextLength {
  readonly bytes: number;

  constructor(text: string) {
    let bytes = 0;
    for (const char of text) {
      const code = char.codePointAt(0) as number;
      bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    }
    this.bytes = bytes;
  }
}

function sprintOne(args: readonly Value[]): string {
  return args.length === 1 && typeof args[0] === 'string' ? args[0] : sprint(args);
}

function printed(value: Value): string {
  return value === undefined || value === null ? '<no value>' : formatValue(value);
}

function isTrue(value: Value): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === 0n || value === '')
    return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function goType(value: Value): string {
  if (value === undefined || value === null) return 'nil';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value === 'bigint' ? 'int64' : 'string';
}

type Fail = (message: string) => never;

function indexOf(item: Value, keys: readonly Value[], fail: Fail): Value {
  let value = item;
  if (value === undefined || value === null) return fail('index of untyped nil');
  for (const key of keys) {
    if (value === undefined || value === null) return fail('index of nil pointer');
    if (Array.isArray(value) || typeof value === 'string') {
      if (typeof key !== 'number')
        return fail(
          key === undefined ? 'cannot index slice/array with nil' : `cannot index slice/array with type ${goType(key)}`,
        );
      if (key < 0 || key >= value.length)
        return fail(`error calling index: index out of range: ${key}`.replace('error calling index: ', ''));
      value = typeof value === 'string' ? value.charCodeAt(key) : (value[key] as JsonValue);
    } else if (isObject(value)) {
      if (typeof key !== 'string')
        return fail(
          key === undefined
            ? 'value is nil; should be of type string'
            : `value has type ${goType(key)}; should be string`,
        );
      value = Object.hasOwn(value, key) ? value[key] : undefined;
    } else return fail(`can't index item of type ${goType(value)}`);
  }
  return value;
}

/** Whether `index` would find something. */
function exists(item: Value, keys: readonly Value[]): boolean {
  let value = item;
  for (const key of keys) {
    if (Array.isArray(value) && typeof key === 'number' && key >= 0 && key < value.length)
      value = value[key] as JsonValue;
    else if (isObject(value) && typeof key === 'string') value = Object.hasOwn(value, key) ? value[key] : undefined;
    else return false;
  }
  return value !== undefined && value !== null;
}

/** Go's %s of a collection: what is no string inside is marked as such. */
function formatAsStrings(value: Value): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(formatAsStrings).join(' ')}]`;
  if (isObject(value))
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${key}:${formatAsStrings(item)}`)
      .join(' ')}]`;
  return value === null || value === undefined ? '%!s(<nil>)' : `%!s(${goType(value)}=${formatValue(value)})`;
}

function basicKind(value: Value, fail: Fail): string {
  if (value === undefined || value === null) return 'nil';
  const type = goType(value);
  return typeof value === 'object' ? fail(`non-comparable type ${formatAsStrings(value)}: ${type}`) : type;
}

function equal(a: Value, b: Value, fail: Fail): boolean {
  const left = basicKind(a, fail);
  const right = basicKind(b, fail);
  if (left === 'nil' || right === 'nil') return left === right;
  if (left !== right) return fail('incompatible types for comparison');
  return a === b;
}

function less(a: Value, b: Value, fail: Fail): boolean {
  const left = basicKind(a, fail);
  const right = basicKind(b, fail);
  if (left === 'nil' || right === 'nil' || left === 'bool') return fail('invalid type for comparison');
  if (left !== right) return fail('incompatible types for comparison');
  return (a as string) < (b as string);
}
