import { defineResource } from '#apimachinery/resource.ts';
import type { ControllerRevision } from '../../generated/types.ts';

/** ControllerRevisions. Follows pkg/registry/apps/controllerrevision/strategy.go, v1.33. */
export const controllerRevisions = defineResource<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  scope: 'Namespaced',
  schema: 'io.k8s.api.apps.v1.ControllerRevision',
});
