import { defineResource } from '#apimachinery/resource.ts';
import type { DaemonSet } from '../../generated/types.ts';

/** DaemonSets. Follows pkg/registry/apps/daemonset/strategy.go, v1.33. */
export const daemonSets = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.apps.v1.DaemonSet',
});
