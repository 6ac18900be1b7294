import type { ApiRequest, UserInfo } from '#apimachinery/api-request.ts';
import type { ApiObject, FieldGetter, ResourceDefinition } from '#apimachinery/resource.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { isNamespaceKind } from './resource-table.ts';

/** Access to a resource. An {@link ApiRequest} is one in most cases: see {@link accessOf}. */
export interface ResourceAccess {
  readonly user: UserInfo;
  readonly verb: string;
  readonly group: string;
  readonly version?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly options?: { readonly fieldSelector?: string };
}

/** Access to a path that is no resource's. */
export interface PathAccess {
  readonly user: UserInfo;
  readonly verb: string;
  readonly path: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** Nobody else is asked. */
  readonly denied?: boolean;
  /** May be empty. */
  readonly reason: string;
}

/** rbac/v1's PolicyRule. */
export interface AccessRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface AccessRules {
  readonly rules: readonly AccessRule[];
  /** The rules cannot say everything, or some could not be read; and why. */
  readonly incomplete: boolean;
  readonly error: string;
}

/** Says who may do what. Follows authorization/authorizer of the apiserver library, v1.33. */
export interface Authorizer {
  authorize(access: ResourceAccess): Decision;
  authorizePath(access: PathAccess): Decision;
  /** What a user may do in a namespace. */
  rulesFor(user: UserInfo, namespace: string): AccessRules;
}

/** What authorizers know of the server's objects: what somebody would who has watched all along. */
export interface AuthorizerSource {
  readAll<T extends ApiObject>(resource: ResourceDefinition<T>, namespace?: string): readonly T[];
  read<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined;
  /** Objects of which a field has this value, by an index. */
  readBy<T extends ApiObject>(
    resource: ResourceDefinition<T>,
    field: { readonly field: string; readonly get: FieldGetter<T>; readonly value: string },
  ): readonly T[];
  /** Calls back at each commit that changes objects of the resource, with the namespaces of those. */
  onChange(resource: ResourceDefinition, listener: (namespace: string) => void): void;
}

export const ALLOWED: Decision = Object.freeze({ allowed: true, reason: '' });
export const NO_OPINION: Decision = Object.freeze({ allowed: false, reason: '' });

/** Who may do everything. */
export const SYSTEM_MASTERS = 'system:masters';

type AskedAccess = Pick<
  ApiRequest,
  'user' | 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'namespace' | 'name' | 'options'
>;

/** What is asked for, as authorizers see it. Follows request/requestinfo.go, v1.33. */
export function accessOf(request: AskedAccess, definition?: ResourceDefinition): ResourceAccess {
  const { verb, name, namespace, subresource, options } = request;
  if (verb === 'connect') return { ...request, verb: subresource === 'log' ? 'get' : 'create' };
  if (verb === 'create' && subresource === undefined) return name ? { ...request, name: undefined } : request;
  if ((verb === 'list' || verb === 'watch') && options.fieldSelector) {
    const selected = nameSelected(options.fieldSelector);
    return selected === undefined ? request : { ...request, name: selected };
  }
  if (definition && isNamespaceKind(definition) && namespace === undefined && name)
    return { ...request, namespace: name };
  return request;
}

function nameSelected(fieldSelector: string): string | undefined {
  const found = /(?:^|,)metadata\.name==?([^,\\]+)(?:,|$)/.exec(fieldSelector);
  return found?.[1];
}

const escapeHtml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** 403 for a resource. Follows endpoints/handlers/responsewriters/errors.go, v1.33. */
export function accessForbidden(access: ResourceAccess, reason: string): StatusError {
  const { user, verb, group, resource, subresource, namespace, name } = access;
  const what = goQuote(subresource ? `${resource}/${subresource}` : resource);
  const where = namespace ? `in the namespace ${goQuote(namespace)}` : 'at the cluster scope';
  const message = escapeHtml(
    `User ${goQuote(user.name)} cannot ${verb} resource ${what} in API group ${goQuote(group)} ${where}`,
  );
  const qualified = group ? `${resource}.${group}` : resource;
  const subject = name ? `${qualified} ${goQuote(name)}` : qualified;
  return new StatusError(403, 'Forbidden', `${subject} is forbidden: ${message}${reason ? `: ${reason}` : ''}`, {
    ...(name ? { name } : {}),
    ...(group ? { group } : {}),
    kind: resource,
  });
}

/** 403 for a path that is no resource's. */
export function pathForbidden({ user, verb, path }: PathAccess, reason: string): StatusError {
  const message = escapeHtml(`User ${goQuote(user.name)} cannot ${verb} path ${goQuote(path)}`);
  return new StatusError(403, 'Forbidden', `forbidden: ${message}${reason ? `: ${reason}` : ''}`, {});
}

/** Asks one after the other; somebody's yes or no is final. Members of system:masters may do everything. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  const ask = (user: UserInfo, question: (authorizer: Authorizer) => Decision): Decision => {
    if (user.groups.includes(SYSTEM_MASTERS)) return ALLOWED;
    const reasons: string[] = [];
    for (const authorizer of authorizers) {
      const decision = question(authorizer);
      if (decision.allowed || decision.denied) return decision;
      if (decision.reason) reasons.push(decision.reason);
    }
    return reasons.length ? { allowed: false, reason: reasons.join('\n') } : NO_OPINION;
  };
  return {
    authorize: (access) => ask(access.user, (authorizer) => authorizer.authorize(access)),
    authorizePath: (access) => ask(access.user, (authorizer) => authorizer.authorizePath(access)),
    rulesFor(user, namespace) {
      const all = authorizers.map((authorizer) => authorizer.rulesFor(user, namespace));
      return {
        rules: all.flatMap(({ rules }) => rules),
        incomplete: all.some(({ incomplete }) => incomplete),
        error: all
          .map(({ error }) => error)
          .filter(Boolean)
          .join(', '),
      };
    },
  };
}

const EVERYTHING: readonly AccessRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** AlwaysAllow. */
export const alwaysAllow: Authorizer = {
  authorize: () => ALLOWED,
  authorizePath: () => ALLOWED,
  rulesFor: () => ({ rules: EVERYTHING, incomplete: false, error: '' }),
};

const EVERYTHING_FORBIDDEN: Decision = Object.freeze({ allowed: false, reason: 'Everything is forbidden.' });

/** AlwaysDeny. */
export const alwaysDeny: Authorizer = {
  authorize: () => EVERYTHING_FORBIDDEN,
  authorizePath: () => EVERYTHING_FORBIDDEN,
  rulesFor: () => ({ rules: [], incomplete: false, error: '' }),
};
