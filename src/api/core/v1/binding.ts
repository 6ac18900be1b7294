import { defineResource } from '#apimachinery/resource.ts';
import type { Binding } from '../../generated/types.ts';

/** Bindings of Pods to nodes, by their old way: a Pod's own subresource does the same. Nothing of them is stored. */
export const bindings = defineResource<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  singular: 'binding',
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Binding',
  verbs: ['create'],
});
