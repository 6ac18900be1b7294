import type { PatchType } from '#apimachinery/api-request.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { PatchError } from '#apimachinery/patch-error.ts';
import { applyJsonPatch } from '#apimachinery/patch-json.ts';
import { applyMergePatch } from '#apimachinery/patch-merge.ts';
import { applyStrategicMergePatch } from '#apimachinery/patch-strategic.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { Schema } from '#apimachinery/schema.ts';
import { badRequest, StatusError } from '#apimachinery/status-error.ts';
import { defaulted } from './create.ts';
import { expectedNamespace, matchNamespace, withMeta, withTypeMeta } from './metadata.ts';
import type { RequestScope } from './request-scope.ts';
import { checkName, store } from './update.ts';

const MAX_OPERATIONS = 10_000;

/** What patching must know of schemas and encodings. */
export interface PatchSupport {
  readonly schemaOf: (definition: ResourceDefinition) => Schema;
  /** Checks what a client's patch has made against the schema, as a decoder does; absent where nobody from outside writes. */
  readonly decodeValue?: <T extends ApiObject>(scope: RequestScope<T>, value: JsonValue) => T;
}

/** PATCH: changes the request's object. Follows endpoints/handlers/patch.go, v1.33. */
export async function patch<T extends ApiObject>(scope: RequestScope<T>, support: PatchSupport): Promise<T> {
  const { definition, request, core } = scope;
  const { name = '' } = request;
  const wanted = expectedNamespace(definition, request.namespace);
  const { type, body } = request.patch ?? { type: 'application/merge-patch+json' as const, body: {} };
  if (type === 'application/apply-patch+yaml')
    throw new StatusError(415, 'UnsupportedMediaType', 'server-side apply is not served yet');
  return store(scope, name, {
    propose: (existing) => {
      const before = existing as T;
      const patched = patchedValue(type, before, body as JsonValue, () =>
        support.schemaOf(definition as unknown as ResourceDefinition),
      );
      let object = support.decodeValue ? support.decodeValue(scope, patched) : (patched as unknown as T);
      object = defaulted(definition, withTypeMeta(definition, object));
      if ((object.metadata.namespace ?? '') !== wanted)
        object = withMeta(object, { namespace: matchNamespace(object, wanted) });
      checkName(object, name);
      return { object, ownership: core.fields.written(scope, before, object, object) };
    },
  });
}

function patchedValue(type: PatchType, before: ApiObject, body: JsonValue, schema: () => Schema): JsonValue {
  const document = before as unknown as JsonValue;
  try {
    switch (type) {
      case 'application/json-patch+json':
        if (Array.isArray(body) && body.length > MAX_OPERATIONS) {
          const message = `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${body.length}`;
          throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
        }
        return applyJsonPatch(document, body);
      case 'application/merge-patch+json':
        if (typeof body !== 'object' || body === null || Array.isArray(body)) {
          throw badRequest(
            'error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}',
          );
        }
        return applyMergePatch(document, body);
      default:
        return applyStrategicMergePatch(document, body, schema());
    }
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (error.code === 400) throw badRequest(error.message);
    throw error.code === 422 ? new StatusError(422, 'Invalid', error.message) : new StatusError(500, '', error.message);
  }
}
