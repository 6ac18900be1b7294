import type { UserInfo } from '#apimachinery/api-request.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { HttpRequest } from '#transport/http.ts';
import { accessForbidden, type Authorizer, accessOf, pathForbidden } from './authorization.ts';
import { impersonated } from './impersonation.ts';
import { asksToWatch } from './query.ts';
import { type ResourcePath, verbOf } from './request-info.ts';

export interface Doorkeeper {
  /** Who asks. Throws StatusError 401. */
  readonly authenticate: (request: HttpRequest) => UserInfo;
  readonly authorizer: Authorizer;
}

/** 401. */
export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');

/**
 * Who a request acts as, once it is clear that they may do what it asks for: authentication, impersonation,
 * authorization, before anybody looks whether what it asks for exists. Throws 401 and 403.
 */
export function requestUser(
  request: HttpRequest,
  at: ResourcePath | undefined,
  path: string,
  query: ReadonlyMap<string, readonly string[]>,
  { authenticate, authorizer }: Doorkeeper,
): UserInfo {
  const user = impersonated(authenticate(request), request.headers, path, authorizer);
  if (!at) {
    const access = { user, verb: request.method.toLowerCase(), path };
    const { allowed, reason } = authorizer.authorizePath(access);
    if (!allowed) throw pathForbidden(access, reason);
    return user;
  }
  const { group, version, resource, subresource, name } = at;
  const namespace = at.namespace ?? (group === '' && resource === 'namespaces' ? name : undefined);
  const verb = verbOf(request.method, at, asksToWatch(query));
  const fieldSelector = query.get('fieldSelector')?.[0];
  const asked = { user, group, version, resource, subresource, namespace, name, options: { fieldSelector } };
  const access = verb ? accessOf({ ...asked, verb }) : { ...asked, verb: '' };
  const { allowed, reason } = authorizer.authorize(access);
  if (!allowed) throw accessForbidden(access, reason);
  return user;
}
