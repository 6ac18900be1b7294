import { jsonEqual } from './equal.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonMap } from './patch-merge.ts';
import type { Schema } from './schema.ts';

type Mutable = Record<string, JsonValue>;

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/** The RFC 7386 patch that turns one object into another. Follows evanphx/json-patch CreateMergePatch. */
export function createMergePatch(original: JsonObject, modified: JsonObject): JsonObject {
  const patch: [string, JsonValue][] = [];
  for (const [key, value] of entries(modified)) {
    const before = own(original, key);
    if (before === undefined) patch.push([key, value]);
    else if (isJsonMap(before) && isJsonMap(value)) {
      const inner = createMergePatch(before, value);
      if (Object.keys(inner).length > 0) patch.push([key, inner]);
    } else if (!jsonEqual(before, value)) patch.push([key, value]);
  }
  for (const [key] of entries(original)) if (own(modified, key) === undefined) patch.push([key, null]);
  return Object.fromEntries(patch);
}

/**
 * The RFC 7386 patch that brings what is `modified` to `current`, and takes away what was in `original` and is in
 * `modified` no more. Follows apimachinery/pkg/util/jsonmergepatch, v1.33.
 */
export function createThreeWayJsonMergePatch(
  original: JsonObject,
  modified: JsonObject,
  current: JsonObject,
): JsonObject {
  const additions = filterNulls(createMergePatch(current, modified), false);
  const deletions = filterNulls(createMergePatch(original, modified), true);
  return overlay(deletions, additions);
}

/** Keeps the nulls of a merge patch and nothing else, or all but them. */
function filterNulls(patch: JsonObject, keepNull: boolean): JsonObject {
  const kept: [string, JsonValue][] = [];
  for (const [key, value] of entries(patch)) {
    if (value === null) {
      if (keepNull) kept.push([key, null]);
    } else if (isJsonMap(value)) {
      const inner = filterNulls(value, keepNull);
      // An empty map that was given is a value; one that is left over is nothing.
      if (Object.keys(value).length === 0 ? !keepNull : Object.keys(inner).length > 0) kept.push([key, inner]);
    } else if (!keepNull) kept.push([key, value]);
  }
  return Object.fromEntries(kept);
}

function overlay(base: JsonObject, top: JsonObject): JsonObject {
  const merged = new Map(entries(base));
  for (const [key, value] of entries(top)) {
    const before = merged.get(key);
    merged.set(key, isJsonMap(before) && isJsonMap(value) ? overlay(before, value) : value);
  }
  return Object.fromEntries(merged);
}

interface DiffOptions {
  readonly ignoreDeletions?: boolean;
  readonly ignoreChanges?: boolean;
  readonly setElementOrder?: boolean;
  readonly retainKeys?: boolean;
}

/** The strategic merge patch that turns one object into another. Follows apimachinery/pkg/util/strategicpatch, v1.33. */
export function createTwoWayMergePatch(
  original: JsonObject,
  modified: JsonObject,
  schema: Schema | undefined,
): JsonObject {
  return diffMaps(original, modified, schema, { setElementOrder: true });
}

/**
 * The strategic merge patch that brings what is `modified` to `current`, and takes away what was in `original` and is
 * in `modified` no more: what `kubectl apply` sends. Follows apimachinery/pkg/util/strategicpatch, v1.33.
 */
export function createThreeWayMergePatch(
  original: JsonObject,
  modified: JsonObject,
  current: JsonObject,
  schema: Schema | undefined,
): JsonObject {
  const additions = diffMaps(current, modified, schema, { ignoreDeletions: true, setElementOrder: true });
  const deletions = diffMaps(original, modified, schema, { ignoreChanges: true, setElementOrder: true });
  return mergePatches(deletions, additions, schema);
}

interface FieldMeta {
  readonly schema: Schema | undefined;
  /** Of the items, for lists. */
  readonly items: Schema | undefined;
  readonly strategy: 'merge' | 'replace' | undefined;
  readonly retainKeys: boolean;
  readonly mergeKey: string;
}

