import { defineResource } from '#apimachinery/resource.ts';
import type { Role } from '../../generated/types.ts';
import { rbacKind, roleColumns } from './rbac-definition.ts';
import { validateRole } from './rbac-validation.ts';

/** Roles. */
export const roles = defineResource<Role>({
  ...rbacKind,
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  scope: 'Namespaced',
  schema: 'io.k8s.api.rbac.v1.Role',
  validate: validateRole,
  // Upstream validates what is new twice.
  validateUpdate: (next) => [...validateRole(next), ...validateRole(next)],
  columns: roleColumns,
});
