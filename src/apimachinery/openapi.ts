import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { JsonObject, JsonValue } from './json.ts';
import { openApiDefinition, type Prose } from './openapi-schema.ts';
import type { ResourceDefinition } from './resource.ts';
import type { GroupVersionKind, Schema, SchemaSource } from './schema.ts';

/** A resource of a group version with its subresources, as discovery lists them. */
export interface OpenApiResource {
  readonly definition: ResourceDefinition;
  readonly verbs: readonly string[];
  readonly subresources: readonly OpenApiSubresource[];
}

export interface OpenApiSubresource {
  readonly name: string;
  /** The kind of the body. What can only be read is text, whatever its kind (`log`). */
  readonly kind: GroupVersionKind;
  /** Definition name of the body, where it does not follow from the kind. */
  readonly schema?: string;
  readonly verbs: readonly string[];
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const OBJECT_TYPES = ['application/json', 'application/yaml'];
const LIST_TYPES = ['application/json', 'application/json;stream=watch', 'application/yaml'];
const PATCH_TYPES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];
const STRATEGIC = 'application/strategic-merge-patch+json';

/** `api/v1` or `apis/apps/v1`: a group version's place below `/openapi/v3/`. */
export function openApiPath(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/**
 * The document's hash in the index and in the `ETag` header. Follows kube-openapi/pkg/handler3, v1.33. Differs from
 * upstream: SHA-256 instead of SHA-512, which is dear without 64-bit integers; clients only compare it.
 */
export function openApiHash(document: string): string {
  return bytesToHex(sha256(utf8ToBytes(document))).toUpperCase();
}

/** `GET /openapi/v3`: where each group version's document is. `hashes` are by {@link openApiPath}. */
export function openApiIndex(hashes: ReadonlyMap<string, string>): JsonObject {
  const entries = [...hashes].sort(([a], [b]) => (a < b ? -1 : 1));
  const paths = entries.map(([path, hash]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }]);
  return { paths: Object.fromEntries(paths) };
}

/**
 * `GET /openapi/v3/apis/<group>/<version>`: the schemas of the group version's kinds and of what they hold, and the paths
 * of its resources. A pure function; `prose` gives descriptions of definitions, where there are any, and `parameterProse`
 * those of parameters by name. Follows kube-openapi's builder3 and apiserver/pkg/endpoints/installer.go, v1.33. Differs from
 * upstream: every delete answers with a Status, and the deprecated watch paths and the proxies' paths are left out.
 */
export function openApiDocument(
  group: string,
  version: string,
  resources: readonly OpenApiResource[],
  schemas: SchemaSource,
  prose: (definition: string) => Prose | undefined = () => undefined,
  parameterProse: Prose = {},
): JsonObject {
  const custom = new Map(resources.flatMap(({ definition }) => [...(definition.custom?.openapi ?? [])]));
  const used = new Components(schemas, custom);
  const paths: Record<string, JsonValue> = {};
  for (const resource of [...resources].sort((a, b) => (a.definition.plural < b.definition.plural ? -1 : 1)))
    for (const [path, item] of resourcePaths(group, version, resource, used))
      paths[path] = described(item, parameterProse);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.33' },
    paths,
    components: {
      schemas: Object.fromEntries(
        used
          .closed()
          .map(([name, schema]) => [
            name,
            isCustom(schema) ? schema.definition : openApiDefinition(schema, 3, prose(name)),
          ]),
      ),
    },
  };
}

/** A definition that is written as it stands: a custom resource's. */
interface CustomDefinition {
  readonly definition: JsonObject;
}

const isCustom = (schema: Schema | CustomDefinition): schema is CustomDefinition => 'definition' in schema;

/** The definitions that a document refers to. */
class Components {
  readonly #schemas: SchemaSource;
  readonly #custom: ReadonlyMap<string, JsonObject>;
  readonly #found = new Map<string, Schema | CustomDefinition>();

  constructor(schemas: SchemaSource, custom: ReadonlyMap<string, JsonObject>) {
    this.#schemas = schemas;
    this.#custom = custom;
  }

