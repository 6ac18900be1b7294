import { type ApiObject, apiVersionOf, type OwnerReference, type ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Client } from '#client/client.ts';
import { byControllerUid, type Index, type Lister } from '#client/indexer.ts';
import { controllerOf, nameOf } from '#client/key.ts';
import { ReconcileError } from './define-controller.ts';

/** Objects that nobody controls, by namespace. */
export const byOrphan: Index<ApiObject> = {
  name: 'orphans',
  values: (object) => (controllerOf(object) ? undefined : (object.metadata.namespace ?? '')),
};

/** The reference that makes an owner the controller of an object. */
export function controllerRefTo<T extends ApiObject>(resource: ResourceDefinition<T>, owner: T): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The owner that an object's reference means, if the lister has it. */
export function resolveControllerRef<T extends ApiObject>(
  resource: ResourceDefinition<T>,
  lister: Lister<T>,
  object: ApiObject,
): T | undefined {
  const ref = controllerOf(object);
  if (!ref || ref.kind !== resource.kind) return undefined;
  const owner = lister.get({ namespace: object.metadata.namespace, name: ref.name });
  return owner?.metadata.uid === ref.uid ? owner : undefined;
}

export interface ClaimOptions<O extends ApiObject, T extends ApiObject> {
  readonly client: Client;
  readonly ownerResource: ResourceDefinition<O>;
  readonly owner: O;
  readonly resource: ResourceDefinition<T>;
  /** Has the indices `byControllerUid` and `byOrphan`. */
  readonly lister: Lister<T>;
  readonly matches: (object: T) => boolean;
  /** What may be adopted or released at all; default: everything. */
  readonly isCandidate?: (object: T) => boolean;
}

/**
 * The objects that an owner controls: those that its selector matches, orphans among them being adopted, others being
 * released. Throws when something could not be adopted or released. Follows pkg/controller/controller_ref_manager.go, v1.33.
 */
export async function claim<O extends ApiObject, T extends ApiObject>(options: ClaimOptions<O, T>): Promise<T[]> {
  const { owner, lister, matches, isCandidate = () => true } = options;
  const { uid = '', namespace = '', deletionTimestamp } = owner.metadata;
  const claimed: T[] = [];
  const errors: string[] = [];
  for (const object of lister.byIndex(byControllerUid, uid)) {
    if (!isCandidate(object)) continue;
    if (matches(object)) claimed.push(object);
    else if (!deletionTimestamp) await attempt(errors, () => release(options, object));
  }
  if (!deletionTimestamp) {
    let checked = false;
    for (const object of lister.byIndex(byOrphan, namespace)) {
      if (!isCandidate(object) || object.metadata.deletionTimestamp || !matches(object)) continue;
      const adopted = await attempt(errors, async () => {
        if (!checked) await checkNotDeleted(options, object);
        checked = true;
        await adopt(options, object);
      });
      if (adopted) claimed.push(object);
    }
  }
  if (errors.length > 0) throw new ReconcileError(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  return claimed;
}

/** Whether it was done; an object that is gone is nobody's, other errors are noted. */
async function attempt(errors: string[], work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof StatusError || error instanceof ReconcileError)) throw error;
    if (!isStatus(error, 'NotFound')) errors.push(error.message);
    return false;
  }
}

/** The lister may not know yet that the owner is being deleted, and the garbage collector has orphaned the object. */
async function checkNotDeleted<O extends ApiObject, T extends ApiObject>(
  { client, ownerResource, owner, resource }: ClaimOptions<O, T>,
  object: T,
): Promise<void> {
  const { metadata } = await client.get(ownerResource, nameOf(owner));
  const { namespace, name, uid } = object.metadata;
  const cannot = (why: string) =>
    new ReconcileError(
      `can't adopt ${resource.kind} ${namespace}/${name} (${uid}): can't recheck DeletionTimestamp: ${why}`,
    );
  if (metadata.uid !== owner.metadata.uid) {
    throw cannot(
      `original ${ownerResource.kind} ${metadata.namespace}/${metadata.name} is gone: got uid ${metadata.uid}, wanted ${owner.metadata.uid}`,
    );
  }
  if (metadata.deletionTimestamp) {
    throw cannot(`${metadata.namespace}/${metadata.name} has just been deleted at ${metadata.deletionTimestamp}`);
  }
}

const STRATEGIC = 'application/strategic-merge-patch+json';

/** The uid in the patch keeps it from another object of the same name. */
async function adopt<O extends ApiObject, T extends ApiObject>(
  { client, resource, ownerResource, owner }: ClaimOptions<O, T>,
  object: T,
): Promise<void> {
  const ownerReferences = [controllerRefTo(ownerResource, owner)];
  await client.patch(resource, nameOf(object), STRATEGIC, { metadata: { ownerReferences, uid: object.metadata.uid } });
}

async function release<O extends ApiObject, T extends ApiObject>(
  { client, resource, owner }: ClaimOptions<O, T>,
  object: T,
): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }];
  const patch = { metadata: { ownerReferences, uid: object.metadata.uid } };
  try {
    await client.patch(resource, nameOf(object), STRATEGIC, patch);
  } catch (error) {
    // It has no owner any more, or is another object.
    if (!isStatus(error, 'Invalid')) throw error;
  }
}
