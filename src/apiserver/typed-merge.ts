import type { JsonValue } from '#apimachinery/json.ts';
import { isJsonMap } from '#apimachinery/patch-merge.ts';
import type { ListSchema, Schema } from '#apimachinery/schema.ts';
import { elementOf, isAtomic } from './field-compare.ts';
import { type FieldSet, insert, isEmpty, newSet, recursiveDifference, union } from './field-set.ts';
import { fieldElement, fieldNameOf, isKeyElement, type PathElement } from './path-element.ts';
import { memberType, type TypeAt } from './typed-value.ts';

type JsonMap = Readonly<Record<string, JsonValue>>;
type Value = JsonValue | undefined;

const at = (schema: Schema | undefined): TypeAt => ({ schema, mapType: undefined });

/**
 * A value with what another one of its type says on top: no field goes away, and an item keeps its place unless the other
 * one orders it. Shares what it does not change. Follows typed/merge.go of structured-merge-diff, v1.33.
 */
export function mergeValues(schema: Schema, left: JsonValue, right: JsonValue): JsonValue {
  return merge(at(schema), left, right) ?? null;
}

function merge(type: TypeAt, left: Value, right: Value): Value {
  const { schema, mapType } = type;
  if (right === undefined || left === right) return left;
  if (isAtomic(schema, mapType)) return right;
  if (schema?.kind === 'list') {
    const lefts = Array.isArray(left) ? (left as readonly JsonValue[]) : [];
    const rights = Array.isArray(right) ? (right as readonly JsonValue[]) : [];
    return lefts.length === 0 && rights.length === 0 ? right : mergeLists(schema, lefts, rights);
  }
  const isMap = schema?.kind === 'struct' || schema?.kind === 'map';
  if (!isMap && !isJsonMap(right) && !(right === null && isJsonMap(left))) return right;
  const lefts = isJsonMap(left) ? left : {};
  const rights = isJsonMap(right) ? right : {};
  if (Object.keys(lefts).length === 0 && Object.keys(rights).length === 0) return right;
  const merged: [string, JsonValue][] = [];
  for (const name of new Set([...Object.keys(lefts), ...Object.keys(rights)])) {
    const member = (map: JsonMap) => (Object.hasOwn(map, name) ? map[name] : undefined);
    const value = merge(memberType(schema, name) ?? at(undefined), member(lefts), member(rights));
    if (value !== undefined) merged.push([name, value]);
  }
  return Object.fromEntries(merged);
}

/** Items in the order of the right, those of the left between them where they were. */
function mergeLists(schema: ListSchema, lefts: readonly JsonValue[], rights: readonly JsonValue[]): JsonValue[] {
  const leftElements = lefts.map((item) => elementOf(schema, item));
  const rightElements = rights.map((item) => elementOf(schema, item));
  const leftItems = new Map<PathElement, JsonValue>();
  for (const [i, element] of leftElements.entries()) {
    // Items that come twice are not merged with the new one.
    leftItems.set(element, leftItems.has(element) ? null : (lefts[i] as JsonValue));
  }
  const rightItems = new Map(rightElements.map((element, i) => [element, rights[i] as JsonValue]));
  const shared = rightElements.filter((element) => leftItems.has(element));
  let nextShared = 0;
  const done = new Set<PathElement>();
  const merged: JsonValue[] = [];
  const take = (left: Value, right: Value) => {
    const item = merge(at(schema.items), left, right);
    if (item !== undefined) merged.push(item);
  };
  let l = 0;
  let r = 0;
  while (l < lefts.length || r < rights.length) {
    const left = leftElements[l];
    const right = rightElements[r];
    if (left !== undefined && left === right) {
      done.add(left);
      take(leftItems.get(left), rightItems.get(left));
      l++;
      r++;
      nextShared++;
      continue;
    }
    if (left !== undefined && right !== undefined && rightItems.has(left)) {
      const wanted = shared[nextShared];
      if (wanted !== undefined && wanted !== left) {
        l++;
        continue;
      }
    }
    if (left !== undefined) {
      if (!rightItems.has(left)) {
        take(lefts[l], undefined);
        l++;
        continue;
      }
      if (done.has(left)) l++;
    }
    if (right !== undefined) {
      done.add(right);
      take(leftItems.get(right), rightItems.get(right));
      r++;
      if (shared[nextShared] === right) nextShared++;
    }
  }
  return merged;
}

/** A value without the paths of a set. Follows typed/remove.go of structured-merge-diff, v1.33. */
export function removeItems(schema: Schema, value: JsonValue, set: FieldSet): JsonValue {
  return isEmpty(set) ? value : remove(at(schema), value, set);
}

function remove({ schema, mapType }: TypeAt, value: JsonValue, set: FieldSet): JsonValue {
  const isComposite = isJsonMap(value) || Array.isArray(value);
  if (!isComposite) return schema === undefined || schema.kind === 'scalar' ? value : null;
  if (isAtomic(schema, mapType)) return null;
  if (Array.isArray(value)) {
    if (schema?.kind !== 'list') return null;
    const kept: JsonValue[] = [];
    for (const item of value as readonly JsonValue[]) {
      const below = set.children?.get(elementOf(schema, item));
      if (!below?.member) kept.push(below?.children ? remove(at(schema.items), item, below) : item);
    }
    return kept.length > 0 ? kept : null;
  }
  const kept: [string, JsonValue][] = [];
  for (const [name, member] of Object.entries(value as JsonMap)) {
    const below = set.children?.get(fieldElement(name));
    if (below?.member) continue;
    kept.push([name, below?.children ? remove(memberType(schema, name) ?? at(undefined), member, below) : member]);
  }
  return kept.length > 0 ? Object.fromEntries(kept) : null;
}

/** The type of what an element selects in a value of a type. */
function typeBelow(schema: Schema | undefined, element: PathElement): Schema | undefined {
  const name = fieldNameOf(element);
  if (name !== undefined) return schema?.kind === 'list' ? undefined : memberType(schema, name)?.schema;
  return isKeyElement(element) && schema?.kind === 'list' ? schema.items : undefined;
}

/** The set with the fields of structs above its members. Follows EnsureNamedFieldsAreMembers, v1.33. */
export function withNamedFields(schema: Schema | undefined, set: FieldSet): FieldSet {
  if (!set.children) return set;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const name = fieldNameOf(element);
    const named = name !== undefined && child.children && schema?.kind === 'struct' && schema.fields.has(name);
    const below = withNamedFields(typeBelow(schema, element), child);
    children.set(element, named && !below.member ? { ...below, member: true } : below);
  }
  return { member: set.member, children };
}

/**
 * A set that was made when lists or maps of the schema were granular that are atomic now: then their owners own the
 * whole. Returns the set itself when there is nothing to change. Follows typed/reconcile_schema.go, v1.33.
 */
export function reconcileWithSchema(schema: Schema, set: FieldSet): FieldSet {
  const whole = newSet();
  reconcile(at(schema), set, [], whole);
  return isEmpty(whole) ? set : union(recursiveDifference(set, whole), whole);
}

function reconcile({ schema, mapType }: TypeAt, set: FieldSet, path: readonly PathElement[], whole: FieldSet): void {
  if (!set.children || schema === undefined) return;
  if (schema.kind !== 'scalar' && isAtomic(schema, mapType)) {
    insert(whole, path);
    return;
  }
  for (const [element, child] of set.children) {
    const name = fieldNameOf(element);
    const type = name === undefined ? at(typeBelow(schema, element)) : memberType(schema, name);
    if (type) reconcile(type, child, [...path, element], whole);
  }
}
