import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { secrets } from '#api/core/v1/secret.ts';
import { serviceAccounts } from '#api/core/v1/service-account.ts';
import type { UserInfo } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { AuthorizerSource } from '#apiserver/authorization.ts';
import { serviceAccountGroups } from '#apiserver/impersonation.ts';
import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { TokenClaims, TokenIssuer } from './token-issuer.ts';

/** Why a token of ours is not taken. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

export interface TokenOwner {
  /** With all groups but `system:authenticated`. */
  readonly user: UserInfo;
  /** Those of the audiences asked for that the token has. */
  readonly audiences: readonly string[];
}

/** Seconds by which clocks may differ, and after which what is being deleted counts as gone. */
const LEEWAY = 60;
const EXTRA = 'authentication.kubernetes.io/';

/** Tells whom a service account's token belongs to. Follows pkg/serviceaccount, v1.33. */
export class TokenAuthenticator {
  readonly #issuer: TokenIssuer;
  readonly #objects: AuthorizerSource;

  constructor(issuer: TokenIssuer, objects: AuthorizerSource) {
    this.#issuer = issuer;
    this.#objects = objects;
  }

  /** Undefined for what is no token of ours; throws TokenError. `now` in ms; without audiences the server's own is wanted. */
  authenticate(token: string, now: number, audiences: readonly string[] = []): TokenOwner | undefined {
    const claims = this.#issuer.verified(token);
    if (!claims) return undefined;
    const wanted = audiences.length ? audiences : [this.#issuer.issuer];
    const own = claims.aud ?? [this.#issuer.issuer];
    const common = wanted.filter((audience) => own.includes(audience));
    if (common.length === 0) {
      const [held, asked] = [own, wanted].map((list) => `[${list.map(goQuote).join(' ')}]`);
      throw new TokenError(`token audiences ${held} is invalid for the target audiences ${asked}`);
    }
    const user = claims['kubernetes.io'] ? this.#bound(claims, now) : this.#legacy(claims, token, now);
    return { user, audiences: common };
  }

  #bound(claims: TokenClaims, now: number): UserInfo {
    const seconds = now / 1000;
    if (seconds - LEEWAY > (claims.exp ?? 0)) throw new TokenError('service account token has expired');
    if (seconds + LEEWAY < (claims.nbf ?? 0)) throw new TokenError('service account token is not valid yet');
    const { namespace, serviceaccount, pod, node, secret } = claims['kubernetes.io'] as NonNullable<
      TokenClaims['kubernetes.io']
    >;
    this.#account(namespace, serviceaccount.name, serviceaccount.uid ?? '', now);
    const alive = <T extends ApiObject>(
      what: string,
      definition: ResourceDefinition<T>,
      { name, uid = '' }: { readonly name: string; readonly uid?: string },
    ) => {
      const object = this.#objects.read(definition, definition.scope === 'Cluster' ? undefined : namespace, name);
      if (!object || isGone(object, now)) throw new TokenError('service account token has been invalidated');
      if (object.metadata.uid !== uid) {
        throw new TokenError(
          `${what} UID (${object.metadata.uid}) does not match service account ${what.toLowerCase()} ref claim (${uid})`,
        );
      }
    };
    if (secret) alive('secret', secrets, secret);
    if (pod) alive('pod', pods, pod);
    else if (node) alive('node', nodes, node);
    const extra: [string, readonly string[]][] = [];
    const add = (key: string, value: string | undefined) => {
      if (value) extra.push([EXTRA + key, [value]]);
    };
    add('credential-id', claims.jti && `JTI=${claims.jti}`);
    add('node-name', node?.name);
    add('node-uid', node?.uid);
    add('pod-name', pod?.name);
    add('pod-uid', pod?.uid);
    return userOf(claims.sub, serviceaccount.uid, namespace, extra);
  }

  #legacy(claims: TokenClaims, token: string, now: number): UserInfo {
    const claim = (name: 'namespace' | 'secret.name' | 'service-account.name' | 'service-account.uid') =>
      claims[`kubernetes.io/serviceaccount/${name}`] ?? '';
    const namespace = claim('namespace');
    const secret = this.#objects.read(secrets, namespace, claim('secret.name'));
    if (!secret || isGone(secret, now)) throw new TokenError('service account token has been invalidated');
    if (secret.data?.['token'] !== encodeBase64(encodeUtf8(token)))
      throw new TokenError("service account token does not match server's copy");
    this.#account(namespace, claim('service-account.name'), claim('service-account.uid'), now);
    return userOf(claims.sub, claim('service-account.uid'), namespace, []);
  }

  #account(namespace: string, name: string, uid: string, now: number): void {
    const account = this.#objects.read(serviceAccounts, namespace, name);
    if (!account) throw new TokenError(`serviceaccounts ${goQuote(name)} not found`);
    if (account.metadata.uid !== uid)
      throw new TokenError(`service account UID (${account.metadata.uid}) does not match claim (${uid})`);
    if (isGone(account, now)) throw new TokenError(`service account ${namespace}/${name} has been deleted`);
  }
}

const isGone = ({ metadata: { deletionTimestamp } }: ApiObject, now: number) =>
  deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < now - LEEWAY * 1000;

const userOf = (
  name: string,
  uid: string | undefined,
  namespace: string,
  extra: readonly (readonly [string, readonly string[]])[],
): UserInfo => ({
  name,
  ...(uid ? { uid } : {}),
  groups: serviceAccountGroups(namespace),
  ...(extra.length ? { extra: Object.fromEntries(extra) } : {}),
});
