import type { ApiObject, NamespacedName, OwnerReference } from '#apimachinery/resource.ts';

/** `namespace/name`, or `name` for what has no namespace: the key of stores and work queues. */
export function keyOf(object: ApiObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : (name ?? '');
}

/** The key of a name. */
export function keyOfName({ namespace, name }: NamespacedName): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** The name that a key stands for. */
export function nameOfKey(key: string): NamespacedName {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The name of an object. */
export function nameOf(object: ApiObject): NamespacedName {
  const { namespace, name = '' } = object.metadata;
  return namespace ? { namespace, name } : { name };
}

/** The owner that controls an object, if one does. */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}
