import type { JsonValue } from './json.ts';

/** The shape of a value of the API: what decoding, defaulting, patches, apply, protobuf and OpenAPI know of it. */
export type Schema = StructSchema | ListSchema | MapSchema | ScalarSchema;

/** An object with known fields. */
export interface StructSchema {
  readonly kind: 'struct';
  /** Definition name, such as `io.k8s.api.core.v1.PodSpec`; none for structs nested in a CRD's schema. */
  readonly name?: string;
  /** By JSON name, in the order in which Go declares (and the server prints) them. */
  readonly fields: ReadonlyMap<string, FieldSchema>;
  /** `atomic`: the whole is one value for server-side apply. */
  readonly mapType?: 'atomic' | 'granular';
  /** Unknown fields are kept instead of dropped. */
  readonly preserveUnknown?: boolean;
  /** The kinds that have this schema. */
  readonly kinds?: readonly GroupVersionKind[];
  /** `x-kubernetes-unions`, for OpenAPI. */
  readonly unions?: JsonValue;
}

export interface FieldSchema {
  readonly schema: Schema;
  readonly required?: boolean;
  /** The empty value is not written (Go's `omitempty`); without it an absent value is written as the empty one. */
  readonly omitEmpty?: boolean;
  /** Absent and empty differ (a Go pointer): an explicit zero is kept. Fields of custom resources have both marks. */
  readonly pointer?: boolean;
  /** Such as `['merge']` or `['merge', 'retainKeys']`. */
  readonly patchStrategy?: readonly string[];
  readonly patchMergeKey?: string;
  /** The default that the schema declares; most defaults are code of the kinds. */
  readonly default?: JsonValue;
  /** Overrides the map type of the struct that the field refers to. */
  readonly mapType?: 'atomic' | 'granular';
  /** A list type on something that is no list; it means nothing, but OpenAPI has it. */
  readonly listType?: string;
  /** The Go type as error messages name it, where it does not follow from the schema: `v1.PullPolicy`. */
  readonly goType?: string;
}

export interface ListSchema {
  readonly kind: 'list';
  readonly items: Schema;
  /** None is as good as `atomic`. */
  readonly listType?: 'atomic' | 'set' | 'map';
  /** The keys of a `map` list. */
  readonly mapKeys?: readonly string[];
}

/** An object with keys of the user's. */
export interface MapSchema {
  readonly kind: 'map';
  readonly values: Schema;
  readonly mapType?: 'atomic' | 'granular';
}

export interface ScalarSchema {
  readonly kind: 'scalar';
  readonly type: ScalarType;
  /** Definition name of the types that have one, such as Quantity. */
  readonly name?: string;
  readonly enum?: readonly string[];
}

/** `any` and `object` are JSON as it is (RawExtension, FieldsV1, a CRD's defaults); OpenAPI calls the latter an object. */
export type ScalarType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  | 'boolean'
  | 'bytes'
  | 'quantity'
  | 'int-or-string'
  | 'time'
  | 'micro-time'
  | 'any'
  | 'object';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Finds schemas by definition name. */
export interface SchemaSource {
  /** The same value every time; undefined for a name that is not there. */
  lookup(definitionName: string): Schema | undefined;
  /** All definition names. */
  names(): readonly string[];
}

/** The schema of a kind, which is a struct. Throws for a name that is not there: a mistake in a resource definition. */
export function lookupStruct(source: SchemaSource, definitionName: string): StructSchema {
  const schema = source.lookup(definitionName);
  if (schema?.kind !== 'struct') throw new Error(`no schema for ${definitionName}`);
  return schema;
}
