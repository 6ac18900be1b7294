import { canonicalObject } from '#apimachinery/canonical.ts';
import { deepFreeze, type JsonValue } from '#apimachinery/json.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import type { StructSchema } from '#apimachinery/schema.ts';
import { invalid } from '#apimachinery/status-error.ts';
import { tooLong } from '#apimachinery/validation.ts';
import { formatTime } from '#base/clock.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Applied, Versioned } from './field-apply.ts';
import { applyConfiguration } from './field-apply.ts';
import { UNOWNED } from './field-compare.ts';
import {
  afterWrite,
  decodeOwners,
  encodeOwners,
  type ManagedFieldsEntry,
  type Owner,
  timeless,
  type Write,
} from './field-owners.ts';
import { EMPTY, type FieldSet, setOf, union } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import { fieldManagerErrors } from './query.ts';
import type { RequestScope } from './request-scope.ts';
import type { ResourceTable } from './resource-table.ts';
import { componentOf } from './watch.ts';

/** So many writes may wait to be worked out; more would keep too many old objects alive. */
const MAX_PENDING = 12;
const MAX_SUBRESOURCE = 256;

/** Who owns the fields of one revision of an object. Worked out from the writes that led to it when somebody asks. */
export class Ownership {
  #owners: readonly Owner[] | undefined;
  #previous: Ownership | undefined;
  #write: Write | undefined;
  readonly #pending: number;
  /** The client has set it itself, or applied: it may differ where the object does not. */
  readonly explicit: boolean;

  constructor(
    start: { readonly owners: readonly Owner[] } | { readonly previous: Ownership; readonly write: Write },
    explicit = false,
  ) {
    this.explicit = explicit;
    if ('owners' in start) {
      this.#owners = start.owners;
      this.#pending = 0;
      return;
    }
    const { previous, write } = start;
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

/** Fields that an endpoint does not write, with all below them. Follows the strategies' GetResetFields, v1.33. */
interface Ignored {
  readonly reset: FieldSet;
  readonly withUnowned: FieldSet;
}

const NOBODY = new Ownership({ owners: [] });
/** Belongs to the objects, wherever they are: a server that starts anew on the same etcd finds it. */
const ownerships = new WeakMap<ApiObject, Ownership>();

/** Who writes, as the owner of what will have been written. */
export const writerOf = ({ request, definition, now }: RequestScope): Omit<Owner, 'fields' | 'operation'> => ({
  manager: request.options.fieldManager || componentOf(request.userAgent).slice(0, 128) || 'unknown',
  apiVersion: apiVersionOf(definition),
  subresource: request.subresource ?? '',
  time: formatTime(now),
});

/**
 * Keeps who owns which field, beside the objects. A write is only noted; sets of fields are computed when somebody looks
 * at metadata.managedFields from outside, applies, or when too many writes have gathered. Follows
 * apimachinery/pkg/util/managedfields, v1.33.
 */
export class FieldManager {
  readonly #schemaOf: (definition: ResourceDefinition) => StructSchema;
  readonly #resources: ResourceTable;
  readonly #views = new BoundedCache<ApiObject, ApiObject>(20_000);
  readonly #ignored = new WeakMap<ResourceDefinition, Map<string, Ignored>>();

  constructor(schemaOf: (definition: ResourceDefinition) => StructSchema, resources: ResourceTable) {
    this.#schemaOf = schemaOf;
    this.#resources = resources;
  }

  /**
   * The ownership that follows a write of the request, before admission. `given` is the object as the client sent it,
   * whose managedFields count if it has any. Throws 422 when these cannot be.
   */
  written<T extends ApiObject>(scope: RequestScope<T>, before: T | undefined, after: T, given: ApiObject): Ownership {
    const { request } = scope;
    const definition = scope.definition as unknown as ResourceDefinition;
    const { subresource = '' } = request;
    const own = subresource === '' ? fromClient(definition, given) : undefined;
    const writer = writerOf(scope as unknown as RequestScope);
    const isView = subresource !== '' && !definition.subresources?.[subresource];
    return new Ownership(
      {
        previous: own ?? (before ? this.of(before) : NOBODY),
        write: {
          // What a Scale changes has no time. Follows managedfields/scalehandler.go, v1.33.
          owner: { ...writer, operation: 'Update', ...(isView ? { time: undefined } : {}) },
          schema: this.#schemaOf(definition),
          before,
          after,
          ignored: this.#ignoredBy(definition, subresource).withUnowned,
          inVersion: (apiVersion, object) => this.#inVersion(definition, object, apiVersion),
        },
      },
      own !== undefined,
    );
  }

  /**
   * What becomes of an object, and of its owners, when the request applies `config` to it. Throws 409. `live` and
   * `owners` are those of the object, or of a view of it.
   */
  apply(scope: RequestScope, live: Versioned, config: JsonValue, owners: readonly Owner[], force: boolean): Applied {
    const { definition, request } = scope;
    return applyConfiguration({
      owner: { ...writerOf(scope), apiVersion: live.apiVersion },
      force,
      live,
      config,
      owners,
      ignored:
        live.apiVersion === apiVersionOf(definition)
          ? this.#ignoredBy(definition, request.subresource ?? '').reset
          : EMPTY,
      convert: (from, apiVersion) => {
        if (from.apiVersion === apiVersion) return from;
        const source = this.#version(definition, from.apiVersion);
        const to = source && this.#inVersion(source, from.value as unknown as ApiObject, apiVersion);
        return to && { apiVersion, schema: to.schema, value: to.object as unknown as JsonValue };
      },
    });
  }

  #ignoredBy(definition: ResourceDefinition, subresource: string): Ignored {
    let sets = this.#ignored.get(definition);
    if (!sets) this.#ignored.set(definition, (sets = new Map()));
    let ignored = sets.get(subresource);
    if (!ignored) {
      const { subresources, resetFields } = definition;
      const usual = subresource === 'status' ? ['spec'] : subresources?.status ? ['status'] : [];
      const paths = resetFields?.[subresource === '' ? 'object' : subresource] ?? usual;
      const reset = setOf(...paths.map((path) => path.split('.').map(fieldElement)));
      sets.set(subresource, (ignored = { reset, withUnowned: union(UNOWNED, reset) }));
    }
    return ignored;
  }

  /** The definition of a version of the same kind. */
  #version(definition: ResourceDefinition, apiVersion: string): ResourceDefinition | undefined {
    if (apiVersionOf(definition) === apiVersion) return definition;
    const root = ({ storedAs, group, plural }: ResourceDefinition) =>
      storedAs ? `${storedAs.resource.group}/${storedAs.resource.plural}` : `${group}/${plural}`;
    for (const other of this.#resources.all()) {
      if (other.kind === definition.kind && apiVersionOf(other) === apiVersion && root(other) === root(definition))
        return other;
    }
    return undefined;
  }

