import { jsonEqual } from '#apimachinery/equal.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, conflict, invalid, notFound, StatusError } from '#apimachinery/status-error.ts';
import { invalidField } from '#apimachinery/validation.ts';
import { admit, validateAdmission } from './admission.ts';
import { Reservation } from './allocation.ts';
import { defaulted, prepareNew } from './create.ts';
import { removeFinalized } from './delete.ts';
import type { ObjectView } from './contract.ts';
import type { Ownership } from './field-manager.ts';
import {
  changeMeta,
  dedupOwnerReferences,
  expectedNamespace,
  matchNamespace,
  withMeta,
  withTypeMeta,
} from './metadata.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './metadata-validation.ts';
import type { RequestScope } from './request-scope.ts';
import { parseResourceVersion, type Stored } from './storage.ts';

export const OPTIMISTIC_LOCK =
  'the object has been modified; please apply your changes to the latest version and try again';

/** What a writer makes of the current object (undefined: there is none), and who owns the fields then. */
export interface Proposal<T> {
  readonly object: T;
  readonly ownership: Ownership;
}

export interface UpdateOptions<T> {
  /** The new object; called again when somebody else was faster. */
  propose(existing: T | undefined): Proposal<T> | Promise<Proposal<T>>;
  /** An object that does not exist is created, whatever the kind says (apply). */
  readonly forceAllowCreate?: boolean;
  /** The uid that the existing object must have. */
  readonly uid?: string;
  /** The proposal came through this view, and has passed mutating admission as such. */
  readonly view?: ObjectView;
  /** Changes of the server's own pass no admission. */
  readonly skipAdmission?: boolean;
  /** The proposal is written as it is: no strategy, no validation. */
  readonly unchecked?: boolean;
}

/** PUT: replaces the request's object. Follows endpoints/handlers/update.go, v1.33. */
export async function update<T extends ApiObject>(scope: RequestScope<T>, view?: ObjectView): Promise<T> {
  if (view) return updateThroughView(scope, view);
  const { definition, request, core } = scope;
  const { name = '' } = request;
  if (!request.object) throw badRequest('an object is required');
  let object = defaulted(definition, withTypeMeta(definition, request.object as T));
  const wanted = expectedNamespace(definition, request.namespace);
  if ((object.metadata.namespace ?? '') !== wanted)
    object = withMeta(object, { namespace: matchNamespace(object, wanted) });
  checkName(object, name);
  object = dedupOwnerReferences(object, scope.warn, false);
  return store(scope, name, {
    uid: object.metadata.uid,
    propose: (existing) => ({
      object,
      ownership: core.fields.written(scope, existing, object, request.object as ApiObject),
    }),
  });
}

/** PUT of a view. Follows the ScaleREST of pkg/registry/apps/deployment/storage, v1.33. */
async function updateThroughView<T extends ApiObject>(scope: RequestScope<T>, view: ObjectView): Promise<T> {
  const { definition, request, core } = scope;
  const { name = '' } = request;
  if (!request.object) throw badRequest('an object is required');
  let asked = defaulted(view.definition, withTypeMeta(view.definition, request.object));
  const namespace = matchNamespace(asked, expectedNamespace(definition, request.namespace));
  asked = withMeta(asked, { namespace });
  checkName(asked, name);
  return store(scope, name, {
    view,
    async propose(existing) {
      const object = await throughView(scope, view, asked, existing as T);
      return { object, ownership: core.fields.written(scope, existing, object, object) };
    },
  });
}

/** The object that a view asks for: mutating admission and validation of the view first. Throws 409 and 422. */
export async function throughView<T extends ApiObject>(
  scope: RequestScope<T>,
  view: ObjectView,
  asked: ApiObject,
  existing: T,
): Promise<T> {
  const { definition } = scope;
  const { uid, name = '' } = existing.metadata;
  const viewScope = scope as unknown as RequestScope;
  const admitted = await admit(viewScope, 'UPDATE', name, asked, view.of(existing));
  const errors = validateObjectMeta(view.definition, admitted.metadata);
  errors.push(...(view.definition.validate?.(admitted) ?? []));
  if (errors.length > 0) throw invalid(view.definition, name, errors);
  if (admitted.metadata.uid && admitted.metadata.uid !== uid) {
    throw conflict(
      { group: definition.group, plural: `${definition.plural}/${scope.request.subresource}` },
      name,
      `Precondition failed: UID in precondition: ${admitted.metadata.uid}, UID in object meta: ${uid}`,
    );
  }
  const next = view.apply(admitted, existing) as T;
  return changeMeta(next, { resourceVersion: admitted.metadata.resourceVersion });
}

