import { formatFloat } from './go-float.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { resolvePlain } from './yaml-scalar.ts';

/** A value as sigs.k8s.io/yaml writes it (go-yaml v2 without line folding): keys sorted, one trailing line end. */
export function encodeYaml(value: JsonValue): string {
  return `${node(value, 0, false).slice(1)}\n`;
}

const INDENT = 2;

/** A node after `key:` or `-`, with what separates it: a space and a scalar, or a line end and a block. */
function node(value: JsonValue, indent: number, inSequence: boolean): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    // The items of a list stand below the key, not to the right of it; in a list of lists the first item stays in line.
    const items = value.map((item: JsonValue) => `-${node(item, indent + INDENT, true)}`);
    const margin = ' '.repeat(indent);
    return inSequence ? ` ${items.join(`\n${margin}`)}` : items.map((item) => `\n${margin}${item}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = sortedByYaml(value as JsonObject);
    if (entries.length === 0) return ' {}';
    const margin = ' '.repeat(indent);
    const lines = entries.map(([key, item]) => entry(key, item, indent));
    return inSequence ? ` ${lines.join(`\n${margin}`)}` : lines.map((line) => `\n${margin}${line}`).join('');
  }
  return scalar(value, indent);
}

function entry(key: string, value: JsonValue, indent: number): string {
  const name = scalarText(key, true);
  const inner = Array.isArray(value) ? indent : indent + INDENT;
  if (name.simple) return `${name.text}:${node(value, inner, false)}`;
  return `? ${name.text}\n${' '.repeat(indent)}:${node(value, indent + INDENT, true)}`;
}

function scalar(value: JsonValue, indent: number): string {
  if (typeof value !== 'string') return ` ${plainText(value)}`;
  const { text } = scalarText(value, false);
  if (text !== undefined) return ` ${text}`;
  return ` ${literal(value, ' '.repeat(Math.max(indent, INDENT)))}`;
}

function plainText(value: JsonValue): string {
  if (typeof value !== 'number') return String(value as boolean | bigint | null);
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value).toString() : formatFloat(value);
}

/** `|` with its chomping hint, and the lines. Empty lines stay empty. */
function literal(value: string, margin: string): string {
  const hint = /^[ \n]/.test(value) ? String(INDENT) : '';
  const chomp = !value.endsWith('\n') ? '-' : value === '\n' || value.endsWith('\n\n') ? '+' : '';
  const lines = (chomp === '-' ? value : value.slice(0, -1)).split('\n');
  return `|${hint}${chomp}\n${lines.map((line) => (line === '' ? '' : margin + line)).join('\n')}`;
}

interface Analysis {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const LINE_BREAK = /[\n\r\u0085\u2028\u2029]/;
/** What libyaml may print as it stands: no tabs, no control characters, nothing beyond the basic plane. */
const UNPRINTABLE = /[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;

/** How a text may be written. Follows yaml_emitter_analyze_scalar of go-yaml v2. */
function analyze(value: string): Analysis {
  if (value === '') return { plain: true, single: true, block: false };
  const special = UNPRINTABLE.test(value) || / [\n\r\u0085\u2028\u2029]/.test(value);
  const indicators =
    /^(---|\.\.\.)/.test(value) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(value) ||
    /^[?:-](?=[ \t\n\r\u0085\u2028\u2029]|$)/.test(value) ||
    /.:(?=[ \t\n\r\u0085\u2028\u2029]|$)/s.test(value) ||
    /[ \t\n\r\u0085\u2028\u2029]#/.test(value);
  const edges = /^[ \n\r\u0085\u2028\u2029]|[ \n\r\u0085\u2028\u2029]$/.test(value);
  const breakSpace = /[\n\r\u0085\u2028\u2029] /.test(value);
  return {
    plain: !special && !indicators && !edges && !LINE_BREAK.test(value),
    single: !special && !breakSpace,
    block: !special && !value.endsWith(' '),
  };
}

/** A scalar in one line; `text` is undefined when it is to be a block. `simple` keys fit before a colon. */
function scalarText(value: string, key: true): { readonly text: string; readonly simple: boolean };
function scalarText(value: string, key: false): { readonly text: string | undefined; readonly simple: boolean };
function scalarText(value: string, key: boolean): { readonly text: string | undefined; readonly simple: boolean } {
  const { plain, single, block } = analyze(value);
  const simple = !LINE_BREAK.test(value) && value.length <= 128;
  if (value.includes('\n') && !(key && simple)) {
    if (!key && block) return { text: undefined, simple };
    return { text: doubleQuoted(value), simple };
  }
  const ambiguous = resolvePlain(value) !== value || isBase60(value);
  if (ambiguous) return { text: doubleQuoted(value), simple };
  if (plain && !(key && value === '')) return { text: value, simple };
  return { text: single ? `'${value.replaceAll("'", "''")}'` : doubleQuoted(value), simple };
}

/** Numbers of base 60 in YAML 1.1, which other parsers may still read as such. */
function isBase60(value: string): boolean {
  return /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(value);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(value: string): string {
  let out = '"';
  for (const char of value) {
    const escape = ESCAPES[char];
    if (escape !== undefined) out += escape;
    else if (UNPRINTABLE.test(char)) {
      const code = char.codePointAt(0) as number;
      const [letter, width] = code <= 0xff ? ['x', 2] : code <= 0xffff ? ['u', 4] : ['U', 8];
      out += `\\${letter}${code
        .toString(16)
        .toUpperCase()
        .padStart(width as number, '0')}`;
    } else out += char;
  }
  return `${out}"`;
}

const isLetter = (char: string) => /\p{L}/u.test(char);
const isDigit = (char: string | undefined) => char !== undefined && /\p{Nd}/u.test(char);

/** The order of keys in go-yaml: letters by code, after everything else; runs of digits by value. */
export function compareKeys(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i] as string;
    const r = right[i] as string;
    if (l === r) continue;
    const lLetter = isLetter(l);
    const rLetter = isLetter(r);
    if (lLetter && rLetter) return l < r ? -1 : 1;
    if (lLetter || rLetter) return rLetter ? -1 : 1;
    let leading = 0n;
    if (l === '0' || r === '0') {
      for (let j = i - 1; j >= 0 && isDigit(left[j]); j--) {
        if (left[j] !== '0') {
          leading = 1n;
          break;
        }
      }
    }
    const run = (chars: string[]): readonly [bigint, number] => {
      let value = leading;
      let end = i;
      for (; isDigit(chars[end]); end++)
        value = BigInt.asIntN(64, value * 10n + BigInt((chars[end] as string).codePointAt(0) as number) - 48n);
      return [value, end];
    };
    const [lValue, lEnd] = run(left);
    const [rValue, rEnd] = run(right);
    if (lValue !== rValue) return lValue < rValue ? -1 : 1;
    if (lEnd !== rEnd) return lEnd - rEnd;
    return l < r ? -1 : 1;
  }
  return left.length - right.length;
}

function sortedByYaml(object: JsonObject): [string, JsonValue][] {
  return (Object.entries(object) as [string, JsonValue | undefined][])
    .filter((item): item is [string, JsonValue] => item[1] !== undefined)
    .sort(([a], [b]) => compareKeys(a, b));
}
