import { servedResources } from '#api/apiextensions/v1/served-resources.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
} from '#api/generated/types.ts';
import { schemas } from '#api/schemas.ts';
import { DecodeError, type Decoded, jsonTypeOf } from '#apimachinery/decode.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { humanDuration } from '#apimachinery/human-duration.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { JsonPath } from '#apimachinery/json-path.ts';
import { plainJson, type ReadValue } from '#apimachinery/json-reader.ts';
import {
  type ApiObject,
  apiVersionOf,
  type FieldGetter,
  type ResourceDefinition,
  type StoredAs,
  type TableColumn,
} from '#apimachinery/resource.ts';
import { lookupStruct } from '#apimachinery/schema.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { internalError } from '#apimachinery/status-error.ts';
import { validateLists } from '#apimachinery/structural-lists.ts';
import { coerceMetadata, decodeMetadata, MetadataError, validateEmbedded } from '#apimachinery/structural-metadata.ts';
import { fillDefaults, prune, pruneNulls } from '#apimachinery/structural-prune.ts';
import { propertyOf, type SchemaProps } from '#apimachinery/structural-schema.ts';
import { NOWHERE, validateSchema } from '#apimachinery/structural-validate.ts';
import { goQuote, invalidField, isQualifiedName } from '#apimachinery/validation.ts';
import type { SubresourceEndpoint } from '#apiserver/contract.ts';
import { compareVersions } from '#apiserver/discovery.ts';
import { parseTime } from '#base/clock.ts';
import { customScale, valueAt } from './custom-resource-scale.ts';
import { openApiDefinitions, ownershipSchema } from './custom-resource-schema.ts';

/** Evaluates the expression rules of a schema and of all that it holds. */
export interface RuleEvaluator {
  evaluate(
    value: JsonValue,
    old: JsonValue | undefined,
    schema: SchemaProps,
    isResource: boolean,
    path: string,
  ): readonly FieldError[];
}

/** A custom resource in one of its versions. */
export interface CustomResource {
  readonly definition: ResourceDefinition;
  readonly endpoints: readonly SubresourceEndpoint[];
}

