import { jsonEqual } from './equal.ts';
import type { JsonValue } from './json.ts';
import { PatchError } from './patch-error.ts';
import { isJsonMap } from './patch-merge.ts';
import { goQuote } from './validation.ts';
import type { Schema } from './schema.ts';

type JsonMap = Readonly<Record<string, JsonValue>>;
type Mutable = Record<string, JsonValue>;

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList';
const ORDER = '$setElementOrder';

/**
 * The object with a strategic merge patch applied, by the patch strategies and merge keys of the schema. Shares what it
 * does not change. Throws {@link PatchError}. Follows apimachinery/pkg/util/strategicpatch, v1.33.
 */
export function applyStrategicMergePatch(document: JsonValue, patch: JsonValue, schema: Schema): JsonValue {
  if (!isJsonMap(patch)) throw new PatchError(400, 'invalid JSON document');
  return mergeMap(isJsonMap(document) ? document : {}, patch, schema);
}

interface FieldMeta {
  readonly schema: Schema | undefined;
  readonly merge: boolean;
  readonly replace: boolean;
  readonly mergeKey: string | undefined;
}

function metaOf(schema: Schema | undefined, name: string): FieldMeta {
  if (schema?.kind === 'struct') {
    const field = schema.fields.get(name);
    if (!field && !schema.preserveUnknown) {
      const struct = schema.name?.split('.').at(-1) ?? '';
      throw new PatchError(500, `unable to find api field in struct ${struct} for the json field ${goQuote(name)}`);
    }
    const strategies = field?.patchStrategy ?? [];
    return {
      schema: field?.schema,
      merge: strategies.includes('merge'),
      replace: strategies.includes('replace'),
      mergeKey: field?.patchMergeKey,
    };
  }
  throw new PatchError(500, 'merging an object in json but data type is not struct, instead is: map');
}

const mutableCopy = (map: JsonMap): Mutable => Object.assign(Object.create(null) as Mutable, map);

function mergeMap(original: JsonMap, patch: JsonMap, schema: Schema | undefined): JsonMap {
  const directive = patch[DIRECTIVE];
  if (directive !== undefined) {
    if (directive === 'replace') {
      const { [DIRECTIVE]: _, ...rest } = patch;
      return rest;
    }
    if (directive === 'delete') return {};
    throw new PatchError(500, `unknown patch type: ${goValue(directive)} in map: ${goMap(patch)}`);
  }
  const result = mutableCopy(original);
  const rest = mutableCopy(patch);
  retainKeys(result, rest);
  for (const key of Object.keys(patch)) if (key.startsWith(ORDER)) mergeInOrder(result, rest, key, schema);
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith(DELETE_FROM)) {
      const key = keyAfter(name, DELETE_FROM);
      const list = result[key];
      if (value === null) delete result[key];
      else if (Array.isArray(list) && Array.isArray(value)) {
        // Of items with keys nothing is deleted: they are merged.
        result[key] = isJsonMap(list[0] ?? value[0])
          ? mergeList(list, value, metaOf(schema, key))
          : list.filter((item) => !value.some((gone) => jsonEqual(gone, item)));
      }
      continue;
    }
    if (value === null) {
      delete result[name];
      continue;
    }
    const before = result[name];
    if (isJsonMap(before) && isJsonMap(value)) {
      const meta = metaOf(schema, name);
      result[name] = meta.replace ? value : mergeMap(before, value, meta.schema);
    } else if (Array.isArray(before) && Array.isArray(value)) {
      const meta = metaOf(schema, name);
      result[name] = meta.merge ? mergeList(before, value, meta) : value;
    } else {
      const plain = withoutDirectives(value);
      if (plain === undefined) delete result[name];
      else result[name] = plain;
    }
  }
  return result;
}

/** The field that a directive such as `$setElementOrder/containers` is about. */
function keyAfter(key: string, prefix: string): string {
  if (key.startsWith(`${prefix}/`)) return key.slice(prefix.length + 1);
  const what = prefix === ORDER ? 'setElementOrder list' : 'primitive list';
  throw new PatchError(400, `invalid patch format of ${what}`);
}

