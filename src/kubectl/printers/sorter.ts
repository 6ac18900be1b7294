import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { object, objects } from '../fields.ts';
import { JsonPath, relaxedPath } from '#apimachinery/json-path.ts';

/** The objects sorted by a field; those without it come first. Throws when none has it. Follows kubectl/pkg/cmd/get/sorter.go, v1.33. */
export function sortObjects(items: readonly JsonObject[], field: string): readonly JsonObject[] {
  return sortBy(items, field, (item) => item);
}

/** The rows of a table, sorted by a field of their objects; a single row needs no such field. */
export function sortTable(table: JsonObject, field: string): JsonObject {
  if (objects(table, 'rows').length <= 1) return table;
  return { ...table, rows: sortBy(objects(table, 'rows'), field, (row) => object(row, 'object')) };
}

function sortBy(
  items: readonly JsonObject[],
  field: string,
  objectOf: (item: JsonObject) => JsonObject,
): readonly JsonObject[] {
  const path = new JsonPath(relaxedPath(field));
  const keyed = items.map((item) => ({ item, key: path.find(objectOf(item))[0]?.[0] }));
  if (items.length > 0 && keyed.every(({ key }) => key === undefined)) {
    throw new Error(`couldn't find any field with path ${goQuote(path.source)} in the list of objects`);
  }
  const less = (a: { readonly key: JsonValue | undefined }, b: { readonly key: JsonValue | undefined }) =>
    a.key === undefined || (b.key !== undefined && isLess(a.key, b.key));
  return goSort(keyed, less).map(({ item }) => item);
}

function isLess(a: JsonValue, b: JsonValue): boolean {
  if (a === null || b === null) return a === null && b !== null;
  if (typeof a === 'string' && typeof b === 'string') {
    try {
      return compareQuantities(a, b) < 0;
    } catch {
      return a < b;
    }
  }
  if (typeof a !== typeof b || typeof a === 'object' || typeof a === 'boolean') {
    throw new Error(
      `unsortable type: ${Array.isArray(a) ? '[]interface {}' : typeof a === 'object' ? 'map[string]interface {}' : typeof a}`,
    );
  }
  return a < b;
}

/**
 * Go's sort.Sort for what is not a strict order: "missing is less than anything" holds both ways between two that miss
 * the field, and the outcome then depends on the algorithm. Up to twelve elements Go sorts by insertion.
 */
function goSort<T>(items: readonly T[], less: (a: T, b: T) => boolean): T[] {
  if (items.length > 12) return [...items].sort((a, b) => (less(a, b) ? (less(b, a) ? 0 : -1) : less(b, a) ? 1 : 0));
  const sorted = [...items];
  for (let i = 1; i < sorted.length; i++) {
    for (let j = i; j > 0 && less(sorted[j] as T, sorted[j - 1] as T); j--) {
      [sorted[j], sorted[j - 1]] = [sorted[j - 1] as T, sorted[j] as T];
    }
  }
  return sorted;
}
