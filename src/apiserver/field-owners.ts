import { deepFreeze, type JsonValue } from '#apimachinery/json.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import type { StructSchema } from '#apimachinery/schema.ts';
import { type Comparison, compareObjects } from './field-compare.ts';
import { decodeFieldSet, difference, encodeFieldSet, type FieldSet, isEmpty, union } from './field-set.ts';
import { compareText } from './path-element.ts';
import { reconcileWithSchema } from './typed-merge.ts';

/** metav1.ManagedFieldsEntry. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: JsonValue;
  readonly subresource?: string;
}

/** Who, by what operation, and which fields. */
export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
  /** As the API shows it, once somebody has looked. */
  entry?: ManagedFieldsEntry;
}

/** One write: who made what out of what. */
export interface Write {
  readonly owner: Omit<Owner, 'fields'>;
  readonly schema: StructSchema;
  /** Undefined: the write created the object. */
  readonly before: ApiObject | undefined;
  readonly after: ApiObject;
  /** What the endpoint does not write. */
  readonly ignored: FieldSet;
  /** The object in another version of the API, with that version's schema; undefined: there is no such version. */
  inVersion(
    apiVersion: string,
    object: ApiObject,
  ): { readonly schema: StructSchema; readonly object: ApiObject } | undefined;
}

const MAX_UPDATE_OWNERS = 10;
const ANCIENT = 'ancient-changes';

/**
 * Who the owner is, as a text to sort by. An applier is the same one whatever version it applies. Follows
 * BuildManagerIdentifier of managedfields/internal/managedfields.go, v1.33.
 */
export function identityOf({ manager, operation, apiVersion, subresource }: Omit<Owner, 'fields' | 'time'>): string {
  return JSON.stringify({
    ...(manager ? { manager } : {}),
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    ...(subresource ? { subresource } : {}),
  });
}

/**
 * Who owns what after a write: who writes a field owns it, and nobody else does. Objects that nobody owns anything of stay
 * so until somebody applies. Follows merge/update.go of structured-merge-diff and managedfields/internal
 * skipnonapplied.go, v1.33.
 */
export function afterWrite(owners: readonly Owner[], write: Write): readonly Owner[] {
  const { owner, schema, before, after, ignored } = write;
  if (owners.length === 0 && before) return owners;
  const compare = (by: StructSchema, from: ApiObject | undefined, to: ApiObject) =>
    compareObjects(by, (from ?? {}) as unknown as JsonValue, to as unknown as JsonValue, ignored);
  const comparison = compare(schema, before, after);
  const versions = new Map<string, Comparison | undefined>([[owner.apiVersion, comparison]]);
  const taken = union(comparison.added, comparison.modified);
  const self = identityOf(owner);
  const result: Owner[] = [];
  let own = taken;
  for (const other of owners) {
    const { apiVersion } = other;
    if (!versions.has(apiVersion)) {
      const to = write.inVersion(apiVersion, after);
      versions.set(
        apiVersion,
        to && compare(to.schema, before && write.inVersion(apiVersion, before)?.object, to.object),
      );
    }
    const seen = versions.get(apiVersion);
    // What was written in a version that is no longer there is forgotten.
    if (!seen) continue;
    const kept = schema.name ? other.fields : reconcileWithSchema(schema, other.fields);
    const fields = difference(difference(kept, union(seen.added, seen.modified)), seen.removed);
    if (!isEmpty(taken) && identityOf(other) === self) own = union(own, fields);
    else if (fields === other.fields) result.push(other);
    else if (!isEmpty(fields)) result.push({ ...other, fields, entry: undefined });
  }
  if (!isEmpty(own)) result.push({ ...owner, fields: own });
  return capped(result);
}

/** Merges the oldest owners by update when there are too many. Follows managedfields/internal/capmanagers.go, v1.33. */
function capped(owners: readonly Owner[]): readonly Owner[] {
  const updaters = owners.filter(({ operation }) => operation === 'Update');
  let count = updaters.length;
  if (count <= MAX_UPDATE_OWNERS) return owners;
  const kept = new Set(owners);
  const firstOf = new Map<string, Owner>();
  const buckets = new Map<string, Owner>();
  for (const updater of updaters.sort(byTime)) {
    if (count <= MAX_UPDATE_OWNERS) break;
    const { apiVersion, time } = updater;
    const first = firstOf.get(apiVersion);
    if (!first) {
      firstOf.set(apiVersion, updater);
      continue;
    }
    const bucket = buckets.get(apiVersion) ?? first;
    const merged: Owner = {
      ...bucket,
      entry: undefined,
      manager: ANCIENT,
      subresource: '',
      time,
      fields: union(bucket.fields, updater.fields),
    };
    kept.delete(bucket);
    kept.delete(updater);
    kept.add(merged);
    buckets.set(apiVersion, merged);
    count--;
  }
  return [...kept];
}

const byTime = (a: Owner, b: Owner): number =>
  compareText(a.time ?? '', b.time ?? '') || compareText(identityOf(a), identityOf(b));

/** metadata.managedFields. */
export function encodeOwners(owners: readonly Owner[]): readonly ManagedFieldsEntry[] {
  return [...owners]
    .sort(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time ?? '', b.time ?? '') ||
        compareText(a.manager, b.manager) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map((owner) => {
      owner.entry ??= encodeOwner(owner);
      return owner.entry;
    });
}

function encodeOwner({ manager, operation, apiVersion, time, fields, subresource }: Owner): ManagedFieldsEntry {
  return deepFreeze({
    ...(manager ? { manager } : {}),
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFieldSet(fields),
    ...(subresource ? { subresource } : {}),
  });
}

/** Reads metadata.managedFields; undefined if it is not valid. Follows DecodeManagedFields, v1.33. */
export function decodeOwners(entries: readonly ManagedFieldsEntry[]): readonly Owner[] | undefined {
  const owners = new Map<string, Owner>();
  for (const { manager = '', operation, apiVersion = '', time, fieldsType, fieldsV1, subresource = '' } of entries) {
    const fields = decodeFieldSet(fieldsV1 ?? {});
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (!fields || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
    const owner: Owner = { manager, operation, apiVersion, subresource, time: time ?? undefined, fields };
    owners.set(identityOf(owner), owner);
  }
  return [...owners.values()];
}

/** What owners are, but for the times. */
export const timeless = (owners: readonly Owner[]): string =>
  JSON.stringify(encodeOwners(owners.map((owner) => ({ ...owner, time: undefined, entry: undefined }))));
