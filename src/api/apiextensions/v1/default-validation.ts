import { DecodeError } from '#apimachinery/decode.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { coerceMetadata, MetadataError, validateEmbedded } from '#apimachinery/structural-metadata.ts';
import { prune } from '#apimachinery/structural-prune.ts';
import { itemsOf, type SchemaProps } from '#apimachinery/structural-schema.ts';
import { badValue, validateSchema } from '#apimachinery/structural-validate.ts';
import { child, invalidField, keyed } from '#apimachinery/validation.ts';
import { schemas } from '../../schemas.ts';
import type { SchemaExpressions } from './expressions.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const META_FIELDS: ReadonlySet<string> = new Set(['metadata', 'apiVersion', 'kind']);

interface DefaultOptions {
  readonly mustBePruned: boolean;
  readonly expressions: SchemaExpressions | undefined;
}

/** Puts a value into an object around it; undefined where that is not possible. */
type Surround = (value: JsonValue) => JsonValue;

const resource: Surround = (value) => ({
  apiVersion: 'validation/v1',
  kind: 'Validation',
  ...(value as Readonly<Record<string, JsonValue>>),
});

/**
 * Checks that the defaults of a schema are values that it takes. Follows ValidateDefaults of apiserver/schema/defaulting,
 * v1.33.
 */
export function validateDefaults(
  schema: SchemaProps,
  path: string,
  mustBePruned: boolean,
  expressions: SchemaExpressions | undefined,
): FieldError[] {
  const root = { ...schema, 'x-kubernetes-embedded-resource': true };
  const errors: FieldError[] = [];
  visit(root, root, resource, false, { mustBePruned, expressions }, path, errors);
  return errors;
}

function visit(
  schema: SchemaProps,
  outer: SchemaProps,
  outerSurround: Surround,
  wasInsideMeta: boolean,
  options: DefaultOptions,
  path: string,
  errors: FieldError[],
): void {
  const isResource = schema['x-kubernetes-embedded-resource'] === true;
  const root = isResource ? schema : outer;
  const surround = isResource ? resource : outerSurround;
  const insideMeta = isResource ? false : wasInsideMeta;
  if (schema.default !== undefined)
    errors.push(
      ...checkDefault(schema, schema.default, root, insideMeta ? surround : undefined, options, child(path, 'default')),
    );
  const items = itemsOf(schema);
  if (items) visit(items, root, (value) => surround([value]), insideMeta, options, child(path, 'items'), errors);
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const at = keyed(child(path, 'properties'), key);
    const inside = insideMeta || (isResource && META_FIELDS.has(key));
    const around: Surround = (value) => surround(Object.fromEntries([[key, value]]));
    visit(property, root, around, inside, options, at, errors);
  }
}

function checkDefault(
  schema: SchemaProps,
  value: JsonValue,
  root: SchemaProps,
  surround: Surround | undefined,
  { mustBePruned, expressions }: DefaultOptions,
  path: string,
): readonly FieldError[] {
  const meta = lookupStruct(schemas, META);
  const isResource = schema['x-kubernetes-embedded-resource'] === true;
  const valueErrors = (): readonly FieldError[] => {
    const errors = validateSchema(value, schema, path);
    return errors.length > 0 ? errors : (expressions?.validate(value, schema, schema === root, path) ?? []);
  };
  if (surround) {
    const bad = (why: string) => [invalidField(path, badValue(value), `must result in valid metadata: ${why}`)];
    const object = surround(value);
    try {
      coerceMetadata(object, root, meta, true);
    } catch (error) {
      if (error instanceof MetadataError || error instanceof DecodeError) return bad(error.message);
      throw error;
    }
    const found = validateEmbedded(object, root, true);
    if (found.length === 0) return valueErrors();
    const texts = found.map(({ field, text }) => `${field}: ${text}`);
    return bad(texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]`);
  }
  const pruned = prune(value, schema, isResource);
  const unpruned =
    mustBePruned && !jsonEqual(pruned.value, value)
      ? [invalidField(path, badValue(value), 'must not have unknown fields')]
      : [];
  try {
    coerceMetadata(value, schema, meta, isResource, path);
  } catch (error) {
    if (error instanceof MetadataError) return [...unpruned, error.field];
    throw error;
  }
  const embedded = validateEmbedded(value, schema, isResource, path);
  return [...unpruned, ...(embedded.length > 0 ? embedded : valueErrors())];
}
