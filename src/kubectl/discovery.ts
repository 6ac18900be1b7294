import type { JsonObject } from '#apimachinery/json.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import type { DiscoveryCache } from './context.ts';
import { list, object, objects, text } from './fields.ts';
import { parseJson } from '#apimachinery/go-encode.ts';
import type { RestClient } from './rest-client.ts';

/** A resource type that the server has. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly name: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Names of its subresources. */
  readonly subresources: readonly string[];
}

export interface ApiGroup {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly { readonly version: string; readonly resources: readonly ApiResource[] }[];
}

const AGGREGATED = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

/** What the server serves, in its order: core first. Aggregated discovery, or the old one where a server has no other. */
export class Discovery {
  readonly #client: RestClient;
  readonly #server: string;
  readonly #cache: DiscoveryCache | undefined;
  #groups: Promise<readonly ApiGroup[]> | undefined;
  /** Nothing was asked of the server yet: what is known may be old. */
  #cached = false;

  constructor(client: RestClient, server: string, cache?: DiscoveryCache) {
    this.#client = client;
    this.#server = server;
    this.#cache = cache;
  }

  groups(): Promise<readonly ApiGroup[]> {
    this.#groups ??= this.#load();
    return this.#groups;
  }

  /** Whether asking again could give another answer. */
  get stale(): boolean {
    return this.#cached;
  }

  /** Forgets what came from the cache, so that the next call asks the server. */
  reset(): void {
    this.#groups = this.#fetch();
  }

  async #load(): Promise<readonly ApiGroup[]> {
    const kept = await this.#cache?.get(this.#server);
    if (kept === undefined) return this.#fetch();
    this.#cached = true;
    return parseJson(kept) as unknown as readonly ApiGroup[];
  }

  async #fetch(): Promise<readonly ApiGroup[]> {
    this.#cached = false;
    const core = await this.#root('/api');
    const groups = [...core, ...(await this.#root('/apis'))];
    await this.#cache?.set(this.#server, JSON.stringify(groups));
    return groups;
  }

  async #root(path: string): Promise<readonly ApiGroup[]> {
    const answer = parseJson(decodeUtf8(await this.#client.bytes('GET', path, { accept: AGGREGATED }))) as JsonObject;
    if (text(answer, 'kind') === 'APIGroupDiscoveryList') return objects(answer, 'items').map(aggregatedGroup);
    const groups: ApiGroup[] = [];
    const named: readonly (readonly [name: string, versions: readonly string[]])[] =
      path === '/api'
        ? [['', list(answer, 'versions').map(String)]]
        : objects(answer, 'groups').map((group) => {
            const preferred = text(group, 'preferredVersion', 'version');
            const versions = objects(group, 'versions').map((version) => text(version, 'version'));
            return [text(group, 'name'), [preferred, ...versions.filter((version) => version !== preferred)]];
          });
    for (const [name, versions] of named) {
      const found = [];
      for (const version of versions) {
        const resources = await this.#client.get(name === '' ? `/api/${version}` : `/apis/${name}/${version}`);
        found.push({ version, resources: legacyResources(name, version, objects(resources, 'resources')) });
      }
      groups.push({ name, versions: found });
    }
    return groups;
  }
}

function aggregatedGroup(group: JsonObject): ApiGroup {
  const name = text(group, 'metadata', 'name');
  return {
    name,
    versions: objects(group, 'versions').map((item) => {
      const version = text(item, 'version');
      return {
        version,
        resources: objects(item, 'resources')
          .filter((resource) => text(resource, 'responseKind', 'kind') !== '')
          .map((resource) => ({
            group: text(resource, 'responseKind', 'group') || name,
            version: text(resource, 'responseKind', 'version') || version,
            name: text(resource, 'resource'),
            singular: text(resource, 'singularResource'),
            kind: text(resource, 'responseKind', 'kind'),
            namespaced: text(resource, 'scope') === 'Namespaced',
            shortNames: list(resource, 'shortNames').map(String),
            categories: list(resource, 'categories').map(String),
            verbs: list(resource, 'verbs').map(String),
            subresources: objects(resource, 'subresources').map((sub) => text(sub, 'subresource')),
          })),
      };
    }),
  };
}

function legacyResources(group: string, version: string, resources: readonly JsonObject[]): ApiResource[] {
  return resources
    .filter((resource) => !text(resource, 'name').includes('/'))
    .map((resource) => {
      const name = text(resource, 'name');
      return {
        group,
        version,
        name,
        singular: text(resource, 'singularName'),
        kind: text(resource, 'kind'),
        namespaced: object(resource)['namespaced'] === true,
        shortNames: list(resource, 'shortNames').map(String),
        categories: list(resource, 'categories').map(String),
        verbs: list(resource, 'verbs').map(String),
        subresources: resources.flatMap((other) => {
          const [owner, sub] = text(other, 'name').split('/');
          return owner === name && sub !== undefined ? [sub] : [];
        }),
      };
    });
}
