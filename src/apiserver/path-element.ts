import { encodeJson } from '#apimachinery/go-encode.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';

/**
 * One step of a path into an object as FieldsV1 writes it: `f:name` (a field or key), `k:{"name":"web"}` (an item by its
 * keys), `v:"value"` (an item of a set), `i:0` (an index). There is one spelling of each, so that they compare as texts.
 * Follows fieldpath/element.go and serialize-pe.go of structured-merge-diff, v1.33.
 */
export type PathElement = string;

export const fieldElement = (name: string): PathElement => `f:${name}`;

export const valueElement = (value: JsonValue): PathElement => `v:${encodeJson(value)}`;

export const keyElement = (keys: readonly (readonly [string, JsonValue])[]): PathElement =>
  `k:{${[...keys]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, value]) => `${encodeJson(name)}:${encodeJson(value)}`)
    .join(',')}}`;

/** The element in the one spelling. `unknown`: of a type that nobody knows; undefined: nonsense. */
export function readElement(text: string): PathElement | 'unknown' | undefined {
  if (text.length < 2 || text[1] !== ':') return undefined;
  const rest = text.slice(2);
  switch (text[0]) {
    case 'f':
      return text;
    case 'i':
      return /^[+-]?\d+$/.test(rest) ? `i:${Number(rest)}` : undefined;
    case 'v':
    case 'k': {
      const value = parsed(rest);
      if (value === undefined) return undefined;
      if (text[0] === 'v') return valueElement(value);
      return isMap(value) ? keyElement(Object.entries(value) as [string, JsonValue][]) : undefined;
    }
    default:
      return 'unknown';
  }
}

/** The name of a field element; undefined for other elements. */
export const fieldNameOf = (element: PathElement): string | undefined =>
  element.startsWith('f:') ? element.slice(2) : undefined;

export const isKeyElement = (element: PathElement): boolean => element.startsWith('k:');

/** Fields, keys, values, indexes; numbers as numbers. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0;
  const [typeA, typeB] = [a[0] as string, b[0] as string];
  if (typeA !== typeB) return RANK.indexOf(typeA) - RANK.indexOf(typeB);
  if (typeA === 'f') return compareText(a, b);
  const [left, right] = [JSON.parse(a.slice(2)) as JsonValue, JSON.parse(b.slice(2)) as JsonValue];
  if (typeA !== 'k') return compareValues(left, right);
  const lefts = Object.entries(left as JsonObject);
  const rights = Object.entries(right as JsonObject);
  for (let i = 0; i < lefts.length && i < rights.length; i++) {
    const [leftName, leftValue] = lefts[i]!;
    const [rightName, rightValue] = rights[i]!;
    const order = compareText(leftName, rightName) || compareValues(leftValue!, rightValue!);
    if (order !== 0) return order;
  }
  return lefts.length - rights.length;
}
const RANK = 'fkvi';

/** A path as conflicts name it: `.spec.containers[name="web"].image`. */
export const printPath = (path: readonly PathElement[]): string => path.map(printElement).join('');

export function printElement(element: PathElement): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'k': {
      const keys = Object.entries(JSON.parse(rest) as JsonObject);
      return `[${keys.map(([name, value]) => `${name}=${printValue(value!)}`).join(',')}]`;
    }
    case 'v':
      return `[=${printValue(JSON.parse(rest) as JsonValue)}]`;
    default:
      return `[${rest}]`;
  }
}

function printValue(value: JsonValue): string {
  if (typeof value === 'string') return goQuote(value);
  if (Array.isArray(value)) return `[${value.map(printValue).join(',')}]`;
  if (isMap(value))
    return `{${Object.entries(value)
      .map(([key, member]) => `${key}=${printValue(member!)}`)
      .join(';')}}`;
  return encodeJson(value);
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

const isMap = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const TYPES = ['number', 'string', 'boolean'];
const rankOf = (value: JsonValue): number => {
  const rank = TYPES.indexOf(typeof value);
  return rank >= 0 ? rank : TYPES.length;
};

function compareValues(a: JsonValue, b: JsonValue): number {
  const order = rankOf(a) - rankOf(b);
  if (order !== 0) return order;
  if (typeof a === 'number') return a - (b as number);
  if (typeof a === 'string') return compareText(a, b as string);
  if (typeof a === 'boolean') return Number(a) - Number(b);
  return compareText(JSON.stringify(a), JSON.stringify(b));
}
