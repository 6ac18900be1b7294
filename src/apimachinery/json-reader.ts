import { goJsonSyntaxError } from './go-json.ts';
import type { JsonValue } from './json.ts';

/** A number that JavaScript would not write as it was read: `1.0`, `1e3`, `0.10`, and integers beyond 64 bits. */
export class OddNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object with a key that comes twice, as it was written. */
export class RepeatedKeys {
  readonly entries: readonly (readonly [string, ReadValue])[];

  constructor(entries: readonly (readonly [string, ReadValue])[]) {
    this.entries = entries;
  }
}

/** A JSON value in which nothing is lost of what a strict decoder complains about. */
export type ReadValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | OddNumber
  | RepeatedKeys
  | readonly ReadValue[]
  | ReadObject;

export type ReadObject = { readonly [key: string]: ReadValue | undefined };

/** What {@link readJson} throws: Go's words for a text that is no JSON. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** Deeper nesting is an error, as in Go. */
const MAX_DEPTH = 10_000;

/**
 * Reads JSON without losing 64-bit integers (those that a double cannot hold become BigInts), repeated keys, or the text
 * of odd numbers. Keys may be called `__proto__`. Throws {@link JsonSyntaxError}.
 */
export function readJson(text: string): ReadValue {
  try {
    return new JsonReader(text).document();
  } catch (error) {
    if (error instanceof RangeError) throw new JsonSyntaxError('exceeded max depth');
    if (error !== SYNTAX) throw error;
    throw new JsonSyntaxError(goJsonSyntaxError(text) ?? 'unexpected end of JSON input');
  }
}

/** The value as JSON knows it: of repeated keys the last counts, odd numbers are numbers. Shares what is plain already. */
export function plainJson(value: ReadValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof OddNumber) return Number(value.text);
  if (value instanceof RepeatedKeys) return objectOf(value.entries.map(([key, member]) => [key, plainJson(member)]));
  if (Array.isArray(value)) {
    const items = value as readonly ReadValue[];
    const plain = items.map(plainJson);
    return plain.every((item, i) => item === items[i]) ? (items as readonly JsonValue[]) : plain;
  }
  const entries = Object.entries(value as ReadObject);
  let same = true;
  const plain = entries.map(([key, member]): [string, JsonValue | undefined] => {
    const result = member === undefined ? undefined : plainJson(member);
    if (result !== member) same = false;
    return [key, result];
  });
  return same ? (value as JsonValue) : objectOf(plain);
}

const objectOf = (entries: readonly (readonly [string, JsonValue | undefined])[]): JsonValue =>
  Object.fromEntries(entries);

/** Sets a member whose key may be `__proto__`. */
export function setMember<T>(object: Record<string, T>, key: string, value: T): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

const SYNTAX = new Error('no JSON');

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): ReadValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw SYNTAX;
    return value;
  }

  /** Goes to the next character that counts. */
  #space(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return code;
      this.#at++;
    }
  }

  #value(): ReadValue {
    switch (this.#space()) {
      case 123:
        return this.#object();
      case 91:
        return this.#array();
      case 34:
        return this.#string();
      case 116:
        return this.#word('true', true);
      case 102:
        return this.#word('false', false);
      case 110:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw SYNTAX;
    this.#at += word.length;
    return value;
  }

  #object(): ReadValue {
    if (++this.#depth > MAX_DEPTH) throw new RangeError();
    const object: Record<string, ReadValue> = {};
    let repeated: [string, ReadValue][] | undefined;
    this.#at++;
    if (this.#space() === 125) this.#at++;
    else
      for (;;) {
        if (this.#space() !== 34) throw SYNTAX;
        const key = this.#string();
        if (this.#space() !== 58) throw SYNTAX;
        this.#at++;
        const value = this.#value();
        if (repeated) repeated.push([key, value]);
        else if (Object.hasOwn(object, key)) repeated = [...Object.entries(object), [key, value]];
        else setMember(object, key, value);
        const code = this.#space();
        this.#at++;
        if (code === 125) break;
        if (code !== 44) throw SYNTAX;
      }
    this.#depth--;
    return repeated ? new RepeatedKeys(repeated) : object;
  }

  #array(): ReadValue {
    if (++this.#depth > MAX_DEPTH) throw new RangeError();
    const items: ReadValue[] = [];
    this.#at++;
    if (this.#space() === 93) this.#at++;
    else
      for (;;) {
        items.push(this.#value());
        const code = this.#space();
        this.#at++;
        if (code === 93) break;
        if (code !== 44) throw SYNTAX;
      }
    this.#depth--;
    return items;
  }

  #string(): string {
    const start = ++this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 34) return this.#text.slice(start, this.#at++);
      if (code === 92) return this.#escaped(start);
      if (!(code >= 32)) throw SYNTAX;
      this.#at++;
    }
  }

  /** A string with escapes: JSON.parse reads them as Go does; Go replaces halves of surrogate pairs. */
  #escaped(start: number): string {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 34) break;
      if (!(code >= 32)) throw SYNTAX;
      this.#at += code === 92 ? 2 : 1;
    }
    this.#at++;
    try {
      return (JSON.parse(this.#text.slice(start - 1, this.#at)) as string).replace(/\p{Surrogate}/gu, '\ufffd');
    } catch {
      throw SYNTAX;
    }
  }

  #number(): ReadValue {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) throw SYNTAX;
    this.#at += text.length;
    const value = Number(text);
    if (Number.isSafeInteger(value) ? String(value) === text : /[.eE]/.test(text) && String(value) === text)
      return value;
    if (/[.eE]/.test(text)) return new OddNumber(text);
    const integer = BigInt(text);
    return BigInt.asIntN(64, integer) !== integer ? new OddNumber(text) : Number.isSafeInteger(value) ? value : integer;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
