import { expect, test } from 'vitest';
import { clusterRoleBindings } from '#api/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '#api/rbac/v1/cluster-role.ts';
import { roleBindings } from '#api/rbac/v1/role-binding.ts';
import { roles } from '#api/rbac/v1/role.ts';
import { compactRules, missingRules, ruleText } from '#apimachinery/policy-rules.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { accessForbidden, type AuthorizerSource } from '#apiserver/authorization.ts';
import { bootstrapPolicy, kubeadmPolicy, type Policy } from './bootstrap-policy.ts';
import { RbacAuthorizer } from './rbac-authorizer.ts';
import { reconcileBinding, reconcileRole } from './reconcile.ts';

function sourceOf(policy: Policy): AuthorizerSource & { change(namespace: string): void } {
  const stored = new Map<string, readonly ApiObject[]>([
    [clusterRoles.plural, policy.clusterRoles],
    [clusterRoleBindings.plural, policy.clusterRoleBindings],
    [roles.plural, policy.roles],
    [roleBindings.plural, policy.roleBindings],
  ]);
  const listeners = new Set<(namespace: string) => void>();
  const readAll = <T extends ApiObject>({ plural }: ResourceDefinition<T>, namespace?: string): readonly T[] =>
    (stored.get(plural) ?? []).filter((one) => !namespace || one.metadata.namespace === namespace) as unknown as T[];
  return {
    readAll,
    read: (resource, namespace, name) => readAll(resource, namespace).find(({ metadata }) => metadata.name === name),
    readBy: () => [],
    onChange: (_resource, listener) => listeners.add(listener),
    change: (namespace) => listeners.forEach((listener) => listener(namespace)),
  };
}

test('the default roles', () => {
  const policy = bootstrapPolicy();
  expect([policy.clusterRoles.length, policy.clusterRoleBindings.length]).toEqual([66, 47]);
  expect([policy.roles.length, policy.roleBindings.length]).toEqual([7, 7]);
  const authorizer = new RbacAuthorizer(sourceOf(policy));
  const check = (name: string, groups: string[], verb: string, what: string, namespace?: string, object?: string) => {
    const [resource = '', subresource] = what.split('/');
    const [plural = '', ...group] = resource.split('.');
    const access = { user: { name, groups }, verb, group: group.join('.'), resource: plural, subresource, namespace };
    return expect(authorizer.authorize({ ...access, name: object }).allowed);
  };
  check('system:kube-scheduler', [], 'create', 'pods/binding', 'default').toBe(true);
  check('system:kube-scheduler', [], 'get', 'leases.coordination.k8s.io', 'a', 'kube-scheduler').toBe(true);
  check('system:kube-scheduler', [], 'get', 'leases.coordination.k8s.io', 'a', 'other').toBe(false);
  check('system:kube-scheduler', [], 'get', 'leases.coordination.k8s.io', 'kube-system', 'other').toBe(true);
  check('system:serviceaccount:kube-system:generic-garbage-collector', [], 'patch', 'anything.x.io').toBe(true);
  check('system:serviceaccount:kube-system:horizontal-pod-autoscaler', [], 'get', 'x.y/scale', 'a').toBe(true);
  check('system:serviceaccount:kube-system:horizontal-pod-autoscaler', [], 'get', 'x.y', 'a').toBe(false);
  check('jane', ['system:authenticated'], 'list', 'pods', 'default').toBe(false);
  const discovery = { user: { name: 'jane', groups: ['system:authenticated'] }, verb: 'get', path: '/apis/apps/v1' };
  expect(authorizer.authorizePath(discovery).reason).toBe(
    'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"',
  );
  expect(authorizer.authorizePath({ ...discovery, path: '/metrics' }).allowed).toBe(false);
});

test('what kubeadm adds', () => {
  const { clusterRoleBindings: bindings, roleBindings: local } = kubeadmPolicy();
  expect(bindings.find(({ metadata }) => metadata.name === 'kubeadm:cluster-admins')).toEqual({
    metadata: { name: 'kubeadm:cluster-admins' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'kubeadm:cluster-admins' }],
  });
  expect(local.map(({ metadata }) => metadata.name)).toContain('kubeadm:nodes-kubeadm-config');
});

test('a change is heeded at once, a role that is missing is named', () => {
  const subjects = [{ kind: 'User', name: 'jane' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
  const binding = { metadata: { name: 'b', namespace: 'a' }, roleRef, subjects };
  const role = {
    metadata: { name: 'reader', namespace: 'a' },
    rules: [] as { verbs: string[]; apiGroups: string[]; resources: string[] }[],
  };
  const policy = { clusterRoles: [], clusterRoleBindings: [], roles: [] as (typeof role)[], roleBindings: [binding] };
  const source = sourceOf(policy);
  const authorizer = new RbacAuthorizer(source);
  const access = {
    user: { name: 'jane', groups: [] },
    verb: 'get',
    group: '',
    resource: 'pods',
    namespace: 'a',
    name: 'x',
  };
  const decision = authorizer.authorize(access);
  expect(decision).toEqual({ allowed: false, reason: 'RBAC: role.rbac.authorization.k8s.io "reader" not found' });
  expect(accessForbidden(access, decision.reason).message).toBe(
    'pods "x" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "a": RBAC: role.rbac.authorization.k8s.io "reader" not found',
  );
  policy.roles.push({ ...role, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] });
  source.change('other');
  expect(authorizer.authorize(access).allowed).toBe(false);
  source.change('a');
  expect(authorizer.authorize(access).reason).toBe(
    'RBAC: allowed by RoleBinding "b/a" of Role "reader" to User "jane"',
  );
});

test('what rules cover', () => {
  const rule = (verbs: string, groups: string, resources: string, names?: string) => ({
    verbs: verbs.split(','),
    apiGroups: groups.split(','),
    resources: resources.split(','),
    ...(names ? { resourceNames: names.split(',') } : {}),
  });
  const check = (held: object, wanted: object, ...missing: string[]) =>
    expect(compactRules(missingRules([held as never], [wanted as never])).map(ruleText)).toEqual(missing);
  check(rule('*', '*', '*'), rule('get,list', 'apps', 'deployments/scale'));
  check(rule('get', '', '*/log'), rule('get', '', 'pods/log'));
  check(rule('get', '', 'pods', 'a'), rule('get', '', 'pods'), '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}');
  check(
    rule('get', '', 'pods'),
    rule('get,list,watch', '', 'pods,secrets'),
    '{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}',
    '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "watch"]}',
  );
  check({ verbs: ['get'], nonResourceURLs: ['/a/*'] }, { verbs: ['get'], nonResourceURLs: ['/a/b'] });
});

test('what existing roles and bindings lack comes back, and nothing goes', () => {
  const pods = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  const mine = { verbs: ['get'], apiGroups: [''], resources: ['mine'] };
  const expected = { metadata: { name: 'a', labels: { x: '1', y: '1' } }, rules: [pods] };
  const existing = { metadata: { name: 'a', labels: { x: '2' } }, rules: [mine] };
  expect(reconcileRole(expected, existing)).toEqual({
    metadata: { name: 'a', labels: { x: '2', y: '1' } },
    rules: [mine, pods],
  });
  expect(reconcileRole(expected, expected)).toBe(expected);
  const roleRef = { apiGroup: '', kind: 'ClusterRole', name: 'a' };
  const binding = (...names: string[]) => ({
    metadata: {},
    roleRef,
    subjects: names.map((name) => ({ kind: 'User', name })),
  });
  expect(reconcileBinding(binding('a', 'b'), binding('c', 'b'))).toEqual(binding('c', 'b', 'a'));
});