  #inVersion(
    definition: ResourceDefinition,
    object: ApiObject,
    apiVersion: string,
  ): { readonly schema: StructSchema; readonly object: ApiObject } | undefined {
    const target = this.#version(definition, apiVersion);
    if (!target) return undefined;
    const stored = definition.storedAs ? definition.storedAs.toStored(object) : object;
    const there = target.storedAs ? target.storedAs.fromStored(stored) : stored;
    return {
      schema: this.#schemaOf(target),
      object: this.canonical(target, { ...there, kind: target.kind, apiVersion }),
    };
  }

  of(object: ApiObject): Ownership {
    return ownerships.get(object) ?? NOBODY;
  }

  /** Notes who owns the fields of an object. Returns it. */
  attach<T extends ApiObject>(object: T, ownership: Ownership): T {
    ownerships.set(object, ownership);
    return object;
  }

  /** Whether a write that changes no field changes who owns them (times aside): only when the client says so. */
  changes(object: ApiObject, ownership: Ownership): boolean {
    return ownership.explicit && timeless(ownership.owners()) !== timeless(this.of(object).owners());
  }

  /** The object as Go would write it, without managedFields. */
  canonical<T extends ApiObject>(definition: ResourceDefinition<T>, object: T): T {
    if (definition.custom) return object;
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

/** What the client's own managedFields say; undefined when it leaves them as they are, or says nonsense. */
function fromClient(definition: ResourceDefinition, { metadata }: ApiObject): Ownership | undefined {
  const { managedFields } = metadata as { readonly managedFields?: readonly ManagedFieldsEntry[] | null };
  if (!managedFields) return undefined;
  const reset =
    managedFields.length === 0 || (managedFields.length === 1 && Object.keys(managedFields[0] ?? {}).length === 0);
  const owners = reset ? [] : decodeOwners(managedFields);
  if (!owners) return undefined;
  // Follows ValidateManagedFields of apis/meta/v1/validation, v1.33.
  const errors = managedFields.flatMap(({ manager, subresource = '' }, i) => [
    ...fieldManagerErrors(manager, `metadata.managedFields[${i}].manager`),
    ...(subresource.length > MAX_SUBRESOURCE
      ? [tooLong(`metadata.managedFields[${i}].subresource`, MAX_SUBRESOURCE)]
      : []),
  ]);
  if (errors.length > 0) throw invalid(definition, metadata.name ?? '', errors);
  return new Ownership({ owners });
}
