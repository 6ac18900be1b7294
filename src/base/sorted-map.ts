const BLOCK_SIZE = 256;

/**
 * A map from strings to values, in the order of the keys' UTF-16 code units. Keys lie in sorted blocks of at most a few
 * hundred, so that look-ups are O(log n) and insertions move a block's part only. It may be changed between two calls
 * but not while it is being walked.
 */
export class SortedMap<V> {
  /** Never empty blocks, but for the first one of an empty map. */
  readonly #keys: string[][] = [[]];
  readonly #values: V[][] = [[]];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const block = this.#blockOf(key);
    const at = lowerBound(this.#keys[block] as string[], key);
    return (this.#keys[block] as string[])[at] === key ? (this.#values[block] as V[])[at] : undefined;
  }

  set(key: string, value: V): void {
    const block = this.#blockOf(key);
    const keys = this.#keys[block] as string[];
    const values = this.#values[block] as V[];
    const at = lowerBound(keys, key);
    if (keys[at] === key) {
      values[at] = value;
      return;
    }
    this.#size++;
    if (at === keys.length) {
      keys.push(key);
      values.push(value);
    } else {
      keys.splice(at, 0, key);
      values.splice(at, 0, value);
    }
    if (keys.length <= BLOCK_SIZE) return;
    // Keys often come in ascending order: the last block is left nearly full, others are halved.
    const cut = at === keys.length - 1 && block === this.#keys.length - 1 ? BLOCK_SIZE : BLOCK_SIZE >> 1;
    this.#keys.splice(block + 1, 0, keys.splice(cut));
    this.#values.splice(block + 1, 0, values.splice(cut));
  }

  /** Returns whether the key was there. */
  delete(key: string): boolean {
    const block = this.#blockOf(key);
    const keys = this.#keys[block] as string[];
    const at = lowerBound(keys, key);
    if (keys[at] !== key) return false;
    this.#size--;
    keys.splice(at, 1);
    (this.#values[block] as V[]).splice(at, 1);
    if (keys.length === 0 && this.#keys.length > 1) {
      this.#keys.splice(block, 1);
      this.#values.splice(block, 1);
    }
    return true;
  }

  /** How many keys k there are with `from` ≤ k < `to`. */
  count(from: string, to: string): number {
    if (from >= to) return 0;
    const [firstBlock, first] = this.#position(from);
    const [lastBlock, last] = this.#position(to);
    let count = last - first;
    for (let block = firstBlock; block < lastBlock; block++) count += (this.#keys[block] as string[]).length;
    return count;
  }

  /** Calls `visit` for each key k with `from` ≤ k < `to`, in order, until it returns false. */
  walk(from: string, to: string, visit: (value: V, key: string) => boolean | void): void {
    let [block, at] = this.#position(from);
    for (; block < this.#keys.length; block++, at = 0) {
      const keys = this.#keys[block] as string[];
      const values = this.#values[block] as V[];
      for (; at < keys.length; at++) {
        const key = keys[at] as string;
        if (key >= to || visit(values[at] as V, key) === false) return;
      }
    }
  }

  /** The block that holds the key, or would: the last one whose first key is not greater. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#keys.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (((this.#keys[middle] as string[])[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #position(key: string): [block: number, at: number] {
    const block = this.#blockOf(key);
    return [block, lowerBound(this.#keys[block] as string[], key)];
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first string after all that begin with `prefix` (which is not empty and ends in a character below U+FFFF). */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
