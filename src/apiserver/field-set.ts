import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { compareElements, type PathElement, readElement } from './path-element.ts';

/**
 * A set of paths into an object, as a tree. The keys of `children` are path elements. Sets are not changed once they are
 * built. Follows fieldpath/set.go of structured-merge-diff, v1.33.
 */
export interface FieldSet {
  /** The path itself belongs to the set. */
  member: boolean;
  children: Map<PathElement, FieldSet> | undefined;
}

export const EMPTY: FieldSet = Object.freeze({ member: false, children: undefined });

export const isEmpty = (set: FieldSet): boolean => !set.member && set.children === undefined;

/** A set that paths may be inserted into while nobody else has it. */
export const newSet = (): FieldSet => ({ member: false, children: undefined });

/** Adds a path; the empty path is nobody's. */
export function insert(set: FieldSet, path: readonly PathElement[]): void {
  if (path.length === 0) return;
  let at = set;
  for (const element of path) {
    at.children ??= new Map();
    let next = at.children.get(element);
    if (!next) at.children.set(element, (next = newSet()));
    at = next;
  }
  at.member = true;
}

export function setOf(...paths: readonly (readonly PathElement[])[]): FieldSet {
  const set = newSet();
  for (const path of paths) insert(set, path);
  return set;
}

export function has(set: FieldSet, path: readonly PathElement[]): boolean {
  let at: FieldSet | undefined = set;
  for (const element of path) at = at?.children?.get(element);
  return at?.member === true;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || a === b) return b;
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

/** What is in `a`, and neither itself nor anything above it in `b`; `a` itself if that is all of it. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  if (b.member) return EMPTY;
  return combine(a, b, a.member, (set, other) => (other ? recursiveDifference(set, other) : set));
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
  const children = new Map<PathElement, FieldSet>();
  let same = member === a.member;
  for (const [element, set] of a.children ?? []) {
    const result = each(set, b.children?.get(element));
    if (result !== set) same = false;
    if (!isEmpty(result)) children.set(element, result);
  }
  return same ? a : { member, children: children.size > 0 ? children : undefined };
}

/** All paths: at each level first the members, then what is below them. */
export function pathsOf(set: FieldSet, prefix: readonly PathElement[] = []): PathElement[][] {
  const children = sortedChildren(set);
  return [
    ...children.filter(([, child]) => child.member).map(([element]) => [...prefix, element]),
    ...children.flatMap(([element, child]) => pathsOf(child, [...prefix, element])),
  ];
}

const sortedChildren = (set: FieldSet): [PathElement, FieldSet][] =>
  [...(set.children ?? [])].sort(([a], [b]) => compareElements(a, b));

/** As the API shows it: metav1.FieldsV1, elements in order. */
export function encodeFieldSet(set: FieldSet): JsonObject {
  const entries = sortedChildren(set).map(([element, child]): [string, JsonValue] => [element, encodeFieldSet(child)]);
  return Object.fromEntries(set.member && entries.length > 0 ? [['.', {}], ...entries] : entries);
}

/** Reads metav1.FieldsV1; undefined if it is not valid. */
export function decodeFieldSet(fields: unknown): FieldSet | undefined {
  const set = decodeNode(fields);
  return set && { ...set, member: false };
}

function decodeNode(fields: unknown): FieldSet | undefined {
  if (fields === null) return { member: true, children: undefined };
  if (typeof fields !== 'object' || Array.isArray(fields)) return undefined;
  const children = new Map<PathElement, FieldSet>();
  let member = false;
  for (const [text, value] of Object.entries(fields as Record<string, unknown>)) {
    if (text === '.') {
      member = true;
      continue;
    }
    const element = readElement(text);
    if (element === 'unknown') continue;
    const child = element === undefined ? undefined : decodeNode(value);
    if (element === undefined || !child) return undefined;
    children.set(element, child);
  }
  return { member: member || children.size === 0, children: children.size > 0 ? children : undefined };
}
