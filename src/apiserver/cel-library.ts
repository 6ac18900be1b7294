import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  QuantityError,
  subtractQuantities,
} from '#apimachinery/quantity.ts';
import { formatAddress, parseIPv6 } from '#apimachinery/ip-address.ts';
import { goRegexp, RegexpError } from '#apimachinery/go-regexp.ts';
import { formatCheck } from '#apimachinery/structural-formats.ts';
import { Environment, EvaluationError } from '@marcbachmann/cel-js';

/** What expressions hold of a quantity, a URL, an address and a range of addresses. */
class CelQuantity {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

class CelUrl {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  constructor(match: RegExpExecArray) {
    [, this.scheme = '', this.host = '', this.path = '', this.query = ''] = match;
  }
}

class CelIP {
  readonly bytes: readonly number[];
  constructor(bytes: readonly number[]) {
    this.bytes = bytes;
  }
}

class CelCIDR {
  readonly bytes: readonly number[];
  readonly length: number;
  constructor(bytes: readonly number[], length: number) {
    this.bytes = bytes;
    this.length = length;
  }
}

class SetFunctions {}

const failed = (message: string): EvaluationError => new EvaluationError(message);

function quantity(text: string): CelQuantity {
  try {
    parseQuantity(text);
  } catch (error) {
    throw error instanceof QuantityError ? failed(error.message) : error;
  }
  return new CelQuantity(text);
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

const NANO = 1_000_000_000n;
const isWhole = ({ text }: CelQuantity) => parseQuantity(text).nanos % NANO === 0n;
const URL_PATTERN = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*))?(\/[^?#]*)?(?:\?([^#]*))?$/;

function url(text: string): CelUrl {
  const match = formatCheck('uri')?.(text) ? URL_PATTERN.exec(text) : null;
  if (!match) throw failed(`URL parse error during conversion from string: parse "${text}": invalid URI for request`);
  return new CelUrl(match);
}

function isURL(text: string): boolean {
  return formatCheck('uri')?.(text) === true && URL_PATTERN.test(text);
}

function addressOf(text: string): readonly number[] | undefined {
  if (text.includes(':')) {
    const bytes = parseIPv6(text);
    return bytes && !/^.*:\d+\.\d+/.test(text) ? bytes : undefined;
  }
  const parts = text.split('.');
  const isValid = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return isValid ? parts.map(Number) : undefined;
}

function ip(text: string): CelIP {
  const bytes = addressOf(text);
  if (!bytes) throw failed(`IP Address "${text}" parse error during conversion from string: unable to parse IP`);
  return new CelIP(bytes);
}

function rangeOf(text: string): CelCIDR | undefined {
  const [address = '', length = ''] = text.split('/');
  const bytes = addressOf(address);
  const isValid =
    bytes && /^\d{1,3}$/.test(length) && Number(length) <= bytes.length * 8 && text.split('/').length === 2;
  return isValid ? new CelCIDR(bytes, Number(length)) : undefined;
}

function cidr(text: string): CelCIDR {
  const range = rangeOf(text);
  if (!range) throw failed(`network address parse error during conversion from string: "${text}"`);
  return range;
}

/** The bytes with all bits after the first `length` cleared. */
const masked = (bytes: readonly number[], length: number): readonly number[] =>
  bytes.map((byte, i) => byte & (0xff << Math.max(0, 8 - Math.max(0, length - 8 * i))) & 0xff);

const sameBytes = (a: readonly number[], b: readonly number[]) => a.join() === b.join();
const inRange = (range: CelCIDR, bytes: readonly number[]) =>
  bytes.length === range.bytes.length && sameBytes(masked(bytes, range.length), masked(range.bytes, range.length));

/** Whether two values of the language are equal. */
export function celEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' && typeof b === 'number') return Number(a) === b;
  if (typeof a === 'number' && typeof b === 'bigint') return a === Number(b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => celEqual(item, b[i]));
  if (a instanceof Map)
    return (
      b instanceof Map && a.size === b.size && [...a].every(([key, value]) => b.has(key) && celEqual(value, b.get(key)))
    );
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof CelQuantity) return b instanceof CelQuantity && compareQuantities(a.text, b.text) === 0;
  if (a instanceof CelIP) return b instanceof CelIP && sameBytes(a.bytes, b.bytes);
  if (a instanceof CelCIDR) return b instanceof CelCIDR && a.length === b.length && sameBytes(a.bytes, b.bytes);
  return false;
}

type List = readonly unknown[];
const holds = (list: List, item: unknown) => list.some((other) => celEqual(other, item));
const below = (a: unknown, b: unknown) => (a as number) < (b as number);

