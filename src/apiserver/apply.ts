import type { ApiRequest } from '#apimachinery/api-request.ts';
import { yamlWarnings } from '#apimachinery/codec.ts';
import { DecodeError, decodeObject, zeroValue } from '#apimachinery/decode.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import type { ReadValue } from '#apimachinery/json-reader.ts';
import { isJsonMap } from '#apimachinery/patch-merge.ts';
import { type ApiObject, apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, StatusError } from '#apimachinery/status-error.ts';
import { byteLength } from '#apimachinery/validation.ts';
import type { ObjectView } from './contract.ts';
import { asConversion } from './conversion-error.ts';
import { KUBECTL, LAST_APPLIED, type Versioned } from './field-apply.ts';
import { Ownership } from './field-manager.ts';
import type { RequestScope } from './request-scope.ts';
import { ownersFromScale, ownersOfScale } from './scale-ownership.ts';
import { typeErrors } from './typed-value.ts';

const MAX_ANNOTATIONS = 256 * 1024;

export interface AppliedObject {
  /** In the kind of the view, if there is one; neither defaulted nor checked. */
  readonly object: ApiObject;
  readonly ownership: Ownership;
}

/**
 * What applying the request's configuration makes of an object, or of a view of it; without `existing` it is created.
 * Throws 400, 409, and 500 with the words of the API server. Follows the applyPatcher of endpoints/handlers/patch.go and
 * managedfields/internal, v1.33.
 */
export function applyTo(
  scope: RequestScope,
  existing: ApiObject | undefined,
  view: ObjectView | undefined,
): AppliedObject {
  const { core, request } = scope;
  const { fields } = core;
  const definition = view?.definition ?? scope.definition;
  const schema = core.schemaOf(definition);
  const config = configurationOf(request, definition);
  const wrong = typeErrors(schema, config);
  if (wrong !== undefined) throw failed(`failed to create typed patch object (${named(config)}): ${wrong}`);
  const before = existing && (view ? view.of(existing) : existing);
  const live: Versioned = {
    apiVersion: apiVersionOf(definition),
    schema,
    value: before
      ? (fields.canonical(definition, before) as unknown as JsonObject)
      : { ...(zeroValue(schema) as JsonObject), apiVersion: apiVersionOf(definition), kind: definition.kind },
  };
  const owners = existing ? fields.of(existing).owners() : [];
  const own = apiVersionOf(scope.definition);
  const seen = view ? ownersOfScale(owners, own, live.apiVersion, replicasPath(view)) : owners;
  const applied = fields.apply(scope, live, config, seen, request.options.force === true);
  const object =
    applied.value === undefined && before
      ? before
      : decoded(definition, schema, (applied.value ?? live.value) as JsonObject);
  checkStrictly(scope);
  const after = view ? ownersFromScale(owners, own, applied.owners, replicasPath(view)) : applied.owners;
  return { object: withLastApplied(request, object, config), ownership: new Ownership({ owners: after }, true) };
}

const replicasPath = ({ replicasPath: path }: ObjectView) => path?.map((name) => `f:${name}`);

const failed = (message: string) => new StatusError(500, '', message);

/** What the request applies: an object of the endpoint's kind, in its version. */
function configurationOf({ patch }: ApiRequest, definition: ResourceDefinition): JsonObject {
  const body = (patch?.body ?? {}) as JsonValue;
  if (!isJsonMap(body)) {
    const found = Array.isArray(body) ? 'array' : typeof body === 'boolean' ? 'bool' : typeof body;
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  const kind = typeof body.kind === 'string' ? body.kind : '';
  if (body.apiVersion !== apiVersionOf(definition) || kind !== definition.kind)
    throw badRequest(`invalid object type: ${kindText(body.apiVersion, kind)}`);
  const { metadata } = body;
  if (isJsonMap(metadata) && Array.isArray(metadata.managedFields))
    throw badRequest('metadata.managedFields must be nil');
  return body;
}

/** A kind as Go prints it: `apps/v1, Kind=Deployment`. */
function kindText(apiVersion: JsonValue | undefined, kind: string): string {
  const text = typeof apiVersion === 'string' ? apiVersion : '';
  if (text.split('/').length > 2) return '/, Kind=';
  return `${text.includes('/') ? text : `/${text}`}, Kind=${kind}`;
}

function named({ apiVersion, kind, metadata }: JsonObject): string {
  const text = (name: string) => (isJsonMap(metadata) && typeof metadata[name] === 'string' ? metadata[name] : '');
  return `${text('namespace')}/${text('name')}; ${kindText(apiVersion, typeof kind === 'string' ? kind : '')}`;
}

function decoded(
  definition: ResourceDefinition,
  schema: Parameters<typeof decodeObject>[0],
  value: JsonObject,
): ApiObject {
  try {
    const { custom } = definition;
    const { object } = custom ? custom.decode(value as ReadValue) : decodeObject(schema, value as ReadValue);
    return object as unknown as ApiObject;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const version = apiVersionOf(definition);
    throw failed(
      `failed to convert new object (${named(value)}) to proper version (${version}): unable to convert unstructured object to ${kindText(version, definition.kind)}: ${asConversion(error.message)}`,
    );
  }
}

/** Keys that come twice in the body are told of once all else is right. */
function checkStrictly({ request, warn }: RequestScope): void {
  const { fieldValidation = 'Warn' } = request.options;
  const errors = request.patch?.strictErrors ?? [];
  if (errors.length === 0 || fieldValidation === 'Ignore') return;
  if (fieldValidation === 'Strict')
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${errors.join(', ')}`);
  errors.flatMap(yamlWarnings).forEach(warn);
}

/**
 * An object that client-side apply knows stays known to it. Follows managedfields/internal/lastappliedupdater.go, v1.33.
 */
function withLastApplied({ options }: ApiRequest, object: ApiObject, config: JsonObject): ApiObject {
  const { annotations } = object.metadata;
  if (options.fieldManager !== KUBECTL || !annotations || !Object.hasOwn(annotations, LAST_APPLIED)) return object;
  if (annotations[LAST_APPLIED] === '') return object;
  const { [LAST_APPLIED]: _last, ...others } = annotations;
  const text = `${encodeJson(withoutLastApplied(config))}\n`;
  const all = { ...others, [LAST_APPLIED]: text };
  const size = Object.entries(all).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  const next = size > MAX_ANNOTATIONS ? others : all;
  return { ...object, metadata: { ...object.metadata, annotations: next } };
}

function withoutLastApplied(config: JsonObject): JsonObject {
  const { metadata } = config;
  if (!isJsonMap(metadata) || !isJsonMap(metadata.annotations)) return config;
  const { [LAST_APPLIED]: _last, ...annotations } = metadata.annotations;
  return { ...config, metadata: { ...metadata, annotations } };
}