/** Something else where a list is wanted. */
function wrongType(value: JsonValue | undefined): PatchError {
  const name = isJsonMap(value)
    ? 'map[string]interface {}'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'string'
        ? 'string'
        : typeof value === 'number' && !Number.isInteger(value)
          ? 'float64'
          : value === null
            ? '%!s(<nil>)'
            : 'int64';
  return new PatchError(500, `expected a []interface {}, but received a ${name}`);
}

/** `$retainKeys`: fields of the original that are not in the list go. */
function retainKeys(result: Mutable, patch: Mutable): void {
  const keys = patch[RETAIN_KEYS];
  if (keys === undefined) return;
  delete patch[RETAIN_KEYS];
  const bad = () => new PatchError(400, 'invalid patch format of retainKeys');
  if (!Array.isArray(keys)) throw bad();
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !key.startsWith(DELETE_FROM) && !key.startsWith(ORDER) && !keys.includes(key)) throw bad();
  }
  for (const key of Object.keys(result)) if (!keys.includes(key)) delete result[key];
}

/** `$setElementOrder/<list>`: merges the list and puts it in the order wanted; items that only the server has keep their places. */
function mergeInOrder(result: Mutable, patch: Mutable, key: string, schema: Schema | undefined): void {
  const order = patch[key];
  delete patch[key];
  if (!Array.isArray(order)) throw wrongType(order);
  const name = keyAfter(key, ORDER);
  const before = result[name];
  const change = patch[name];
  if (before !== undefined && !Array.isArray(before)) throw wrongType(before);
  if (change !== undefined && !Array.isArray(change)) throw wrongType(change);
  const meta = metaOf(schema, name);
  if (change) checkOrder(change as JsonValue[], order, meta.mergeKey, key);
  let merged: readonly JsonValue[];
  if (before && change)
    merged = meta.merge ? mergeList(before as JsonValue[], change as JsonValue[], meta) : (change as JsonValue[]);
  else if (before) merged = before as JsonValue[];
  else if (change) merged = (withoutDirectives(change) ?? []) as JsonValue[];
  else return;
  const same = sameItem(meta.mergeKey);
  result[name] = arrange(merged, order, (before as JsonValue[] | undefined) ?? [], same);
  delete patch[name];
}

function checkOrder(
  list: readonly JsonValue[],
  order: readonly JsonValue[],
  mergeKey: string | undefined,
  key: string,
): void {
  if (order.length === 0 || list.length === 0) return;
  const same = sameItem(mergeKey);
  const wanted = list.filter((item) => !(isJsonMap(item) && item[DIRECTIVE] !== undefined));
  let at = 0;
  for (const item of order) if (at < wanted.length && same(wanted[at] as JsonValue, item)) at++;
  if (at < wanted.length) {
    throw new PatchError(
      500,
      `The order in patch list:\n${goList(list)}\n doesn't match ${key.slice(0, key.indexOf('/'))} list:\n${goList(order)}\n`,
    );
  }
}

const sameItem =
  (mergeKey: string | undefined) =>
  (a: JsonValue, b: JsonValue): boolean =>
    mergeKey && isJsonMap(a) && isJsonMap(b) ? jsonEqual(a[mergeKey], b[mergeKey]) : jsonEqual(a, b);

/** Items named in `wanted` in that order, the others interleaved by their places in the live list. */
function arrange(
  merged: readonly JsonValue[],
  wanted: readonly JsonValue[],
  live: readonly JsonValue[],
  same: (a: JsonValue, b: JsonValue) => boolean,
): JsonValue[] {
  const placeIn = (list: readonly JsonValue[], item: JsonValue) => list.findIndex((other) => same(item, other));
  const byPlace = (list: readonly JsonValue[]) => (a: JsonValue, b: JsonValue) => placeIn(list, a) - placeIn(list, b);
  const fromPatch = merged.filter((item) => placeIn(wanted, item) >= 0).sort(byPlace(wanted));
  const serverOnly = merged.filter((item) => placeIn(wanted, item) < 0).sort(byPlace(live));
  const result: JsonValue[] = [];
  let i = 0;
  let j = 0;
  while (i < serverOnly.length || j < fromPatch.length) {
    const left = serverOnly[i];
    const right = fromPatch[j];
    let takeLeft = right === undefined;
    if (left !== undefined && right !== undefined) {
      const leftPlace = placeIn(live, left);
      const rightPlace = placeIn(live, right);
      takeLeft = leftPlace >= 0 && rightPlace >= 0 && leftPlace < rightPlace;
    }
    result.push((takeLeft ? serverOnly[i++] : fromPatch[j++]) as JsonValue);
  }
  return result;
}

