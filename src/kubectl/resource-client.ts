import type { JsonObject } from '#apimachinery/json.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { ApiResource } from './discovery.ts';
import { withMessage } from './errors.ts';
import { text } from './fields.ts';
import type { Query, RestClient, WatchStream } from './rest-client.ts';
import { qualifiedName, resourcePath } from './rest-mapper.ts';

export const TABLE = [
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v1beta1;g=meta.k8s.io',
  'application/json',
].join(',');

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Options of writes, as query parameters. */
export interface WriteOptions {
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: string | undefined;
  readonly force?: boolean | undefined;
  readonly subresource?: string | undefined;
}

export interface ListQuery {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  /** Tables hold the whole object of each row. */
  readonly wholeObjects?: boolean | undefined;
}

const writeQuery = (options: WriteOptions): Query => ({
  dryRun: options.dryRun ? 'All' : '',
  fieldManager: options.fieldManager ?? '',
  fieldValidation: options.fieldValidation ?? '',
  force: options.force === undefined ? '' : String(options.force),
});

const listQuery = (query: ListQuery): Query => ({
  labelSelector: query.labelSelector ?? '',
  fieldSelector: query.fieldSelector ?? '',
  limit: query.limit ? String(query.limit) : '',
  continue: query.continue ?? '',
  resourceVersion: query.resourceVersion ?? '',
  includeObject: query.wholeObjects ? 'Object' : '',
});

/** Reads and writes objects of one type in one namespace (empty: all, or none for cluster-scoped types). */
export class ResourceClient {
  readonly #client: RestClient;
  readonly resource: ApiResource;
  readonly namespace: string;

  constructor(client: RestClient, resource: ApiResource, namespace: string) {
    this.#client = client;
    this.resource = resource;
    this.namespace = namespace;
  }

  get(
    name: string,
    options: {
      readonly accept?: string | undefined;
      readonly subresource?: string | undefined;
      readonly wholeObjects?: boolean | undefined;
    } = {},
  ): Promise<JsonObject> {
    return this.#client.get(this.#path(name, options.subresource), {
      query: { includeObject: options.wholeObjects ? 'Object' : '' },
      accept: options.accept ?? 'application/json',
      ...this.#named(name),
    });
  }

  /** One page. Errors about selectors name them. */
  async list(query: ListQuery = {}, accept = 'application/json'): Promise<JsonObject> {
    try {
      return await this.#client.get(this.#path(), { query: listQuery(query), accept, ...this.#named() });
    } catch (error) {
      throw enhanceListError(error, query, this.resource);
    }
  }

  /** All pages, each given to the callback. */
  async pages(query: ListQuery, accept: string, page: (list: JsonObject) => Promise<void> | void): Promise<void> {
    let token: string | undefined;
    do {
      const list = await this.list({ ...query, continue: token }, accept);
      await page(list);
      token = text(list, 'metadata', 'continue');
    } while (token !== '');
  }

  watch(query: ListQuery, accept = 'application/json'): Promise<WatchStream> {
    return this.#client.watch(this.#path(), { query: listQuery(query), accept, ...this.#named() });
  }

  create(body: JsonObject, options: WriteOptions = {}): Promise<JsonObject> {
    return this.#client.json('POST', this.#path(), { query: writeQuery(options), body, ...this.#named() });
  }

  /** Creates an object of a subresource: a Binding, an Eviction, a TokenRequest. */
  createSubresource(name: string, subresource: string, body: JsonObject): Promise<JsonObject> {
    return this.#client.json('POST', this.#path(name, subresource), { body, ...this.#named(name) });
  }

  replace(name: string, body: JsonObject, options: WriteOptions = {}): Promise<JsonObject> {
    return this.#client.json('PUT', this.#path(name, options.subresource), {
      query: writeQuery(options),
      body,
      ...this.#named(name),
    });
  }

  patch(name: string, kind: PatchKind, body: string | JsonObject, options: WriteOptions = {}): Promise<JsonObject> {
    return this.#client.json('PATCH', this.#path(name, options.subresource), {
      query: writeQuery(options),
      contentType: PATCH_TYPES[kind],
      body,
      ...this.#named(name),
    });
  }

  delete(name: string, options: JsonObject): Promise<JsonObject> {
    return this.#client.json('DELETE', this.#path(name), { body: options, ...this.#named(name) });
  }

  #path(name?: string, subresource?: string): string {
    return resourcePath(this.resource, this.namespace, name, subresource);
  }

  #named(name?: string): { readonly resource: string; readonly name?: string } {
    return { resource: qualifiedName(this.resource), ...(name === undefined ? {} : { name }) };
  }
}

/** Follows cli-runtime/pkg/resource/helper.go EnhanceListError, v1.33. */
function enhanceListError(error: unknown, query: ListQuery, resource: ApiResource): unknown {
  if (!(error instanceof StatusError) || (error.reason !== 'BadRequest' && error.reason !== 'NotFound')) return error;
  const { labelSelector = '', fieldSelector = '' } = query;
  const subject = goQuote(`${resource.group}/${resource.version}, Resource=${resource.name}`);
  return withMessage(
    error,
    labelSelector === '' && fieldSelector === ''
      ? `Unable to list ${subject}: ${error.message}`
      : `Unable to find ${subject} that match label selector ${goQuote(labelSelector)}, field selector ${goQuote(fieldSelector)}: ${error.message}`,
  );
}
