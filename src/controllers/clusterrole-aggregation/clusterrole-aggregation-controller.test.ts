import { expect, test } from 'vitest';
import type { ClusterRole } from '#api/generated/types.ts';
import { planAggregation } from './clusterrole-aggregation-controller.ts';

test('rules are gathered by labels, each once', () => {
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });
  const role = (name: string, labels: Record<string, string>, ...resources: string[]): ClusterRole => ({
    metadata: { name, labels },
    rules: resources.map(rule),
  });
  const view: ClusterRole = {
    ...role('view', { to: 'view' }),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'view' } }, { matchLabels: { more: 'true' } }] },
  };
  const all = [
    role('a', { to: 'view', more: 'true' }, 'pods', 'secrets'),
    role('b', { more: 'true' }, 'pods'),
    role('c', {}, 'x'),
  ];
  const rules = planAggregation(view, [...all, view]);
  expect(rules).toEqual([rule('pods'), rule('secrets')]);
  expect(planAggregation({ ...view, rules }, all)).toBeUndefined();
  expect(planAggregation(role('d', {}), all)).toBeUndefined();
});
