import { isNamespaceKind } from './resource-table.ts';
import type { ApiObject, ObjectMetaLike, OwnerReference, ResourceDefinition } from '#apimachinery/resource.ts';
import { apiVersionOf } from '#apimachinery/resource.ts';
import { badRequest } from '#apimachinery/status-error.ts';

type MutableMeta = { -readonly [K in keyof ObjectMetaLike]: ObjectMetaLike[K] };

/** Fields in the order in which they are encoded; managedFields are not kept in the object (see field-manager.ts). */
const ORDER = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
] as const satisfies readonly (keyof ObjectMetaLike)[];

/** The object with its metadata changed: in the usual order, without what is undefined, empty or nobody's business. */
export function withMeta<T extends ApiObject>(object: T, changes: ObjectMetaLike): T {
  return { ...object, metadata: orderedMeta(object.metadata, changes) };
}

/** The object with its metadata changed, for objects that {@link withMeta} has put in order before or will later. */
export function changeMeta<T extends ApiObject>(object: T, changes: ObjectMetaLike): T {
  return { ...object, metadata: { ...object.metadata, ...changes } };
}

function orderedMeta(metadata: ObjectMetaLike, changes: ObjectMetaLike): ObjectMetaLike {
  const ordered: Record<string, unknown> = {};
  for (const field of ORDER) {
    const value = field in changes ? changes[field] : metadata[field];
    if (value !== undefined && value !== null && value !== '') ordered[field] = value;
  }
  return ordered as MutableMeta;
}

/** The object with apiVersion and kind first, as every stored object has them. */
export function withTypeMeta<T extends ApiObject>(definition: ResourceDefinition<T>, object: T): T {
  const apiVersion = apiVersionOf(definition);
  if (object.apiVersion === apiVersion && object.kind === definition.kind) return object;
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  return { kind: definition.kind, apiVersion, metadata, ...rest } as unknown as T;
}

/** The namespace that objects of a request are in; empty for cluster-scoped ones. */
export function expectedNamespace(definition: ResourceDefinition, requested: string | undefined): string {
  return definition.scope === 'Cluster' || isNamespaceKind(definition) ? '' : (requested ?? '');
}

/**
 * The namespace that the object must get so that it matches its request. Throws 400 when they differ. Follows
 * EnsureObjectNamespaceMatchesRequestNamespace of registry/rest/meta.go, v1.33.
 */
export function matchNamespace(object: ApiObject, wanted: string): string {
  const { namespace = '' } = object.metadata;
  if (namespace !== '' && wanted !== '' && namespace !== wanted) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return wanted;
}

/** The object without repetitions among its owners, which are warned of. Follows dedupOwnerReferences of handlers/rest.go, v1.33. */
export function dedupOwnerReferences<T extends ApiObject>(
  object: T,
  warn: (text: string) => void,
  afterAdmission: boolean,
): T {
  const owners = object.metadata.ownerReferences;
  if (!owners || owners.length < 2) return object;
  const kept: OwnerReference[] = [];
  const duplicates: string[] = [];
  for (const owner of owners) {
    if (kept.some((other) => sameOwner(owner, other))) duplicates.push(owner.uid);
    else kept.push(owner);
  }
  if (duplicates.length === 0) return object;
  warn(
    `.metadata.ownerReferences contains duplicate entries${afterAdmission ? ' after mutating admission happens' : ''}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${duplicates.join(', ')}`,
  );
  return { ...object, metadata: { ...object.metadata, ownerReferences: kept } };
}

const sameOwner = (a: OwnerReference, b: OwnerReference): boolean =>
  a.apiVersion === b.apiVersion &&
  a.kind === b.kind &&
  a.name === b.name &&
  a.uid === b.uid &&
  (a.controller ?? false) === (b.controller ?? false) &&
  (a.blockOwnerDeletion ?? false) === (b.blockOwnerDeletion ?? false);
