import type { ApiList } from '#apimachinery/api-request.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, expired, invalid, StatusError } from '#apimachinery/status-error.ts';
import { forbiddenField, goQuote, invalidField, notSupported } from '#apimachinery/validation.ts';
import { CompactedError } from '#etcd/etcd.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type { RequestScope } from './request-scope.ts';
import { type Selection, selectionOf } from './selection.ts';
import { parseResourceVersion, type Stored } from './storage.ts';

const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';
const INCONSISTENT_CONTINUE =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** Lists objects, in the order of their keys. Follows storage/etcd3/store.go and storage/cacher, v1.33. */
export function list<T extends ApiObject>(scope: RequestScope<T>): ApiList {
  const { request, storage, definition } = scope;
  const { options } = request;
  validateListOptions(scope);
  const selection = selectionOf(definition, request);
  const virtual = scope.core.virtual.get(definition as unknown as ResourceDefinition)?.list?.();
  if (virtual) return { items: virtual.filter((item) => selection.matches(item as T)), resourceVersion: '' };
  const { etcd } = scope.core;
  const prefix = storage.prefixOf(selection.namespace);
  const limit = options.limit && options.limit > 0 ? options.limit : undefined;
  if (options.continue) {
    if (options.resourceVersion && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const token = decodeContinue(options.continue, prefix);
    const revision = token.revision < 0 ? etcd.revision : token.revision;
    return page(scope, selection, prefix, { revision, start: token.start, limit, continuing: true });
  }
  const wanted = revisionWanted(options.resourceVersion);
  if (wanted > etcd.revision) throw tooLargeResourceVersion(wanted, etcd.revision);
  const exact =
    wanted > 0 &&
    (options.resourceVersionMatch === 'Exact' ||
      (limit !== undefined && options.resourceVersionMatch !== 'NotOlderThan'));
  return page(scope, selection, prefix, {
    revision: exact ? wanted : etcd.revision,
    start: prefix,
    limit,
    continuing: false,
  });
}

interface Page {
  readonly revision: number;
  readonly start: string;
  readonly limit: number | undefined;
  readonly continuing: boolean;
}

function page<T extends ApiObject>(
  scope: RequestScope<T>,
  selection: Selection<T>,
  prefix: string,
  { revision, start, limit, continuing }: Page,
): ApiList {
  const { storage } = scope;
  const { etcd } = scope.core;
  const items: T[] = [];
  const causes: number[] = [];
  const take = (stored: Stored): boolean => {
    const object = storage.decode(stored);
    if (!selection.matches(object)) return false;
    items.push(object);
    causes.push(stored.cause);
    return true;
  };
  const done = (more?: { readonly last: string; readonly remaining: number }): ApiList => ({
    items,
    causes,
    resourceVersion: String(revision),
    ...(more ? { continue: encodeContinue(`${more.last}\0`, prefix, revision) } : {}),
    ...(more && selection.everything ? { remainingItemCount: more.remaining } : {}),
  });
  if (limit === undefined && revision === etcd.revision && start === prefix) {
    // What need not be newer than a version is told from the cache, which is there without etcd.
    const cached = !etcd.running && scope.request.options.resourceVersion;
    for (const stored of cached ? etcd.cached(prefix) : candidates(scope, selection, prefix)) take(stored);
    return done();
  }
  let next = start;
  try {
    for (;;) {
      // Selectors may drop most of a page: then more is read, until the page is full.
      const { kvs, count } = etcd.range(prefix, {
        revision,
        start: next,
        ...(limit === undefined ? {} : { limit: Math.max(limit, 500) }),
      });
      for (const [i, stored] of kvs.entries()) {
        take(stored);
        if (items.length === limit && count > i + 1) return done({ last: stored.key, remaining: count - i - 1 });
      }
      const last = kvs.at(-1);
      if (!last || count <= kvs.length) return done();
      next = `${last.key}\0`;
    }
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (!continuing) throw expired('The resourceVersion for the provided list is too old.');
    throw inconsistentContinue(encodeContinue(start, prefix, -1));
  }
}

/** Objects now, narrowed as far as an index can. */
function candidates<T extends ApiObject>(
  scope: RequestScope<T>,
  { name, namespace, indexed }: Selection<T>,
  prefix: string,
): readonly Stored[] {
  const { storage, definition } = scope;
  if (name !== undefined && (namespace || definition.scope === 'Cluster')) {
    const stored = storage.find(namespace, name);
    return stored ? [stored] : [];
  }
  if (!indexed) return scope.core.etcd.range(prefix).kvs;
  const found = scope.core.cache(definition).listBy(indexed);
  return namespace ? found.filter(({ key }) => key.startsWith(prefix)) : found;
}

/** The revision that an option names; throws 400. */
export function revisionWanted(resourceVersion = ''): number {
  const revision = parseResourceVersion(resourceVersion);
  if (revision !== undefined) return revision;
  const { field, text } = invalidResourceVersion(resourceVersion);
  throw badRequest(`invalid resource version: ${field}: ${text}`);
}

/** What is wrong with a resourceVersion that is none. */
export const invalidResourceVersion = (text: string): FieldError =>
  invalidField('resourceVersion', text, `strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`);

/** 504 for a resourceVersion that has not been yet. */
export function tooLargeResourceVersion(wanted: number, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** 410 that tells how the rest of the list may still be had. */
function inconsistentContinue(token: string | undefined): StatusError {
  if (token === undefined) return expired(CONTINUE_EXPIRED);
  const error = expired(INCONSISTENT_CONTINUE);
  const status = { ...error.status, metadata: { continue: token } };
  return Object.defineProperty(error, 'status', { value: status }) as StatusError;
}

function validateListOptions({ request: { options } }: RequestScope): void {
  const { resourceVersionMatch: match, resourceVersion, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (match !== undefined && match !== '') {
    const field = 'resourceVersionMatch';
    if (!resourceVersion)
      errors.push(forbiddenField(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (options.continue)
      errors.push(forbiddenField(field, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan')
      errors.push(notSupported(field, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(forbiddenField(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (sendInitialEvents !== undefined)
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  if (errors.length > 0) throw invalid(LIST_OPTIONS, '', errors);
}

export const LIST_OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' };
