import type { UserInfo } from '#apimachinery/api-request.ts';

const NODE_USER = 'system:node:';

/** The node that a user is: '' for one that cannot be told, undefined for no node. Follows pkg/auth/nodeidentifier, v1.33. */
export function nodeOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(NODE_USER) && groups.includes('system:nodes') ? name.slice(NODE_USER.length) : undefined;
}
