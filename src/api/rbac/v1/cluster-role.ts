import { defineResource } from '#apimachinery/resource.ts';
import type { ClusterRole } from '../../generated/types.ts';
import { rbacKind, roleColumns } from './rbac-definition.ts';
import { validateClusterRole } from './rbac-validation.ts';

/** ClusterRoles. */
export const clusterRoles = defineResource<ClusterRole>({
  ...rbacKind,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  scope: 'Cluster',
  schema: 'io.k8s.api.rbac.v1.ClusterRole',
  validate: validateClusterRole,
  // Upstream validates what is new twice.
  validateUpdate: (next) => [...validateClusterRole(next), ...validateClusterRole(next)],
  columns: roleColumns,
});
