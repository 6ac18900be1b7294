import { schemas } from '#api/schemas.ts';
import { decodeObject } from '#apimachinery/decode.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import { deepFreeze } from '#apimachinery/json.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { readYaml } from '#apimachinery/yaml-reader.ts';

/** The object that a manifest stands for, decoded and defaulted as the API server does it. Frozen. */
export function decoded<T extends ApiObject>(resource: ResourceDefinition<T>, manifest: string): T {
  const { object } = decodeObject(lookupStruct(schemas, resource.schema), readYaml(manifest));
  const value = deepFreeze(object) as unknown as T;
  return deepFreeze(resource.defaults?.(value) ?? value);
}

/** What would be stored of a manifest, before names and times. Frozen. */
export function prepared<T extends ApiObject>(resource: ResourceDefinition<T>, manifest: string): T {
  const object = decoded(resource, manifest);
  return deepFreeze(resource.strategy?.prepareForCreate?.(object, { now: 0 }) ?? object);
}

/** Errors as messages show them. */
export function texts(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, text }) => `${field}: ${text}`);
}

/** The kind's own errors for a manifest (metadata is the server's). */
export function createErrors<T extends ApiObject>(resource: ResourceDefinition<T>, manifest: string): string[] {
  return texts(resource.validate?.(prepared(resource, manifest)));
}

/** The kind's own errors for an update from one manifest to another. */
export function updateErrors<T extends ApiObject>(resource: ResourceDefinition<T>, from: string, to: string): string[] {
  const previous = prepared(resource, from);
  const next = decoded(resource, to);
  const update = deepFreeze(resource.strategy?.prepareForUpdate?.(next, previous, { now: 0 }) ?? next);
  return texts(resource.validateUpdate?.(update, previous));
}
