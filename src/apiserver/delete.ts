import { jsonEqual } from '#apimachinery/equal.ts';
import type { RequestOptions } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { conflict, notFound, StatusError } from '#apimachinery/status-error.ts';
import { formatTime, parseTime } from '#base/clock.ts';
import { EtcdUnavailableError } from '#etcd/etcd.ts';
import { admitDeletion } from './admission.ts';
import { withMeta } from './metadata.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from './metadata-validation.ts';
import { RequestScope } from './request-scope.ts';
import type { Stored } from './storage.ts';

/**
 * Deletes the object of that name, or begins its deletion: with a grace period, or with finalizers that others must
 * take away first. Returns the object as it is then, or a Status, as the kind has it. Follows Delete of
 * registry/generic/registry/store.go and registry/rest/delete.go, v1.33.
 */
export async function remove<T extends ApiObject>(
  scope: RequestScope<T>,
  namespace: string | undefined,
  name: string,
): Promise<ApiObject> {
  const { definition, storage, core, request } = scope;
  const { options } = request;
  let gone: T | undefined;
  for (;;) {
    let stored = storage.find(namespace, name);
    if (!stored) {
      if (gone) return answer(scope, gone);
      throw notFound(definition, name);
    }
    const existing = storage.decode(stored);
    checkPreconditions(scope, existing);
    const step = planDeletion(definition, existing, options, scope.now);
    if (step === 'pending') return answer(scope, existing);
    await admitDeletion(scope, name, existing);
    if (step.next !== existing) {
      const { next } = step;
      if (!scope.dryRun) {
        const committed = await scope.commit(
          { put: stored.key, lease: stored.lease, value: (at) => storage.encode(next, at, core.fields.of(existing)) },
          stored.modRevision,
        );
        if (!committed?.stored) continue;
        stored = committed.stored;
        gone = storage.decode(committed.stored);
      } else gone = core.fields.attach(next, core.fields.of(existing));
    }
    if (!step.now) return gone ?? existing;
    if (scope.dryRun) return answer(scope, gone ?? existing);
    const companions = core.allocator(definition)?.companionsOf(storage.decode(stored));
    const committed = await scope.commit({ delete: stored.key }, stored.modRevision, companions);
    if (committed) {
      await clearUp(scope, storage.decode(stored));
      return answer(scope, storage.atDeletion(stored, committed.revision));
    }
  }
}

/** After a deletion: gives back what was allocated, and deletes what goes with the object. */
async function clearUp<T extends ApiObject>(scope: RequestScope<T>, object: T): Promise<void> {
  const { core, request, definition, span } = scope;
  const allocator = core.allocator(definition);
  if (!allocator) return;
  allocator.release(object);
  const { deletedWith } = allocator;
  if (!deletedWith) return;
  const { namespace, name = '' } = object.metadata;
  const own = { ...request, subresource: undefined, object: undefined, options: {}, namespace, name };
  try {
    await remove(new RequestScope(core, own, deletedWith, span, false), namespace, name);
  } catch (error) {
    // The object is gone all the same; what is left of the others is for those who look after them.
    if (!(error instanceof StatusError) && !(error instanceof EtcdUnavailableError)) throw error;
  }
}

/** Deletes an object whose last finalizer an update took away; the update's answer is the object as it would be. */
export async function removeFinalized<T extends ApiObject>(
  scope: RequestScope<T>,
  stored: Stored,
  last: T,
): Promise<T> {
  if (scope.dryRun) return last;
  for (let current: Stored | undefined = stored; current; current = scope.core.etcd.get(stored.key)) {
    const object = scope.storage.decode(current);
    const companions = scope.core.allocator(scope.definition)?.companionsOf(object);
    if (await scope.commit({ delete: stored.key }, current.modRevision, companions)) {
      await clearUp(scope, object);
      break;
    }
  }
  return last;
}

/** `next`: what the object becomes; `now`: it goes at once. 'pending': it is being deleted already, nothing changes. */
type DeletionStep<T> = { readonly next: T; readonly now: boolean } | 'pending';

/** Decides what a delete does to the object. */
export function planDeletion<T extends ApiObject>(
  definition: ResourceDefinition<T>,
  existing: T,
  options: RequestOptions,
  now: number,
): DeletionStep<T> {
  const { strategy } = definition;
  const grace = planGrace(definition, existing, options, now);
  if (grace === 'pending') return 'pending';
  const finalizers = finalizersFor(definition, existing, options);
  let next = grace.object;
  if (finalizers !== existing.metadata.finalizers) next = withMeta(next, { finalizers });
  const { deletionTimestamp, generation } = next.metadata;
  if (strategy?.holdsDeletion?.(next)) {
    next = begun(strategy, withMeta(next, { deletionTimestamp: deletionTimestamp ?? formatTime(now) }));
    return { next: jsonEqual(next, existing) ? existing : next, now: false };
  }
  const held = (finalizers?.length ?? 0) > 0;
  if (grace.graceful) return { next: begun(strategy, next), now: !held && grace.seconds === 0 };
  if (!held) return { next: existing, now: true };
  next = withMeta(next, {
    ...(deletionTimestamp === undefined && generation ? { generation: generation + 1 } : {}),
    deletionTimestamp:
      deletionTimestamp === undefined || parseTime(deletionTimestamp) > now ? formatTime(now) : deletionTimestamp,
    deletionGracePeriodSeconds: 0,
  });
  next = begun(strategy, next);
  return { next: jsonEqual(next, existing) ? existing : next, now: false };
}

