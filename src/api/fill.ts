/** The object with what it lacks filled in; itself when it lacks nothing. A null counts as lacking, unless null is the default. */
export function fill<T extends object>(object: T, defaults: { readonly [K in keyof T]?: T[K] | null }): T {
  for (const key in defaults) {
    if (object[key] === undefined || (object[key] === null && defaults[key] !== null)) {
      const filled = { ...object };
      for (const other in defaults) {
        if (filled[other] === undefined || filled[other] === null) filled[other] = defaults[other] as T[typeof other];
      }
      return filled;
    }
  }
  return object;
}

/** Like {@link fill}; an empty string and a zero count as lacking, as in Go fields that are no pointers. */
export function fillZero<T extends object>(object: T, defaults: { readonly [K in keyof T]?: T[K] }): T {
  for (const key in defaults) {
    if (!object[key]) {
      const filled = { ...object };
      for (const other in defaults) if (!filled[other]) filled[other] = defaults[other] as T[typeof other];
      return filled;
    }
  }
  return object;
}

/** The list with each item mapped; itself when no item changes. */
export function mapShared<T>(list: readonly T[], change: (item: T) => T): readonly T[] {
  let changed: T[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as T;
    const next = change(item);
    if (next !== item) {
      changed ??= list.slice();
      changed[i] = next;
    }
  }
  return changed ?? list;
}

/** The object with one field replaced; itself when the field stays the same. For fields of structures, never keys of users. */
export function replace<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): T {
  return object[key] === value ? object : { ...object, [key]: value };
}
