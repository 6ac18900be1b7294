import { DecodeError, decodeObject } from '#apimachinery/decode.ts';
import { deepFreeze, type JsonValue } from '#apimachinery/json.ts';
import type { ReadValue } from '#apimachinery/json-reader.ts';
import { PatchError } from '#apimachinery/patch-error.ts';
import { applyJsonPatch } from '#apimachinery/patch-json.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { internalError } from '#apimachinery/status-error.ts';
import type { RequestScope } from './request-scope.ts';

/**
 * The object of a request after a JSON patch of the server's own (a webhook's): decoded and defaulted as a body would be,
 * unknown fields dropped. Throws 500.
 */
export function patchedObject<T extends ApiObject>(
  { core, definition }: RequestScope<T>,
  object: ApiObject,
  operations: readonly JsonValue[],
): ApiObject {
  const isOwn = object.kind === undefined || object.kind === definition.kind;
  const document = isOwn ? core.fields.canonical(definition, object as T) : object;
  try {
    const patched = applyJsonPatch(document as unknown as JsonValue, [...operations]);
    if (!isOwn) return deepFreeze(patched as unknown as ApiObject);
    const given = patched as unknown as ReadValue;
    const decoded = (definition.custom
      ? definition.custom.decode(given)
      : decodeObject(core.schemaOf(definition), given)
    ).object as unknown as T;
    return deepFreeze(definition.defaults ? definition.defaults(decoded) : decoded);
  } catch (error) {
    if (error instanceof PatchError || error instanceof DecodeError) throw internalError(error.message);
    throw error;
  }
}
