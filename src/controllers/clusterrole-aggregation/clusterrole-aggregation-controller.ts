import { clusterRoles } from '#api/rbac/v1/cluster-role.ts';
import type { ClusterRole, PolicyRule } from '#api/generated/types.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import { labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { defineController } from '../define-controller.ts';

/** The rules that a role gathers from all roles that its selectors find; undefined when it has them, or gathers none. */
export function planAggregation(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] | undefined {
  if (!role.aggregationRule) return undefined;
  const rules: PolicyRule[] = [];
  for (const selector of role.aggregationRule.clusterRoleSelectors ?? []) {
    const terms = labelSelectorTerms(selector) ?? [];
    for (const other of all) {
      if (other.metadata.name === role.metadata.name || !matchesLabels(terms, other.metadata.labels ?? {})) continue;
      for (const rule of other.rules ?? []) if (!rules.some((known) => jsonEqual(known, rule))) rules.push(rule);
    }
  }
  return jsonEqual(rules, role.rules ?? []) ? undefined : rules;
}

/** Keeps the rules of roles that aggregate others. Follows pkg/controller/clusterroleaggregation, v1.33. */
export const clusterRoleAggregationController = defineController({
  name: 'clusterrole-aggregation-controller',
  create({ queue, watch }) {
    const changed = (_role: ClusterRole, span: number) => {
      for (const { metadata, aggregationRule } of lister.list())
        if (aggregationRule) queue.add(metadata.name ?? '', span);
    };
    const lister = watch(clusterRoles, {
      add: changed,
      update: (_before, role, span) => changed(role, span),
      delete: changed,
    });
    return {
      async reconcile({ client }, { name }) {
        const role = lister.get({ name });
        const sorted = [...lister.list()].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
        const rules = role && planAggregation(role, sorted);
        if (!rules) return;
        const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
        await client.patch(clusterRoles, { name }, 'application/apply-patch+yaml', body, {
          fieldManager: 'clusterrole-aggregation-controller',
          force: true,
        });
      },
    };
  },
});
