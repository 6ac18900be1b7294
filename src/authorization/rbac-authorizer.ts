import { clusterRoleBindings } from '#api/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '#api/rbac/v1/cluster-role.ts';
import { roleBindings } from '#api/rbac/v1/role-binding.ts';
import { roles } from '#api/rbac/v1/role.ts';
import type { PolicyRule, RoleBinding, Subject } from '#api/generated/types.ts';
import type { UserInfo } from '#apimachinery/api-request.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { goQuote } from '#apimachinery/validation.ts';
import {
  type AccessRules,
  type Authorizer,
  type AuthorizerSource,
  type Decision,
  NO_OPINION,
  type PathAccess,
  type ResourceAccess,
} from '#apiserver/authorization.ts';

/** What bindings of one place (the cluster, or a namespace) give to a user. */
interface Grants {
  readonly rules: readonly { readonly rule: PolicyRule; readonly binding: RoleBinding; readonly subject: Subject }[];
  /** Roles that bindings name and that do not exist. */
  readonly errors: readonly string[];
  /** What was asked before: verb, resource → the answer for any name, and for some names. */
  readonly answers: Map<string, Answer>;
}

interface Answer {
  readonly any: Decision | undefined;
  readonly named: ReadonlyMap<string, Decision> | undefined;
}

/** Users of whom something is remembered; beyond that all is forgotten at once. */
const MAX_USERS = 1000;

/**
 * Role based access control. What a user may do is worked out once, and again when roles or bindings change: those of a
 * namespace for that namespace only. Follows plugin/pkg/auth/authorizer/rbac, v1.33.
 */
export class RbacAuthorizer implements Authorizer {
  readonly #source: AuthorizerSource;
  /** By namespace ('' for the cluster), then by user. */
  readonly #grants = new Map<string, Map<string, Grants>>();
  readonly #keys = new WeakMap<UserInfo, string>();

  constructor(source: AuthorizerSource) {
    this.#source = source;
    const forget = (namespace: string) => {
      if (namespace) this.#grants.delete(namespace);
      else this.#grants.clear();
    };
    for (const kind of [clusterRoles, clusterRoleBindings, roles, roleBindings])
      source.onChange(kind as unknown as ResourceDefinition, forget);
  }

  authorize(access: ResourceAccess): Decision {
    const { user, verb, group, subresource, namespace, name = '' } = access;
    const resource = subresource ? `${access.resource}/${subresource}` : access.resource;
    const question = `${verb} ${group} ${resource}`;
    const matches = (rule: PolicyRule) => matchesAccess(rule, access, resource);
    return this.#ask(user, namespace, question, matches, name);
  }

