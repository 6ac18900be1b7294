import type { ApiObject, TableColumn } from '#apimachinery/resource.ts';
import { isValidPathSegmentName } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { mapShared, replace } from '../../fill.ts';
import type { RoleBinding, Subject } from '../../generated/types.ts';
import { RBAC_GROUP } from './rbac-validation.ts';

/** What the four kinds have in common. Follows pkg/registry/rbac, v1.33. */
export const rbacKind = {
  group: RBAC_GROUP,
  version: 'v1',
  ownColumns: true,
  validateName: (name: string): readonly string[] => isValidPathSegmentName(name),
  strategy: { allowCreateOnUpdate: true },
} as const;

/** Roles have the columns of kinds without any. */
export const roleColumns: readonly TableColumn<ApiObject>[] = [
  nameColumn,
  { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp ?? null },
];

const subjectsColumn = (name: string, kind: string, text: (subject: Subject) => string): TableColumn<RoleBinding> => ({
  name,
  type: 'string',
  priority: 1,
  cell: ({ subjects }) =>
    (subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(text)
      .join(', '),
});

export const bindingColumns: readonly TableColumn<RoleBinding>[] = [
  nameColumn,
  { name: 'Role', type: 'string', cell: ({ roleRef: { kind, name } }) => `${kind}/${name}` },
  ageColumn,
  subjectsColumn('Users', 'User', ({ name }) => name),
  subjectsColumn('Groups', 'Group', ({ name }) => name),
  subjectsColumn('ServiceAccounts', 'ServiceAccount', ({ namespace = '', name }) => `${namespace}/${name}`),
];

/** Groups of APIs that are understood. Follows pkg/apis/rbac/v1/defaults.go, v1.33. */
export function defaultBinding<T extends RoleBinding>(binding: T): T {
  const { roleRef, subjects } = binding;
  const ref = roleRef?.apiGroup ? roleRef : { ...roleRef, apiGroup: RBAC_GROUP };
  const next = replace(binding, 'roleRef', ref);
  const named = subjects && mapShared(subjects, defaultSubject);
  return named === subjects ? next : { ...next, subjects: named };
}

function defaultSubject(subject: Subject): Subject {
  const { apiGroup, kind } = subject;
  return !apiGroup && (kind === 'User' || kind === 'Group') ? { ...subject, apiGroup: RBAC_GROUP } : subject;
}
