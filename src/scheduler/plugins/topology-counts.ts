import type { Node } from '#api/generated/types.ts';

/** Counts by topology key and value. Entries of zero do not exist. */
export class TopologyCounts {
  readonly #counts: Map<string, Map<string, number>>;

  constructor(counts = new Map<string, Map<string, number>>()) {
    this.#counts = counts;
  }

  get empty(): boolean {
    return this.#counts.size === 0;
  }

  /** Adds to the count of the Node's value of the key; nothing if it has none. */
  add(node: Node, key: string, amount: number): void {
    const value = labelOf(node, key);
    if (value === undefined) return;
    const values = this.#counts.get(key) ?? new Map<string, number>();
    const next = (values.get(value) ?? 0) + amount;
    if (next === 0) values.delete(value);
    else values.set(value, next);
    if (values.size === 0) this.#counts.delete(key);
    else this.#counts.set(key, values);
  }

  /** The count for the Node's value of the key. */
  at(node: Node, key: string): number {
    const value = labelOf(node, key);
    return value === undefined ? 0 : (this.#counts.get(key)?.get(value) ?? 0);
  }

  /** The sum of the counts that apply to a Node. */
  sum(node: Node): number {
    let sum = 0;
    for (const key of this.#counts.keys()) sum += this.at(node, key);
    return sum;
  }

  /** Whether any count that applies to a Node is positive. */
  anyPositive(node: Node): boolean {
    for (const key of this.#counts.keys()) if (this.at(node, key) > 0) return true;
    return false;
  }

  clone(): TopologyCounts {
    return new TopologyCounts(new Map([...this.#counts].map(([key, values]) => [key, new Map(values)])));
  }
}

/** The Node's value of a label; labels are users' own maps. */
export function labelOf({ metadata: { labels } }: Node, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