export function checkName(object: ApiObject, name: string): void {
  const { name: given = '' } = object.metadata;
  if (given === '') {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (given !== name)
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

/**
 * Writes what `propose` makes of the current object, again and again until nobody was faster: proposal → mutating
 * admission → resourceVersion → prepareForUpdate → validate → canonicalize → validating admission → write, or deletion
 * when the last finalizer went. Follows Update of registry/generic/registry/store.go, v1.33.
 */
export async function store<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  options: UpdateOptions<T>,
): Promise<T> {
  const { definition, request, storage } = scope;
  const namespace = definition.scope === 'Namespaced' ? request.namespace : undefined;
  for (;;) {
    const stored = storage.find(namespace, name);
    const existing = stored && storage.decode(stored);
    if (!stored || !existing) {
      if (!definition.strategy?.allowCreateOnUpdate && !options.forceAllowCreate) throw notFound(definition, name);
      const created = await createByUpdate(scope, name, options);
      if (created) return created;
      continue;
    }
    const updated = await updateOnce(scope, name, options, stored, existing);
    if (updated) return updated;
  }
}

/** Returns undefined when somebody else was faster. */
async function updateOnce<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  options: UpdateOptions<T>,
  stored: Stored,
  existing: T,
): Promise<T | undefined> {
  const { definition, storage, core } = scope;
  const reservation = new Reservation(scope);
  try {
    if (options.uid && existing.metadata.uid !== options.uid) throw uidMismatch(scope, stored, options.uid);
    const proposal = await options.propose(existing);
    const { view } = options;
    const admitted =
      options.skipAdmission || view
        ? proposal.object
        : dedupOwnerReferences(await admit(scope, 'UPDATE', name, proposal.object, existing), scope.warn, true);
    const next = options.unchecked
      ? admitted
      : prepareUpdate(scope, name, admitted, existing, stored.modRevision, reservation);
    if (view) {
      await validateAdmission(scope as unknown as RequestScope, 'UPDATE', name, view.of(next), view.of(existing));
    } else if (!options.skipAdmission) await validateAdmission(scope, 'UPDATE', name, next, existing);
    if (finishesDeletion(definition, next, existing)) return await removeFinalized(scope, stored, next);
    if (isSame(scope, next, existing) && !core.fields.changes(existing, proposal.ownership)) return existing;
    if (scope.dryRun) return core.fields.attach(next, proposal.ownership);
    const lease =
      definition.ttlSeconds === undefined
        ? stored.lease
        : core.leases.leaseFor(definition.ttlSeconds, scope.now, scope.span);
    const committed = await scope.commit(
      { put: stored.key, lease, value: (revision) => storage.encode(next, revision, proposal.ownership) },
      stored.modRevision,
      reservation.companions,
    );
    if (!committed?.stored) return undefined;
    reservation.commit();
    return storage.decode(committed.stored);
  } finally {
    reservation.end();
  }
}

/** Whether nothing would change in etcd. What a client outside sends is as Go writes it; what is stored need not be. */
function isSame<T extends ApiObject>({ core, definition, external }: RequestScope<T>, next: T, existing: T): boolean {
  if (jsonEqual(next, existing)) return true;
  const canonical = (object: T) => core.fields.canonical(definition, object);
  return external && jsonEqual(canonical(next), canonical(existing));
}

/** Returns undefined when the object has come to exist meanwhile. */
async function createByUpdate<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  options: UpdateOptions<T>,
): Promise<T | undefined> {
  const { definition, storage, core, request } = scope;
  const { object, ownership } = await options.propose(undefined);
  if (object.metadata.uid) {
    throw conflict(
      definition,
      name,
      `uid mismatch: the provided object specified uid ${object.metadata.uid}, and no existing object was found`,
    );
  }
  const admitted = dedupOwnerReferences(await admit(scope, 'CREATE', name, object, undefined), scope.warn, true);
  const reservation = new Reservation(scope);
  try {
    const next = prepareNew(scope, withMeta(admitted, { resourceVersion: undefined }), reservation);
    await validateAdmission(scope, 'CREATE', name, next, undefined);
    request.onCreated?.();
    if (scope.dryRun) return core.fields.attach(next, ownership);
    const lease =
      definition.ttlSeconds === undefined ? 0 : core.leases.leaseFor(definition.ttlSeconds, scope.now, scope.span);
    const key = storage.key(next.metadata.namespace, name);
    const committed = await scope.commit(
      { put: key, lease, value: (revision) => storage.encode(next, revision, ownership) },
      0,
      reservation.companions,
    );
    if (!committed?.stored) return undefined;
    reservation.commit();
    return storage.decode(committed.stored);
  } finally {
    reservation.end();
  }
}

