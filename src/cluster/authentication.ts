import type { UserInfo } from '#apimachinery/api-request.ts';
import { unauthorized } from '#apiserver/request-user.ts';
import type { AuthorizationMode } from '#authorization/authorizer.ts';
import { TokenAuthenticator, TokenError } from '#registry/token-authenticator.ts';
import type { HttpRequest } from '#transport/http.ts';

const AUTHENTICATED = 'system:authenticated';

/** Whom nobody knows. */
export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * Whom requests without credentials are taken for when anonymous ones are let in: nobody may come in unknown where everything
 * is allowed. Follows BuiltInAuthenticationOptions.ApplyAuthorization, v1.33.
 */
export const anonymousUnder = (modes: readonly AuthorizationMode[]): UserInfo | undefined =>
  modes.includes('AlwaysAllow') ? undefined : ANONYMOUS;

/**
 * Tells who sends a request: whom the host has verified (certificates, static tokens), the service account of a bearer
 * token, or `stranger` for requests without credentials. Throws 401 for a token of nobody's, and for requests without
 * credentials when there is no `stranger`.
 */
export function authentication(tokens: TokenAuthenticator, stranger: UserInfo | undefined, now: () => number) {
  return ({ peer, headers }: HttpRequest): UserInfo => {
    if (peer) return { ...peer, groups: [...peer.groups, AUTHENTICATED] };
    const token = /^bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
    if (token === undefined && stranger) return stranger;
    try {
      const owner = token !== undefined && tokens.authenticate(token, now());
      if (owner) return { ...owner.user, groups: [...owner.user.groups, AUTHENTICATED] };
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
    }
    throw unauthorized();
  };
}
