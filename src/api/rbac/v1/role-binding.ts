import { defineResource } from '#apimachinery/resource.ts';
import type { RoleBinding } from '../../generated/types.ts';
import { bindingColumns, defaultBinding, rbacKind } from './rbac-definition.ts';
import { validateRoleBinding, validateRoleRefUpdate } from './rbac-validation.ts';

/** RoleBindings. */
export const roleBindings = defineResource<RoleBinding>({
  ...rbacKind,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  scope: 'Namespaced',
  schema: 'io.k8s.api.rbac.v1.RoleBinding',
  defaults: defaultBinding,
  validate: validateRoleBinding,
  // Upstream validates what is new twice.
  validateUpdate: (next, previous) => [
    ...validateRoleBinding(next),
    ...validateRoleBinding(next),
    ...validateRoleRefUpdate(next, previous),
  ],
  columns: bindingColumns,
});
