import { clusterRoleBindings } from '#api/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '#api/rbac/v1/cluster-role.ts';
import { roleBindings } from '#api/rbac/v1/role-binding.ts';
import { roles } from '#api/rbac/v1/role.ts';
import type { ClusterRole, ObjectMeta, RoleBinding, Subject } from '#api/generated/types.ts';
import { missingRules } from '#apimachinery/policy-rules.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { ApiServer, Seeder } from '#apiserver/api-server.ts';
import type { Client } from '#client/client.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';

const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

/**
 * Makes the default roles and bindings, and gives existing ones back what they lack, unless they say that they must be
 * left alone. Nothing is taken away. Follows pkg/registry/rbac/rest/storage_rbac.go, v1.33.
 */
export async function ensurePolicy(api: ApiServer, client: Client, by: Seeder): Promise<void> {
  const policy = bootstrapPolicy();
  const ensure = async <T extends ApiObject>(
    definition: ResourceDefinition<T>,
    expected: readonly T[],
    reconcile: (expected: T, existing: T) => T,
  ) => {
    for (const existing of api.seed(definition, expected, by)) {
      if (existing.metadata.annotations?.[AUTO_UPDATE] === 'false') continue;
      const { name, namespace } = existing.metadata;
      const wanted = expected.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace) as T;
      const next = reconcile(wanted, existing);
      if (next !== existing) await client.update(definition, next);
    }
  };
  await ensure(clusterRoles, policy.clusterRoles, reconcileRole);
  await ensure(clusterRoleBindings, policy.clusterRoleBindings, reconcileBinding);
  await ensure(roles, policy.roles, reconcileRole);
  await ensure(roleBindings, policy.roleBindings, reconcileBinding);
}

/** The existing role with the rules, selectors, labels and annotations that it lacks; itself when it lacks none. */
export function reconcileRole<T extends ClusterRole>(expected: T, existing: T): T {
  const metadata = reconcileMeta(expected.metadata, existing.metadata);
  const rules = missingRules(existing.rules ?? [], expected.rules ?? []);
  const held = existing.aggregationRule?.clusterRoleSelectors ?? [];
  const selectors = (expected.aggregationRule?.clusterRoleSelectors ?? []).filter(
    (selector) => !held.some((one) => JSON.stringify(one) === JSON.stringify(selector)),
  );
  if (metadata === existing.metadata && rules.length === 0 && selectors.length === 0) return existing;
  return {
    ...existing,
    metadata,
    ...(rules.length ? { rules: [...(existing.rules ?? []), ...rules] } : {}),
    ...(selectors.length ? { aggregationRule: { clusterRoleSelectors: [...held, ...selectors] } } : {}),
  };
}

/** The existing binding with the subjects, labels and annotations that it lacks. */
export function reconcileBinding<T extends RoleBinding>(expected: T, existing: T): T {
  const metadata = reconcileMeta(expected.metadata, existing.metadata);
  const held = new Set(existing.subjects?.map(subjectKey));
  const subjects = (expected.subjects ?? []).filter((subject) => !held.has(subjectKey(subject)));
  if (metadata === existing.metadata && subjects.length === 0) return existing;
  return {
    ...existing,
    metadata,
    ...(subjects.length ? { subjects: [...(existing.subjects ?? []), ...subjects] } : {}),
  };
}

const subjectKey = ({ kind, name, namespace = '' }: Subject) => JSON.stringify([kind, namespace, name]);

function reconcileMeta(expected: ObjectMeta, existing: ObjectMeta): ObjectMeta {
  let metadata = existing;
  for (const field of ['labels', 'annotations'] as const) {
    const wanted = expected[field] ?? {};
    if (Object.keys(wanted).some((key) => existing[field]?.[key] === undefined))
      metadata = { ...metadata, [field]: { ...wanted, ...existing[field] } };
  }
  return metadata;
}
