import { decodeUtf8 } from '#base/utf8.ts';
import { DecodeError, type Decoded, decodeObject, jsonTypeOf } from './decode.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { JsonSyntaxError, plainJson, type ReadObject, type ReadValue, readJson, RepeatedKeys } from './json-reader.ts';
import type { ProtobufReader } from './protobuf.ts';
import type { ApiObject, CustomFormat } from './resource.ts';
import { type GroupVersionKind, lookupStruct, type SchemaSource, type StructSchema } from './schema.ts';
import { badRequest, invalid } from './status-error.ts';
import { readYaml } from './yaml-reader.ts';
import { invalidField } from './validation.ts';
import { YamlError } from './yaml-scanner.ts';

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** The kind that an endpoint takes, and its schema's definition name. */
export interface ExpectedKind extends GroupVersionKind {
  readonly schema: string;
  /** Of custom resources, which are read by no schema. */
  readonly custom?: Pick<CustomFormat, 'decode'>;
}

export interface DecodeOptions {
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Takes the texts of `Warn`. */
  readonly warn: (text: string) => void;
}

/**
 * Decodes request bodies: JSON, YAML, and protobuf where a reader is given. Errors are the StatusErrors of the API server.
 * Follows apiserver/pkg/endpoints/handlers create.go and rest.go over apimachinery/pkg/runtime/serializer, v1.33.
 */
export class ObjectCodec {
  readonly mediaTypes: readonly string[];
  readonly #schemas: SchemaSource;
  readonly #protobuf: ProtobufReader | undefined;

  constructor(schemas: SchemaSource, protobuf?: ProtobufReader) {
    this.#schemas = schemas;
    this.#protobuf = protobuf;
    this.mediaTypes = [JSON_TYPE, YAML_TYPE, ...(protobuf ? [PROTOBUF_TYPE] : [])];
  }

  /** An object for an endpoint; apiVersion and kind default to what it expects. Throws 400. */
  decode(body: Uint8Array, mediaType: string, expected: ExpectedKind, options: DecodeOptions): ApiObject {
    let kind: GroupVersionKind | undefined;
    try {
      const read = this.#read(body, mediaType, options.fieldValidation !== 'Ignore');
      kind = withDefaults(kindOf(read), expected);
      const { custom } = expected;
      const { object, strictErrors } = custom
        ? read.decodeCustom(custom)
        : read.decode(this.#schemaFor(kind, expected));
      const found = custom ? groupVersion(kind) === groupVersion(expected) : this.#convertible(kind, expected);
      const errors = [...read.strictErrors, ...strictErrors];
      if (options.fieldValidation === 'Warn') errors.flatMap(yamlWarnings).forEach(options.warn);
      if (options.fieldValidation === 'Strict' && errors.length > 0)
        throw new DecodeError(`strict decoding error: ${errors.join(', ')}`);
      if (!found) {
        throw badRequest(
          `the API version in the data (${groupVersion(kind)}) does not match the expected API version (${groupVersion(expected)})`,
        );
      }
      if (custom && kind.kind !== expected.kind) throw wrongKind(object, kind.kind, expected);
      return named(object, kind);
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof YamlError)) throw error;
      if (kind) {
        throw badRequest(
          `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${expected.kind}: ${error.message}`,
        );
      }
      throw badRequest(
        `the object provided is unrecognized (must be of type ${expected.kind}): ${error.message} (${summary(body)})`,
      );
    }
  }

  /** JSON or YAML as it is, or a known kind in protobuf: patches and options. Throws 400. */
  decodePlain(body: Uint8Array, mediaType: string): JsonValue {
    try {
      if (mediaType === YAML_TYPE) return readYaml(decodeUtf8(body));
      if (mediaType !== PROTOBUF_TYPE || !this.#protobuf) return plainJson(readJson(decodeUtf8(body)));
      const message = this.#protobuf.read(body);
      const kind = kindOf({ apiVersion: message.apiVersion, kind: message.kind });
      return message.decode(this.#registered(kind));
    } catch (error) {
      if (error instanceof JsonSyntaxError || error instanceof YamlError || error instanceof DecodeError)
        throw badRequest(error.message);
      throw error;
    }
  }

  /** What a strict reader says of a plain body that {@link decodePlain} takes: keys that come twice. */
  strictErrors(body: Uint8Array, mediaType: string): readonly string[] {
    const text = decodeUtf8(body);
    if (mediaType === YAML_TYPE) return repeatedKeys(text);
    return mediaType === JSON_TYPE ? repeatedFields(readJson(text)) : [];
  }

  #read(body: Uint8Array, mediaType: string, strict: boolean): ReadBody {
    if (mediaType === PROTOBUF_TYPE && this.#protobuf) {
      const message = this.#protobuf.read(body);
      return {
        apiVersion: message.apiVersion,
        kind: message.kind,
        strictErrors: [],
        decode: (schema) => ({ object: message.decode(schema), strictErrors: [] }),
        decodeCustom: () => {
          throw new DecodeError('custom resources are not encoded as protobuf');
        },
      };
    }
    const text = decodeUtf8(body);
    const value = mediaType === YAML_TYPE ? readYaml(text) : readJsonBody(text);
    return {
      ...interpret(value),
      strictErrors: mediaType === YAML_TYPE && strict ? repeatedKeys(text) : [],
      decode: (schema) => decodeObject(schema, value),
      decodeCustom: (custom) => {
        const { object, strictErrors } = custom.decode(value);
        return { object, strictErrors: [...(strict ? repeatedFields(value) : []), ...strictErrors] };
      },
    };
  }

  #schemaFor(kind: GroupVersionKind, expected: ExpectedKind): StructSchema {
    return same(kind, expected) ? lookupStruct(this.#schemas, expected.schema) : this.#registered(kind);
  }

  /** The schema of any known kind. */
  #registered(kind: GroupVersionKind): StructSchema {
    for (const name of this.#schemas.names()) {
      if (!name.endsWith(`.${kind.kind}`)) continue;
      const schema = this.#schemas.lookup(name);
      if (schema?.kind === 'struct' && schema.kinds?.some((each) => same(each, kind))) return schema;
    }
    throw new DecodeError(
      `no kind ${JSON.stringify(kind.kind)} is registered for version ${JSON.stringify(groupVersion(kind))} in scheme "pkg/api/legacyscheme/scheme.go:30"`,
    );
  }

  /** Whether the kind is the expected one; false for another version of it. Throws for another kind. */
  #convertible(kind: GroupVersionKind, expected: ExpectedKind): boolean {
    if (same(kind, expected)) return true;
    // Events of both groups are one kind inside.
    if (kind.kind === expected.kind && (kind.group === expected.group || kind.kind === 'Event')) return false;
    const internal = expected.schema.split('.').at(-3);
    throw new DecodeError(
      `converting (${kind.version}.${kind.kind}) to (${internal}.${expected.kind}): unknown conversion`,
    );
  }
}