  authorizePath({ user, verb, path }: PathAccess): Decision {
    const matches = (rule: PolicyRule) =>
      rule.nonResourceURLs !== undefined &&
      has(rule.verbs, verb) &&
      rule.nonResourceURLs.some(
        (url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
      );
    return this.#ask(user, undefined, `${verb} ${path}`, matches, '');
  }

  rulesFor(user: UserInfo, namespace: string): AccessRules {
    const places = [this.#grantsOf(user, ''), ...(namespace ? [this.#grantsOf(user, namespace)] : [])];
    return {
      rules: places.flatMap(({ rules }) => rules.map(({ rule }) => rule)),
      incomplete: false,
      error: aggregate(places.flatMap(({ errors }) => errors)),
    };
  }

  #ask(
    user: UserInfo,
    namespace: string | undefined,
    question: string,
    matches: (rule: PolicyRule) => boolean,
    name: string,
  ): Decision {
    const cluster = this.#grantsOf(user, '');
    const first = answer(cluster, question, matches, name);
    if (first || !namespace) return first ?? refusal(cluster.errors);
    const local = this.#grantsOf(user, namespace);
    return answer(local, question, matches, name) ?? refusal([...cluster.errors, ...local.errors]);
  }

  #grantsOf(user: UserInfo, namespace: string): Grants {
    let users = this.#grants.get(namespace);
    if (!users) this.#grants.set(namespace, (users = new Map()));
    let key = this.#keys.get(user);
    if (key === undefined) this.#keys.set(user, (key = JSON.stringify([user.name, user.groups])));
    let grants = users.get(key);
    if (!grants) {
      if (users.size >= MAX_USERS) users.clear();
      users.set(key, (grants = this.#collect(user, namespace)));
    }
    return grants;
  }

  #collect(user: UserInfo, namespace: string): Grants {
    const bindings: readonly RoleBinding[] = namespace
      ? this.#source.readAll(roleBindings, namespace)
      : this.#source.readAll(clusterRoleBindings);
    const rules: Grants['rules'][number][] = [];
    const errors: string[] = [];
    for (const binding of bindings) {
      const subject = binding.subjects?.find((each) => appliesTo(each, user, namespace));
      if (!subject) continue;
      const { kind, name } = binding.roleRef;
      const role =
        kind === 'Role' ? this.#source.read(roles, namespace, name) : this.#source.read(clusterRoles, undefined, name);
      if (role) for (const rule of role.rules ?? []) rules.push({ rule, binding, subject });
      else errors.push(`${kind.toLowerCase()}.rbac.authorization.k8s.io ${goQuote(name)} not found`);
    }
    return { rules, errors, answers: new Map() };
  }
}

function answer(
  grants: Grants,
  question: string,
  matches: (rule: PolicyRule) => boolean,
  name: string,
): Decision | undefined {
  let found = grants.answers.get(question);
  if (!found) {
    let any: Decision | undefined;
    let named: Map<string, Decision> | undefined;
    for (const { rule, binding, subject } of grants.rules) {
      if (!matches(rule)) continue;
      const decision = { allowed: true, reason: `RBAC: allowed by ${describe(binding, subject)}` };
      if (!rule.resourceNames?.length) {
        any = decision;
        break;
      }
      named ??= new Map();
      for (const one of rule.resourceNames) if (!named.has(one)) named.set(one, decision);
    }
    // Paths come from outside without end.
    if (grants.answers.size >= MAX_USERS) grants.answers.clear();
    grants.answers.set(question, (found = { any, named }));
  }
  return found.named?.get(name) ?? found.any;
}

const refusal = (errors: readonly string[]): Decision =>
  errors.length ? { allowed: false, reason: `RBAC: ${aggregate(errors)}` } : NO_OPINION;

/** As utilerrors.NewAggregate prints errors. */
function aggregate(errors: readonly string[]): string {
  const different = [...new Set(errors)];
  return different.length > 1 ? `[${different.join(', ')}]` : (different[0] ?? '');
}

const has = (list: readonly string[] | undefined, wanted: string) =>
  list !== undefined && (list.includes(wanted) || list.includes('*'));

const matchesAccess = (rule: PolicyRule, { verb, group, subresource }: ResourceAccess, resource: string) =>
  rule.resources !== undefined &&
  has(rule.verbs, verb) &&
  has(rule.apiGroups, group) &&
  matchesResource(rule.resources, resource, subresource);

/** Whether one of the rules allows it. */
export function allowedBy(rules: readonly PolicyRule[], access: ResourceAccess): boolean {
  const { resource, subresource, name = '' } = access;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return rules.some(
    (rule) =>
      matchesAccess(rule, access, combined) && (!rule.resourceNames?.length || rule.resourceNames.includes(name)),
  );
}

const matchesResource = (list: readonly string[], resource: string, subresource: string | undefined) =>
  has(list, resource) || (subresource !== undefined && list.includes(`*/${subresource}`));

function appliesTo({ kind, name, namespace }: Subject, user: UserInfo, bindingNamespace: string): boolean {
  if (kind === 'User') return user.name === name;
  if (kind === 'Group') return user.groups.includes(name);
  const home = namespace || bindingNamespace;
  return kind === 'ServiceAccount' && home !== '' && user.name === `system:serviceaccount:${home}:${name}`;
}

function describe({ metadata, roleRef }: RoleBinding, { kind, name, namespace }: Subject): string {
  const local = metadata.namespace;
  const binding = local ? `RoleBinding "${metadata.name}/${local}"` : `ClusterRoleBinding "${metadata.name}"`;
  const who = kind === 'ServiceAccount' ? `${name}/${namespace || (local ?? '')}` : name;
  return `${binding} of ${roleRef.kind} ${goQuote(roleRef.name)} to ${kind} ${goQuote(who)}`;
}
