import type { Rng } from '#base/rng.ts';

/**
 * Numbers from 0 up to a size that are taken and given back. What is chosen here comes from the upper band, at random,
 * and from the lower one only when that is full: the lower one is for those who ask for a certain number. Follows
 * pkg/registry/core/service/allocator/bitmap.go, v1.33.
 */
export class AllocationRange {
  readonly #size: number;
  readonly #lowerBand: number;
  readonly #rng: Rng;
  readonly #taken = new Set<number>();

  constructor(size: number, lowerBand: number, rng: Rng) {
    this.#size = size;
    this.#lowerBand = lowerBand;
    this.#rng = rng;
  }

  has(offset: number): boolean {
    return this.#taken.has(offset);
  }

  /** False when it is taken already. */
  take(offset: number): boolean {
    if (this.#taken.has(offset)) return false;
    this.#taken.add(offset);
    return true;
  }

  /** Undefined when all are taken. */
  takeNext(): number | undefined {
    if (this.#taken.size >= this.#size) return undefined;
    const offset = this.#scan(this.#lowerBand, this.#size) ?? this.#scan(0, this.#lowerBand);
    if (offset !== undefined) this.#taken.add(offset);
    return offset;
  }

  /** Nothing happens when it is free. */
  release(offset: number): void {
    this.#taken.delete(offset);
  }

  #scan(from: number, to: number): number | undefined {
    const size = to - from;
    const start = size > 0 ? this.#rng.int(size) : 0;
    for (let i = 0; i < size; i++) {
      const offset = from + ((start + i) % size);
      if (!this.#taken.has(offset)) return offset;
    }
    return undefined;
  }
}

/** How much of a range is for those who ask: a share of it, within limits. */
export function lowerBand(size: number, { min, max, step }: { min: number; max: number; step: number }): number {
  return size <= min ? 0 : Math.min(Math.max(Math.floor(size / step), min), max);
}
