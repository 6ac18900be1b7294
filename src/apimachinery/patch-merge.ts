import type { JsonValue } from './json.ts';

type Mutable = Record<string, JsonValue | undefined>;

/** Whether a value is a JSON object (a map), not a list. */
export function isJsonMap(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * RFC 7386: the document with the merge patch applied. Shares what it does not change. As the library of the API server
 * does it (evanphx/json-patch v4), objects in new lists lose their nulls, too.
 */
export function applyMergePatch(document: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonMap(patch)) return isJsonMap(document) ? patch : withoutNulls(patch);
  const result: Mutable = Object.assign(Object.create(null) as Mutable, isJsonMap(document) ? document : undefined);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = applyMergePatch(result[key], value);
  }
  return result as JsonValue;
}

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isJsonMap(value) ? applyMergePatch(undefined, value) : value;
}
