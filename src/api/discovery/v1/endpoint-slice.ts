import { defineResource } from '#apimachinery/resource.ts';
import type { EndpointSlice } from '../../generated/types.ts';

/** EndpointSlices. Follows pkg/registry/discovery/endpointslice/strategy.go, v1.33. */
export const endpointSlices = defineResource<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  scope: 'Namespaced',
  schema: 'io.k8s.api.discovery.v1.EndpointSlice',
});
