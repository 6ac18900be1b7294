import { clusterRoleBindings } from '#api/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '#api/rbac/v1/cluster-role.ts';
import { roleBindings } from '#api/rbac/v1/role-binding.ts';
import { roles } from '#api/rbac/v1/role.ts';
import { RBAC_GROUP } from '#api/rbac/v1/rbac-validation.ts';
import type { ClusterRole, PolicyRule, RoleBinding } from '#api/generated/types.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import { compactRules, missingRules, ruleText } from '#apimachinery/policy-rules.ts';
import { forbidden, notFound } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { SYSTEM_MASTERS } from '#apiserver/authorization.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/**
 * Nobody gives others more than they may do themselves. Comes after all other plugins' `admit`, and cannot be switched
 * off: upstream has it in the storage of roles and bindings. Follows pkg/registry/rbac, v1.33.
 */
export const roleEscalation: AdmissionPlugin = {
  name: 'RoleEscalation',
  resources: [roles, clusterRoles, roleBindings, clusterRoleBindings],
  admit(attributes, context) {
    const { resource, object, oldObject, operation, subresource } = attributes;
    if (!object || subresource || operation === 'DELETE') return object;
    if (attributes.user.groups.includes(SYSTEM_MASTERS)) return object;
    if (oldObject && onlyCollects(object, oldObject)) return object;
    switch (resource.plural) {
      case roles.plural:
      case clusterRoles.plural:
        if (!may(attributes, context, 'escalate', resource.plural, operation === 'CREATE' ? '' : attributes.name))
          checkRole(attributes, context, object as ClusterRole);
        break;
      case roleBindings.plural:
      case clusterRoleBindings.plural:
        checkBinding(attributes, context, object as RoleBinding);
        break;
      default:
    }
    return object;
  },
};

function onlyCollects(object: object, oldObject: object): boolean {
  const without = (value: object) => {
    const { metadata, ...rest } = value as { readonly metadata: Readonly<Record<string, unknown>> };
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, ...meta } = metadata;
    return { ...rest, metadata: meta };
  };
  return jsonEqual(without(object), without(oldObject));
}

function may(
  { user, namespace }: AdmissionAttributes,
  { authorizer }: RequestContext,
  verb: string,
  resource: string,
  name: string,
): boolean {
  return authorizer.authorize({ user, verb, group: RBAC_GROUP, version: 'v1', resource, namespace, name }).allowed;
}

/** Why the user must not give these rules away. */
function escalation(
  { user, namespace = '' }: AdmissionAttributes,
  { authorizer }: RequestContext,
  wanted: readonly PolicyRule[],
): string | undefined {
  const { rules, error } = authorizer.rulesFor(user, namespace);
  const missing = missingRules(rules, wanted);
  if (missing.length === 0) return undefined;
  const groups = user.groups.map(goQuote).join(' ');
  const texts = [...new Set(compactRules(missing).map(ruleText))].sort();
  const unknown = error ? `; resolution errors: [${error}]` : '';
  return `user ${goQuote(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${texts.join('\n')}${unknown}`;
}

function checkRole(attributes: AdmissionAttributes, context: RequestContext, role: ClusterRole): void {
  const { resource, oldObject } = attributes;
  const name = role.metadata.name ?? '';
  const why = escalation(attributes, context, role.rules ?? []);
  if (why) throw forbidden(resource, name, why);
  const aggregates = [role, oldObject as ClusterRole | undefined].some(
    (one) => one?.aggregationRule?.clusterRoleSelectors?.length,
  );
  if (aggregates && escalation(attributes, context, EVERYTHING))
    throw forbidden(resource, name, 'must have cluster-admin privileges to use the aggregationRule');
}

function checkBinding(attributes: AdmissionAttributes, context: RequestContext, binding: RoleBinding): void {
  const { resource, namespace } = attributes;
  const { kind, name } = binding.roleRef;
  if (may(attributes, context, 'bind', kind === 'Role' ? roles.plural : clusterRoles.plural, name)) return;
  const role = kind === 'Role' ? context.read(roles, namespace, name) : context.read(clusterRoles, undefined, name);
  if (!role) throw notFound({ group: RBAC_GROUP, plural: kind.toLowerCase() }, name);
  const why = escalation(attributes, context, role.rules ?? []);
  if (why) throw forbidden(resource, binding.metadata.name ?? '', why);
}
