import type { JsonObject, JsonValue } from './json.ts';
import { byCodeUnit } from './go-format.ts';

/** Parses JSON; integers beyond 2^53 become bigints, beyond 64 bits floats. Throws SyntaxError. */
export function parseJson(text: string): JsonValue {
  return /\d{16}/.test(text) ? parseExactly(text) : (JSON.parse(text) as JsonValue);
}

/** JSON.parse that keeps large integers: they are marked as strings on the way in and turned back on the way out. */
function parseExactly(text: string): JsonValue {
  JSON.parse(text);
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) => {
    if (token.startsWith('"')) return token;
    return Number.isSafeInteger(Number(token)) ? token : `"\\u0000${token}"`;
  });
  return JSON.parse(marked, (_key, value: JsonValue) =>
    typeof value === 'string' && value.startsWith('\0') ? integer(value.slice(1)) : value,
  ) as JsonValue;
}

/** An integer as Go decodes it: what is no int64 is a float. */
function integer(digits: string): bigint | number {
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : Number(digits);
}

const ESCAPED: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function encodeString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => ESCAPED[char] as string);
}

/** The entries of an object without undefined values, sorted by key as Go sorts maps. */
export function sortedEntries(object: JsonObject): [string, JsonValue][] {
  return (Object.entries(object) as [string, JsonValue | undefined][])
    .filter((entry): entry is [string, JsonValue] => entry[1] !== undefined)
    .sort(([a], [b]) => byCodeUnit(a, b));
}

/**
 * encoding/json's text of a value: `<`, `>` and `&` escaped, no trailing line end. Keys are sorted, unless the value is
 * of a type that Go knows (`declared`: then they are written as they stand). `indent` is what each level adds.
 */
export function encodeJson(
  value: JsonValue | undefined,
  options: { readonly indent?: string; readonly declared?: boolean } = {},
): string {
  const { indent, declared } = options;
  const write = (item: JsonValue, margin: string): string => {
    if (typeof item === 'string') return encodeString(item);
    if (typeof item !== 'object' || item === null) return String(item);
    const inner = margin + (indent ?? '');
    const parts = Array.isArray(item)
      ? item.map((each: JsonValue) => write(each, inner))
      : entriesOf(item as JsonObject).map(
          ([key, each]) => `${encodeString(key)}:${indent === undefined ? '' : ' '}${write(each, inner)}`,
        );
    const [open, close] = Array.isArray(item) ? '[]' : '{}';
    if (parts.length === 0) return `${open}${close}`;
    if (indent === undefined) return `${open}${parts.join(',')}${close}`;
    return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
  };
  const entriesOf = (object: JsonObject) =>
    declared
      ? (Object.entries(object) as [string, JsonValue | undefined][]).filter(
          (entry): entry is [string, JsonValue] => entry[1] !== undefined,
        )
      : sortedEntries(object);
  return value === undefined ? 'null' : write(value, '');
}
