import type { Patch, PatchType } from '#apimachinery/api-request.ts';
import { DecodeError, decodeObject } from '#apimachinery/decode.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import type { ReadValue } from '#apimachinery/json-reader.ts';
import { PatchError } from '#apimachinery/patch-error.ts';
import { applyJsonPatch } from '#apimachinery/patch-json.ts';
import { applyMergePatch, isJsonMap } from '#apimachinery/patch-merge.ts';
import { applyStrategicMergePatch, goMap } from '#apimachinery/patch-strategic.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { FieldSchema, StructSchema } from '#apimachinery/schema.ts';
import { badRequest, invalid, notFound, StatusError } from '#apimachinery/status-error.ts';
import { invalidField } from '#apimachinery/validation.ts';
import { applyTo } from './apply.ts';
import type { ObjectView } from './contract.ts';
import { asConversion } from './conversion-error.ts';
import { defaulted } from './create.ts';
import { expectedNamespace, matchNamespace, withMeta, withTypeMeta } from './metadata.ts';
import type { RequestScope } from './request-scope.ts';
import { checkName, store, throughView } from './update.ts';

const MAX_OPERATIONS = 10_000;

/** PATCH: changes the request's object, or a view of it. Follows endpoints/handlers/patch.go, v1.33. */
export async function patch<T extends ApiObject>(scope: RequestScope<T>, view?: ObjectView): Promise<T> {
  const { request, core } = scope;
  const { name = '' } = request;
  const definition = view?.definition ?? (scope.definition as unknown as ResourceDefinition);
  const wanted = expectedNamespace(definition, request.namespace);
  const asked: Patch = request.patch ?? { type: 'application/merge-patch+json', body: {} };
  const schema = core.schemaOf(definition);
  const isApply = asked.type === 'application/apply-patch+yaml';
  return store(scope, name, {
    view,
    forceAllowCreate: isApply && request.subresource === undefined,
    propose: (existing) => {
      // Only apply makes objects, also of kinds that a PUT may make.
      if (!existing && (!isApply || request.subresource !== undefined)) throw notFound(scope.definition, name);
      const before = existing && view ? view.of(existing) : (existing as ApiObject);
      const applied = isApply ? applyTo(scope as unknown as RequestScope, existing, view) : undefined;
      if (existing && applied?.object === existing) return { object: existing, ownership: applied.ownership };
      const patched = applied ? applied.object : resultOf(scope, definition, before, asked, schema);
      let object = defaulted(
        definition,
        withTypeMeta(definition, scope.external && !applied ? decoded(scope, definition, patched, schema) : patched),
      );
      if ((object.metadata.namespace ?? '') !== wanted)
        object = withMeta(object, { namespace: matchNamespace(object, wanted) });
      checkName(object, name);
      const proposal = (next: T) => ({
        object: next,
        ownership: applied?.ownership ?? core.fields.written(scope, existing, next, next),
      });
      return view && existing ? throughView(scope, view, object, existing).then(proposal) : proposal(object as T);
    },
  });
}

/** What the patch makes of an object, not yet decoded. */
function resultOf<T extends ApiObject>(
  scope: RequestScope<T>,
  definition: ResourceDefinition,
  before: ApiObject,
  patch: Patch,
  schema: StructSchema,
): ApiObject {
  const { type, known } = patch;
  if (known?.of === before) return known.result;
  const body = patch.body as JsonValue;
  const document = scope.external ? outside(scope, definition, before, body) : before;
  return unlessTouched(
    document,
    patchedValue(type as Merging, document as unknown as JsonValue, body, schema) as unknown as ApiObject,
  );
}

/** What a client outside patches: the object as it sees it, with its managedFields only if the patch is about them. */
function outside<T extends ApiObject>(
  { core, request }: RequestScope<T>,
  definition: ResourceDefinition,
  object: ApiObject,
  body: unknown,
): ApiObject {
  return definition.plural === request.resource && JSON.stringify(body).includes('managedFields')
    ? core.fields.view(definition, object)
    : core.fields.canonical(definition, object);
}

