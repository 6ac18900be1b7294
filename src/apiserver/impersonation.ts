import type { UserInfo } from '#apimachinery/api-request.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { accessForbidden, type Authorizer, type ResourceAccess } from './authorization.ts';

const AUTHENTICATED = 'system:authenticated';
const UNAUTHENTICATED = 'system:unauthenticated';
const ANONYMOUS = 'system:anonymous';
const EXTRA = 'impersonate-extra-';

/** The namespace and name of a service account's user; undefined for other users. */
export function splitServiceAccount(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  return namespace && name ? { namespace, name } : undefined;
}

export const serviceAccountGroups = (namespace: string): readonly string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
];

const listOf = (header: string | undefined) => (header === undefined ? [] : header.split('\n'));

/**
 * Who a request acts as: the caller, or somebody whom the caller names in headers and may act as. Throws 403, and 500 for
 * headers that name nobody. Follows
 * apiserver/pkg/endpoints/filters/impersonation.go, v1.33.
 */
export function impersonated(
  caller: UserInfo,
  headers: Readonly<Record<string, string>>,
  path: string,
  authorizer: Pick<Authorizer, 'authorize'>,
): UserInfo {
  const name = headers['impersonate-user'] ?? '';
  const uid = headers['impersonate-uid'];
  const groups = listOf(headers['impersonate-group']);
  const extras = Object.keys(headers).filter((header) => header.startsWith(EXTRA));
  if (name === '') {
    const wanted = [...groups, ...extras, ...(uid ? [uid] : [])];
    if (wanted.length === 0) return caller;
    throw new StatusError(
      500,
      '',
      `Internal Server Error: ${JSON.stringify(path)}: requested [${wanted.join(' ')}] without impersonating a user`,
    );
  }
  const demand = (what: Omit<ResourceAccess, 'user' | 'verb' | 'group'> & { readonly group?: string }) => {
    const access = { group: '', ...what, user: caller, verb: 'impersonate' };
    const { allowed, reason } = authorizer.authorize(access);
    if (!allowed) throw accessForbidden(access, reason);
  };
  const account = splitServiceAccount(name);
  if (account) demand({ resource: 'serviceaccounts', ...account });
  else demand({ resource: 'users', name });
  for (const group of groups) demand({ resource: 'groups', name: group });
  const extra: [string, readonly string[]][] = [];
  for (const header of extras) {
    const key = unescaped(header.slice(EXTRA.length));
    const values = listOf(headers[header]);
    for (const value of values)
      demand({ group: 'authentication.k8s.io', version: 'v1', resource: 'userextras', subresource: key, name: value });
    extra.push([key, values]);
  }
  if (uid) demand({ group: 'authentication.k8s.io', version: 'v1', resource: 'uids', name: uid });
  const own = account && groups.length === 0 ? serviceAccountGroups(account.namespace) : groups;
  const common = name === ANONYMOUS ? UNAUTHENTICATED : AUTHENTICATED;
  const isComplete = own.includes(common) || own.includes(UNAUTHENTICATED);
  return {
    name,
    ...(uid ? { uid } : {}),
    groups: isComplete ? own : [...own, common],
    ...(extra.length ? { extra: Object.fromEntries(extra) } : {}),
  };
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
