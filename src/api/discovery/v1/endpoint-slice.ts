import { warningsForIP } from '#apimachinery/ip-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { isDNS1123Subdomain } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, mapShared, replace } from '../../fill.ts';
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice } from '../../generated/types.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './endpoint-slice-validation.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const CONTROLLERS: readonly string[] = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

const defaultPort = (port: DiscoveryV1EndpointPort): DiscoveryV1EndpointPort =>
  fill(port, { name: '', protocol: 'TCP' });

/** Its endpoints: people may leave the list out. */
export const endpointsOf = ({ endpoints }: Pick<EndpointSlice, 'endpoints'>): readonly Endpoint[] => endpoints ?? [];

const defaults = (slice: EndpointSlice): EndpointSlice =>
  slice.ports ? replace(slice, 'ports', mapShared(slice.ports, defaultPort)) : slice;

/** The gate PreferSameTrafficDistribution is off: hints for nodes are not taken, unless they are there. */
function withoutNodeHints(slice: EndpointSlice, previous: EndpointSlice | undefined): EndpointSlice {
  if (!slice.endpoints || previous?.endpoints?.some(({ hints }) => hints?.forNodes)) return slice;
  const strip = (endpoint: Endpoint): Endpoint => {
    if (!endpoint.hints?.forNodes) return endpoint;
    const { forNodes: _, ...hints } = endpoint.hints;
    return { ...endpoint, hints };
  };
  return replace(slice, 'endpoints', mapShared(slice.endpoints, strip));
}

/** What v1beta1 called topology is not taken; a node's name that an old slice had in it is kept where it belongs. */
function withoutTopology(slice: EndpointSlice, previous: EndpointSlice | undefined): EndpointSlice {
  if (!slice.endpoints || (previous && semanticEqual(previous.endpoints, slice.endpoints))) return slice;
  const known = new Set(previous?.endpoints?.map(({ deprecatedTopology }) => deprecatedTopology?.[HOSTNAME]));
  const strip = (endpoint: Endpoint): Endpoint => {
    if (!endpoint.deprecatedTopology) return endpoint;
    const { deprecatedTopology, ...rest } = endpoint;
    const node = deprecatedTopology[HOSTNAME];
    const isNode = node && known.has(node) && isDNS1123Subdomain(node).length === 0;
    return isNode && rest.nodeName === undefined ? { ...rest, nodeName: node } : rest;
  };
  return replace(slice, 'endpoints', mapShared(slice.endpoints, strip));
}

function warnings({ metadata, addressType, endpoints }: EndpointSlice, previous?: EndpointSlice): string[] {
  const deprecated = !previous && addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [];
  if (CONTROLLERS.includes(metadata.labels?.[MANAGED_BY] ?? '')) return deprecated;
  const ofAddresses = endpoints?.flatMap(({ addresses }, i) =>
    (addresses ?? []).flatMap((address, j) => warningsForIP(address, `endpoints[${i}].addresses[${j}]`)),
  );
  return [...deprecated, ...(ofAddresses ?? [])];
}

const SHOWN = 3;

/** The first items, and how many more there are. */
function listText(items: readonly string[]): string {
  const shown = items.slice(0, SHOWN).join(',');
  return items.length > SHOWN ? `${shown} + ${items.length - SHOWN} more...` : shown || '<unset>';
}

/** EndpointSlices. Follows pkg/registry/discovery/endpointslice/strategy.go, v1.33. */
export const endpointSlices = defineResource<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  scope: 'Namespaced',
  schema: 'io.k8s.api.discovery.v1.EndpointSlice',
  defaults,
  validate: (slice) => validateEndpointSlice(slice),
  validateUpdate: validateEndpointSliceUpdate,
  notModelled: ({ addressType }) =>
    addressType === 'IPv4'
      ? []
      : [`addressType ${addressType}: accepted, but not modelled: it has no effect in this cluster`],
  strategy: {
    prepareForCreate: (slice) =>
      withoutTopology(
        withoutNodeHints({ ...slice, metadata: { ...slice.metadata, generation: 1 } }, undefined),
        undefined,
      ),
    prepareForUpdate(slice, previous) {
      const { metadata: _, ...said } = slice;
      const { metadata: old, ...before } = previous;
      const { metadata } = slice;
      const isChanged = !semanticEqual(said, before) || !semanticEqual(metadata.labels, old.labels);
      const generation = (old.generation ?? 0) + 1;
      const next = isChanged ? { ...slice, metadata: { ...metadata, generation } } : slice;
      return withoutTopology(withoutNodeHints(next, previous), previous);
    },
    warnings,
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'AddressType', type: 'string', cell: ({ addressType }) => addressType },
    {
      name: 'Ports',
      type: 'string',
      cell: ({ ports }) => listText((ports ?? []).map(({ port, name }) => String(port ?? name ?? '*'))),
    },
    {
      name: 'Endpoints',
      type: 'string',
      cell: ({ endpoints }) => listText((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    },
    ageColumn,
  ],
});
