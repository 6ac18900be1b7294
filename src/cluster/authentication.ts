import type { UserInfo } from '#apimachinery/api-request.ts';
import { unauthorized } from '#apiserver/request-user.ts';
import { TokenAuthenticator, TokenError } from '#registry/token-authenticator.ts';
import type { HttpRequest } from '#transport/http.ts';

const AUTHENTICATED = 'system:authenticated';

/** Whom nobody knows. */
export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * Tells who sends a request: whom the host has verified (certificates, static tokens), the service account of a bearer
 * token, or `stranger` for requests without credentials. Throws 401 for a token of nobody's.
 */
export function authentication(tokens: TokenAuthenticator, stranger: UserInfo, now: () => number) {
  return ({ peer, headers }: HttpRequest): UserInfo => {
    if (peer) return { ...peer, groups: [...peer.groups, AUTHENTICATED] };
    const token = /^bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
    if (token === undefined) return stranger;
    try {
      const owner = tokens.authenticate(token, now());
      if (owner) return { ...owner.user, groups: [...owner.user.groups, AUTHENTICATED] };
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
    }
    throw unauthorized();
  };
}