const META = lookupStruct(schemas, 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');

/**
 * The resources of a CustomResourceDefinition whose names are accepted, one for each version that is served (the storage
 * version, if none is). `isTerminating` is asked whenever something is to be created. Follows
 * apiextensions-apiserver/pkg/apiserver/customresource_handler.go and pkg/registry/customresource, v1.33.
 */
export function customResources(
  crd: CustomResourceDefinition,
  rules: RuleEvaluator | undefined,
  isTerminating: () => boolean,
): readonly CustomResource[] {
  const served = servedResources(crd);
  const all = servedResources({
    ...crd,
    spec: { ...crd.spec, versions: crd.spec.versions.map((version) => ({ ...version, served: true })) },
  });
  const stored = all[0];
  if (!stored) return [];
  const base = { ...stored, storagePrefix: `${stored.group}/${stored.plural}` };
  return (served.length > 0 ? served : [stored]).map((resource) => {
    const version = crd.spec.versions.find(({ name }) => name === resource.version) as CustomResourceDefinitionVersion;
    return new VersionOfCustomResource(crd, version, resource, base, rules).build(isTerminating);
  });
}

const schemaOf = ({ schema }: CustomResourceDefinitionVersion): SchemaProps | undefined => schema?.openAPIV3Schema;

const asJson = (object: ApiObject): JsonObject => object as unknown as JsonObject;
const asObject = (value: JsonValue): ApiObject => value as unknown as ApiObject;

class VersionOfCustomResource {
  readonly #crd: CustomResourceDefinition;
  readonly #version: CustomResourceDefinitionVersion;
  readonly #schema: SchemaProps;
  readonly #resource: ResourceDefinition;
  readonly #base: ResourceDefinition;
  readonly #rules: RuleEvaluator | undefined;

  constructor(
    crd: CustomResourceDefinition,
    version: CustomResourceDefinitionVersion,
    resource: ResourceDefinition,
    base: ResourceDefinition,
    rules: RuleEvaluator | undefined,
  ) {
    this.#crd = crd;
    this.#version = version;
    this.#schema = schemaOf(version) ?? { 'x-kubernetes-preserve-unknown-fields': true };
    this.#resource = resource;
    this.#base = base;
    this.#rules = rules;
  }

  build(isTerminating: () => boolean): CustomResource {
    const { selectableFields = [], subresources, deprecated } = this.#version;
    const listKind = this.#crd.status?.acceptedNames?.listKind ?? `${this.#resource.kind}List`;
    const hasStatus = subresources?.status !== undefined;
    const definition: ResourceDefinition = {
      ...this.#resource,
      ...(deprecated ? { deprecated: deprecationOf(this.#crd, this.#version) } : {}),
      defaults: (object) => asObject(fillDefaults(asJson(object), this.#schema)),
      validate: (object) => this.#validate(object, undefined),
      validateUpdate: (next, previous) => this.#validate(next, previous),
      strategy: {
        allowUnconditionalUpdate: false,
        prepareForCreate: (object) => {
          const { status, ...rest } = object as ApiObject & { readonly status?: JsonValue };
          const kept = hasStatus || status === undefined ? rest : { ...rest, status };
          return { ...kept, metadata: { ...object.metadata, generation: 1 } };
        },
        prepareForUpdate: (next, previous) => withGeneration(hasStatus ? withStatusOf(next, previous) : next, previous),
        warnings: finalizerWarnings,
      },
      ...(hasStatus ? { subresources: { status: this.#statusSubresource() } } : {}),
      ...(selectableFields.length > 0
        ? {
            selectableFields: Object.fromEntries(
              selectableFields.map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), fieldGetter(jsonPath)]),
            ),
          }
        : {}),
      ownColumns: true,
      columns: columnsOf(this.#version),
      storedAs: this.#storedAs(),
      custom: {
        schema: ownershipSchema(schemaOf(this.#version), META),
        decode: (value) => this.#decode(value),
        openapi: openApiDefinitions(schemaOf(this.#version), { ...this.#resource, listKind }),
        revision: `${this.#crd.metadata.uid} ${this.#crd.metadata.generation}`,
        listKind,
        get terminating() {
          return isTerminating();
        },
      },
    };
    const endpoints = subresources?.scale ? [customScale(definition, subresources.scale)] : [];
    return { definition, endpoints };
  }

  /** Follows unstructuredSchemaCoercer of customresource_handler.go, v1.33. */
  #decode(read: ReadValue): Decoded {
    const value = plainJson(read);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new DecodeError(`json: cannot unmarshal ${jsonTypeOf(read)} into Go value of type map[string]interface {}`);
    const object = value as JsonObject;
    const { metadata, unknown } = decodeMetadata(object.metadata ?? {}, META);
    const pruned = this.#pruned({ ...object, metadata });
    try {
      const embedded: string[] = [];
      const coerced = coerceMetadata(pruned.value, this.#schema, META, false, '', embedded);
      const strictErrors = [...unknown, ...pruned.unknown, ...embedded.sort()].map((path) => `unknown field "${path}"`);
      return { object: coerced as JsonObject, strictErrors };
    } catch (error) {
      throw error instanceof MetadataError ? new DecodeError(error.message) : error;
    }
  }

  #pruned(object: JsonObject): { readonly value: JsonObject; readonly unknown: readonly string[] } {
    if (this.#crd.spec.preserveUnknownFields) return { value: object, unknown: [] };
    const { value, unknown } = prune(object, this.#schema, true);
    return { value: pruneNulls(value, this.#schema), unknown };
  }

  /** Objects lie in etcd in the storage version; what comes from there is pruned and defaulted anew. */
  #storedAs(): StoredAs<ApiObject> {
    const storageVersion = apiVersionOf(this.#base);
    const own = apiVersionOf(this.#resource);
    const others = new Map(
      this.#crd.spec.versions.map((version) => [
        `${this.#crd.spec.group}/${version.name}`,
        new VersionOfCustomResource(
          this.#crd,
          version,
          { ...this.#resource, version: version.name },
          this.#base,
          undefined,
        ),
      ]),
    );
    const convert = (object: ApiObject, apiVersion: string): ApiObject => {
      if (object.apiVersion === apiVersion) return object;
      if (this.#crd.spec.conversion?.strategy === 'Webhook')
        throw internalError(
          `conversion webhook for ${object.apiVersion}, Kind=${this.#resource.kind} failed: conversion webhooks are not called by this server`,
        );
      const target = others.get(apiVersion);
      const moved = asJson({ ...object, apiVersion });
      return asObject(target ? target.#pruned(moved).value : moved);
    };
    return {
      resource: this.#base,
      toStored: (object) => convert(object, storageVersion),
      fromStored: (stored) => {
        const from = others.get(stored.apiVersion ?? '') ?? this;
        const read = fillDefaults(from.#pruned(asJson(stored)).value, from.#schema);
        return convert(asObject(read), own);
      },
    };
  }

  #validate(next: ApiObject, previous: ApiObject | undefined): FieldError[] {
    const value = asJson(next);
    const old = previous && asJson(previous);
    const errors: FieldError[] = [...validateSchema(value, this.#schema, '', old)];
    const { scale } = this.#version.subresources ?? {};
    if (scale) errors.push(...scaleSpecErrors(next, scale), ...scaleStatusErrors(next, scale));
    errors.push(...validateEmbedded(value, this.#schema, false));
    if (!old || validateLists(old, this.#schema).length === 0) errors.push(...validateLists(value, this.#schema));
    return this.#withRules(errors, value, old);
  }

  #withRules(errors: FieldError[], value: JsonObject, old: JsonObject | undefined): FieldError[] {
    const found = this.#rules?.evaluate(value, old, this.#schema, true, '') ?? [];
    if (!errors.some(({ type }) => BLOCKING.has(type))) return [...errors, ...found];
    return this.#rules && hasRules(this.#schema) ? [...errors, invalidField(NOWHERE, 'null', UNCHECKED)] : errors;
  }

  #statusSubresource(): NonNullable<ResourceDefinition['subresources']>[string] {
    return {
      prepareForUpdate: (next, previous) => {
        const { resourceVersion } = next.metadata;
        return withStatusOf({ ...previous, metadata: { ...previous.metadata, resourceVersion } }, next);
      },
      validateUpdate: (next, previous) => {
        const value = asJson(next);
        const old = asJson(previous);
        const schema = propertyOf(this.#schema, 'status');
        const errors: FieldError[] = [];
        if (value.status !== undefined && schema)
          errors.push(...validateSchema(value.status, schema, 'status', old.status));
        const { scale } = this.#version.subresources ?? {};
        if (scale) errors.push(...scaleStatusErrors(next, scale));
        const lists = validateLists(value, this.#schema);
        if (lists.length > 0 && validateLists(old, this.#schema).length === 0) errors.push(...lists);
        return this.#withRules(errors, value, old);
      },
    };
  }
}

/** After such errors rules are not looked at. */
const BLOCKING: ReadonlySet<string> = new Set(['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid']);
const UNCHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

const ruled = new WeakMap<SchemaProps, boolean>();

/** Whether a schema, or what it holds, has expression rules. */
export function hasRules(schema: SchemaProps): boolean {
  let known = ruled.get(schema);
  if (known === undefined) {
    const { items, additionalProperties, properties } = schema;
    const held = [items, additionalProperties, ...Object.values(properties ?? {})];
    known =
      Boolean(schema['x-kubernetes-validations']?.length) ||
      held.some((each) => typeof each === 'object' && !Array.isArray(each) && hasRules(each as SchemaProps));
    ruled.set(schema, known);
  }
  return known;
}

function withStatusOf(object: ApiObject, other: ApiObject): ApiObject {
  const { status } = other as ApiObject & { readonly status?: JsonValue };
  const { status: own, ...rest } = object as ApiObject & { readonly status?: JsonValue };
  if (own === status) return object;
  const next: ApiObject & { readonly status?: JsonValue } = status === undefined ? rest : { ...rest, status };
  return next;
}

/** Any change but of metadata is a new generation. */
function withGeneration(next: ApiObject, previous: ApiObject): ApiObject {
  const { metadata, ...own } = next;
  const { metadata: _metadata, ...old } = previous;
  if (semanticEqual(own, old)) return next;
  return { ...next, metadata: { ...metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}

const MAX_INT32 = 2_147_483_647;

function countErrors(object: ApiObject, path: string): FieldError[] {
  const value = valueAt(object, path);
  if (value === undefined) return [];
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    const found = encodeJson(value);
    const kind = typeof value === 'number' ? 'float64' : Array.isArray(value) ? '[]interface {}' : typeof value;
    return [invalidField(path, 0, `${path} accessor error: ${found} is of the type ${kind}, expected int64`)];
  }
  if (value < 0) return [invalidField(path, value, 'should be a non-negative integer')];
  return value > MAX_INT32 ? [invalidField(path, value, `should be less than or equal to ${MAX_INT32}`)] : [];
}

const scaleSpecErrors = (object: ApiObject, { specReplicasPath }: CustomResourceSubresourceScale): FieldError[] =>
  countErrors(object, specReplicasPath);

function scaleStatusErrors(
  object: ApiObject,
  { statusReplicasPath, labelSelectorPath }: CustomResourceSubresourceScale,
): FieldError[] {
  const errors = countErrors(object, statusReplicasPath);
  const selector = labelSelectorPath ? valueAt(object, labelSelectorPath) : undefined;
  if (labelSelectorPath && selector !== undefined && typeof selector !== 'string') {
    const why = `${labelSelectorPath} accessor error: ${encodeJson(selector)} is not a string`;
    errors.push(invalidField(labelSelectorPath, '', why));
  }
  return errors;
}

const STANDARD_FINALIZERS = ['orphan', 'foregroundDeletion', 'kubernetes'];

function finalizerWarnings({ metadata }: ApiObject, previous: ApiObject | undefined): string[] {
  const before = previous?.metadata.finalizers ?? [];
  const added = [...new Set(metadata.finalizers)].filter((name) => !before.includes(name)).sort();
  return added.flatMap((name) => {
    const start = `metadata.finalizers: ${goQuote(name)}: `;
    const warnings = isQualifiedName(name).map((message) => start + message);
    if (name.includes('/') || STANDARD_FINALIZERS.includes(name)) return warnings;
    const path = name.includes('.') ? ' including a path (/)' : '';
    return [
      ...warnings,
      `${start}prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`,
    ];
  });
}

/** What clients of a version are warned of. */
function deprecationOf(
  { spec }: CustomResourceDefinition,
  { name, deprecationWarning }: CustomResourceDefinitionVersion,
): string {
  if (deprecationWarning !== undefined) return deprecationWarning;
  const better = spec.versions
    .filter((other) => other.served && !other.deprecated && compareVersions(other.name, name) < 0)
    .map((other) => other.name)
    .sort(compareVersions)[0];
  const own = `${spec.group}/${name} ${spec.names.kind} is deprecated`;
  return better === undefined ? own : `${own}; use ${spec.group}/${better} ${spec.names.kind}`;
}

function fieldGetter(path: string): FieldGetter<ApiObject> {
  return (object) => {
    const value = valueAt(object, path);
    return value === undefined || value === null ? '' : String(value as string | number | boolean);
  };
}

const AGE: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  jsonPath: '.metadata.creationTimestamp',
};

function columnsOf({ additionalPrinterColumns }: CustomResourceDefinitionVersion): readonly TableColumn<ApiObject>[] {
  const columns = additionalPrinterColumns?.length ? additionalPrinterColumns : [AGE];
  return [
    { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name ?? '' },
    ...columns.map((column) => {
      const { name, type, format = '', description, priority, jsonPath } = column;
      const path = pathOf(jsonPath);
      return {
        name,
        type: type as TableColumn<ApiObject>['type'],
        format,
        description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
        ...(priority ? { priority } : {}),
        cell: (object: ApiObject, now: number) => (path ? cellOf(path, asJson(object), type, now) : null),
      };
    }),
  ];
}

/** A path that does not parse finds nothing. */
function pathOf(path: string): JsonPath | undefined {
  try {
    return new JsonPath(`{${path}}`);
  } catch {
    return undefined;
  }
}

/** Follows tableconvertor.go of registry/customresource, v1.33. */
function cellOf(path: JsonPath, object: JsonObject, type: string, now: number): JsonValue {
  let found: JsonValue | undefined;
  try {
    found = path.find(object)[0]?.[0];
  } catch {
    return null;
  }
  if (found === undefined) return null;
  if (type === 'string') return typeof found === 'string' ? found : found === null ? '<nil>' : encodeJson(found);
  const isNumber = typeof found === 'number' || typeof found === 'bigint';
  switch (type) {
    case 'integer':
      return isNumber ? (typeof found === 'number' ? Math.trunc(found) : found) : null;
    case 'number':
      return isNumber ? found : null;
    case 'boolean':
      return typeof found === 'boolean' ? found : null;
    case 'date': {
      if (typeof found !== 'string') return null;
      const time = parseTime(found);
      return Number.isNaN(time) ? '<invalid>' : humanDuration(now - time);
    }
    default:
      return null;
  }
}
