import { canonicalObject } from '#apimachinery/canonical.ts';
import { deepFreeze, type JsonValue } from '#apimachinery/json.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import type { StructSchema } from '#apimachinery/schema.ts';
import { formatTime } from '#base/clock.ts';
import { BoundedCache } from './bounded-cache.ts';
import { compareObjects } from './field-compare.ts';
import { decodeFieldSet, difference, encodeFieldSet, type FieldSet, isEmpty, union } from './field-set.ts';
import type { RequestScope } from './request-scope.ts';
import { componentOf } from './watch.ts';

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
interface Owner {
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
interface Write {
  readonly owner: Omit<Owner, 'fields'>;
  readonly schema: StructSchema;
  /** Undefined: the write created the object. */
  readonly before: ApiObject | undefined;
  readonly after: ApiObject;
  readonly ignored: ReadonlySet<string>;
}

/** So many writes may wait to be worked out; more would keep too many old objects alive. */
const MAX_PENDING = 12;
const MAX_UPDATE_OWNERS = 10;
const ANCIENT = 'ancient-changes';
const STATUS: ReadonlySet<string> = new Set(['status']);
const SPEC: ReadonlySet<string> = new Set(['spec']);
const NOTHING: ReadonlySet<string> = new Set();

/** Who owns the fields of one revision of an object. Worked out from the writes that led to it when somebody asks. */
export class Ownership {
  #owners: readonly Owner[] | undefined;
  #previous: Ownership | undefined;
  #write: Write | undefined;
  readonly #pending: number;
  /** The client has set managedFields itself. */
  readonly explicit: boolean;

