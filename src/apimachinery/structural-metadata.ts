import { DecodeError, decodeObject } from './decode.ts';
import type { FieldError } from './field-error.ts';
import { validateAnnotations, validateLabels } from './label-validation.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { StructSchema } from './schema.ts';
import { mapList } from './structural-prune.ts';
import {
  isJsonObject,
  itemsOf,
  memberOf,
  membersOf,
  propertyOf,
  type SchemaProps,
  withMembers,
} from './structural-schema.ts';
import { badValue } from './structural-validate.ts';
import {
  child,
  index,
  invalidField,
  isDNS1035Label,
  isQualifiedName,
  isValidPathSegmentName,
  keyed,
  required,
} from './validation.ts';

/** Metadata that does not decode. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
  readonly field: FieldError;

  constructor(field: FieldError) {
    super(`${field.field}: ${field.text}`);
    this.field = field;
  }
}

/** An object's metadata as ObjectMeta would have it, keys sorted, and what it does not know. Throws DecodeError. */
export function decodeMetadata(
  metadata: JsonValue,
  schema: StructSchema,
): { readonly metadata: JsonObject; readonly unknown: readonly string[] } {
  const { object, strictErrors } = decodeObject(schema, metadata as never);
  const { creationTimestamp, ...rest } = object;
  const kept = creationTimestamp === null || creationTimestamp === undefined ? rest : { ...rest, creationTimestamp };
  const unknown = strictErrors.map((text) => (JSON.parse(text.replace(/^\w+ field /, '')) as string) ?? '');
  return { metadata: kept, unknown: unknown.map((path) => `metadata.${path}`) };
}

/**
 * Decodes the metadata of embedded resources (and of the root, if it is one): unknown fields of it go. Throws
 * {@link MetadataError}. Follows CoerceWithOptions of apiextensions-apiserver's schema/objectmeta, v1.33.
 */
export function coerceMetadata(
  value: JsonValue,
  schema: SchemaProps | undefined,
  meta: StructSchema,
  isRoot: boolean,
  path = '',
  unknown: string[] = [],
): JsonValue {
  const own = isRoot ? { ...schema, 'x-kubernetes-embedded-resource': true } : schema;
  if (!own) return value;
  if (Array.isArray(value))
    return mapList(value, (item, i) => coerceMetadata(item, itemsOf(own), meta, false, index(path, i), unknown));
  if (!isJsonObject(value)) return value;
  const changed = new Map<string, JsonValue | undefined>();
  for (const [key, member] of membersOf(value)) {
    let next = member;
    if (own['x-kubernetes-embedded-resource']) {
      if ((key === 'apiVersion' || key === 'kind') && typeof member !== 'string')
        throw new MetadataError(invalidField(child(path, key), badValue(member), 'must be a string'));
      if (key === 'metadata') next = coerced(member, meta, child(path, key), unknown);
    }
    const at = propertyOf(own, key) ? child(path, key) : keyed(path, key);
    next = coerceMetadata(next, memberOf(own, key), meta, false, at, unknown);
    if (next !== member) changed.set(key, next);
  }
  return withMembers(value, changed);
}

function coerced(value: JsonValue, meta: StructSchema, path: string, unknown: string[]): JsonObject {
  try {
    const decoded = decodeMetadata(value, meta);
    unknown.push(...decoded.unknown.map((each) => each.replace(/^metadata/, path)));
    return decoded.metadata;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new MetadataError(invalidField(path, badValue(value), error.message));
  }
}

/** Follows Validate of schema/objectmeta, v1.33: embedded resources have a kind, an apiVersion and good metadata. */
export function validateEmbedded(
  value: JsonValue,
  schema: SchemaProps | undefined,
  isRoot: boolean,
  path = '',
): FieldError[] {
  const own = isRoot ? { ...schema, 'x-kubernetes-embedded-resource': true } : schema;
  if (!own) return [];
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).flatMap((item, i) =>
      validateEmbedded(item, itemsOf(own), false, index(path, i)),
    );
  if (!isJsonObject(value)) return [];
  const errors = own['x-kubernetes-embedded-resource'] ? validateResource(value, path) : [];
  for (const [key, member] of membersOf(value)) {
    const at = propertyOf(own, key) ? child(path, key) : keyed(path, key);
    errors.push(...validateEmbedded(member, memberOf(own, key), false, at));
  }
  return errors;
}

function validateResource(object: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === undefined) errors.push(required(child(path, 'apiVersion'), 'must not be empty'));
  if (kind === undefined) errors.push(required(child(path, 'kind'), 'must not be empty'));
  const at = child(path, 'apiVersion');
  if (typeof apiVersion === 'string') {
    if (apiVersion === '') errors.push(invalidField(at, apiVersion, 'must not be empty'));
    else if (apiVersion.split('/').length > 2)
      errors.push(invalidField(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else if (apiVersion !== undefined) errors.push(invalidField(at, badValue(apiVersion), 'must be a string'));
  const kindAt = child(path, 'kind');
  if (typeof kind === 'string') {
    const messages = isDNS1035Label(kind.toLowerCase());
    if (kind === '') errors.push(invalidField(kindAt, kind, 'must not be empty'));
    else if (messages.length > 0) {
      const text = `may have mixed case, but should otherwise match: ${messages.join(',')}`;
      errors.push(invalidField(kindAt, kind, text));
    }
  } else if (kind !== undefined) errors.push(invalidField(kindAt, badValue(kind), 'must be a string'));
  if (isJsonObject(metadata)) errors.push(...validateMetadata(metadata, child(path, 'metadata')));
  return errors;
}

function validateMetadata(metadata: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['name', 'namespace', 'generateName'] as const) {
    const value = metadata[field];
    if (typeof value !== 'string') continue;
    for (const message of isValidPathSegmentName(value)) errors.push(invalidField(child(path, field), value, message));
  }
  const texts = (value: JsonValue | undefined) => value as Readonly<Record<string, string>> | undefined;
  validateLabels(texts(metadata.labels), child(path, 'labels'), errors);
  validateAnnotations(texts(metadata.annotations), child(path, 'annotations'), errors);
  const finalizers = Array.isArray(metadata.finalizers) ? (metadata.finalizers as readonly JsonValue[]) : [];
  finalizers.forEach((name) => {
    if (typeof name !== 'string') return;
    for (const message of isQualifiedName(name)) errors.push(invalidField(child(path, 'finalizers'), name, message));
  });
  return errors;
}
