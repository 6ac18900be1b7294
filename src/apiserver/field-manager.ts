import type { ApiObject } from '#apimachinery/resource.ts';
import { timestamp } from './metadata.ts';
import type { RequestScope } from './request-scope.ts';
import { componentOf } from './watch.ts';

/** metav1.ManagedFieldsEntry. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
  readonly subresource?: string;
}

/** One write that nobody has looked at yet: who made what out of what. */
export interface OwnedWrite {
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  /** Undefined: the write created the object. */
  readonly before: ApiObject | undefined;
  readonly after: ApiObject;
}

/** Who owns the fields of an object: entries that are known, and writes after them whose effect is not worked out yet. */
export interface Ownership {
  readonly entries: readonly ManagedFieldsEntry[];
  readonly writes: readonly OwnedWrite[];
}

const NOBODY: Ownership = { entries: [], writes: [] };

/**
 * Keeps who owns which field, beside the objects. A write is only noted; the sets of fields are computed when somebody
 * looks at managedFields, or when too many writes have gathered.
 */
export class FieldManager {
  readonly #owners = new WeakMap<ApiObject, Ownership>();

  /** The ownership that follows a write of the request. */
  written<T extends ApiObject>(scope: RequestScope<T>, before: T | undefined, after: T, _given: ApiObject): Ownership {
    const { request, definition } = scope;
    const { entries, writes } = before ? this.of(before) : NOBODY;
    const write: OwnedWrite = {
      manager: managerOf(request.options.fieldManager, request.userAgent),
      apiVersion: definition.group ? `${definition.group}/${definition.version}` : definition.version,
      subresource: request.subresource ?? '',
      time: timestamp(scope.now),
      before,
      after,
    };
    return { entries, writes: [...writes, write] };
  }

  of(object: ApiObject): Ownership {
    return this.#owners.get(object) ?? NOBODY;
  }

  /** Notes who owns the fields of an object. Returns it. */
  attach<T extends ApiObject>(object: T, ownership: Ownership): T {
    this.#owners.set(object, ownership);
    return object;
  }

  /** Whether a write that changes no field changes who owns them. */
  changes(_object: ApiObject, _ownership: Ownership): boolean {
    return false;
  }
}

/** Follows managerOrUserAgent of endpoints/handlers/create.go, v1.33. */
function managerOf(fieldManager: string | undefined, userAgent: string): string {
  return fieldManager || componentOf(userAgent);
}