  constructor(
    start:
      | { readonly owners: readonly Owner[]; readonly explicit?: boolean }
      | { readonly previous: Ownership; readonly write: Write },
  ) {
    if ('owners' in start) {
      this.#owners = start.owners;
      this.#pending = 0;
      this.explicit = start.explicit === true;
      return;
    }
    const { previous, write } = start;
    this.explicit = previous.explicit;
    this.#pending = previous.#pending + 1;
    if (this.#pending > MAX_PENDING) previous.owners();
    this.#previous = previous;
    this.#write = write;
    if (previous.#owners) this.#pending = 1;
  }

  owners(): readonly Owner[] {
    if (!this.#owners) {
      this.#owners = afterWrite((this.#previous as Ownership).owners(), this.#write as Write);
      this.#previous = undefined;
      this.#write = undefined;
    }
    return this.#owners;
  }
}

const NOBODY = new Ownership({ owners: [] });
/** Belongs to the objects, wherever they are: a server that starts anew on the same etcd finds it. */
const ownerships = new WeakMap<ApiObject, Ownership>();

/**
 * Keeps who owns which field, beside the objects. A write is only noted; sets of fields are computed when somebody looks
 * at metadata.managedFields from outside, or when too many writes have gathered. Follows
 * apimachinery/pkg/util/managedfields, v1.33.
 */
export class FieldManager {
  readonly #schemaOf: (definition: ResourceDefinition) => StructSchema;
  readonly #views = new BoundedCache<ApiObject, ApiObject>(20_000);

  constructor(schemaOf: (definition: ResourceDefinition) => StructSchema) {
    this.#schemaOf = schemaOf;
  }

  /**
   * The ownership that follows a write of the request, before admission. `given` is the object as the client sent it,
   * whose managedFields count if it has any.
   */
  written<T extends ApiObject>(scope: RequestScope<T>, before: T | undefined, after: T, given: ApiObject): Ownership {
    const { request, definition } = scope;
    const { fieldManager } = request.options;
    const subresource = request.subresource ?? '';
    const live = before ? this.of(before) : NOBODY;
    return new Ownership({
      previous: (subresource === '' && fromClient(given)) || live,
      write: {
        owner: {
          manager: fieldManager || componentOf(request.userAgent).slice(0, 128),
          operation: 'Update',
          apiVersion: apiVersionOf(definition),
          subresource,
          time: formatTime(scope.now),
        },
        schema: this.#schemaOf(definition as unknown as ResourceDefinition),
        before,
        after,
        ignored: ignoredBy(definition, subresource),
      },
    });
  }

  of(object: ApiObject): Ownership {
    return ownerships.get(object) ?? NOBODY;
  }

  /** Notes who owns the fields of an object. Returns it. */
  attach<T extends ApiObject>(object: T, ownership: Ownership): T {
    ownerships.set(object, ownership);
    return object;
  }

  /** Whether a write that changes no field changes who owns them: only when the client says so. */
  changes(object: ApiObject, ownership: Ownership): boolean {
    if (!ownership.explicit) return false;
    const timeless = (owners: readonly Owner[]) =>
      JSON.stringify(encodeOwners(owners.map((owner) => ({ ...owner, time: undefined, entry: undefined }))));
    return timeless(ownership.owners()) !== timeless(this.of(object).owners());
  }

  /** The object as Go would write it, without managedFields. */
  canonical<T extends ApiObject>(definition: ResourceDefinition<T>, object: T): T {
    return deepFreeze(canonicalObject(this.#schemaOf(definition as unknown as ResourceDefinition), object));
  }

  /** The object as clients outside see it: canonical, with its managedFields; the same value every time. */
  view<T extends ApiObject>(definition: ResourceDefinition<T>, object: T): T {
    let view = this.#views.get(object);
    if (!view) {
      const canonical = this.canonical(definition, object);
      const managedFields = encodeOwners(this.of(object).owners());
      view =
        managedFields.length === 0
          ? canonical
          : deepFreeze({ ...canonical, metadata: { ...canonical.metadata, managedFields } });
      this.#views.set(object, view);
    }
    return view as T;
  }
}

/** Fields at the top that an endpoint does not write: the status, or all but the status. */
function ignoredBy<T extends ApiObject>(
  { subresources }: ResourceDefinition<T>,
  subresource: string,
): ReadonlySet<string> {
  if (subresource === 'status') return SPEC;
  return subresources?.status ? STATUS : NOTHING;
}

/** What the client's own managedFields say; undefined when it leaves them as they are. */
function fromClient({ metadata }: ApiObject): Ownership | undefined {
  const { managedFields } = metadata as { readonly managedFields?: readonly ManagedFieldsEntry[] | null };
  if (!managedFields) return undefined;
  const reset =
    managedFields.length === 0 || (managedFields.length === 1 && Object.keys(managedFields[0] ?? {}).length === 0);
  if (reset) return new Ownership({ owners: [], explicit: true });
  const owners: Owner[] = [];
  for (const entry of managedFields) {
    const fields = decodeFieldSet(entry.fieldsV1 ?? {});
    if (!fields || (entry.operation !== 'Apply' && entry.operation !== 'Update')) return undefined;
    owners.push({
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields,
    });
  }
  return new Ownership({ owners, explicit: true });
}

/** Follows merge/update.go of structured-merge-diff, v1.33: who writes a field owns it, and nobody else does. */
function afterWrite(owners: readonly Owner[], { owner, schema, before, after, ignored }: Write): readonly Owner[] {
  const { added, modified, removed } = compareObjects(
    schema,
    (before ?? {}) as unknown as JsonValue,
    after as unknown as JsonValue,
    ignored,
  );
  const taken = union(added, modified);
  const result: Owner[] = [];
  let own: FieldSet = taken;
  for (const other of owners) {
    const fields = difference(difference(other.fields, taken), removed);
    if (!isEmpty(taken) && isSame(other, owner)) own = union(own, fields);
    else if (fields === other.fields) result.push(other);
    else if (!isEmpty(fields)) result.push({ ...other, fields, entry: undefined });
  }
  if (!isEmpty(own)) result.push({ ...owner, fields: own });
  return capped(result);
}

const isSame = (a: Omit<Owner, 'fields'>, b: Omit<Owner, 'fields'>): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.apiVersion === b.apiVersion &&
  a.subresource === b.subresource;

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

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byTime = (a: Owner, b: Owner): number =>
  compareText(a.time ?? '', b.time ?? '') || compareText(a.manager, b.manager);

/** metadata.managedFields. */
function encodeOwners(owners: readonly Owner[]): readonly ManagedFieldsEntry[] {
  return [...owners]
    .sort(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        byTime(a, b) ||
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
