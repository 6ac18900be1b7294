import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { isJsonMap } from '#apimachinery/patch-merge.ts';
import type { StructSchema } from '#apimachinery/schema.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { compareObjects, compareValues, UNOWNED } from './field-compare.ts';
import { identityOf, type Owner } from './field-owners.ts';
import {
  difference,
  EMPTY,
  type FieldSet,
  has,
  intersection,
  isEmpty,
  pathsOf,
  recursiveDifference,
  setOf,
  union,
} from './field-set.ts';
import { compareText, type PathElement, printPath } from './path-element.ts';
import { mergeValues, reconcileWithSchema, removeItems, withNamedFields } from './typed-merge.ts';
import { fieldSetOf, typeErrors } from './typed-value.ts';

/** Of client-side apply. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** The manager whose objects come from client-side apply, and may go back. */
export const KUBECTL = 'kubectl';
const BEFORE_FIRST_APPLY = 'before-first-apply';
/** Fields that no applier owns. */
const STRIPPED = union(UNOWNED, setOf(['f:metadata']));

/** A value in one version of its kind. */
export interface Versioned {
  readonly apiVersion: string;
  readonly schema: StructSchema;
  readonly value: JsonValue;
}

/** One request to apply. */
export interface Application {
  /** Whom the fields will belong to; the time is now. */
  readonly owner: Omit<Owner, 'fields' | 'operation'>;
  readonly force: boolean;
  /** The object as Go writes it, in the request's version; the empty object when there is none. */
  readonly live: Versioned;
  /** What is applied; it fits the schema. */
  readonly config: JsonValue;
  readonly owners: readonly Owner[];
  /** What the endpoint does not write. */
  readonly ignored: FieldSet;
  /** Undefined: there is no such version. */
  convert(object: Versioned, apiVersion: string): Versioned | undefined;
}

export interface Applied {
  /** What becomes of the object, not decoded; undefined: it stays as it is. */
  readonly value: JsonValue | undefined;
  readonly owners: readonly Owner[];
}

interface Conflict {
  readonly owner: Owner;
  readonly path: readonly PathElement[];
}

class ConflictsError extends Error {
  readonly conflicts: readonly Conflict[];
  constructor(conflicts: readonly Conflict[]) {
    super('conflicts');
    this.conflicts = conflicts;
  }
}

/**
 * The object and its owners after somebody has applied a configuration. Throws 409 when others own what it changes.
 * Follows managedfields/internal (lastappliedmanager.go, skipnonapplied.go, structuredmerge.go) and merge/update.go of
 * structured-merge-diff, v1.33.
 */
export function applyConfiguration(application: Application): Applied {
  try {
    return applied(application, application.force);
  } catch (error) {
    if (!(error instanceof ConflictsError)) throw error;
    const allowed = application.owner.manager === KUBECTL ? clientSideApplied(application) : undefined;
    if (!allowed) throw conflictStatus(error.conflicts);
    const left = error.conflicts.filter(({ path }) => !has(allowed, path));
    if (left.length > 0) throw conflictStatus(left);
    return applied(application, true);
  }
}

function applied(application: Application, force: boolean): Applied {
  const { live, config, ignored, convert } = application;
  const { apiVersion, schema } = live;
  const before = known(application);
  const self = identityOf({ ...application.owner, operation: 'Apply' });
  const last = before.find((owner) => identityOf(owner) === self);
  const own: Owner = {
    ...application.owner,
    operation: 'Apply',
    time: last?.time,
    fields: recursiveDifference(fieldSetOf(schema, config), ignored),
  };
  const others = before.filter((owner) => owner !== last);
  const merged: Versioned = { ...live, value: mergeValues(schema, live.value, config) };
  const pruned = last ? prune(merged, last, [...others, own], convert) : merged;
  const next = pruned.apiVersion === apiVersion ? pruned : (convert(pruned, apiVersion) ?? pruned);
  const kept = withoutTaken(application, others, next, force);
  const changed = !jsonEqual(live.value, next.value);
  const fields = difference(own.fields, STRIPPED);
  const mine = { ...own, fields, ...(changed ? { time: application.owner.time } : {}) };
  return { value: changed ? next.value : undefined, owners: isEmpty(fields) ? kept : [...kept, mine] };
}

/** The owners that there are, by the schemas of today; what was there before anybody applied has an owner of its own. */
function known({ owners, owner, live, ignored, convert }: Application): readonly Owner[] {
  if (owners.length === 0) {
    const fields = compareObjects(live.schema, {}, live.value, union(ignored, UNOWNED)).added;
    return isEmpty(fields) ? [] : [{ ...owner, manager: BEFORE_FIRST_APPLY, operation: 'Update', fields }];
  }
  const result: Owner[] = [];
  for (const each of owners) {
    const at = convert(live, each.apiVersion);
    if (!at) continue;
    const fields = reconcileWithSchema(at.schema, each.fields);
    result.push(fields === each.fields ? each : { ...each, fields, entry: undefined });
  }
  return result;
}