const begun = <T extends ApiObject>(strategy: ResourceDefinition<T>['strategy'], object: T): T =>
  strategy?.prepareForDelete ? strategy.prepareForDelete(object) : object;

type Grace<T> = { readonly graceful: boolean; readonly seconds: number; readonly object: T } | 'pending';

/** Follows BeforeDelete of registry/rest/delete.go, v1.33. */
function planGrace<T extends ApiObject>(
  definition: ResourceDefinition<T>,
  existing: T,
  options: RequestOptions,
  now: number,
): Grace<T> {
  const { strategy } = definition;
  const requested =
    options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds;
  const atOnce = { graceful: false, seconds: 0, object: existing };
  if (!strategy?.gracefulDeletion) return atOnce;
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = existing.metadata;
  if (deletionTimestamp !== undefined) {
    if (!deletionGracePeriodSeconds) return atOnce;
    if (requested === undefined || requested >= deletionGracePeriodSeconds) return 'pending';
    let seconds = requested;
    let due = parseTime(deletionTimestamp) + (seconds - deletionGracePeriodSeconds) * 1000;
    if (due < now) {
      due = now;
      if (seconds !== 0) seconds = 1;
    }
    return {
      graceful: true,
      seconds,
      object: withMeta(existing, { deletionTimestamp: formatTime(due), deletionGracePeriodSeconds: seconds }),
    };
  }
  const seconds = strategy.gracePeriodSeconds?.(existing, requested);
  if (seconds === undefined) return atOnce;
  return {
    graceful: true,
    seconds,
    object: withMeta(existing, {
      ...(generation ? { generation: generation + 1 } : {}),
      deletionTimestamp: formatTime(now + seconds * 1000),
      deletionGracePeriodSeconds: seconds,
    }),
  };
}

/** The finalizers with those that the garbage collector shall see to. Returns the same list if nothing changes. */
function finalizersFor<T extends ApiObject>(
  definition: ResourceDefinition<T>,
  { metadata }: T,
  options: RequestOptions,
): readonly string[] | undefined {
  const { finalizers = [] } = metadata;
  const policy = propagation(definition, finalizers, options);
  const wanted = finalizers.filter((finalizer) => finalizer !== ORPHAN_FINALIZER && finalizer !== FOREGROUND_FINALIZER);
  if (policy === 'orphan') wanted.push(ORPHAN_FINALIZER);
  if (policy === 'foreground') wanted.push(FOREGROUND_FINALIZER);
  const same = wanted.length === finalizers.length && wanted.every((finalizer) => finalizers.includes(finalizer));
  return same ? metadata.finalizers : wanted;
}

function propagation<T extends ApiObject>(
  definition: ResourceDefinition<T>,
  finalizers: readonly string[],
  { orphanDependents, propagationPolicy }: RequestOptions,
): 'orphan' | 'foreground' | 'background' {
  if (orphanDependents !== undefined) return orphanDependents ? 'orphan' : 'background';
  if (propagationPolicy !== undefined) return propagationPolicy.toLowerCase() as 'orphan' | 'foreground' | 'background';
  for (const finalizer of finalizers) {
    if (finalizer === ORPHAN_FINALIZER) return 'orphan';
    if (finalizer === FOREGROUND_FINALIZER) return 'foreground';
  }
  return definition.strategy?.defaultGarbageCollection === 'orphan' ? 'orphan' : 'background';
}

function checkPreconditions<T extends ApiObject>({ definition, request }: RequestScope<T>, { metadata }: T): void {
  const { preconditions } = request.options;
  if (!preconditions) return;
  const { uid, resourceVersion } = preconditions;
  // Upstream names the kind where the resource is meant.
  const named = { group: definition.group, plural: definition.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      named,
      metadata.name ?? '',
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      named,
      metadata.name ?? '',
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** The answer to a finished deletion: the object, or a Status with what identifies it. */
function answer<T extends ApiObject>({ definition }: RequestScope<T>, object: T): ApiObject {
  if (definition.strategy?.returnsDeletedObject) return object;
  const { name = '', uid } = object.metadata;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(definition.group ? { group: definition.group } : {}),
      kind: definition.plural,
      ...(uid ? { uid } : {}),
    },
  } as ApiObject;
}
