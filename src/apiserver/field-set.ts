import type { JsonObject, JsonValue } from '#apimachinery/json.ts';

/**
 * A set of paths into an object, as a tree. The keys of `children` are path elements as FieldsV1 writes them: `f:name`,
 * `k:{"name":"web"}`, `v:"value"`, `i:0`. Sets are not changed once they are built.
 */
export interface FieldSet {
  /** The path itself belongs to the set. */
  member: boolean;
  children: Map<string, FieldSet> | undefined;
}

export const EMPTY: FieldSet = Object.freeze({ member: false, children: undefined });

export const isEmpty = (set: FieldSet): boolean => !set.member && set.children === undefined;

/** A set that paths may be inserted into while nobody else has it. */
export const newSet = (): FieldSet => ({ member: false, children: undefined });

export function insert(set: FieldSet, path: readonly string[]): void {
  let at = set;
  for (const element of path) {
    at.children ??= new Map();
    let next = at.children.get(element);
    if (!next) at.children.set(element, (next = newSet()));
    at = next;
  }
  at.member = true;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  const children = new Map(a.children);
  for (const [element, set] of b.children ?? []) {
    const own = children.get(element);
    children.set(element, own ? union(own, set) : set);
  }
  return { member: a.member || b.member, children: children.size > 0 ? children : undefined };
}

/** What is in `a` and not in `b`; `a` itself if that is all of it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return combine(a, b, a.member && !b.member, (set, other) => (other ? difference(set, other) : set));
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return EMPTY;
  return combine(a, b, a.member && b.member, (set, other) => (other ? intersection(set, other) : EMPTY));
}

function combine(
  a: FieldSet,
  b: FieldSet,
  member: boolean,
  each: (set: FieldSet, other: FieldSet | undefined) => FieldSet,
): FieldSet {
  const children = new Map<string, FieldSet>();
  let same = member === a.member;
  for (const [element, set] of a.children ?? []) {
    const result = each(set, b.children?.get(element));
    if (result !== set) same = false;
    if (!isEmpty(result)) children.set(element, result);
  }
  return same ? a : { member, children: children.size > 0 ? children : undefined };
}

/** As the API shows it: metav1.FieldsV1, elements sorted. */
export function encodeFieldSet(set: FieldSet): JsonObject {
  const elements = [...(set.children?.keys() ?? [])].sort();
  const entries = elements.map((element): [string, JsonValue] => [
    element,
    encodeFieldSet(set.children?.get(element) as FieldSet),
  ]);
  return Object.fromEntries(set.member && entries.length > 0 ? [['.', {}], ...entries] : entries);
}

/** Reads metav1.FieldsV1; undefined if it is not valid. */
export function decodeFieldSet(fields: unknown): FieldSet | undefined {
  return decodeNode(fields, true);
}

function decodeNode(fields: unknown, root: boolean): FieldSet | undefined {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined;
  const entries = Object.entries(fields as Record<string, unknown>);
  const children = new Map<string, FieldSet>();
  let member = entries.length === 0 && !root;
  for (const [element, value] of entries) {
    if (element === '.') {
      member = true;
      continue;
    }
    if (!/^[fkvi]:/.test(element)) return undefined;
    const child = decodeNode(value, false);
    if (!child) return undefined;
    children.set(element, child);
  }
  return { member, children: children.size > 0 ? children : undefined };
}