function wrongKind(object: JsonObject, kind: string, expected: ExpectedKind): Error {
  const { name = '' } = (object.metadata ?? {}) as { readonly name?: string };
  return invalid(expected, name, [invalidField('kind', kind, `must be ${expected.kind}`)]);
}

/** The names come first, as Go writes them. */
function named(object: JsonObject, kind: GroupVersionKind): ApiObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return { kind: kind.kind, apiVersion: groupVersion(kind), ...rest } as unknown as ApiObject;
}

interface ReadBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly strictErrors: readonly string[];
  decode(schema: StructSchema): Decoded;
  decodeCustom(custom: Pick<CustomFormat, 'decode'>): Decoded;
}

function readJsonBody(text: string): ReadValue {
  try {
    return readJson(text);
  } catch (error) {
    throw error instanceof JsonSyntaxError ? uninterpreted(error.message) : error;
  }
}

const uninterpreted = (why: string) => new DecodeError(`couldn't get version/kind; json parse error: ${why}`);

/** The two names of an object. */
function interpret(value: ReadValue): { readonly apiVersion: string; readonly kind: string } {
  if (value === null) return { apiVersion: '', kind: '' };
  const found = jsonTypeOf(value);
  if (found !== 'object') {
    throw uninterpreted(
      `json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const text = (name: string): string => {
    const member = memberOf(value as RepeatedKeys | ReadObject, name) ?? '';
    if (typeof member === 'string') return member;
    throw uninterpreted(`json: cannot unmarshal ${jsonTypeOf(member)} into Go struct field .${name} of type string`);
  };
  return { apiVersion: text('apiVersion'), kind: text('kind') };
}

function memberOf(value: RepeatedKeys | ReadObject, name: string): ReadValue | undefined {
  if (value instanceof RepeatedKeys) return value.entries.findLast(([key]) => key === name)?.[1];
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function kindOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): GroupVersionKind {
  const parts = apiVersion.split('/');
  if (parts.length > 2) throw new DecodeError(`unexpected GroupVersion string: ${apiVersion}`);
  const [version = '', group = ''] = parts.toReversed();
  return { group, version, kind };
}

function withDefaults({ group, version, kind }: GroupVersionKind, expected: ExpectedKind): GroupVersionKind {
  const defaulted = version === '' && (group === '' || group === expected.group);
  return {
    group: defaulted ? expected.group : group,
    version: defaulted ? expected.version : version,
    kind: kind || expected.kind,
  };
}

function same(a: GroupVersionKind, b: GroupVersionKind): boolean {
  return a.kind === b.kind && a.group === b.group && a.version === b.version;
}

function groupVersion({ group, version }: GroupVersionKind): string {
  return group === '' ? version : `${group}/${version}`;
}

/** What the strict YAML reader says of keys that come twice. */
function repeatedKeys(text: string): readonly string[] {
  try {
    readYaml(text, { strict: true });
    return [];
  } catch (error) {
    if (error instanceof YamlError) return [error.message];
    throw error;
  }
}

/** What the strict JSON reader says of them. */
function repeatedFields(value: ReadValue, path = ''): readonly string[] {
  if (Array.isArray(value))
    return (value as readonly ReadValue[]).flatMap((item, i) => repeatedFields(item, `${path}[${i}]`));
  if (jsonTypeOf(value) !== 'object' || value === null) return [];
  const entries = value instanceof RepeatedKeys ? value.entries : Object.entries(value as ReadObject);
  const seen = new Set<string>();
  return entries.flatMap(([key, member]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const again = seen.has(key);
    seen.add(key);
    return [...(again ? [`duplicate field ${JSON.stringify(at)}`] : []), ...repeatedFields(member ?? null, at)];
  });
}

/** Each line of a YAML error is a warning of its own. */
export function yamlWarnings(text: string): readonly string[] {
  const prefix = 'yaml: unmarshal errors:\n';
  return text.startsWith(prefix)
    ? text
        .slice(prefix.length)
        .split('\n')
        .map((line) => line.trim())
    : [text];
}

/** The beginning of a body that nobody understands. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const start = body.subarray(0, 30);
  const text =
    body[0] === 0x7b ? decodeUtf8(start) : [...start].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return body.length > 30 ? `${text} ...` : text;
}