function metaOf(schema: Schema | undefined, name: string): FieldMeta {
  if (schema?.kind !== 'struct') {
    const values = schema?.kind === 'map' ? schema.values : undefined;
    return { schema: values, items: itemsOf(values), strategy: undefined, retainKeys: false, mergeKey: '' };
  }
  const field = schema.fields.get(name);
  const strategies = field?.patchStrategy ?? [];
  return {
    schema: field?.schema,
    items: itemsOf(field?.schema),
    strategy: strategies.includes('merge') ? 'merge' : strategies.includes('replace') ? 'replace' : undefined,
    retainKeys: strategies.includes('retainKeys'),
    mergeKey: field?.patchMergeKey ?? '',
  };
}

const itemsOf = (schema: Schema | undefined) => (schema?.kind === 'list' ? schema.items : undefined);

const entries = (map: JsonObject): [string, JsonValue][] =>
  (Object.entries(map) as [string, JsonValue | undefined][]).filter(
    (entry): entry is [string, JsonValue] => entry[1] !== undefined,
  );

/** A map's own value: its keys are users', and one may be `__proto__`. */
const own = (map: JsonObject, key: string): JsonValue | undefined => (Object.hasOwn(map, key) ? map[key] : undefined);

/** Go's type of a decoded value, as far as a patch cares. */
function typeOf(value: JsonValue): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return value === null ? 'null' : typeof value === 'bigint' ? 'int' : typeof value;
}

function diffMaps(
  original: JsonObject,
  modified: JsonObject,
  schema: Schema | undefined,
  options: DiffOptions,
): JsonObject {
  const patch = new Map<string, JsonValue>();
  const retained: string[] = [];
  for (const [key, value] of entries(modified)) {
    if (options.retainKeys && value !== null) retained.push(key);
    const before = own(original, key);
    if (before === undefined || typeOf(before) !== typeOf(value)) {
      if (key === DIRECTIVE && before !== undefined) throw new Error(`invalid value for special key: ${DIRECTIVE}`);
      if (!options.ignoreChanges) patch.set(key, value);
    } else if (isJsonMap(before) && isJsonMap(value)) {
      const meta = metaOf(schema, key);
      if (meta.strategy === 'replace') {
        if (!options.ignoreChanges) patch.set(key, value);
        continue;
      }
      const inner = diffMaps(before, value, meta.schema, { ...options, retainKeys: meta.retainKeys });
      if (Object.keys(inner).length > 0) patch.set(key, inner);
    } else if (Array.isArray(before) && Array.isArray(value)) {
      diffList(key, before as JsonValue[], value as JsonValue[], metaOf(schema, key), options, patch);
    } else if (!options.ignoreChanges && !jsonEqual(before, value)) patch.set(key, value);
  }
  if (!options.ignoreDeletions) {
    for (const [key] of entries(original)) if (own(modified, key) === undefined) patch.set(key, null);
  }
  const added = entries(modified).some(([key]) => own(original, key) === undefined);
  if (retained.length > 0 && (patch.size > 0 || added)) patch.set(RETAIN_KEYS, retained.sort());
  return Object.fromEntries(patch);
}

