import type { JsonObject } from '#apimachinery/json.ts';
import { timestampSince } from '#apimachinery/human-duration.ts';
import type { Invocation } from '../command.ts';
import type { ApiResource } from '../discovery.ts';
import { objects, parseApiVersion, text } from '../fields.ts';
import { ResourceClient } from '../resource-client.ts';

/** The built-in types of which descriptions look up objects beside the described one. */
const KINDS = {
  endpointslices: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
  events: { apiVersion: 'v1', kind: 'Event' },
  leases: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
  limitranges: { apiVersion: 'v1', kind: 'LimitRange' },
  pods: { apiVersion: 'v1', kind: 'Pod' },
  replicasets: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  resourcequotas: { apiVersion: 'v1', kind: 'ResourceQuota' },
  secrets: { apiVersion: 'v1', kind: 'Secret' },
  services: { apiVersion: 'v1', kind: 'Service' },
} as const;

/** The world as a description sees it. */
export class DescribeContext {
  readonly #invocation: Invocation;
  readonly showEvents: boolean;
  readonly chunkSize: number;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
    this.showEvents = invocation.flags.bool('show-events');
    this.chunkSize = invocation.flags.int('chunk-size');
  }

  /** How long ago a timestamp was. */
  age(timestamp: string): string {
    return timestampSince(timestamp === '' ? undefined : timestamp, this.#invocation.now());
  }

  async client(name: keyof typeof KINDS, namespace: string): Promise<ResourceClient> {
    const { apiVersion, kind } = KINDS[name];
    const resource: ApiResource = {
      ...parseApiVersion(apiVersion),
      name,
      kind,
      singular: kind.toLowerCase(),
      namespaced: true,
      shortNames: [],
      categories: [],
      verbs: [],
      subresources: [],
    };
    return new ResourceClient(await this.#invocation.client(), resource, namespace);
  }

  /** All objects of a built-in type that match; of all namespaces when it is empty. */
  async list(
    name: keyof typeof KINDS,
    namespace: string,
    query: { readonly labelSelector?: string; readonly fieldSelector?: string } = {},
  ): Promise<readonly JsonObject[]> {
    const items: JsonObject[] = [];
    await (await this.client(name, namespace)).pages(
      { ...query, limit: this.chunkSize },
      'application/json',
      (page) => {
        items.push(...objects(page, 'items'));
      },
    );
    return items;
  }

  /** Events about an object; undefined when they are not wanted, or cannot be had. */
  async eventsOf(about: {
    readonly name: string;
    readonly namespace: string;
    readonly kind?: string;
    readonly uid?: string;
  }): Promise<readonly JsonObject[] | undefined> {
    if (!this.showEvents) return undefined;
    const terms = [`involvedObject.name=${about.name}`, `involvedObject.namespace=${about.namespace}`];
    if (about.kind) terms.push(`involvedObject.kind=${about.kind}`);
    if (about.uid) terms.push(`involvedObject.uid=${about.uid}`);
    try {
      return await this.list('events', about.namespace, { fieldSelector: terms.join(',') });
    } catch {
      return undefined;
    }
  }

  /** Events about an object of the server. */
  events(object: JsonObject): Promise<readonly JsonObject[] | undefined> {
    return this.eventsOf({
      name: text(object, 'metadata', 'name'),
      namespace: text(object, 'metadata', 'namespace'),
      kind: text(object, 'kind'),
      uid: text(object, 'metadata', 'uid'),
    });
  }
}