/** managedFields that the patch left alone are not the client's. */
function unlessTouched<T extends ApiObject>(before: T, after: T): T {
  const own = (object: T) => (object.metadata as { readonly managedFields?: unknown } | undefined)?.managedFields;
  if (own(after) === undefined || own(after) !== own(before)) return after;
  const { managedFields: _managedFields, ...metadata } = after.metadata as Readonly<Record<string, unknown>>;
  return { ...after, metadata };
}

const word: FieldSchema = { schema: { kind: 'scalar', type: 'string' }, omitEmpty: true, pointer: true };
const OPERATION: StructSchema = {
  kind: 'struct',
  name: 'handlers.jsonPatchOp',
  fields: new Map([
    ['op', word],
    ['path', word],
    ['from', word],
    ['value', { schema: { kind: 'scalar', type: 'any' }, omitEmpty: true, pointer: true }],
  ]),
};

/** One operation of a JSON patch, whose words must be words. */
function operationOf(operation: JsonValue): JsonValue {
  try {
    decodeObject(OPERATION, operation);
    return operation ?? {};
  } catch (error) {
    throw error instanceof DecodeError ? badRequest(`error decoding patch: ${error.message}`) : error;
  }
}

type Merging = Exclude<PatchType, 'application/apply-patch+yaml'>;

function patchedValue(type: Merging, document: JsonValue, body: JsonValue, schema: StructSchema): JsonValue {
  try {
    switch (type) {
      case 'application/json-patch+json':
        if (Array.isArray(body) && body.length > MAX_OPERATIONS) {
          const why = `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${body.length}`;
          throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${why}`);
        }
        if (!Array.isArray(body)) {
          throw badRequest(
            `error decoding patch: json: cannot unmarshal ${jsonKind(body)} into Go value of type []handlers.jsonPatchOp`,
          );
        }
        return applyJsonPatch(document, body.map(operationOf));
      case 'application/merge-patch+json':
        if (!isJsonMap(body)) {
          throw badRequest(
            `error decoding patch: json: cannot unmarshal ${jsonKind(body)} into Go value of type map[string]interface {}`,
          );
        }
        return applyMergePatch(document, body);
      case 'application/strategic-merge-patch+json':
        if (!isJsonMap(body))
          throw badRequest(`json: cannot unmarshal ${jsonKind(body)} into Go value of type map[string]interface {}`);
        return applyStrategicMergePatch(document, body, schema);
    }
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (error.code === 400) throw badRequest(error.message);
    if (error.code === 500) throw new StatusError(500, '', error.message);
    throw new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
}

/** Decodes what a patch has made as a body would be. */
function decoded<T extends ApiObject>(
  { request, warn }: RequestScope<T>,
  { custom }: ResourceDefinition,
  value: ApiObject,
  schema: StructSchema,
): ApiObject {
  const { fieldValidation = 'Warn' } = request.options;
  const strategic = request.patch?.type === 'application/strategic-merge-patch+json';
  const refused = (why: string) => {
    const shown = strategic ? goMap(request.patch?.body as Readonly<Record<string, JsonValue>>) : JSON.stringify(value);
    return invalid({ group: '', kind: '' }, '', [invalidField('patch', shown, why)]);
  };
  try {
    const given = value as unknown as ReadValue;
    const decoded = custom ? custom.decode(given) : decodeObject(schema, given);
    const { object } = decoded;
    const strictErrors = [...(request.patch?.strictErrors ?? []), ...decoded.strictErrors];
    if (fieldValidation === 'Warn') strictErrors.forEach(warn);
    else if (fieldValidation === 'Strict' && strictErrors.length > 0) {
      throw refused(`strict decoding error: ${strictErrors.join(', ')}`);
    }
    return object as unknown as ApiObject;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw refused(strategic ? asConversion(error.message) : error.message);
  }
}

function jsonKind(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
