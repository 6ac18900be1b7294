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
 * {@link PatchError}. Negative array indices count from the end, as the library of the API server allows.
 */
export function applyJsonPatch(document: JsonValue, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch))
    throw new PatchError(400, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  let result = document;
  for (const operation of patch as Operation[]) result = apply(result, operation);
  return result;
}

function apply(document: JsonValue, operation: Operation): JsonValue {
  const { op, path, from, value } = operation;
  if (op !== undefined && path === undefined)
    throw new PatchError(422, `${op} operation failed to decode path: ${MISSING}`);
  switch (op) {
    case 'add':
      if (value === undefined) throw new PatchError(422, `add operation failed to decode: ${MISSING}`);
      return insert(document, path, value, 'add');
    case 'remove':
      return remove(document, path);
    case 'replace':
      if (lookUp(document, path) === undefined)
        throw new PatchError(422, `replace operation does not apply: doc is missing key: ${path}: ${MISSING}`);
      return change(document, path, (parent, key) =>
        Array.isArray(parent)
          ? parent.with(position(parent, key, 'replace', path), value ?? null)
          : { ...(parent as object), [key]: value ?? null },
      );
    case 'test': {
      const found = lookUp(document, path);
      if (!jsonEqual(found ?? null, value ?? null))
        throw new PatchError(422, `testing value ${path} failed: test failed`);
      return document;
    }
    case 'copy':
    case 'move': {
      const found = lookUp(document, from ?? '');
      if (found === undefined)
        throw new PatchError(422, `${op} operation does not apply: doc is missing from path: ${from}: ${MISSING}`);
      return insert(op === 'move' ? remove(document, from ?? '') : document, path, found, op);
    }
    default:
      throw new PatchError(422, `Unexpected kind: ${op ?? 'unknown'}`);
  }
}

const tokens = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

function lookUp(document: JsonValue, path: string): JsonValue | undefined {
  let at: JsonValue | undefined = document;
  for (const token of tokens(path)) {
    if (Array.isArray(at)) {
      const i: number = Number(token);
      at = Number.isInteger(i) ? at.at(i) : undefined;
    } else at = isJsonMap(at) && Object.hasOwn(at, token) ? at[token] : undefined;
  }
  return at;
}

function insert(document: JsonValue, path: string, value: JsonValue, op: string): JsonValue {
  if (path === '') return value;
  return change(
    document,
    path,
    (parent, key) => {
      if (!Array.isArray(parent)) return { ...(parent as object), [key]: value };
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
  if (!/^-?\d+$/.test(key))
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
    const map = at as Readonly<Record<string, JsonValue>>;
    return { ...map, [key]: walk(Object.hasOwn(map, key) ? map[key] : undefined, depth + 1) };
  };
  return walk(document, 0);
}
