import { formatFloat } from './go-float.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { resolvePlain } from './yaml-scalar.ts';
import { YamlError } from './yaml-scanner.ts';

const INDENT = 2;
/** Beyond this column a long text goes on in the next line at its next space. */
const WIDTH = 80;

/**
 * A value as sigs.k8s.io/yaml writes it (through go-yaml v2): keys sorted, long lines folded, one trailing line end.
 * Throws YamlError for the control characters that it cannot write.
 */
export function encodeYaml(value: JsonValue): string {
  return `${node(value, 0, 0, false).slice(1)}\n`;
}

/**
 * A node after `key:` or `-`, with what separates it: a space and a scalar, or a line end and a block. `indent` is that
 * of its lines, `column` where a scalar would begin.
 */
function node(value: JsonValue, indent: number, column: number, inSequence: boolean): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    // The items of a list stand below the key, not to the right of it; in a list of lists the first item stays in line.
    const items = value.map((item: JsonValue) => `-${node(item, indent + INDENT, indent + INDENT, true)}`);
    return block(items, indent, inSequence);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = sortedByYaml(value as JsonObject);
    if (entries.length === 0) return ' {}';
    return block(
      entries.map(([key, item]) => entry(key, item, indent)),
      indent,
      inSequence,
    );
  }
  return ` ${scalar(value, indent, column)}`;
}

function block(lines: readonly string[], indent: number, inSequence: boolean): string {
  const margin = ' '.repeat(indent);
  return inSequence ? ` ${lines.join(`\n${margin}`)}` : lines.map((line) => `\n${margin}${line}`).join('');
}

function entry(key: string, value: JsonValue, indent: number): string {
  const inner = Array.isArray(value) ? indent : indent + INDENT;
  // Longer keys, and keys with line breaks, are written as explicit ones.
  if (key.length > 128 || LINE_BREAK.test(key)) {
    return `? ${text(key, indent + INDENT, indent + INDENT, false)}\n${' '.repeat(indent)}:${node(value, indent + INDENT, indent + INDENT, true)}`;
  }
  const name = text(key, indent, indent, true);
  return `${name}:${node(value, inner, indent + Array.from(name).length + 2, false)}`;
}

function scalar(value: JsonValue, indent: number, column: number): string {
  if (typeof value === 'string') return text(value, Math.max(indent, INDENT), column, false);
  if (typeof value !== 'number') return String(value as boolean | bigint | null);
  return Number.isInteger(value) && Math.abs(value) < 2 ** 64 ? BigInt(value).toString() : formatFloat(value);
}

/** `|` with its chomping hint, and the lines. Empty lines stay empty. */
function literal(value: string, indent: number): string {
  const hint = /^[ \n]/.test(value) ? String(INDENT) : '';
  const chomp = !value.endsWith('\n') ? '-' : value === '\n' || value.endsWith('\n\n') ? '+' : '';
  const lines = (chomp === '-' ? value : value.slice(0, -1)).split('\n');
  return `|${hint}${chomp}\n${lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n')}`;
}

/** A text in the style that go-yaml chooses for it. */
function text(source: string, indent: number, column: number, key: boolean): string {
  const value = throughJson(source);
  const { plain, single, block: asBlock } = analyze(value);
  const width = key ? Number.POSITIVE_INFINITY : WIDTH;
  if (value.includes('\n'))
    return asBlock && !key ? literal(value, indent) : doubleQuoted(value, indent, column, width);
  if (resolvePlain(value) !== value || isBase60(value)) return doubleQuoted(value, indent, column, width);
  if (plain && !(key && value === '')) return folded(value, indent, column, width);
  if (single) return `'${folded(value, indent, column + 1, width).replaceAll("'", "''")}'`;
  return doubleQuoted(value, indent, column, width);
}

/** sigs.k8s.io/yaml makes JSON first, in which U+0085 stands as it is; as YAML that is a line break, which folds. */
function throughJson(value: string): string {
  if (/[\u007f-\u0084\u0086-\u009f\ufffe\uffff]/.test(value)) throw new YamlError('control characters are not allowed');
  if (!value.includes('\u0085')) return value;
  return value.replace(
    /[ \t]*\u0085([ \t\u0085]*)/g,
    (_, rest: string) => '\n'.repeat(rest.split('\u0085').length - 1) || ' ',
  );
}

/** Breaks a text at single spaces where the line has got too long. */
function folded(value: string, indent: number, column: number, width: number): string {
  let out = '';
  let at = column;
  const chars = Array.from(value);
  chars.forEach((char, i) => {
    const quotes = char === "'" ? 1 : 0;
    if (char === ' ' && chars[i - 1] !== ' ' && chars[i + 1] !== ' ' && at > width) {
      out += `\n${' '.repeat(indent)}`;
      at = indent;
    } else {
      out += char;
      at += 1 + quotes;
    }
  });
  return out;
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

function doubleQuoted(value: string, indent: number, column: number, width: number): string {
  let out = '"';
  let at = column + 1;
  const chars = Array.from(value);
  let spaces = false;
  chars.forEach((char, i) => {
    const escape = ESCAPES[char] ?? (UNPRINTABLE.test(char) ? hexEscape(char) : undefined);
    if (escape === undefined && char === ' ' && !spaces && at > width && i > 0 && i < chars.length - 1) {
      // A space that begins the next line is kept by a backslash.
      const next = chars[i + 1] === ' ' ? '\\' : '';
      out += `\n${' '.repeat(indent)}${next}`;
      at = indent + next.length;
    } else {
      out += escape ?? char;
      at += (escape ?? char).length;
    }
    spaces = escape === undefined && char === ' ';
  });
  return `${out}"`;
}

function hexEscape(char: string): string {
  const code = char.codePointAt(0) as number;
  const [letter, digits] = code <= 0xff ? ['x', 2] : code <= 0xffff ? ['u', 4] : ['U', 8];
  return `\\${letter}${code
    .toString(16)
    .toUpperCase()
    .padStart(digits as number, '0')}`;
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