function extreme(list: List, name: string, better: (a: unknown, b: unknown) => boolean): unknown {
  if (list.length === 0) throw failed(`${name} called on empty list`);
  return list.reduce((best, item) => (better(item, best) ? item : best));
}

function regexp(pattern: string): RegExp {
  try {
    return goRegexp(pattern);
  } catch (error) {
    throw error instanceof RegexpError ? failed(`Illegal regex: ${error.message}`) : error;
  }
}

function found(text: string, pattern: string, limit: number): string[] {
  const { source, flags } = regexp(pattern);
  const all = [...text.matchAll(new RegExp(source, `${flags}g`))].map(([match]) => match);
  return limit < 0 ? all : all.slice(0, limit);
}

/**
 * The language with the functions that Kubernetes adds: lists, regular expressions, URLs, quantities, addresses, sets.
 * Follows apiserver/pkg/cel/library, v1.33. Not there, and so refused where they are used: `format`, semantic versions,
 * named formats, `authorizer`.
 */
export function celEnvironment(): Environment {
  const env = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  env.registerType('Quantity', CelQuantity);
  env.registerType('Url', CelUrl);
  env.registerType('IPAddress', CelIP);
  env.registerType('CIDRRange', CelCIDR);
  env.registerType('SetFunctions', SetFunctions);
  for (const type of ['Quantity', 'IPAddress', 'CIDRRange']) env.registerOperator(`${type} == ${type}`, celEqual);
  env.registerConstant('sets', 'SetFunctions', new SetFunctions());

  env.registerFunction('quantity(string): Quantity', quantity);
  env.registerFunction('isQuantity(string): bool', isQuantity);
  env.registerFunction(
    'Quantity.isLessThan(Quantity): bool',
    (a: CelQuantity, b: CelQuantity) => compareQuantities(a.text, b.text) < 0,
  );
  env.registerFunction(
    'Quantity.isGreaterThan(Quantity): bool',
    (a: CelQuantity, b: CelQuantity) => compareQuantities(a.text, b.text) > 0,
  );
  env.registerFunction('Quantity.compareTo(Quantity): int', (a: CelQuantity, b: CelQuantity) =>
    BigInt(compareQuantities(a.text, b.text)),
  );
  env.registerFunction(
    'Quantity.add(Quantity): Quantity',
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(addQuantities(a.text, b.text)),
  );
  env.registerFunction(
    'Quantity.sub(Quantity): Quantity',
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(subtractQuantities(a.text, b.text)),
  );
  env.registerFunction(
    'Quantity.add(int): Quantity',
    (a: CelQuantity, b: bigint) => new CelQuantity(addQuantities(a.text, String(b))),
  );
  env.registerFunction(
    'Quantity.sub(int): Quantity',
    (a: CelQuantity, b: bigint) => new CelQuantity(subtractQuantities(a.text, String(b))),
  );
  env.registerFunction('Quantity.isInteger(): bool', isWhole);
  env.registerFunction('Quantity.asInteger(): int', (a: CelQuantity) => {
    if (!isWhole(a)) throw failed('cannot convert value to integer');
    return parseQuantity(a.text).nanos / NANO;
  });
  env.registerFunction(
    'Quantity.asApproximateFloat(): double',
    (a: CelQuantity) => Number(parseQuantity(a.text).nanos) / 1e9,
  );
  env.registerFunction('Quantity.sign(): int', (a: CelQuantity) => BigInt(compareQuantities(a.text, '0')));

  env.registerFunction('url(string): Url', url);
  env.registerFunction('isURL(string): bool', isURL);
  env.registerFunction('Url.getScheme(): string', (a: CelUrl) => a.scheme);
  env.registerFunction('Url.getHost(): string', (a: CelUrl) => a.host);
  env.registerFunction('Url.getHostname(): string', (a: CelUrl) => a.host.replace(/:\d*$/, '').replace(/^\[|\]$/g, ''));
  env.registerFunction('Url.getPort(): string', (a: CelUrl) => /:(\d+)$/.exec(a.host)?.[1] ?? '');
  env.registerFunction('Url.getEscapedPath(): string', (a: CelUrl) => a.path);
  env.registerFunction('Url.getQuery(): map<string, list<string>>', (a: CelUrl) => {
    const query = new Map<string, string[]>();
    for (const part of a.query.split('&').filter((each) => each !== '')) {
      const [key = '', value = ''] = part.split('=').map((each) => decodeURIComponent(each.replaceAll('+', ' ')));
      query.set(key, [...(query.get(key) ?? []), value]);
    }
    return query;
  });

  env.registerFunction('ip(string): IPAddress', ip);
  env.registerFunction('isIP(string): bool', (text: string) => addressOf(text) !== undefined);
  env.registerFunction('string(IPAddress): string', ({ bytes }: CelIP) => formatAddress(bytes));
  env.registerFunction('IPAddress.family(): int', ({ bytes }: CelIP) => (bytes.length === 4 ? 4n : 6n));
  env.registerFunction('IPAddress.isUnspecified(): bool', ({ bytes }: CelIP) => bytes.every((byte) => byte === 0));
  env.registerFunction('IPAddress.isLoopback(): bool', ({ bytes }: CelIP) =>
    bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, i) => byte === (i === 15 ? 1 : 0)),
  );
  env.registerFunction('cidr(string): CIDRRange', cidr);
  env.registerFunction('isCIDR(string): bool', (text: string) => rangeOf(text) !== undefined);
  env.registerFunction(
    'string(CIDRRange): string',
    ({ bytes, length }: CelCIDR) => `${formatAddress(bytes)}/${length}`,
  );
  env.registerFunction('CIDRRange.containsIP(IPAddress): bool', (range: CelCIDR, a: CelIP) => inRange(range, a.bytes));
  env.registerFunction('CIDRRange.containsIP(string): bool', (range: CelCIDR, a: string) =>
    inRange(range, ip(a).bytes),
  );
  const contains = (range: CelCIDR, other: CelCIDR) => range.length <= other.length && inRange(range, other.bytes);
  env.registerFunction('CIDRRange.containsCIDR(CIDRRange): bool', contains);
  env.registerFunction('CIDRRange.containsCIDR(string): bool', (range: CelCIDR, other: string) =>
    contains(range, cidr(other)),
  );
  env.registerFunction('CIDRRange.ip(): IPAddress', ({ bytes }: CelCIDR) => new CelIP(bytes));
  env.registerFunction(
    'CIDRRange.masked(): CIDRRange',
    ({ bytes, length }: CelCIDR) => new CelCIDR(masked(bytes, length), length),
  );
  env.registerFunction('CIDRRange.prefixLength(): int', ({ length }: CelCIDR) => BigInt(length));

  env.registerFunction('list<A>.isSorted(): bool', (list: List) =>
    list.every((item, i) => i === 0 || !below(item, list[i - 1])),
  );
  env.registerFunction('list<A>.sum(): A', (list: List) =>
    list.length === 0 ? 0n : list.reduce((a, b) => ((a as number) + (b as number)) as unknown),
  );
  env.registerFunction('list<A>.min(): A', (list: List) => extreme(list, 'min', below));
  env.registerFunction('list<A>.max(): A', (list: List) => extreme(list, 'max', (a, b) => below(b, a)));
  env.registerFunction('list<A>.indexOf(A): int', (list: List, item: unknown) =>
    BigInt(list.findIndex((each) => celEqual(each, item))),
  );
  env.registerFunction('list<A>.lastIndexOf(A): int', (list: List, item: unknown) =>
    BigInt(list.reduce<number>((last, each, i) => (celEqual(each, item) ? i : last), -1)),
  );
  env.registerFunction('SetFunctions.contains(list, list): bool', (_: unknown, a: List, b: List) =>
    b.every((item) => holds(a, item)),
  );
  env.registerFunction(
    'SetFunctions.equivalent(list, list): bool',
    (_: unknown, a: List, b: List) => a.every((item) => holds(b, item)) && b.every((item) => holds(a, item)),
  );
  env.registerFunction('SetFunctions.intersects(list, list): bool', (_: unknown, a: List, b: List) =>
    a.some((item) => holds(b, item)),
  );

  env.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => found(text, pattern, 1)[0] ?? '',
  );
  env.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
    found(text, pattern, -1),
  );
  env.registerFunction('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) =>
    found(text, pattern, Number(limit)),
  );
  env.registerFunction('string.charAt(int): string', (text: string, at: bigint) => {
    const chars = Array.from(text);
    if (at < 0n || at > BigInt(chars.length)) throw failed(`index out of range: ${at}`);
    return chars[Number(at)] ?? '';
  });
  env.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.replaceAll(from, () => to),
  );
  env.registerFunction(
    'string.replace(string, string, int): string',
    (text: string, from: string, to: string, limit: bigint) => {
      if (limit < 0n) return text.replaceAll(from, () => to);
      let left = Number(limit);
      return text.replaceAll(from, (match) => (left-- > 0 ? to : match));
    },
  );
  return env;
}