  /** A reference to a definition, which the document then has; undefined where there is no such definition. */
  reference(name: string): JsonObject | undefined {
    const definition = this.#custom.get(name);
    if (definition) {
      if (!this.#found.has(name)) this.#visitCustom(name, definition);
      return { $ref: `#/components/schemas/${name}` };
    }
    const schema = this.#schemas.lookup(name);
    if (!schema) return undefined;
    this.#visit(schema);
    return { $ref: `#/components/schemas/${name}` };
  }

  /** A reference to the definition of a kind. */
  referenceTo({ group, version, kind }: GroupVersionKind): JsonObject | undefined {
    const found = this.#schemas.names().find((name) => {
      const schema = name.endsWith(`.${version}.${kind}`) ? this.#schemas.lookup(name) : undefined;
      return schema?.kind === 'struct' && schema.kinds?.some((each) => each.group === group && each.kind === kind);
    });
    return found === undefined ? undefined : this.reference(found);
  }

  /** All of them with what they hold, sorted. */
  closed(): readonly (readonly [string, Schema | CustomDefinition])[] {
    return [...this.#found].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #visitCustom(name: string, definition: JsonObject): void {
    this.#found.set(name, { definition });
    for (const [, reference] of JSON.stringify(definition).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      this.reference(reference as string);
  }

  #visit(schema: Schema): void {
    if (schema.kind === 'list') return this.#visit(schema.items);
    if (schema.kind === 'map') return this.#visit(schema.values);
    if (schema.name !== undefined) {
      if (this.#found.has(schema.name)) return;
      this.#found.set(schema.name, schema);
    }
    if (schema.kind === 'struct') for (const field of schema.fields.values()) this.#visit(field.schema);
  }
}

type PathItem = readonly [string, JsonObject];

function* resourcePaths(
  group: string,
  version: string,
  resource: OpenApiResource,
  used: Components,
): Iterable<PathItem> {
  const { definition, verbs, subresources } = resource;
  const { kind, plural, schema } = definition;
  const namespaced = definition.scope === 'Namespaced';
  const prefix = `/${openApiPath(group, version)}`;
  const collection = `${prefix}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const operations = new Operations(group, version, kind, namespaced, used);
  const body = used.reference(schema);
  const list = used.reference(`${schema}List`);
  if (namespaced && verbs.includes('list'))
    yield [
      `${prefix}/${plural}`,
      { get: operations.listAll(list), parameters: sorted([...common(kind, []), ...LISTING]) },
    ];
  yield* nonEmpty(collection, kind, namespaced ? ['namespace'] : [], {
    ...(verbs.includes('deletecollection') ? { delete: operations.deleteCollection() } : {}),
    ...(verbs.includes('list') ? { get: operations.list(list) } : {}),
    ...(verbs.includes('create') ? { post: operations.create('', body, definition) } : {}),
  });
  const names = ['name', ...(namespaced ? ['namespace'] : [])];
  yield* nonEmpty(`${collection}/{name}`, kind, names, {
    ...operations.single('', definition, body, verbs, schema),
    ...(verbs.includes('delete') ? { delete: operations.delete() } : {}),
  });
  for (const { name, kind: served, schema: bodySchema, verbs: allowed } of subresources) {
    const named = () => (bodySchema === undefined ? used.referenceTo(served) : used.reference(bodySchema));
    const subresourceBody = allowed.every((verb) => verb === 'get') ? undefined : named();
    yield* nonEmpty(`${collection}/{name}/${name}`, served.kind, names, {
      ...operations.single(name, served, subresourceBody, allowed, schema),
      ...(allowed.includes('create') ? { post: operations.create(name, subresourceBody, served) } : {}),
    });
  }
}

function* nonEmpty(path: string, kind: string, names: readonly string[], operations: JsonObject): Iterable<PathItem> {
  if (Object.keys(operations).length > 0) yield [path, { ...operations, parameters: common(kind, names) }];
}

const METHODS = new Set(['delete', 'get', 'patch', 'post', 'put']);

/** A path or an operation with the prose of its parameters. */
function described(item: JsonObject, prose: Prose): JsonObject {
  const entries = Object.entries(item).map(([key, value]) => [
    key,
    key === 'parameters'
      ? (value as readonly Parameter[]).map((one) => (prose[one.name] ? { description: prose[one.name], ...one } : one))
      : METHODS.has(key)
        ? described(value as JsonObject, prose)
        : value,
  ]);
  return Object.fromEntries(entries);
}

/** Parameters of every operation of a path. */
function common(kind: string, names: readonly string[]): readonly Parameter[] {
  const inPath = names.map((name) => ({
    name,
    ...(name === 'name' ? { description: `name of the ${kind}` } : {}),
    in: 'path',
    required: true,
    schema: { type: 'string', uniqueItems: true },
  }));
  return [...inPath, query('pretty', 'string')];
}

type Parameter = JsonObject & { readonly name: string };

const query = (name: string, type: string): Parameter => ({ name, in: 'query', schema: { type, uniqueItems: true } });
const DRY_RUN = query('dryRun', 'string');
const MANAGER = query('fieldManager', 'string');
const VALIDATION = query('fieldValidation', 'string');
const SELECTION = [
  query('continue', 'string'),
  query('fieldSelector', 'string'),
  query('labelSelector', 'string'),
  query('limit', 'integer'),
  query('resourceVersion', 'string'),
  query('resourceVersionMatch', 'string'),
  query('sendInitialEvents', 'boolean'),
  query('timeoutSeconds', 'integer'),
];
const LISTING = [query('allowWatchBookmarks', 'boolean'), ...SELECTION, query('watch', 'boolean')];
const DELETION = [
  query('gracePeriodSeconds', 'integer'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean'),
  query('orphanDependents', 'boolean'),
  query('propagationPolicy', 'string'),
];

const sorted = (parameters: readonly Parameter[]): readonly Parameter[] =>
  [...parameters].sort((a, b) => (a.name < b.name ? -1 : 1));

interface OperationSpec {
  readonly action: string;
  readonly name: string;
  readonly description: string;
  readonly kind: GroupVersionKind;
  readonly parameters?: readonly Parameter[];
  readonly body?: {
    readonly types: readonly string[];
    readonly schema: JsonObject | undefined;
    readonly required: boolean;
  };
  readonly codes: readonly string[];
  readonly answer: JsonObject | undefined;
  readonly answerTypes?: readonly string[];
}

/** The operations of one resource. */
class Operations {
  readonly #tag: string;
  readonly #kind: GroupVersionKind;
  readonly #namespaced: string;
  readonly #used: Components;
  /** `CoreV1`, `RbacAuthorizationV1`. */
  readonly #prefix: string;

  constructor(group: string, version: string, kind: string, namespaced: boolean, used: Components) {
    this.#kind = { group, version, kind };
    this.#namespaced = namespaced ? 'Namespaced' : '';
    this.#used = used;
    const words = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.');
    const camel = [...words, version].map((word) => word[0]!.toUpperCase() + word.slice(1));
    this.#prefix = camel.join('');
    this.#tag = `${words[0]}${camel.slice(1, -1).join('')}_${version}`;
  }

  list(answer: JsonObject | undefined): JsonObject {
    return this.#operation({ ...this.#listing(answer, `${this.#namespaced}${this.#kind.kind}`), parameters: LISTING });
  }

  /** The list of all namespaces; its parameters belong to the path. */
  listAll(answer: JsonObject | undefined): JsonObject {
    return this.#operation(this.#listing(answer, `${this.#kind.kind}ForAllNamespaces`));
  }

  #listing(answer: JsonObject | undefined, name: string): OperationSpec {
    return {
      action: 'list',
      name: `list${this.#prefix}${name}`,
      description: `list or watch objects of kind ${this.#kind.kind}`,
      kind: this.#kind,
      codes: ['200'],
      answer,
      answerTypes: LIST_TYPES,
    };
  }

  deleteCollection(): JsonObject {
    const { kind } = this.#kind;
    return this.#operation({
      action: 'deletecollection',
      name: `delete${this.#prefix}Collection${this.#namespaced}${kind}`,
      description: `delete collection of ${kind}`,
      kind: this.#kind,
      parameters: sorted([DRY_RUN, ...DELETION, ...SELECTION]),
      body: { types: ['*/*'], schema: this.#used.reference(`${META}DeleteOptions`), required: false },
      codes: ['200'],
      answer: this.#used.reference(`${META}Status`),
    });
  }

  create(subresource: string, schema: JsonObject | undefined, kind: GroupVersionKind): JsonObject {
    return this.#operation({
      action: 'post',
      name: this.#name('create', subresource),
      description: `create ${this.#of(subresource, 'a')}`,
      kind: gvk(kind),
      parameters: [DRY_RUN, MANAGER, VALIDATION],
      body: { types: ['*/*'], schema, required: true },
      codes: ['200', '201', '202'],
      answer: schema,
    });
  }

  delete(): JsonObject {
    return this.#operation({
      action: 'delete',
      name: this.#name('delete', ''),
      description: `delete ${this.#of('', 'a')}`,
      kind: this.#kind,
      parameters: [DRY_RUN, ...DELETION],
      body: { types: ['*/*'], schema: this.#used.reference(`${META}DeleteOptions`), required: false },
      codes: ['200', '202'],
      answer: this.#used.reference(`${META}Status`),
    });
  }

  /** get, put and patch. */
  single(
    subresource: string,
    kind: GroupVersionKind,
    schema: JsonObject | undefined,
    verbs: readonly string[],
    definition: string,
  ): JsonObject {
    const shared = { kind: gvk(kind), answer: schema };
    const of = this.#of(subresource, 'the specified');
    // Custom resources know no strategic merge.
    const patchTypes = definition.startsWith('io.k8s.') ? [...PATCH_TYPES, STRATEGIC] : PATCH_TYPES;
    return {
      ...(verbs.includes('get')
        ? {
            get: this.#operation({
              ...shared,
              action: 'get',
              name: this.#name('read', subresource),
              description: `read ${of}`,
              codes: ['200'],
            }),
          }
        : {}),
      ...(verbs.includes('patch')
        ? {
            patch: this.#operation({
              ...shared,
              action: 'patch',
              name: this.#name('patch', subresource),
              description: `partially update ${of}`,
              parameters: [DRY_RUN, MANAGER, VALIDATION, query('force', 'boolean')],
              body: { types: patchTypes, schema: this.#used.reference(`${META}Patch`), required: true },
              codes: ['200', '201'],
            }),
          }
        : {}),
      ...(verbs.includes('update')
        ? {
            put: this.#operation({
              ...shared,
              action: 'put',
              name: this.#name('replace', subresource),
              description: `replace ${of}`,
              parameters: [DRY_RUN, MANAGER, VALIDATION],
              body: { types: ['*/*'], schema, required: true },
              codes: ['200', '201'],
            }),
          }
        : {}),
    };
  }

  #name(verb: string, subresource: string): string {
    const suffix = subresource && subresource[0]!.toUpperCase() + subresource.slice(1);
    return `${verb}${this.#prefix}${this.#namespaced}${this.#kind.kind}${suffix}`;
  }

  #of(subresource: string, article: string): string {
    return `${subresource && `${subresource} of `}${article} ${this.#kind.kind}`;
  }

  #operation(spec: OperationSpec): JsonObject {
    const { body, parameters } = spec;
    const answer = content(spec.answerTypes ?? OBJECT_TYPES, spec.answer);
    const responses = spec.codes.map((code) => [code, { description: DESCRIPTIONS[code], ...answer }]);
    return {
      description: spec.description,
      operationId: spec.name,
      ...(parameters ? { parameters } : {}),
      ...(body
        ? { requestBody: { ...content(body.types, body.schema), ...(body.required ? { required: true } : {}) } }
        : {}),
      responses: { ...Object.fromEntries(responses), '401': { description: 'Unauthorized' } },
      tags: [this.#tag],
      'x-kubernetes-action': spec.action,
      'x-kubernetes-group-version-kind': { ...spec.kind },
    };
  }
}

const DESCRIPTIONS: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

function content(types: readonly string[], schema: JsonObject | undefined): JsonObject {
  return { content: Object.fromEntries(types.map((type) => [type, { schema: schema ?? { type: 'string' } }])) };
}

/** Takes a resource definition too, which is more than its kind. */
function gvk({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}