/** Follows BeforeUpdate of registry/rest/update.go, v1.33. Throws 409 and 422. */
function prepareUpdate<T extends ApiObject>(
  scope: RequestScope<T>,
  name: string,
  object: T,
  existing: T,
  modRevision: number,
  reservation: Reservation<T>,
): T {
  const { definition, request } = scope;
  const { strategy } = definition;
  const previous = existing.metadata;
  const version = parseResourceVersion(object.metadata.resourceVersion);
  if (version === undefined)
    throw new StatusError(500, '', `strconv.ParseUint: parsing "${object.metadata.resourceVersion}": invalid syntax`);
  if (version === 0) {
    if (strategy?.allowUnconditionalUpdate === false) {
      const kind = { group: definition.group, kind: definition.plural };
      throw invalid(kind, name, [invalidField('metadata.resourceVersion', 0, 'must be specified for an update')]);
    }
  } else if (version !== modRevision) throw conflict(definition, name, OPTIMISTIC_LOCK);
  const wanted = expectedNamespace(definition, request.namespace ?? previous.namespace);
  let next =
    object.metadata === previous
      ? object
      : withMeta(object, {
          namespace: matchNamespace(object, wanted),
          generation: previous.generation,
          resourceVersion: previous.resourceVersion,
        });
  const subresource = request.subresource === undefined ? undefined : definition.subresources?.[request.subresource];
  const context = { now: scope.now, user: scope.request.user };
  if (request.subresource === undefined) next = reservation.update(next, existing);
  if (subresource) next = subresource.prepareForUpdate(next, existing, context);
  else if (strategy?.prepareForUpdate) next = strategy.prepareForUpdate(next, existing, context);
  const { metadata } = next;
  // Most updates bring the metadata that there is.
  if (metadata !== previous)
    next = changeMeta(next, {
      uid: metadata.uid || previous.uid,
      creationTimestamp: previous.creationTimestamp ?? metadata.creationTimestamp,
      deletionTimestamp: previous.deletionTimestamp ?? metadata.deletionTimestamp,
      deletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds ?? previous.deletionGracePeriodSeconds,
    });
  const errors: FieldError[] = [
    // What is as it was when it was stored has been looked at then.
    ...(next.metadata === previous
      ? []
      : [
          ...validateObjectMeta(definition as unknown as ResourceDefinition, next.metadata),
          ...validateObjectMetaUpdate(next.metadata, previous),
        ]),
    ...((subresource ? subresource.validateUpdate(next, existing) : definition.validateUpdate?.(next, existing)) ?? []),
  ];
  if (errors.length > 0) throw invalid(definition, name, errors);
  if (request.warn) {
    const warnings = subresource ? subresource.warnings?.(next, existing) : strategy?.warnings?.(next, existing);
    for (const text of warnings ?? []) request.warn(text);
  }
  if (request.warnNotModelled && !subresource) {
    for (const text of definition.notModelled?.(next) ?? []) scope.warn(text);
  }
  return !subresource && strategy?.canonicalize ? strategy.canonicalize(next) : next;
}

/** Follows ShouldDeleteDuringUpdate of registry/generic/registry/store.go, v1.33. */
function finishesDeletion<T extends ApiObject>(definition: ResourceDefinition<T>, next: T, existing: T): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = existing.metadata;
  if (next.metadata.finalizers?.length || deletionTimestamp === undefined) return false;
  return !deletionGracePeriodSeconds && !definition.strategy?.holdsDeletion?.(next);
}

function uidMismatch<T extends ApiObject>(
  { definition, storage }: RequestScope<T>,
  stored: Stored,
  uid: string,
): StatusError {
  const { metadata } = storage.decode(stored);
  return conflict(
    definition,
    metadata.name ?? '',
    `StorageError: invalid object, Code: 4, Key: ${stored.key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`,
  );
}
