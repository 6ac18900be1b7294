import { encodeBase64 } from '#base/base64.ts';
import { apiVersionOf, type ResourceDefinition } from '#apimachinery/resource.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;

/** A subresource as discovery lists it. */
export interface DiscoveredSubresource {
  readonly name: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** Definition name of the body. */
  readonly schema?: string;
  readonly verbs: readonly string[];
}

/** A resource with all its subresources, sorted by name. */
export interface DiscoveredResource {
  readonly definition: ResourceDefinition;
  readonly subresources: readonly DiscoveredSubresource[];
}

/** The groups in the order in which the server publishes them, each with its versions, the preferred one first. */
export interface DiscoveredGroup {
  readonly group: string;
  readonly versions: readonly { readonly version: string; readonly resources: readonly DiscoveredResource[] }[];
}

/** The verbs that a definition serves, sorted. */
export const verbsOf = (definition: ResourceDefinition): readonly string[] =>
  [...(definition.verbs ?? ALL_VERBS)].sort();

/** Groups resources as discovery shows them; resources sorted by name. */
export function groupResources(
  resources: readonly DiscoveredResource[],
  groupOrder: readonly string[],
): DiscoveredGroup[] {
  const byGroup = new Map<string, Map<string, DiscoveredResource[]>>();
  for (const resource of resources) {
    const { group, version } = resource.definition;
    const versions = byGroup.get(group) ?? new Map<string, DiscoveredResource[]>();
    byGroup.set(group, versions);
    versions.set(version, [...(versions.get(version) ?? []), resource]);
  }
  const place = (group: string) => {
    const i = groupOrder.indexOf(group);
    return i < 0 ? groupOrder.length : i;
  };
  const byName = (a: DiscoveredResource, b: DiscoveredResource) => (a.definition.plural < b.definition.plural ? -1 : 1);
  return [...byGroup]
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1))
    .map(([group, versions]) => ({
      group,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, list]) => ({ version, resources: list.sort(byName) })),
    }));
}

/** Puts v2 before v1 before v1beta2 before v1beta1 before v1alpha1. Follows apimachinery/pkg/version, v1.33. */
export function compareVersions(a: string, b: string): number {
  const rank = (text: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text);
    if (!match) return [0, 0, 0];
    const stage = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
    return [stage, Number(match[1]), Number(match[3] ?? 0)];
  };
  const left = rank(a);
  const right = rank(b);
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return (right[i] as number) - (left[i] as number);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** GET /api */
export const apiVersions = () => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.96.0.1:443' }],
});

function apiGroup({ group, versions }: DiscoveredGroup) {
  const entries = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

/** GET /apis */
export const apiGroupList = (groups: readonly DiscoveredGroup[]) => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groups.filter(({ group }) => group !== '').map(apiGroup),
});

/** GET /apis/<group> */
export const apiGroupObject = (group: DiscoveredGroup) => ({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) });

/** GET /api/v1, /apis/<group>/<version> */
export function apiResourceList(group: string, version: string, resources: readonly DiscoveredResource[]) {
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap(({ definition, subresources }) => {
      const namespaced = definition.scope === 'Namespaced';
      return [
        {
          name: definition.plural,
          singularName: definition.singular,
          namespaced,
          kind: definition.kind,
          verbs: verbsOf(definition),
          ...(definition.shortNames?.length ? { shortNames: definition.shortNames } : {}),
          ...(definition.categories?.length ? { categories: definition.categories } : {}),
          ...(verbsOf(definition).includes('watch') ? { storageVersionHash: storageVersionHash(definition) } : {}),
        },
        ...subresources.map((subresource) => ({
          name: `${definition.plural}/${subresource.name}`,
          singularName: '',
          namespaced,
          ...(subresource.kind.group === group && subresource.kind.version === version
            ? {}
            : {
                ...(subresource.kind.group ? { group: subresource.kind.group } : {}),
                version: subresource.kind.version,
              }),
          kind: subresource.kind.kind,
          verbs: subresource.verbs,
        })),
      ];
    }),
  };
}

/** The first bytes of a digest of group/version/kind, as the field is defined. Follows apiserver/pkg/endpoints/discovery, v1.33. */
function storageVersionHash({ group, version, kind }: ResourceDefinition): string {
  const digest = sha256(utf8ToBytes(`${group}/${version}/${kind}`)).subarray(0, 8);
  return encodeBase64(digest);
}

/** GET /api and /apis in the aggregated format (apidiscovery.k8s.io/v2). `legacy` selects the core group. */
export function aggregatedDiscovery(groups: readonly DiscoveredGroup[], legacy: boolean) {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups
      .filter(({ group }) => (group === '') === legacy)
      .map(({ group, versions }) => ({
        metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
        versions: versions.map(({ version, resources }) => ({
          version,
          freshness: 'Current',
          resources: resources.map(({ definition, subresources }) => ({
            resource: definition.plural,
            responseKind: { group, version, kind: definition.kind },
            scope: definition.scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
            singularResource: definition.singular,
            verbs: verbsOf(definition),
            ...(definition.shortNames?.length ? { shortNames: definition.shortNames } : {}),
            ...(definition.categories?.length ? { categories: definition.categories } : {}),
            ...(subresources.length
              ? {
                  subresources: subresources.map((subresource) => ({
                    subresource: subresource.name,
                    responseKind: subresource.kind,
                    verbs: subresource.verbs,
                  })),
                }
              : {}),
          })),
        })),
      })),
  };
}

/** The ETag of a document: the digest of its bytes. */
export const etagOf = (document: Uint8Array): string => `"${bytesToHex(sha256(document)).toUpperCase()}"`;