function diffList(
  key: string,
  original: readonly JsonValue[],
  modified: readonly JsonValue[],
  meta: FieldMeta,
  options: DiffOptions,
  patch: Map<string, JsonValue>,
): void {
  if (meta.strategy !== 'merge') {
    if (!options.ignoreChanges && !jsonEqual(original, modified)) patch.set(key, modified);
    return;
  }
  if (original.length === 0) {
    if (modified.length > 0 && !options.ignoreChanges) patch.set(key, modified);
    return;
  }
  const { mergeKey } = meta;
  if (isJsonMap(original[0]) || isJsonMap(modified[0])) {
    const { changes, deletions } = diffListOfMaps(original, modified, meta, {
      ...options,
      retainKeys: meta.retainKeys,
    });
    const list = [...sortLike(changes, modified, mergeKey), ...deletions];
    const sameOrder =
      original.length === modified.length &&
      original.every((item, i) => keyOf(item, mergeKey) === keyOf(modified[i] as JsonValue, mergeKey));
    if (list.length > 0) patch.set(key, list);
    if (
      options.setElementOrder &&
      ((!options.ignoreChanges && (list.length > 0 || !sameOrder)) || (!options.ignoreDeletions && list.length > 0))
    ) {
      if (modified.length > 0)
        patch.set(
          `${ORDER}${key}`,
          modified.map((item) => ({ [mergeKey]: keyOf(item, mergeKey) })),
        );
    }
    return;
  }
  const additions = options.ignoreChanges ? [] : missing(modified, original);
  const deletions = options.ignoreDeletions ? [] : [...new Set(missing(original, modified))];
  if (additions.length > 0) patch.set(key, sortLike(additions, modified, ''));
  if (deletions.length > 0) patch.set(`${DELETE_FROM}${key}`, deletions);
  if (
    options.setElementOrder &&
    modified.length > 0 &&
    (deletions.length > 0 || (!options.ignoreChanges && !jsonEqual(original, modified)))
  ) {
    patch.set(`${ORDER}${key}`, modified);
  }
}

