import { defineResource } from '#apimachinery/resource.ts';
import type { Service } from '../../generated/types.ts';

/** Services. Follows pkg/registry/core/service/strategy.go, v1.33. */
export const services = defineResource<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Service',
  storagePrefix: 'services/specs',
});