/**
 * Takes away what the applier applied last time and does not any more, unless somebody else owns it, or it was never the
 * applier's.
 */
function prune(merged: Versioned, last: Owner, owners: readonly Owner[], convert: Application['convert']): Versioned {
  if (isEmpty(last.fields)) return merged;
  const start = convert(merged, last.apiVersion);
  if (!start) return merged;
  const lastFields = withNamedFields(start.schema, last.fields);
  let pruned: Versioned = { ...start, value: removeItems(start.schema, start.value, lastFields) };
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, fields } of owners) owned.set(apiVersion, union(owned.get(apiVersion) ?? EMPTY, fields));
  const versions = [...owned.keys()].sort((a, b) => Number(b === last.apiVersion) - Number(a === last.apiVersion));
  let whole = start;
  for (const version of versions) {
    const wholeThere = convert(whole, version);
    const prunedThere = wholeThere && convert(pruned, version);
    if (!wholeThere || !prunedThere) continue;
    const { schema, value } = wholeThere;
    const named = (set: FieldSet) => withNamedFields(schema, set);
    const gone = difference(
      named(fieldSetOf(schema, value)),
      union(named(fieldSetOf(schema, prunedThere.value)), named(owned.get(version) as FieldSet)),
    );
    whole = wholeThere;
    pruned = { ...wholeThere, value: removeItems(schema, value, gone) };
  }
  const back = convert(pruned, last.apiVersion);
  if (!back) return merged;
  const all = withNamedFields(start.schema, fieldSetOf(start.schema, start.value));
  const rest = withNamedFields(start.schema, fieldSetOf(start.schema, back.value));
  return { ...start, value: removeItems(start.schema, start.value, intersection(difference(all, rest), lastFields)) };
}

/** The other owners without what changes. Throws when that is somebody's and it is not forced. */
function withoutTaken(
  { live, ignored, convert }: Application,
  others: readonly Owner[],
  next: Versioned,
  force: boolean,
): readonly Owner[] {
  const conflicts: Conflict[] = [];
  const kept: Owner[] = [];
  for (const other of others.toSorted((a, b) => compareText(identityOf(a), identityOf(b)))) {
    const from = convert(live, other.apiVersion);
    const to = convert(next, other.apiVersion);
    if (!from || !to) continue;
    const { added, modified, removed } = compareValues(from.schema, from.value, to.value, ignored);
    const taken = intersection(other.fields, union(modified, added));
    for (const path of pathsOf(taken)) conflicts.push({ owner: other, path });
    const fields = difference(difference(other.fields, taken), removed);
    if (fields === other.fields) kept.push(other);
    else if (!isEmpty(fields)) kept.push({ ...other, fields, entry: undefined });
  }
  if (!force && conflicts.length > 0) throw new ConflictsError(conflicts);
  return kept;
}

/** What client-side apply has said of the object and is still so; undefined when it has said nothing. */
function clientSideApplied({ live }: Application): FieldSet | undefined {
  const { metadata } = live.value as { readonly metadata?: JsonValue };
  const annotations = isJsonMap(metadata) ? metadata.annotations : undefined;
  const text = isJsonMap(annotations) && Object.hasOwn(annotations, LAST_APPLIED) ? annotations[LAST_APPLIED] : '';
  if (typeof text !== 'string' || text === '') return undefined;
  const last = parsed(text);
  if (!isJsonMap(last) || last.apiVersion !== live.apiVersion) return undefined;
  if (typeErrors(live.schema, last) !== undefined) return undefined;
  const { added, modified, removed } = compareValues(live.schema, last, live.value);
  return difference(fieldSetOf(live.schema, last), union(added, union(modified, removed)));
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Follows managedfields/internal/conflict.go, v1.33. */
function conflictStatus(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printOwner(owner)}`,
    field: printPath(path),
  }));
  const [first] = conflicts;
  if (first && conflicts.length === 1) {
    const message = `Apply failed with 1 conflict: conflict with ${printOwner(first.owner)}: ${printPath(first.path)}`;
    return new StatusError(409, 'Conflict', message, { causes });
  }
  const lines: string[] = [];
  let previous: Owner | undefined;
  for (const { owner, path } of conflicts) {
    if (owner !== previous) lines.push(`conflicts with ${printOwner(owner)}:`);
    lines.push(`- ${printPath(path)}`);
    previous = owner;
  }
  const message = `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
  return new StatusError(409, 'Conflict', message, { causes });
}

function printOwner({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = goQuote(manager) + (subresource ? ` with subresource ${goQuote(subresource)}` : '');
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
