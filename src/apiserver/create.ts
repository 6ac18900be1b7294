import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { alreadyExists, badRequest, invalid, isStatus, StatusError } from '#apimachinery/status-error.ts';
import { formatTime } from '#base/clock.ts';
import { admit, validateAdmission, waitForAdmission } from './admission.ts';
import { Reservation } from './allocation.ts';
import type { Ownership } from './field-manager.ts';
import {
  changeMeta,
  dedupOwnerReferences,
  expectedNamespace,
  matchNamespace,
  withMeta,
  withTypeMeta,
} from './metadata.ts';
import { validateObjectMeta } from './metadata-validation.ts';
import type { RequestScope } from './request-scope.ts';

/**
 * Creates the request's object: decode and default → owners → field ownership → mutating admission → uid, name →
 * allocation → prepareForCreate → validate → canonicalize → validating admission → write. Follows endpoints/handlers/create.go and
 * registry/rest/create.go, v1.33.
 */
export async function create<T extends ApiObject>(scope: RequestScope<T>): Promise<T> {
  const { definition, request, core } = scope;
  const given = request.object;
  if (!given) throw badRequest('an object is required');
  let object = defaulted(definition, withTypeMeta(definition, given as T));
  const namespace = matchNamespace(object, expectedNamespace(definition, request.namespace));
  object = withMeta(object, {
    namespace,
    uid: undefined,
    creationTimestamp: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
  });
  object = dedupOwnerReferences(object, scope.warn, false);
  const ownership = core.fields.written(scope, undefined, object, given);
  const name = request.name ?? object.metadata.name ?? '';
  await waitForAdmission(scope, name, object);
  object = dedupOwnerReferences(await admit(scope, 'CREATE', name, object, undefined), scope.warn, true);
  return createStored(scope, object, ownership);
}

export function defaulted<T extends ApiObject>(definition: ResourceDefinition<T>, object: T): T {
  return definition.defaults ? definition.defaults(object) : object;
}

const NAME_ATTEMPTS = 8;

/** The registry's part of a create. A generated name that is taken is tried anew a few times. */
async function createStored<T extends ApiObject>(scope: RequestScope<T>, object: T, ownership: Ownership): Promise<T> {
  const { name, generateName } = object.metadata;
  if (name || !generateName) return createNamed(scope, object, ownership);
  for (let attempt = 1; ; attempt++) {
    const named = changeMeta(object, { name: generateName.slice(0, 58) + scope.core.random.names.suffix(5) });
    try {
      return await createNamed(scope, named, ownership);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists') || attempt === NAME_ATTEMPTS) throw error;
    }
  }
}

/** Somebody who makes by hand what shall come with the object may be faster: then other things are allocated. */
async function createNamed<T extends ApiObject>(scope: RequestScope<T>, object: T, ownership: Ownership): Promise<T> {
  for (;;) {
    const created = await createOnce(scope, object, ownership);
    if (created) return created;
  }
}

/** Returns undefined when what was allocated has become another's. */
async function createOnce<T extends ApiObject>(
  scope: RequestScope<T>,
  object: T,
  ownership: Ownership,
): Promise<T | undefined> {
  const { definition, core, storage } = scope;
  const reservation = new Reservation(scope);
  try {
    const next = prepareNew(scope, object, reservation);
    const { name = '', namespace } = next.metadata;
    await validateAdmission(scope, 'CREATE', scope.request.name ?? name, next, undefined);
    if (next.metadata.resourceVersion)
      throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
    const key = storage.key(namespace, name);
    const existing = storage.find(namespace, name);
    if (existing) throw taken(definition, object, name, storage.decode(existing));
    if (scope.dryRun) return core.fields.attach(next, ownership);
    const lease =
      definition.ttlSeconds === undefined ? 0 : core.leases.leaseFor(definition.ttlSeconds, scope.now, scope.span);
    const committed = await scope.commit(
      { put: key, lease, value: (revision) => storage.encode(next, revision, ownership) },
      0,
      reservation.companions,
    );
    if (!committed?.stored) {
      const faster = scope.read(definition, namespace, name);
      if (!faster && reservation.companions) return undefined;
      throw taken(definition, object, name, faster);
    }
    reservation.commit();
    return storage.decode(committed.stored);
  } finally {
    reservation.end();
  }
}

/**
 * System fields, allocation, prepareForCreate, validation and canonicalization of an object that will be created. Throws
 * 422.
 */
export function prepareNew<T extends ApiObject>(scope: RequestScope<T>, object: T, reservation: Reservation<T>): T {
  const { definition, core, request } = scope;
  const { strategy } = definition;
  const context = { now: scope.now, user: request.user };
  let next = changeMeta(object, {
    uid: core.random.uids.uuid(),
    creationTimestamp: formatTime(scope.now),
    namespace: matchNamespace(object, expectedNamespace(definition, request.namespace)) || undefined,
  });
  next = reservation.create(next);
  if (strategy?.prepareForCreate) next = strategy.prepareForCreate(next, context);
  const errors = validateObjectMeta(definition as unknown as ResourceDefinition, next.metadata);
  if (definition.validate) errors.push(...definition.validate(next));
  if (errors.length > 0) throw invalid(definition, next.metadata.name ?? '', errors);
  if (request.warn) for (const text of strategy?.warnings?.(next, undefined) ?? []) request.warn(text);
  if (request.warnNotModelled) for (const text of definition.notModelled?.(next) ?? []) scope.warn(text);
  return strategy?.canonicalize ? strategy.canonicalize(next) : next;
}

function taken<T extends ApiObject>(
  definition: ResourceDefinition<T>,
  asked: T,
  name: string,
  existing: T | undefined,
): StatusError {
  const { message, details } = alreadyExists(definition, name).status;
  const generated = asked.metadata.generateName
    ? ', the server was not able to generate a unique name for the object'
    : '';
  const deleting = existing?.metadata.deletionTimestamp ? 'object is being deleted: ' : '';
  return new StatusError(409, 'AlreadyExists', `${deleting}${message}${generated}`, {
    ...details,
    ...(generated ? { retryAfterSeconds: 1 } : {}),
  });
}
