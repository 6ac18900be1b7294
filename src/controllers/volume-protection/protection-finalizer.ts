import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { Client } from '#client/client.ts';

/** What a finalizer that protects an object needs: it may go with the object, or is missing; undefined for nothing. */
export function protectionOf({ metadata }: ApiObject, finalizer: string): 'ending' | 'missing' | undefined {
  const has = metadata.finalizers?.includes(finalizer) === true;
  if (metadata.deletionTimestamp) return has ? 'ending' : undefined;
  return has ? undefined : 'missing';
}

/** Puts the finalizer on an object that somebody made without it, or takes it away. */
export async function setFinalizer<T extends ApiObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  object: T,
  finalizer: string,
  wanted: boolean,
): Promise<void> {
  const others = object.metadata.finalizers?.filter((one) => one !== finalizer) ?? [];
  const finalizers = wanted ? [...others, finalizer] : others;
  await client.update(resource, { ...object, metadata: { ...object.metadata, finalizers } });
}
