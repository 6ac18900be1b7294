import type { PropagationPolicy, RequestOptions, Verb } from '#apimachinery/api-request.ts';
import { DecodeError, decodeObject } from '#apimachinery/decode.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import type { FieldSchema, StructSchema } from '#apimachinery/schema.ts';
import { badRequest, invalid } from '#apimachinery/status-error.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import { byteLength, GoValue, goQuote, invalidField, notSupported, tooLong } from '#apimachinery/validation.ts';

/** The query parameters of a path, each with all its values in order. */
export function parseQuery(path: string): {
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
} {
  const mark = path.indexOf('?');
  if (mark < 0) return { path, query: new Map() };
  const query = new Map<string, string[]>();
  for (const part of path.slice(mark + 1).split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const values = query.get(name) ?? [];
    query.set(name, values);
    values.push(equals < 0 ? '' : decode(part.slice(equals + 1)));
  }
  return { path: path.slice(0, mark), query };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

type Query = ReadonlyMap<string, readonly string[]>;

function integer(query: Query, name: string): number | undefined {
  const text = query.get(name)?.[0];
  if (text === undefined || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return Number(text);
}

/** Go's conversion of a query value to a bool: everything but `false` and `0` is true, the empty value too. */
function boolean(query: Query, name: string): boolean | undefined {
  const text = query.get(name)?.[0]?.toLowerCase();
  return text === undefined ? undefined : text !== 'false' && text !== '0';
}

const text = (query: Query, name: string) => query.get(name)?.[0] || undefined;

/** Whether the request asks for a watch. */
export const asksToWatch = (query: Query): boolean => boolean(query, 'watch') ?? false;

const OPTION_KINDS: Partial<Record<Verb, string>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
};

/** The options of a request as its query parameters say; throws 400 and 422 as upstream does. */
export function optionsFrom(query: Query, verb: Verb): RequestOptions {
  switch (verb) {
    case 'list':
    case 'watch':
    case 'deletecollection':
      return compact({
        ...(verb === 'deletecollection' ? deleteOptions(query) : {}),
        labelSelector: text(query, 'labelSelector'),
        fieldSelector: text(query, 'fieldSelector'),
        limit: integer(query, 'limit'),
        continue: text(query, 'continue'),
        resourceVersion: text(query, 'resourceVersion'),
        resourceVersionMatch: text(query, 'resourceVersionMatch'),
        timeoutSeconds: integer(query, 'timeoutSeconds'),
        allowWatchBookmarks: boolean(query, 'allowWatchBookmarks'),
        sendInitialEvents: boolean(query, 'sendInitialEvents'),
      });
    case 'get':
      return compact({ resourceVersion: text(query, 'resourceVersion') });
    case 'delete':
      return compact(deleteOptions(query));
    case 'connect':
      return {};
    default: {
      const dryRun = query.get('dryRun');
      const fieldValidation = text(query, 'fieldValidation');
      const fieldManager = text(query, 'fieldManager');
      const errors: FieldError[] = [...dryRunErrors(dryRun)];
      errors.push(...fieldManagerErrors(fieldManager));
      if (fieldValidation !== undefined && !['Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
        errors.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
      }
      if (errors.length) throw invalid({ group: 'meta.k8s.io', kind: OPTION_KINDS[verb] ?? '' }, '', errors);
      return compact({
        dryRun: dryRun ? true : undefined,
        fieldManager,
        fieldValidation: fieldValidation as RequestOptions['fieldValidation'],
        force: boolean(query, 'force'),
      });
    }
  }
}

const MAX_FIELD_MANAGER = 128;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** What is wrong with the name of a field manager. */
export function fieldManagerErrors(manager = '', field = 'fieldManager'): FieldError[] {
  const errors = byteLength(manager) > MAX_FIELD_MANAGER ? [tooLong(field, MAX_FIELD_MANAGER)] : [];
  let position = 0;
  for (const char of manager) {
    if (!PRINTABLE.test(char)) {
      const code = (char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalidField(field, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += byteLength(char);
  }
  return errors;
}

function dryRunErrors(values: readonly string[] | undefined): FieldError[] {
  return values?.some((value) => value !== 'All')
    ? [notSupported('dryRun', new GoValue(`[]string{${values.map(goQuote).join(', ')}}`), ['All'])]
    : [];
}

function deleteOptions(query: Query): RequestOptions {
  return checkedDeleteOptions({
    dryRun: query.get('dryRun'),
    gracePeriodSeconds: integer(query, 'gracePeriodSeconds'),
    propagationPolicy: text(query, 'propagationPolicy'),
    orphanDependents: boolean(query, 'orphanDependents'),
  });
}

const optional = (type: 'string' | 'int64' | 'boolean'): FieldSchema => ({
  schema: { kind: 'scalar', type },
  omitEmpty: true,
  pointer: true,
});
const structOf = (name: string, fields: Readonly<Record<string, FieldSchema>>): StructSchema => ({
  kind: 'struct',
  name: `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`,
  fields: new Map(Object.entries(fields)),
});
const DELETE_OPTIONS = structOf('DeleteOptions', {
  kind: optional('string'),
  apiVersion: optional('string'),
  gracePeriodSeconds: optional('int64'),
  preconditions: {
    schema: structOf('Preconditions', { uid: optional('string'), resourceVersion: optional('string') }),
    omitEmpty: true,
    pointer: true,
  },
  orphanDependents: optional('boolean'),
  propagationPolicy: optional('string'),
  dryRun: { schema: { kind: 'list', items: { kind: 'scalar', type: 'string' } }, omitEmpty: true },
});

/** The options that a DeleteOptions body holds. Throws 400 for what does not fit. */
export function deleteOptionsFrom(body: JsonValue): RequestOptions {
  try {
    return checkedDeleteOptions(decodeObject(DELETE_OPTIONS, body).object);
  } catch (error) {
    throw error instanceof DecodeError ? badRequest(error.message) : error;
  }
}

interface RawDeleteOptions {
  readonly dryRun?: unknown;
  readonly gracePeriodSeconds?: unknown;
  readonly propagationPolicy?: unknown;
  readonly orphanDependents?: unknown;
  readonly preconditions?: unknown;
}

function checkedDeleteOptions(raw: RawDeleteOptions): RequestOptions {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions } = raw;
  const dryRun = raw.dryRun as readonly string[] | undefined;
  const errors = dryRunErrors(dryRun);
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    errors.push(
      invalidField(
        'propagationPolicy',
        propagationPolicy as string,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    );
  }
  if (
    propagationPolicy !== undefined &&
    !['Background', 'Foreground', 'Orphan'].includes(propagationPolicy as string)
  ) {
    errors.push(
      notSupported('propagationPolicy', propagationPolicy as string, ['Foreground', 'Background', 'Orphan', 'nil']),
    );
  }
  if (errors.length) throw invalid({ group: '', kind: 'DeleteOptions' }, '', errors);
  return compact({
    dryRun: dryRun?.length ? true : undefined,
    gracePeriodSeconds: gracePeriodSeconds as number | undefined,
    propagationPolicy: propagationPolicy as PropagationPolicy | undefined,
    orphanDependents: orphanDependents as boolean | undefined,
    preconditions: preconditions as RequestOptions['preconditions'],
  });
}

/** Without the members that are undefined. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
