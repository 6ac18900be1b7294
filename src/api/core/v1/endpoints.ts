import { defineResource } from '#apimachinery/resource.ts';
import type { Endpoints } from '../../generated/types.ts';

/** Endpoints. Follows pkg/registry/core/endpoint/strategy.go, v1.33. */
export const endpoints = defineResource<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Endpoints',
  storagePrefix: 'services/endpoints',
});
