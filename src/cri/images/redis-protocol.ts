import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';

/** A value of redis' protocol, RESP2. Bytes that are not UTF-8 are not kept. */
export type RespValue =
  | string
  | number
  | bigint
  | null
  | readonly RespValue[]
  | { readonly simple: string }
  | { readonly error: string };

/** Bytes that do not follow the protocol; the message is redis'. */
export class RespError extends Error {
  override readonly name = 'RespError';
}

const EMPTY = new Uint8Array(0);
const MAX_INLINE_BYTES = 64 * 1024;
const MAX_BULK_BYTES = 16 * 1024 * 1024;

/** A value as it is sent; commands are arrays of strings. */
export function encodeResp(value: RespValue): Uint8Array {
  return encodeUtf8(textOf(value));
}

function textOf(value: RespValue): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'string') return `$${encodeUtf8(value).length}\r\n${value}\r\n`;
  if (typeof value === 'number' || typeof value === 'bigint') return `:${value}\r\n`;
  if ('simple' in value) return `+${value.simple}\r\n`;
  if ('error' in value) return `-${value.error}\r\n`;
  return `*${value.length}\r\n${value.map(textOf).join('')}`;
}

/** Cuts values out of a connection's bytes. Its methods park the calling task. */
export class RespReader {
  readonly #read: () => Promise<Uint8Array | undefined>;
  #buffer: Uint8Array = EMPTY;

  constructor(source: { read(): Promise<Uint8Array | undefined> }) {
    this.#read = () => source.read();
  }

  /** What a client asks, also inline; no words for an empty line. Undefined at the end. Throws {@link RespError}. */
  async command(): Promise<readonly string[] | undefined> {
    const line = await this.#line();
    if (line === undefined) return undefined;
    if (!line.startsWith('*')) {
      const words = splitWords(line);
      if (!words) throw new RespError('Protocol error: unbalanced quotes in request');
      return words;
    }
    const words: string[] = [];
    for (let left = lengthOf(line, 'invalid multibulk length'); left > 0; left--) {
      const head = await this.#line();
      if (head === undefined) return undefined;
      if (!head.startsWith('$')) throw new RespError(`Protocol error: expected '$', got '${head[0] ?? ''}'`);
      const text = await this.#bulk(lengthOf(head, 'invalid bulk length'));
      if (text === undefined) return undefined;
      words.push(text);
    }
    return words;
  }

  /** An answer; undefined at the end. */
  async value(): Promise<RespValue | undefined> {
    const line = await this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
        return { simple: rest };
      case '-':
        return { error: rest };
      case ':':
        return Number(rest);
      case '$':
        return rest === '-1' ? null : this.#bulk(lengthOf(line, 'invalid bulk length'));
      case '*': {
        const values: RespValue[] = [];
        for (let left = lengthOf(line, 'invalid multibulk length'); left > 0; left--) {
          const value = await this.value();
          if (value === undefined) return undefined;
          values.push(value);
        }
        return values;
      }
      default:
        throw new RespError(`Protocol error, got "${line[0] ?? ''}" as reply type byte`);
    }
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf(10);
      if (end >= 0) {
        const line = decodeUtf8(this.#buffer.subarray(0, end)).replace(/\r$/, '');
        this.#buffer = this.#buffer.subarray(end + 1);
        return line;
      }
      if (this.#buffer.length > MAX_INLINE_BYTES) throw new RespError('Protocol error: too big inline request');
      if (!(await this.#more())) return undefined;
    }
  }

  async #bulk(length: number): Promise<string | undefined> {
    if (length > MAX_BULK_BYTES) throw new RespError('Protocol error: invalid bulk length');
    while (this.#buffer.length < length + 2) if (!(await this.#more())) return undefined;
    const text = decodeUtf8(this.#buffer.subarray(0, length));
    this.#buffer = this.#buffer.subarray(length + 2);
    return text;
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#read();
    if (!bytes) return false;
    const all = new Uint8Array(this.#buffer.length + bytes.length);
    all.set(this.#buffer);
    all.set(bytes, this.#buffer.length);
    this.#buffer = all;
    return true;
  }
}

function lengthOf(line: string, problem: string): number {
  const length = Number(line.slice(1));
  if (!Number.isInteger(length) || length < -1) throw new RespError(`Protocol error: ${problem}`);
  return length;
}

/** The words of a line, with quotes and escapes; undefined when a quote is not closed. */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\'|[^'])*)'|([^\s"']+))(?=\s|$)/gy;
  let at = 0;
  for (let match = pattern.exec(line); match; match = pattern.exec(line)) {
    at = pattern.lastIndex;
    const [, double, single, plain] = match;
    words.push(plain ?? single?.replaceAll("\\'", "'") ?? unescape(double as string));
  }
  return line.slice(at).trim() === '' ? words : undefined;
}

function unescape(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
  return text.replace(/\\(?:x([\da-f]{2})|(.))/gis, (_, hex?: string, letter?: string) =>
    hex === undefined
      ? (letters[letter as string] ?? (letter as string))
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
