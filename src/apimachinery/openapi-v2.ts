import type { JsonObject, JsonValue } from './json.ts';
import { openApiDefinition, type Prose } from './openapi-schema.ts';
import type { SchemaSource } from './schema.ts';

const V3_REFERENCE = '#/components/schemas/';
const V2_REFERENCE = '#/definitions/';
/** What has no counterpart in release 2. */
const NOT_IN_2: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'nullable', 'not', 'oneOf']);

/**
 * `GET /openapi/v2`: one document of all group versions, made of their documents of release 3. A pure function; `prose`
 * gives descriptions of the built-in definitions. Follows kube-openapi's builder and apiextensions' openapi/v2, v1.33.
 * Differs from upstream: parameters stand where they are used instead of being shared.
 */
export function openApiV2Document(
  version: string,
  documents: readonly JsonObject[],
  schemas: SchemaSource,
  prose: (definition: string) => Prose | undefined = () => undefined,
): JsonObject {
  const paths = new Map<string, JsonValue>();
  const definitions = new Map<string, JsonValue>();
  for (const document of documents) {
    for (const [path, item] of Object.entries(document.paths as JsonObject)) {
      paths.set(path, pathItem(item as JsonObject));
    }
    const { schemas: found } = document.components as { readonly schemas: Readonly<Record<string, JsonObject>> };
    for (const [name, definition] of Object.entries(found)) {
      if (definitions.has(name)) continue;
      const own = schemas.lookup(name);
      definitions.set(name, own ? openApiDefinition(own, 2, prose(name)) : customNode(definition));
    }
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: sorted(paths),
    definitions: sorted(definitions),
    securityDefinitions: {
      BearerToken: {
        description: 'Bearer Token authentication',
        type: 'apiKey',
        name: 'authorization',
        in: 'header',
      },
    },
    security: [{ BearerToken: [] }],
  };
}

const sorted = (map: ReadonlyMap<string, JsonValue>): JsonObject =>
  Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

function pathItem({ parameters = [], ...operations }: JsonObject): JsonObject {
  return {
    ...Object.fromEntries(
      Object.entries(operations).map(([method, value]) => [method, operation(value as JsonObject)]),
    ),
    parameters: (parameters as readonly JsonObject[]).map(parameter),
  };
}

const reference = (of: string): JsonObject => ({ $ref: of.replace(V3_REFERENCE, V2_REFERENCE) });

/** A parameter is its schema. */
const parameter = ({ schema, ...rest }: JsonObject): JsonObject => ({ ...rest, ...(schema as JsonObject) });

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: JsonObject }>>;
}

const typesOf = ({ content = {} }: Content): string[] => Object.keys(content);
const schemaOf = ({ content = {} }: Content): { readonly schema?: JsonObject } => {
  const { schema } = Object.values(content)[0] ?? {};
  return schema ? { schema: typeof schema.$ref === 'string' ? reference(schema.$ref) : schema } : {};
};

function operation({ requestBody, responses, parameters, ...rest }: JsonObject): JsonObject {
  const body = requestBody as (Content & { readonly required?: boolean }) | undefined;
  const answers = Object.entries(
    responses as unknown as Readonly<Record<string, Content & { readonly description: string }>>,
  );
  const produced = [...new Set(answers.flatMap(([, answer]) => typesOf(answer)))];
  const own = ((parameters ?? []) as readonly JsonObject[]).map(parameter);
  const all = body
    ? [{ name: 'body', in: 'body', ...(body.required ? { required: true } : {}), ...schemaOf(body) }, ...own]
    : own;
  return {
    ...rest,
    consumes: body ? typesOf(body) : ['*/*'],
    produces: produced.length ? produced : ['application/json'],
    schemes: ['https'],
    ...(all.length ? { parameters: all } : {}),
    responses: Object.fromEntries(
      answers.map(([code, answer]) => [code, { description: answer.description, ...schemaOf(answer) }]),
    ),
  };
}

/** A custom resource's schema without what kubectl cannot cope with in release 2. */
function customNode(node: JsonObject): JsonObject {
  const referred = node.$ref ?? (node.allOf as readonly JsonObject[] | undefined)?.[0]?.$ref;
  if (typeof referred === 'string') {
    const { allOf: _allOf, default: _default, $ref: _ref, ...siblings } = node;
    return { ...siblings, ...reference(referred) };
  }
  const kept: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(node)) if (!NOT_IN_2.has(key) && value !== undefined) kept[key] = value;
  const preserves = node['x-kubernetes-preserve-unknown-fields'] === true;
  if (node.nullable === true || preserves) {
    delete kept.items;
    delete kept.properties;
  }
  const { type } = kept;
  if (node.nullable === true || (type === 'array' && !kept.items) || (type === 'object' && preserves)) delete kept.type;
  const properties = kept.properties as Readonly<Record<string, JsonObject>> | undefined;
  if (properties) {
    kept.properties = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, customNode(value)]));
    const required = (kept.required as readonly string[] | undefined)?.filter((name) => !properties[name]?.nullable);
    if (required?.length) kept.required = required;
    else delete kept.required;
  }
  if (isObject(kept.items)) kept.items = customNode(kept.items);
  if (isObject(kept.additionalProperties)) {
    if (kept.additionalProperties.nullable === true) delete kept.required;
    kept.additionalProperties = customNode(kept.additionalProperties);
  }
  return kept;
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
