import { apiVersionOf, type ApiObject, type ResourceDefinition } from '#apimachinery/resource.ts';

/** core/v1 ObjectReference. */
export interface ObjectReference {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly apiVersion?: string;
  readonly resourceVersion?: string;
  readonly fieldPath?: string;
}

/** What an Event says that it is about. `fieldPath` names a part of it, such as `spec.containers{web}`. */
export function referenceTo<T extends ApiObject>(
  resource: ResourceDefinition<T>,
  object: T,
  fieldPath?: string,
): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: resource.kind,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(uid ? { uid } : {}),
    apiVersion: apiVersionOf(resource),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(fieldPath ? { fieldPath } : {}),
  };
}
