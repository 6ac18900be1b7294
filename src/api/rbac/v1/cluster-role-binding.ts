import { defineResource } from '#apimachinery/resource.ts';
import type { ClusterRoleBinding } from '../../generated/types.ts';
import { bindingColumns, defaultBinding, rbacKind } from './rbac-definition.ts';
import { validateClusterRoleBinding, validateRoleRefUpdate } from './rbac-validation.ts';

/** ClusterRoleBindings. */
export const clusterRoleBindings = defineResource<ClusterRoleBinding>({
  ...rbacKind,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  scope: 'Cluster',
  schema: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  defaults: defaultBinding,
  validate: validateClusterRoleBinding,
  // Upstream validates what is new twice.
  validateUpdate: (next, previous) => [
    ...validateClusterRoleBinding(next),
    ...validateClusterRoleBinding(next),
    ...validateRoleRefUpdate(next, previous),
  ],
  columns: bindingColumns,
});
