import type { JsonObject, JsonValue } from './json.ts';
import type { FieldSchema, ScalarSchema, Schema, StructSchema } from './schema.ts';

/** A definition's prose by field; `''` is the definition's own. */
export type Prose = Readonly<Record<string, string>>;

/** How the two releases of OpenAPI differ: in references, in the leaf types that are two things, and in defaults. */
export type OpenApiDialect = 2 | 3;

const SCALARS: Readonly<Record<ScalarSchema['type'], JsonObject>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  quantity: { type: 'string' },
  'int-or-string': { type: 'string', format: 'int-or-string' },
  time: { type: 'string', format: 'date-time' },
  'micro-time': { type: 'string', format: 'date-time' },
  any: {},
  object: { type: 'object' },
};

const LEAVES_OF_3: Partial<Record<ScalarSchema['type'], JsonObject>> = {
  quantity: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'int-or-string': { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
};

/** What one item of a list, or one value of a map, is when nothing is said of it. */
const ITEM_DEFAULTS: Partial<Record<ScalarSchema['type'], JsonValue>> = {
  string: '',
  boolean: false,
  int32: 0,
  int64: 0,
  double: 0,
};

/** One definition as the API server publishes it. Follows kube-openapi's generators and builder, as of v1.33. */
export function openApiDefinition(schema: Schema, dialect: OpenApiDialect, prose: Prose = {}): JsonObject {
  const description = prose[''] ? { description: prose[''] } : {};
  if (schema.kind === 'scalar')
    return { ...description, ...((dialect === 3 && LEAVES_OF_3[schema.type]) || SCALARS[schema.type]) };
  if (schema.kind !== 'struct') throw new Error('a definition is a struct or a leaf');
  return { ...description, ...structNode(schema, dialect, prose) };
}

function structNode(schema: StructSchema, dialect: OpenApiDialect, prose: Prose): JsonObject {
  const fields = [...schema.fields].sort(([a], [b]) => (a < b ? -1 : 1));
  const required = fields.filter(([, field]) => field.required).map(([name]) => name);
  return {
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldNode(field, dialect, prose[name])])),
    ...(schema.kinds ? { 'x-kubernetes-group-version-kind': schema.kinds.map((kind) => ({ ...kind })) } : {}),
    ...(schema.mapType ? { 'x-kubernetes-map-type': schema.mapType } : {}),
    ...(schema.unions ? { 'x-kubernetes-unions': schema.unions } : {}),
    ...(schema.preserveUnknown ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
  };
}

function fieldNode(field: FieldSchema, dialect: OpenApiDialect, prose: string | undefined): JsonObject {
  const { patchStrategy, patchMergeKey, mapType, listType } = field;
  const value = dialect === 3 ? (field.default ?? zeroDefault(field)) : undefined;
  return withSiblings(schemaNode(field.schema, dialect), dialect, {
    ...(prose ? { description: prose } : {}),
    ...(value === undefined ? {} : { default: value }),
    ...(patchStrategy ? { 'x-kubernetes-patch-strategy': patchStrategy.join(',') } : {}),
    ...(patchMergeKey ? { 'x-kubernetes-patch-merge-key': patchMergeKey } : {}),
    ...(mapType ? { 'x-kubernetes-map-type': mapType } : {}),
    ...(listType ? { 'x-kubernetes-list-type': listType } : {}),
  });
}

/** Values that are no pointers and that Go always writes have their zero as default. */
function zeroDefault({ schema, pointer, omitEmpty }: FieldSchema): JsonValue | undefined {
  if (pointer) return undefined;
  if (schema.kind === 'struct') return {};
  return schema.kind === 'scalar' && !omitEmpty ? ITEM_DEFAULTS[schema.type] : undefined;
}

/** A reference stands alone in release 2 but for extensions; in release 3 it goes into an `allOf`. */
function withSiblings(node: JsonObject, dialect: OpenApiDialect, siblings: JsonObject): JsonObject {
  if (dialect === 3 && node.$ref !== undefined && Object.keys(siblings).length > 0)
    return { allOf: [node], ...siblings };
  return { ...node, ...siblings };
}

/** A schema where it is used: a reference if it has a name. */
export function schemaNode(schema: Schema, dialect: OpenApiDialect): JsonObject {
  switch (schema.kind) {
    case 'struct':
      return schema.name ? reference(schema.name, dialect) : structNode(schema, dialect, {});
    case 'scalar': {
      if (schema.name) return reference(schema.name, dialect);
      return schema.enum ? { ...SCALARS[schema.type], enum: schema.enum } : SCALARS[schema.type];
    }
    case 'list':
      return {
        type: 'array',
        items: itemNode(schema.items, dialect),
        ...(schema.listType ? { 'x-kubernetes-list-type': schema.listType } : {}),
        ...(schema.mapKeys ? { 'x-kubernetes-list-map-keys': schema.mapKeys } : {}),
      };
    case 'map':
      return {
        type: 'object',
        additionalProperties: itemNode(schema.values, dialect),
        ...(schema.mapType ? { 'x-kubernetes-map-type': schema.mapType } : {}),
      };
  }
}

function itemNode(schema: Schema, dialect: OpenApiDialect): JsonObject {
  const value = schema.kind === 'struct' ? {} : schema.kind === 'scalar' ? ITEM_DEFAULTS[schema.type] : undefined;
  return withSiblings(
    schemaNode(schema, dialect),
    dialect,
    dialect === 3 && value !== undefined ? { default: value } : {},
  );
}

function reference(name: string, dialect: OpenApiDialect): JsonObject {
  return { $ref: `#/${dialect === 3 ? 'components/schemas' : 'definitions'}/${name}` };
}