/** Scalars of `from` that `list` does not have, sorted as text. */
function missing(from: readonly JsonValue[], list: readonly JsonValue[]): JsonValue[] {
  const left = list.map(textOf);
  const byText = (a: JsonValue, b: JsonValue) => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0);
  return [...from].sort(byText).filter((item) => {
    const at = left.indexOf(textOf(item));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** A scalar as text, by which lists are sorted. */
function textOf(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function keyOf(item: JsonValue, mergeKey: string): JsonValue {
  if (mergeKey === '') return item;
  if (!isJsonMap(item)) throw new Error(`expected a map, but received a ${typeOf(item)}`);
  const key = item[mergeKey];
  if (key === undefined)
    throw new Error(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
  return key;
}

function diffListOfMaps(
  original: readonly JsonValue[],
  modified: readonly JsonValue[],
  meta: FieldMeta,
  options: DiffOptions,
): { readonly changes: JsonValue[]; readonly deletions: JsonValue[] } {
  const { mergeKey, items } = meta;
  const sorted = (list: readonly JsonValue[]) =>
    list
      .map((item) => ({ item: item as JsonObject, key: keyOf(item, mergeKey), text: textOf(keyOf(item, mergeKey)) }))
      .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  const before = sorted(original);
  const after = sorted(modified);
  const changes: JsonValue[] = [];
  const deletions: JsonValue[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const left = before[i];
    const right = after[j];
    if (left && right && left.text === right.text) {
      const inner = diffMaps(left.item, right.item, items, options);
      if (Object.keys(inner).length > 0) changes.push({ ...inner, [mergeKey]: right.key });
      i++;
      j++;
    } else if (right && (!left || left.text > right.text)) {
      if (!options.ignoreChanges) changes.push(right.item);
      j++;
    } else if (left) {
      if (!options.ignoreDeletions) deletions.push({ [DIRECTIVE]: 'delete', [mergeKey]: left.key });
      i++;
    }
  }
  return { changes, deletions };
}

/**
 * Items in the order of another list, deletions last. Items that are not in that list keep a place that depends on how
 * Go's stable sort treats "not known is less": by insertion, as for short lists.
 */
function sortLike(items: readonly JsonValue[], order: readonly JsonValue[], mergeKey: string): JsonValue[] {
  const isDeletion = (item: JsonValue) => mergeKey !== '' && isJsonMap(item) && item[DIRECTIVE] === 'delete';
  const place = (item: JsonValue) => order.findIndex((each) => jsonEqual(keyOf(each, mergeKey), keyOf(item, mergeKey)));
  const sorted = items.filter((item) => !isDeletion(item)).map((item) => ({ item, at: place(item) }));
  for (let i = 1; i < sorted.length; i++) {
    for (let j = i; j > 0; j--) {
      const [left, right] = [
        sorted[j - 1] as { at: number; item: JsonValue },
        sorted[j] as { at: number; item: JsonValue },
      ];
      if (right.at >= 0 && left.at >= 0 && right.at >= left.at) break;
      [sorted[j - 1], sorted[j]] = [right, left];
    }
  }
  return [...sorted.map(({ item }) => item), ...items.filter(isDeletion)];
}

/** Joins a patch that only deletes with one that only adds and changes. */
function mergePatches(deletions: JsonObject, additions: JsonObject, schema: Schema | undefined): JsonObject {
  const merged: Mutable = Object.assign(Object.create(null) as Mutable, deletions);
  const rest = new Map(entries(additions));
  const retain = rest.get(RETAIN_KEYS);
  if (retain !== undefined) {
    if (merged[RETAIN_KEYS] !== undefined && !jsonEqual(merged[RETAIN_KEYS], retain)) {
      throw new Error('retainKeys lists are not deep equal: this may happen when calculating the 3-way diff patch');
    }
    merged[RETAIN_KEYS] = retain;
    rest.delete(RETAIN_KEYS);
  }
  for (const [key, order] of entries(additions)) {
    if (!key.startsWith(ORDER)) continue;
    rest.delete(key);
    merged[key] = order;
    const field = key.slice(ORDER.length);
    const meta = metaOf(schema, field);
    const mine = merged[field];
    const theirs = rest.get(field);
    if (theirs === undefined && mine === undefined) continue;
    const list =
      theirs === undefined
        ? (mine as JsonValue[])
        : mine === undefined
          ? (theirs as JsonValue[])
          : mergeLists(mine as JsonValue[], theirs as JsonValue[], meta);
    merged[field] = orderMerged(list, order as JsonValue[], (mine as JsonValue[] | undefined) ?? [], meta.mergeKey);
    rest.delete(field);
  }
  for (const [key, value] of rest) {
    const before = merged[key];
    const meta = metaOf(schema, key);
    if (isJsonMap(before) && isJsonMap(value) && meta.strategy !== 'replace')
      merged[key] = mergePatches(before, value, meta.schema);
    else if (Array.isArray(before) && Array.isArray(value) && meta.strategy === 'merge')
      merged[key] = mergeLists(before as JsonValue[], value as JsonValue[], meta);
    else merged[key] = value;
  }
  return Object.fromEntries(Object.entries(merged));
}

function mergeLists(original: readonly JsonValue[], patch: readonly JsonValue[], meta: FieldMeta): JsonValue[] {
  const { mergeKey, items } = meta;
  if (!isJsonMap(original[0] ?? patch[0])) {
    return orderMerged([...new Set([...original, ...patch])], patch, original, '');
  }
  const merged = [...original];
  for (const item of patch) {
    const at = merged.findIndex((each) => jsonEqual(keyOf(each, mergeKey), keyOf(item, mergeKey)));
    if (at < 0) merged.push(item);
    else merged[at] = mergePatches(merged[at] as JsonObject, item as JsonObject, items);
  }
  return orderMerged(merged, patch, original, mergeKey);
}

/** What `order` names in its order, the rest in the server's, the two interleaved as the server has them. */
function orderMerged(
  list: readonly JsonValue[],
  order: readonly JsonValue[],
  serverOrder: readonly JsonValue[],
  mergeKey: string,
): JsonValue[] {
  const inOrder = (item: JsonValue) => order.some((each) => jsonEqual(keyOf(each, mergeKey), keyOf(item, mergeKey)));
  const right = sortLike(list.filter(inOrder), order, mergeKey);
  const left = sortLike(
    list.filter((item) => !inOrder(item)),
    serverOrder,
    mergeKey,
  );
  const place = (item: JsonValue) =>
    serverOrder.findIndex((each) => jsonEqual(keyOf(each, mergeKey), keyOf(item, mergeKey)));
  const merged: JsonValue[] = [];
  while (left.length > 0 && right.length > 0) {
    const [l, r] = [place(left[0] as JsonValue), place(right[0] as JsonValue)];
    merged.push((l >= 0 && r >= 0 && l < r ? left.shift() : right.shift()) as JsonValue);
  }
  return [...merged, ...left, ...right];
}
