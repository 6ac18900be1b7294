import { RBAC_GROUP } from '#api/rbac/v1/rbac-validation.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  ObjectMeta,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '#api/generated/types.ts';
import * as data from './bootstrap-policy-data.ts';

// A role is a line with its name (roles: namespace and name) and a line for each rule, which begins with a space: verbs,
// groups, resources, names; or verbs, `~`, paths. Verbs are letters, or words that begin with a plus. `-` is the core
// group, a final dot stands for `.k8s.io`. A first colon of a name stands for `system:`, `@` for `system:controller:`.
// `>x` labels a role for aggregation to x, `<x` aggregates. A binding is a line: name (`=role`, where it has another
// name), then users (u), groups (g) and service accounts (s, namespace/name).

export interface Policy {
  readonly clusterRoles: readonly ClusterRole[];
  readonly clusterRoleBindings: readonly ClusterRoleBinding[];
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
}

const VERBS: Readonly<Record<string, string>> = {
  c: 'create',
  d: 'delete',
  x: 'deletecollection',
  g: 'get',
  l: 'list',
  p: 'patch',
  u: 'update',
  w: 'watch',
  '*': '*',
};
const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-';
const BOOTSTRAPPING = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const AUTO_UPDATE = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };

const nameOf = (text: string) => text.replace(/^@/, 'system:controller:').replace(/^:/, 'system:');
const linesOf = (text: string) => text.trim().split('\n');

function ruleOf(line: string): PolicyRule {
  const [letters = '', groups = '', things = '', names] = line.trim().split(' ');
  const [known = '', ...words] = letters.split('+');
  const verbs = [...Array.from(known, (letter) => VERBS[letter] as string), ...words].sort();
  if (groups === '~') return { nonResourceURLs: things.split(','), verbs };
  return {
    apiGroups: groups.split(',').map((group) => (group === '-' ? '' : group.replace(/\.$/, '.k8s.io'))),
    ...(names ? { resourceNames: names.split(',') } : {}),
    resources: things.split(','),
    verbs,
  };
}

/** Each head line with its rules. */
function* rolesIn(text: string): Generator<{ readonly words: readonly string[]; readonly rules: PolicyRule[] }> {
  let role: { words: string[]; rules: PolicyRule[] } | undefined;
  for (const line of linesOf(text)) {
    if (line.startsWith(' ')) role?.rules.push(ruleOf(line));
    else {
      if (role) yield role;
      role = { words: line.split(' '), rules: [] };
    }
  }
  if (role) yield role;
}

function subjectOf(text: string): Subject {
  const rest = text.slice(1);
  if (text.startsWith('s')) {
    const [namespace = '', name = ''] = rest.split('/');
    return { kind: 'ServiceAccount', name, namespace };
  }
  return { apiGroup: RBAC_GROUP, kind: text.startsWith('u') ? 'User' : 'Group', name: nameOf(rest) };
}

function bindingOf(
  meta: Meta,
  kind: 'Role' | 'ClusterRole',
  words: readonly string[],
  namespace?: string,
): RoleBinding {
  const [names = '', ...subjects] = words;
  const [name = '', role = name] = names.split('=');
  return {
    metadata: meta(nameOf(name), namespace),
    roleRef: { apiGroup: RBAC_GROUP, kind, name: nameOf(role) },
    ...(subjects.length ? { subjects: subjects.map(subjectOf) } : {}),
  };
}

type Meta = (name: string, namespace?: string, labels?: Readonly<Record<string, string>>) => ObjectMeta;

const plain: Meta = (name, namespace) => ({ name, ...(namespace ? { namespace } : {}) });
const reconciled: Meta = (name, namespace, labels) => ({
  ...plain(name, namespace),
  labels: { ...BOOTSTRAPPING, ...labels },
  annotations: AUTO_UPDATE,
});

function policyOf(
  meta: Meta,
  clusterRoles: string,
  clusterRoleBindings: string,
  roles: string,
  roleBindings: string,
): Policy {
  const local = (line: string) => {
    const [namespace = '', ...words] = line.split(' ');
    return { namespace, words };
  };
  return {
    clusterRoles: [...rolesIn(clusterRoles)].map(({ words: [name = '', ...marks], rules }) => {
      const labels = marks.filter((mark) => mark.startsWith('>')).map((mark) => [AGGREGATE + mark.slice(1), 'true']);
      const from = marks.find((mark) => mark.startsWith('<'));
      return {
        metadata: meta(nameOf(name), undefined, Object.fromEntries(labels) as Record<string, string>),
        ...(from
          ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [AGGREGATE + from.slice(1)]: 'true' } }] } }
          : { rules }),
      };
    }),
    clusterRoleBindings: linesOf(clusterRoleBindings).map((line) => bindingOf(meta, 'ClusterRole', line.split(' '))),
    roles: [...rolesIn(roles)].map(({ words: [namespace, name = ''], rules }) => ({
      metadata: meta(nameOf(name), namespace),
      rules,
    })),
    roleBindings: linesOf(roleBindings).map((line) => {
      const { namespace, words } = local(line);
      return bindingOf(meta, 'Role', words, namespace);
    }),
  };
}

/** What every API server makes and keeps. Each controller has a role of its own, bound to its service account. */
export function bootstrapPolicy(): Policy {
  const policy = policyOf(reconciled, data.CLUSTER_ROLES, data.CLUSTER_ROLE_BINDINGS, data.ROLES, data.ROLE_BINDINGS);
  const controllers = policy.clusterRoles
    .map(({ metadata: { name = '' } }) => /^system:controller:(.*)/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  return {
    ...policy,
    clusterRoleBindings: [
      ...policy.clusterRoleBindings,
      ...controllers.map((name) => bindingOf(reconciled, 'ClusterRole', [`@${name}`, `skube-system/${name}`])),
    ],
  };
}

/** What kubeadm makes once. */
export const kubeadmPolicy = (): Policy =>
  policyOf(
    plain,
    data.KUBEADM_CLUSTER_ROLES,
    data.KUBEADM_CLUSTER_ROLE_BINDINGS,
    data.KUBEADM_ROLES,
    data.KUBEADM_ROLE_BINDINGS,
  );
