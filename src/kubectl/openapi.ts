import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import type { FieldSchema, Schema, StructSchema } from '#apimachinery/schema.ts';
import type { ObjectKind } from './fields.ts';
import { at, isObject, list, object, objects, text } from './fields.ts';
import type { RestClient } from './rest-client.ts';

const REFERENCE = '#/components/schemas/';

/** The server's OpenAPI v3 documents, read as they are needed. */
export class OpenApi {
  readonly #client: RestClient;
  #index: Promise<JsonObject> | undefined;
  readonly #documents = new Map<string, Promise<OpenApiDocument>>();

  constructor(client: RestClient) {
    this.#client = client;
  }

  /** The document of a group and version. Throws when the server has none. */
  async document(group: string, version: string): Promise<OpenApiDocument> {
    const found = await this.find(group, version);
    if (!found) throw new Error(`couldn't find resource for "${group}/${version}"`);
    return found;
  }

  /** The document of a group and version, or undefined. */
  async find(group: string, version: string): Promise<OpenApiDocument | undefined> {
    const key = group === '' ? `api/${version}` : `apis/${group}/${version}`;
    const known = this.#documents.get(key);
    if (known) return known;
    this.#index ??= this.#client.get('/openapi/v3');
    const path = text(at(await this.#index, 'paths', key), 'serverRelativeURL');
    if (path === '') return undefined;
    const loading = this.#client.get(path).then((content) => new OpenApiDocument(content));
    this.#documents.set(key, loading);
    return loading;
  }
}

/** One document: definitions by name. */
export class OpenApiDocument {
  readonly #content: JsonObject;
  readonly #schemas = new Map<string, Schema>();

  constructor(content: JsonObject) {
    this.#content = content;
  }

  /** A definition; undefined when the document has none of that name. */
  definition(name: string): JsonObject | undefined {
    const found = at(this.#content, 'components', 'schemas', name);
    return isObject(found) ? found : undefined;
  }

  /** The name of a kind's definition. */
  definitionOf({ group, version, kind }: ObjectKind): string | undefined {
    return Object.entries(object(this.#content, 'components', 'schemas')).find(([, definition]) =>
      objects(definition, 'x-kubernetes-group-version-kind').some(
        (each) => text(each, 'group') === group && text(each, 'version') === version && text(each, 'kind') === kind,
      ),
    )?.[0];
  }

  /** Whether objects of the kind can be changed by strategic merge patches; undefined when the kind is not known. */
  strategic({ group, version, kind }: ObjectKind): boolean | undefined {
    for (const path of Object.values(object(this.#content, 'paths'))) {
      const named = at(path, 'patch', 'x-kubernetes-group-version-kind');
      if (text(named, 'group') !== group || text(named, 'version') !== version || text(named, 'kind') !== kind)
        continue;
      return at(path, 'patch', 'requestBody', 'content', 'application/strategic-merge-patch+json') !== undefined;
    }
    return undefined;
  }

  /** The shape of a kind, as far as patches need it. */
  schemaOf(kind: ObjectKind): Schema | undefined {
    const name = this.definitionOf(kind);
    return name === undefined ? undefined : this.#named(name);
  }

  #named(name: string): Schema | undefined {
    const known = this.#schemas.get(name);
    if (known) return known;
    const definition = this.definition(name);
    if (!definition) return undefined;
    // Known before its fields are: definitions refer to themselves.
    const fields = new Map<string, FieldSchema>();
    const struct: StructSchema = { kind: 'struct', name, fields };
    const isStruct = isObject(at(definition, 'properties'));
    this.#schemas.set(name, isStruct ? struct : (this.#schema(definition) ?? struct));
    if (isStruct) this.#fields(definition, fields);
    return this.#schemas.get(name);
  }

  #fields(definition: JsonObject, fields: Map<string, FieldSchema>): void {
    for (const [field, value] of Object.entries(object(definition, 'properties'))) {
      const schema = this.#schema(value);
      if (!schema) continue;
      const strategy = text(value, 'x-kubernetes-patch-strategy');
      const mergeKey = text(value, 'x-kubernetes-patch-merge-key');
      fields.set(field, {
        schema,
        ...(strategy === '' ? {} : { patchStrategy: strategy.split(',') }),
        ...(mergeKey === '' ? {} : { patchMergeKey: mergeKey }),
      });
    }
  }

  #schema(value: JsonValue | undefined): Schema | undefined {
    const reference = referenceOf(value);
    if (reference !== undefined) return this.#named(reference);
    const items = at(value, 'items');
    if (items !== undefined) return { kind: 'list', items: this.#schema(items) ?? ANY };
    if (isObject(at(value, 'properties'))) {
      const fields = new Map<string, FieldSchema>();
      this.#fields(value as JsonObject, fields);
      return { kind: 'struct', fields };
    }
    const values = at(value, 'additionalProperties');
    if (isObject(values)) return { kind: 'map', values: this.#schema(values) ?? ANY };
    return ANY;
  }
}

const ANY: Schema = { kind: 'scalar', type: 'any' };

/** The name of the definition that a schema refers to, directly or as the only part of an `allOf`. */
export function referenceOf(schema: JsonValue | undefined): string | undefined {
  const direct = text(schema, '$ref') || text(list(schema, 'allOf')[0], '$ref');
  return direct.startsWith(REFERENCE) ? direct.slice(REFERENCE.length) : undefined;
}
