import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Node, Pod, Secret, ServiceAccount } from '#api/generated/types.ts';
import type { ObjectMetaLike } from '#apimachinery/resource.ts';
import { encodeBase64Url } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';

/** What a token may be bound to: it ends with the object. */
export interface BoundObjects {
  readonly pod?: Pod;
  readonly node?: Pick<Node, 'metadata'>;
  readonly secret?: Secret;
}

/**
 * Signs tokens of service accounts: JWTs with the claims of pkg/serviceaccount, v1.33. Differs from upstream: signed with
 * HMAC-SHA-256 and the cluster's own key, where upstream uses RSA and publishes the public half.
 */
export class TokenIssuer {
  /** Also the audience of tokens that ask for none. */
  readonly issuer: string;
  readonly #key: Uint8Array;

  constructor(key: Uint8Array, issuer = 'https://kubernetes.default.svc.cluster.local') {
    this.#key = key;
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
    return this.#sign({ ...claims, jti: uuidOf(JSON.stringify(claims)) });
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

  #sign(claims: object): string {
    const header = { alg: 'HS256', kid: encodeBase64Url(sha256(this.#key)) };
    const text = `${encoded(header)}.${encoded(claims)}`;
    return `${text}.${encodeBase64Url(hmac(sha256, this.#key, encodeUtf8(text)))}`;
  }
}

const subject = ({ namespace = '', name = '' }: ObjectMetaLike) => `system:serviceaccount:${namespace}:${name}`;
const reference = ({ name, uid }: ObjectMetaLike) => ({ name, ...(uid ? { uid } : {}) });
const encoded = (value: object) => encodeBase64Url(encodeUtf8(JSON.stringify(value)));

/** A UUID that follows from a text. */
function uuidOf(text: string): string {
  const hex = Array.from(sha256(encodeUtf8(text)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
