import { goJsonSyntaxError } from '#apimachinery/go-json.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import { parseTime } from '#base/clock.ts';
import { at, isObject, text } from './fields.ts';
import { encodeJson, parseJson } from '#apimachinery/go-encode.ts';

/**
 * The values of a stream of JSON or YAML documents, one after the other. What is wrong in one is thrown when it is
 * reached. Follows YAMLOrJSONDecoder of apimachinery/pkg/util/yaml, v1.33.
 */
export function* decodeStream(stream: string): Generator<JsonValue> {
  let rest = stream.replace(/^\ufeff/, '');
  let count = 0;
  while (/^\s*\{/.test(rest)) {
    const end = endOfValue(rest);
    const message = goJsonSyntaxError(end === undefined ? rest : rest.slice(0, end));
    if (message === undefined && end !== undefined) {
      yield parseJson(rest.slice(0, end));
      rest = rest.slice(end);
      count++;
      continue;
    }
    const problem =
      message === 'unexpected end of JSON input'
        ? 'unexpected EOF'
        : `json: offset ${offsetOf(rest, message ?? '')}: ${message}`;
    // Few documents: it may still be YAML, which may look like JSON at first. If it is neither, it was to be JSON.
    if (count > 1) throw new Error(problem);
    try {
      const documents = [...yamlDocuments(rest)];
      yield* documents;
      return;
    } catch {
      throw new Error(problem);
    }
  }
  // After JSON, the end of its last line does not count.
  if (count > 0) rest = rest.replace(/^[^\S\n]*\n?/, '');
  yield* yamlDocuments(rest);
}

function* yamlDocuments(stream: string): Generator<JsonValue> {
  for (const document of splitYaml(stream)) {
    try {
      yield readYaml(document);
    } catch (error) {
      throw new Error(`error converting YAML to JSON: ${(error as Error).message}`);
    }
  }
}

/** Cuts a stream at its separators. A separator that comes first belongs to its document, as lines are counted. */
function* splitYaml(stream: string): Generator<string> {
  let buffer = '';
  const lines = stream.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const raw of lines) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.startsWith('---')) {
      const after = line.slice(3).trim();
      if (after !== '' && !after.startsWith('#')) throw new Error(`invalid Yaml document separator: ${after}`);
      if (buffer !== '') {
        yield buffer;
        buffer = '';
        continue;
      }
    }
    buffer += `${line}\n`;
  }
  if (buffer !== '') yield buffer;
}

/** Where the JSON object at the beginning ends; undefined when it does not. */
function endOfValue(text: string): number | undefined {
  let depth = 0;
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (match[0] === '{' || match[0] === '[') depth++;
    else if (match[0] === '}' || match[0] === ']') {
      depth--;
      if (depth === 0) return token.lastIndex;
    }
  }
  return undefined;
}

/** How many characters it takes until the text is wrong. */
function offsetOf(text: string, message: string): number {
  let low = 1;
  let high = text.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (goJsonSyntaxError(text.slice(0, middle)) === message) high = middle;
    else low = middle + 1;
  }
  return low;
}

const STOP_VALIDATION = 'if you choose to ignore these errors, turn validation off with --validate=false';

/** Throws unless a document says its version and kind, as it must when the server is to check its fields. */
export function checkKind(value: JsonValue, source: string): void {
  if (!isObject(value)) return;
  const missing = [];
  if (text(value, 'apiVersion') === '') missing.push('apiVersion not set');
  if (text(value, 'kind') === '') missing.push('kind not set');
  if (missing.length === 0) return;
  const list = missing.length === 1 ? missing[0] : `[${missing.join(', ')}]`;
  throw new Error(`error validating ${goQuote(source)}: error validating data: ${list}; ${STOP_VALIDATION}`);
}

/** The object of a document. Throws what kubectl says of a document that is no API object. */
export function decodeObject(value: JsonValue, source: string): JsonObject {
  const problem = notAnObject(value);
  if (problem !== undefined) throw new Error(`unable to decode ${goQuote(source)}: ${problem}`);
  return value as JsonObject;
}

function notAnObject(value: JsonValue): string | undefined {
  if (!isObject(value)) return `json: cannot unmarshal ${typeName(value)} into Go value of type unstructured.detector`;
  const wrong =
    wrongType(value, 'apiVersion', 'metadataOnlyObject.apiVersion') ??
    wrongType(value, 'kind', 'metadataOnlyObject.kind');
  if (wrong) return wrong;
  if (text(value, 'kind') === '') return `Object 'Kind' is missing in '${encodeJson(value)}'`;
  return wrongMetadata(value);
}

const METADATA: Readonly<Record<string, 'string' | 'int64' | 'time' | 'map[string]string' | '[]string'>> = {
  annotations: 'map[string]string',
  creationTimestamp: 'time',
  deletionGracePeriodSeconds: 'int64',
  deletionTimestamp: 'time',
  finalizers: '[]string',
  generateName: 'string',
  generation: 'int64',
  labels: 'map[string]string',
  name: 'string',
  namespace: 'string',
  resourceVersion: 'string',
  selfLink: 'string',
  uid: 'string',
};

/** What is wrong with the types of an object's metadata, in the words of Go's decoder. */
function wrongMetadata(value: JsonObject): string | undefined {
  const metadata = at(value, 'metadata');
  if (metadata === undefined || metadata === null) return undefined;
  if (!isObject(metadata)) {
    return `json: cannot unmarshal ${typeName(metadata)} into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta`;
  }
  for (const [name, item] of Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const type = METADATA[name];
    if (type === undefined || item === undefined || item === null) continue;
    const field = `ObjectMeta.metadata.${name}`;
    const fail = (found: JsonValue | undefined, wanted: string) =>
      `json: cannot unmarshal ${typeName(found)} into Go struct field ${field} of type ${wanted}`;
    if (type === 'string' && typeof item !== 'string') return fail(item, name === 'uid' ? 'types.UID' : 'string');
    if (type === 'int64' && typeof item !== 'number') return fail(item, 'int64');
    if (type === 'time') {
      if (typeof item !== 'string') return `json: cannot unmarshal ${typeName(item)} into Go value of type string`;
      if (Number.isNaN(parseTime(item))) {
        return `parsing time ${goQuote(item)} as "2006-01-02T15:04:05Z07:00": cannot parse ${goQuote(item)} as "2006"`;
      }
    }
    if (type === 'map[string]string') {
      if (!isObject(item)) return fail(item, type);
      const bad = Object.values(item).find((each) => each !== null && typeof each !== 'string');
      if (bad !== undefined) return fail(bad, 'string');
    }
    if (type === '[]string') {
      if (!Array.isArray(item)) return fail(item, type);
      const bad = (item as JsonValue[]).find((each) => each !== null && typeof each !== 'string');
      if (bad !== undefined) return fail(bad, 'string');
    }
  }
  return undefined;
}

function wrongType(value: JsonObject, field: string, goField: string): string | undefined {
  const found = value[field];
  if (found === undefined || found === null || typeof found === 'string') return undefined;
  return `json: cannot unmarshal ${typeName(found)} into Go struct field ${goField} of type string`;
}

/** What Go's decoder calls the type of a JSON value. */
function typeName(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object') return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}
