import type { JsonObject } from '#apimachinery/json.ts';
import { list, objects, text } from '../fields.ts';
import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import type { Describer } from './describer.ts';
import { writeMetadata } from './writer.ts';

export const role: Describer = {
  kinds: ['Role.rbac.authorization.k8s.io', 'ClusterRole.rbac.authorization.k8s.io'],
  describe(w, value) {
    writeMetadata(w, value, false);
    w.line(0, 'PolicyRule:');
    w.line(1, 'Resources\tNon-Resource URLs\tResource Names\tVerbs');
    w.line(1, '---------\t-----------------\t--------------\t-----');
    for (const rule of compactRules(objects(value, 'rules'))) {
      const columns = [rule.urls, rule.names, rule.verbs].map(formatValue);
      w.line(1, `${qualifiedResource(rule)}\t${columns.join('\t')}`);
    }
  },
};

export interface Rule {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly names: readonly string[];
  readonly urls: readonly string[];
  readonly verbs: string[];
}

/** One rule for each resource and name, with all verbs. Follows kubectl/pkg/util/rbac/rbac.go, v1.33. */
export function compactRules(rules: readonly JsonObject[]): readonly Rule[] {
  const compact = new Map<string, Rule>();
  const add = (rule: Omit<Rule, 'verbs'>, verb: string, key: string) => {
    const known = compact.get(key);
    if (!known) compact.set(key, { ...rule, verbs: [verb] });
    else if (!known.verbs.includes(verb)) known.verbs.push(verb);
  };
  rules.forEach((rule, index) => {
    const words = (field: string) => list(rule, field).map(String);
    const names = words('resourceNames');
    for (const group of words('apiGroups'))
      for (const resource of words('resources'))
        for (const verb of words('verbs'))
          for (const name of names.length > 0 ? names : [undefined])
            add(
              { groups: [group], resources: [resource], names: name === undefined ? [] : [name], urls: [] },
              verb,
              JSON.stringify([group, resource, name]),
            );
    // Rules about URLs stay apart.
    for (const url of words('nonResourceURLs'))
      for (const verb of words('verbs'))
        add({ groups: [], resources: [], names: [], urls: [url] }, verb, `${index} ${url} ${verb}`);
  });
  const order = (rule: Rule) =>
    [rule.verbs, rule.groups, rule.resources, rule.names, rule.urls].map(formatValue).join(',Name:');
  return [...compact.values()].sort((a, b) => byCodeUnit(order(a), order(b)));
}

/** `pods`, `deployments.apps`, `deployments.apps/scale`. */
export function qualifiedResource(rule: Rule): string {
  const [resource = '', subresource] = (rule.resources[0] ?? '').split(/\/(.*)/s);
  const group = rule.groups[0] ?? '';
  return `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
}

export const roleBinding: Describer = {
  kinds: ['RoleBinding.rbac.authorization.k8s.io', 'ClusterRoleBinding.rbac.authorization.k8s.io'],
  describe(w, value) {
    writeMetadata(w, value, false);
    w.line(0, 'Role:');
    w.line(1, `Kind:\t${text(value, 'roleRef', 'kind')}`);
    w.line(1, `Name:\t${text(value, 'roleRef', 'name')}`);
    w.line(0, 'Subjects:');
    w.line(1, 'Kind\tName\tNamespace');
    w.line(1, '----\t----\t---------');
    for (const subject of objects(value, 'subjects'))
      w.line(1, `${text(subject, 'kind')}\t${text(subject, 'name')}\t${text(subject, 'namespace')}`);
  },
};
