import type { Plugin } from './plugin.ts';

/** Names one plugin's data of a cycle, and gives it its type. */
export class StateKey<T> {
  readonly name: string;
  /** Copies data that changes as Pods are added and removed in a dry run; without it, copies share it. */
  readonly clone: ((data: T) => T) | undefined;

  constructor(name: string, clone?: (data: T) => T) {
    this.name = name;
    this.clone = clone;
  }
}

/** What plugins remember from one extension point to the next, for one Pod and one cycle. */
export class CycleState {
  readonly #data: Map<StateKey<unknown>, unknown>;
  /** Plugins that asked to be left out of filtering and scoring in this cycle. */
  readonly skipFilter: Set<string>;
  /** The plugins that filter in this cycle, once the framework has chosen them. */
  filters: readonly Plugin[] | undefined;
  readonly skipScore = new Set<string>();

  constructor(data = new Map<StateKey<unknown>, unknown>(), skipFilter = new Set<string>()) {
    this.#data = data;
    this.skipFilter = skipFilter;
  }

  read<T>(key: StateKey<T>): T | undefined {
    return this.#data.get(key as StateKey<unknown>) as T | undefined;
  }

  write<T>(key: StateKey<T>, data: T): void {
    this.#data.set(key as StateKey<unknown>, data);
  }

  /** A copy for a dry run. */
  clone(): CycleState {
    const data = new Map<StateKey<unknown>, unknown>();
    for (const [key, value] of this.#data) data.set(key, key.clone ? key.clone(value) : value);
    return new CycleState(data, this.skipFilter);
  }
}
