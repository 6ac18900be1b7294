import { definitionName } from '#api/apiextensions/v1/served-resources.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import type { FieldSchema, Schema, StructSchema } from '#apimachinery/schema.ts';
import { itemsOf, type SchemaProps, valuesOf } from '#apimachinery/structural-schema.ts';

const text: Schema = { kind: 'scalar', type: 'string' };
const ANY: Schema = { kind: 'scalar', type: 'any' };

function field(schema: Schema, value?: JsonValue): FieldSchema {
  return { schema, omitEmpty: true, pointer: true, ...(value === undefined ? {} : { default: value }) };
}

/** What ownership of fields knows of a custom resource's objects. `meta`: of their metadata. */
export function ownershipSchema(schema: SchemaProps | undefined, meta: StructSchema): StructSchema {
  const struct = structOf(schema ?? {}, meta, true);
  return schema ? struct : { ...struct, preserveUnknown: true };
}

function structOf(schema: SchemaProps, meta: StructSchema, isResource: boolean): StructSchema {
  const fields = new Map<string, FieldSchema>();
  if (isResource) {
    fields.set('apiVersion', field(text));
    fields.set('kind', field(text));
    fields.set('metadata', field(meta));
  }
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    if (!fields.has(name)) fields.set(name, field(typeOf(property, meta), property.default));
  const mapType = mapTypeOf(schema);
  return {
    kind: 'struct',
    fields,
    ...(mapType ? { mapType } : {}),
    ...(schema['x-kubernetes-preserve-unknown-fields'] ? { preserveUnknown: true } : {}),
  };
}

function mapTypeOf(schema: SchemaProps): 'atomic' | 'granular' | undefined {
  const mapType = schema['x-kubernetes-map-type'];
  return mapType === 'atomic' || mapType === 'granular' ? mapType : undefined;
}

const SCALARS: Readonly<Record<string, Schema>> = {
  string: text,
  integer: { kind: 'scalar', type: 'int64' },
  number: { kind: 'scalar', type: 'double' },
  boolean: { kind: 'scalar', type: 'boolean' },
};

function typeOf(schema: SchemaProps, meta: StructSchema): Schema {
  if (schema['x-kubernetes-int-or-string']) return { kind: 'scalar', type: 'int-or-string' };
  if (schema.type === 'array') {
    const listType = schema['x-kubernetes-list-type'];
    const mapKeys = schema['x-kubernetes-list-map-keys'];
    const items = itemsOf(schema);
    return {
      kind: 'list',
      items: items ? typeOf(items, meta) : ANY,
      ...(listType === 'atomic' || listType === 'set' || listType === 'map' ? { listType } : {}),
      ...(mapKeys ? { mapKeys } : {}),
    };
  }
  if (schema.type === 'object') {
    const values = valuesOf(schema);
    const mapType = mapTypeOf(schema);
    if (values) return { kind: 'map', values: typeOf(values, meta), ...(mapType ? { mapType } : {}) };
    const struct = structOf(schema, meta, schema['x-kubernetes-embedded-resource'] === true);
    return struct.fields.size > 0 ? struct : { ...struct, preserveUnknown: true };
  }
  return SCALARS[schema.type ?? ''] ?? ANY;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const API_VERSION =
  'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources';
const KIND =
  'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';
const OBJECT_META =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const LIST_META =
  'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';
const LIST_ITEMS = 'More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';

const reference = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
const word = (description: string): JsonObject => ({ description, type: 'string' });

export interface CustomNames {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
}

/**
 * The definitions of a custom kind and its list as OpenAPI v3 has them, by name. Follows
 * apiextensions-apiserver/pkg/controller/openapi/builder, v1.33.
 */
export function openApiDefinitions(
  schema: SchemaProps | undefined,
  { group, version, kind, listKind, plural }: CustomNames,
): ReadonlyMap<string, JsonObject> {
  const name = definitionName(group, version, kind);
  const typed = { apiVersion: word(API_VERSION), kind: word(KIND) };
  const root = withResources(
    (schema ?? { 'x-kubernetes-preserve-unknown-fields': true, type: 'object' }) as JsonObject,
  );
  const object = {
    ...root,
    properties: {
      ...(root.properties as JsonObject | undefined),
      ...typed,
      metadata: { description: OBJECT_META, allOf: [reference(`${META}ObjectMeta`)] },
    },
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
  };
  const list = {
    description: `${listKind} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typed,
      items: { description: `List of ${plural}. ${LIST_ITEMS}`, type: 'array', items: reference(name) },
      metadata: { description: LIST_META, allOf: [reference(`${META}ListMeta`)] },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: listKind, version }],
  };
  return new Map<string, JsonObject>([
    [name, object],
    [`${name}List`, list],
  ]);
}

/** Resources inside of a schema have what all resources have. */
function withResources(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema).map(([key, value]): [string, JsonValue | undefined] => {
    if (key === 'properties')
      return [
        key,
        Object.fromEntries(
          Object.entries(value as JsonObject).map(([name, each]) => [name, withResources(each as JsonObject)]),
        ),
      ];
    if ((key === 'items' || key === 'additionalProperties') && typeof value === 'object')
      return [key, withResources(value as JsonObject)];
    return [key, value];
  });
  const next = Object.fromEntries(entries);
  if (!schema['x-kubernetes-embedded-resource']) return next;
  return {
    ...next,
    properties: {
      ...(next.properties as JsonObject | undefined),
      apiVersion: word(API_VERSION),
      kind: word(KIND),
      metadata: { description: OBJECT_META, allOf: [reference(`${META}ObjectMeta`)] },
    },
  };
}
