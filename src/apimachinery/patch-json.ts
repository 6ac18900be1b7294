import { jsonEqual } from './equal.ts';
import type { JsonValue } from './json.ts';
import { PatchError } from './patch-error.ts';
import { isJsonMap } from './patch-merge.ts';

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: JsonValue;
}

const MISSING = 'missing value';

/**
 * RFC 6902: the document with the operations applied in order. Shares what it does not change. Throws
 * {@link PatchError}. As in the library of the API server (evanphx/json-patch v4), negative indices count from the end,
 * `replace` and `copy` take a member of an object that is not there for null, and so is a value that is not given.
 */
export function applyJsonPatch(document: JsonValue, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch))
    throw new PatchError(400, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  let result = document;
  for (const operation of patch as Operation[]) result = apply(result, operation);
  return result;
}

function apply(document: JsonValue, operation: Operation): JsonValue {
  const { op, path, from, value = null } = operation;
  if (!KINDS.has(op)) throw new PatchError(422, `Unexpected kind: ${op ?? 'unknown'}`);
  if (typeof path !== 'string') throw new PatchError(422, `${op} operation failed to decode path: ${MISSING}`);
  switch (op) {
    case 'add':
      return insert(document, path, value, 'add');
    case 'remove':
      return remove(document, path);
    case 'replace':
      if (path === '' && typeof value === 'object' && value !== null) return value;
      return change(document, path, (parent, key) =>
        Array.isArray(parent)
          ? parent.with(position(parent, key, 'replace', path), value)
          : member(parent as JsonMap, key, value),
      );
    case 'test':
      if (!jsonEqual(lookUp(document, path, 'test'), value))
        throw new PatchError(422, `testing value ${path} failed: test failed`);
      return document;
    default: {
      if (typeof from !== 'string') throw new PatchError(422, `${op} operation failed to decode from: ${MISSING}`);
      if (from === '')
        throw new PatchError(422, `${op} operation does not apply: doc is missing from path: : ${MISSING}`);
      const found = lookUp(document, from, op);
      return insert(op === 'move' ? remove(document, from) : document, path, found, op);
    }
  }
}

const KINDS: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'test', 'copy', 'move']);

type JsonMap = Readonly<Record<string, JsonValue>>;
const member = (map: JsonMap, key: string, value: JsonValue): JsonValue =>
  Object.fromEntries([...Object.entries(map).filter(([name]) => name !== key), [key, value]]);

const tokens = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

/** The value at a path; null for a member that is not there. */
function lookUp(document: JsonValue, path: string, op: string): JsonValue {
  const keys = tokens(path);
  let at: JsonValue = document;
  for (const [depth, key] of keys.entries()) {
    if (Array.isArray(at)) at = at[position(at, key, op, path)] as JsonValue;
    else if (isJsonMap(at)) at = (Object.hasOwn(at, key) ? at[key] : undefined) ?? null;
    else at = null;
    if (at === null && depth < keys.length - 1)
      throw new PatchError(422, `${op} operation does not apply: doc is missing path: ${path}: ${MISSING}`);
  }
  return at;
}

function insert(document: JsonValue, path: string, value: JsonValue, op: string): JsonValue {
  return change(
    document,
    path,
    (parent, key) => {
      if (!Array.isArray(parent)) return member(parent as JsonMap, key, value);
      const at = key === '-' ? parent.length : position(parent, key, op, path, parent.length + 1);
      return parent.toSpliced(at, 0, value);
    },
    op,
  );
}

function remove(document: JsonValue, path: string): JsonValue {
  return change(
    document,
    path,
    (parent, key) => {
      if (Array.isArray(parent)) return parent.toSpliced(position(parent, key, 'remove', path), 1);
      if (!Object.hasOwn(parent as object, key))
        throw new PatchError(
          422,
          `error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: ${MISSING}`,
        );
      const { [key]: _gone, ...rest } = parent as Record<string, JsonValue>;
      return rest;
    },
    'remove',
  );
}

function position(list: readonly JsonValue[], key: string, op: string, path: string, size = list.length): number {
  const i = Number(key);
  if (!/^[+-]?\d+$/.test(key))
    throw new PatchError(422, `error in ${op} for path: '${path}': strconv.Atoi: parsing "${key}": invalid syntax`);
  if (i >= size || i < -size)
    throw new PatchError(
      422,
      `error in ${op} for path: '${path}': Unable to access invalid index: ${i}: invalid index referenced`,
    );
  return i < 0 ? i + size : i;
}

/** Rebuilds the spine down to the parent that `path` names. */
function change(
  document: JsonValue,
  path: string,
  edit: (parent: JsonValue, key: string) => JsonValue,
  op = 'replace',
): JsonValue {
  const keys = tokens(path);
  const walk = (at: JsonValue | undefined, depth: number): JsonValue => {
    const key = keys[depth];
    if (key === undefined || (!Array.isArray(at) && !isJsonMap(at)))
      throw new PatchError(422, `${op} operation does not apply: doc is missing path: "${path}": ${MISSING}`);
    if (depth === keys.length - 1) return edit(at as JsonValue, key);
    if (Array.isArray(at)) {
      const i = position(at, key, op, path);
      return at.with(i, walk(at[i], depth + 1));
    }
    const map = at as JsonMap;
    return member(map, key, walk(Object.hasOwn(map, key) ? map[key] : undefined, depth + 1));
  };
  return walk(document, 0);
}
