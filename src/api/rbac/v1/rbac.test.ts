import { expect, test } from 'vitest';
import { createErrors, decoded, updateErrors } from '#testing/kind.ts';
import { clusterRoles } from './cluster-role.ts';
import { clusterRoleBindings } from './cluster-role-binding.ts';
import { roles } from './role.ts';
import { roleBindings } from './role-binding.ts';

test('rules', () => {
  const check = (rules: string, ...errors: string[]) =>
    expect(createErrors(roles, `{metadata: {name: a}, rules: ${rules}}`)).toEqual(errors);
  check('[{verbs: [get], apiGroups: [""], resources: [pods]}]');
  check(
    '[{}]',
    'rules[0].verbs: Required value: verbs must contain at least one value',
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  );
  check(
    '[{verbs: [get], nonResourceURLs: [/a], resources: [pods]}]',
    'rules[0].nonResourceURLs: Invalid value: []string{"/a"}: namespaced rules cannot apply to non-resource URLs',
    'rules[0].nonResourceURLs: Invalid value: []string{"/a"}: rules cannot apply to both regular resources and non-resource URLs',
  );
  expect(createErrors(clusterRoles, '{metadata: {name: a}, aggregationRule: {}}')).toEqual([
    'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
  ]);
});

test('bindings', () => {
  const binding = (ref: string, subjects = '[]') => `{metadata: {name: a}, roleRef: ${ref}, subjects: ${subjects}}`;
  expect(decoded(roleBindings, binding('{kind: Role, name: r}', '[{kind: User, name: u}]'))).toMatchObject({
    roleRef: { apiGroup: 'rbac.authorization.k8s.io' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io' }],
  });
  expect(createErrors(clusterRoleBindings, binding('{kind: Role}', '[{kind: ServiceAccount, name: A}, {}]'))).toEqual([
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    'roleRef.name: Required value',
    expect.stringMatching(/^subjects\[0\]\.name: Invalid value: "A": a lowercase RFC 1123 subdomain/),
    'subjects[0].namespace: Required value',
    'subjects[1].name: Required value',
    'subjects[1].kind: Unsupported value: "": supported values: "ServiceAccount", "User", "Group"',
  ]);
  const [from, to] = ['{kind: Role, name: r}', '{kind: Role, name: s}'].map((ref) => binding(ref)) as [string, string];
  expect(updateErrors(roleBindings, from, to)).toEqual([
    'roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"Role", Name:"s"}: cannot change roleRef',
  ]);
});