function mergeList(original: readonly JsonValue[], patch: readonly JsonValue[], meta: FieldMeta): readonly JsonValue[] {
  if (original.length === 0 && patch.length === 0) return original;
  checkItems(original, patch);
  if (!isJsonMap(patch[0] ?? original[0])) {
    const both: JsonValue[] = [];
    for (const item of [...original, ...patch]) if (!both.some((other) => jsonEqual(other, item))) both.push(item);
    return arrange(both, patch, original, jsonEqual);
  }
  const { mergeKey } = meta;
  const name =
    meta.schema?.kind === 'list' && meta.schema.items.kind === 'struct' ? (meta.schema.items.name ?? '') : '';
  if (!mergeKey) throw new PatchError(500, `cannot merge lists without merge key for ${name}`);
  const keyOf = (item: JsonValue): JsonValue => {
    const value = isJsonMap(item) ? item[mergeKey] : undefined;
    if (value === undefined)
      throw new PatchError(500, `map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
    return value;
  };
  let kept = [...original];
  const plain: JsonMap[] = [];
  let replace = false;
  for (const item of patch as JsonMap[]) {
    const directive = item[DIRECTIVE];
    if (directive === undefined) plain.push(item);
    else if (directive === 'replace') replace = true;
    else if (directive === 'delete') {
      const key = keyOf(item);
      kept = kept.filter((other) => !(isJsonMap(other) && jsonEqual(other[mergeKey], key)));
    } else if (directive === 'merge') throw new PatchError(500, 'merging lists cannot yet be specified in the patch');
    else throw new PatchError(500, `unknown patch type: ${goValue(directive)} in map: ${goMap(item)}`);
  }
  if (replace) return plain;
  const items = meta.schema?.kind === 'list' ? meta.schema.items : undefined;
  const merged = [...kept];
  for (const item of plain) {
    const key = keyOf(item);
    const at = merged.findIndex((other) => isJsonMap(other) && jsonEqual(other[mergeKey], key));
    if (at >= 0) merged[at] = mergeMap(merged[at] as JsonMap, item, items);
    else merged.push(item);
  }
  return arrange(merged, plain, kept, sameItem(mergeKey));
}

/** Items of a list that is merged are of one type. */
function checkItems(original: readonly JsonValue[], patch: readonly JsonValue[]): void {
  const kinds = new Set([...original, ...patch].map((item) => (isJsonMap(item) ? 'map' : typeof item)));
  if (Array.isArray(original[0] ?? patch[0])) throw new PatchError(422, 'lists of lists are not supported');
  if (kinds.size > 1) {
    throw new PatchError(500, `list element types are not identical: [${goList(original)} ${goList(patch)}]`);
  }
}

/** The value to store for a patch value that meets nothing: without directives and without nulls; undefined for nothing at all. */
function withoutDirectives(value: JsonValue): JsonValue | undefined {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isJsonMap(value)) return value;
  if (value[DIRECTIVE] !== undefined) return undefined;
  const result = Object.create(null) as Mutable;
  for (const [key, item] of Object.entries(value)) {
    if (item === null) continue;
    const plain = withoutDirectives(item);
    if (plain !== undefined) result[key] = plain;
  }
  return result;
}

/** A value as Go's `%v` prints it. */
export function goValue(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return goList(value);
  if (isJsonMap(value)) return goMap(value);
  return typeof value === 'object' || value === undefined ? '<nil>' : String(value);
}
const goList = (list: readonly JsonValue[]): string => `[${list.map(goValue).join(' ')}]`;
/** A map as Go's `%v` prints it: `map[a:1 b:2]`, keys sorted. */
export const goMap = (map: JsonMap): string =>
  `map[${Object.keys(map)
    .sort()
    .map((key) => `${key}:${goValue(map[key])}`)
    .join(' ')}]`;
