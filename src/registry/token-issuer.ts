import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Node, Pod, Secret, ServiceAccount } from '#api/generated/types.ts';
import type { ObjectMetaLike } from '#apimachinery/resource.ts';
import { decodeBase64, encodeBase64Url } from '#base/base64.ts';
import type { Rng } from '#base/rng.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';

/** What a token may be bound to: it ends with the object. */
export interface BoundObjects {
  readonly pod?: Pod;
  readonly node?: Pick<Node, 'metadata'>;
  readonly secret?: Secret;
}

interface Reference {
  readonly name: string;
  readonly uid?: string;
}

/** What tokens say: those that expire have `kubernetes.io`, those of Secrets the single claims. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud?: readonly string[];
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly 'kubernetes.io'?: {
    readonly namespace: string;
    readonly serviceaccount: Reference;
    readonly pod?: Reference;
    readonly node?: Reference;
    readonly secret?: Reference;
  };
  readonly 'kubernetes.io/serviceaccount/namespace'?: string;
  readonly 'kubernetes.io/serviceaccount/secret.name'?: string;
  readonly 'kubernetes.io/serviceaccount/service-account.name'?: string;
  readonly 'kubernetes.io/serviceaccount/service-account.uid'?: string;
}

/**
 * Signs tokens of service accounts: JWTs with the claims of pkg/serviceaccount, v1.33. Differs from upstream: signed with
 * HMAC-SHA-256 and the cluster's own key, where upstream uses RSA and publishes the public half.
 */
export class TokenIssuer {
  /** Also the audience of tokens that ask for none. */
  readonly issuer: string;
  readonly #rng: Rng;
  readonly #mac: ReturnType<typeof hmac.create>;
  readonly #header: string;

  /** The key and the ids of tokens come from `rng`. */
  constructor(rng: Rng, issuer = 'https://kubernetes.default.svc.cluster.local') {
    this.#rng = rng;
    const key = rng.bytes(32);
    this.#mac = hmac.create(sha256, key);
    this.#header = encoded({ alg: 'HS256', kid: encodeBase64Url(sha256(key)) });
    this.issuer = issuer;
  }

  /** A token that expires. Times in seconds since the epoch. */
  issue(
    account: ServiceAccount,
    bound: BoundObjects,
    audiences: readonly string[],
    times: { readonly now: number; readonly expires: number; readonly warnAfter?: number },
  ): string {
    const { now, expires, warnAfter } = times;
    const { metadata } = account;
    const claims = {
      aud: audiences,
      exp: expires,
      iat: now,
      iss: this.issuer,
      'kubernetes.io': {
        namespace: metadata.namespace,
        ...(bound.node ? { node: reference(bound.node.metadata) } : {}),
        ...(bound.pod ? { pod: reference(bound.pod.metadata) } : {}),
        ...(bound.secret ? { secret: reference(bound.secret.metadata) } : {}),
        serviceaccount: reference(metadata),
        ...(warnAfter === undefined ? {} : { warnafter: warnAfter }),
      },
      nbf: now,
      sub: subject(metadata),
    };
    return this.#sign({ ...claims, jti: this.#rng.uuid() });
  }

  /** A token without an end, as Secrets of type kubernetes.io/service-account-token hold it. */
  issueLegacy(account: ServiceAccount, secret: Secret): string {
    const { metadata } = account;
    return this.#sign({
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': metadata.namespace,
      'kubernetes.io/serviceaccount/secret.name': secret.metadata.name,
      'kubernetes.io/serviceaccount/service-account.name': metadata.name,
      'kubernetes.io/serviceaccount/service-account.uid': metadata.uid,
      sub: subject(metadata),
    });
  }

  /** The claims of a token that was signed here; undefined for any other text. */
  verified(token: string): TokenClaims | undefined {
    const [header, claims, signature, ...rest] = token.split('.');
    if (rest.length || header !== this.#header || claims === undefined) return undefined;
    if (signature !== this.#signature(`${header}.${claims}`)) return undefined;
    const bytes = decodeBase64(
      claims
        .replaceAll('-', '+')
        .replaceAll('_', '/')
        .padEnd(Math.ceil(claims.length / 4) * 4, '='),
    );
    return typeof bytes === 'number' ? undefined : (JSON.parse(decodeUtf8(bytes)) as TokenClaims);
  }

  #sign(claims: object): string {
    const text = `${this.#header}.${encoded(claims)}`;
    return `${text}.${this.#signature(text)}`;
  }

  #signature(text: string): string {
    return encodeBase64Url(this.#mac.clone().update(encodeUtf8(text)).digest());
  }
}

const subject = ({ namespace = '', name = '' }: ObjectMetaLike) => `system:serviceaccount:${namespace}:${name}`;
const reference = ({ name, uid }: ObjectMetaLike) => ({ name, ...(uid ? { uid } : {}) });
const encoded = (value: object) => encodeBase64Url(encodeUtf8(JSON.stringify(value)));
