import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** A seeded stream of random numbers. The same seed and the same calls give the same numbers on every host. */
export class Rng {
  readonly #seed: number;
  readonly #generator: RandomGenerator;

  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#generator = xoroshiro128plus(this.#seed);
  }

  /** A stream of its own, which depends on this one's seed and the name only: drawing from one never shifts the other. */
  fork(name: string): Rng {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return new Rng(hash);
  }

  /** 32 random bits as an unsigned integer. */
  uint32(): number {
    return this.#generator.next() >>> 0;
  }

  /** In [0, 1), with 32 bits of precision. */
  float(): number {
    return this.uint32() / 4294967296;
  }

  /** An integer in [0, n). */
  int(n: number): number {
    return Math.floor(this.float() * n);
  }

  /** One item of a list that is not empty. */
  pick<T>(items: ArrayLike<T>): T {
    return items[this.int(items.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff);
  }

  /** A random RFC 4122 version 4 UUID. */
  uuid(): string {
    // Four digits at a time: hexadecimal texts of 16 bits, with a one before them that is cut off.
    const hex = (bits: number) => (bits | 0x10000).toString(16).slice(1);
    const a = this.uint32();
    const b = this.uint32();
    const c = this.uint32();
    const d = this.uint32();
    const version = (b & 0xfff) | 0x4000;
    const variant = ((c >>> 16) & 0x3fff) | 0x8000;
    return `${hex(a >>> 16)}${hex(a & 0xffff)}-${hex(b >>> 16)}-${hex(version)}-${hex(variant)}-${hex(c & 0xffff)}${hex(d >>> 16)}${hex(d & 0xffff)}`;
  }

  /** A random suffix from the alphabet that generated names use. Follows apimachinery's util/rand, v1.33. */
  suffix(length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += SUFFIX_ALPHABET[this.int(SUFFIX_ALPHABET.length)];
    return text;
  }
}

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
