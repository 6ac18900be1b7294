import { serviceAccounts } from '#api/core/v1/service-account.ts';
import type { Pod, ServiceAccountTokenProjection, TokenRequest } from '#api/generated/types.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { parseTime } from '#base/clock.ts';
import type { Client } from '#client/client.ts';

/** A token for a Pod, and when to ask for the next one. */
export interface PodToken {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly refreshAt: number;
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * Asks for a token bound to a Pod. It is to be replaced after four fifths of its life, or a day. Follows
 * pkg/kubelet/token, v1.33. Throws StatusError.
 */
export async function requestToken(
  client: Client,
  pod: Pod,
  projection: ServiceAccountTokenProjection,
): Promise<PodToken> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const { audience = '', expirationSeconds = 3600 } = projection;
  const account = { namespace, name: pod.spec.serviceAccountName || 'default' };
  const request: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: {
      audiences: audience ? [audience] : [],
      expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  };
  const resource = serviceAccounts as unknown as ResourceDefinition;
  const { status } = await client.createSubresource<TokenRequest>(resource, account, 'token', request);
  const expires = parseTime(status?.expirationTimestamp ?? '');
  const life = expirationSeconds * 1000;
  return { text: status?.token ?? '', refreshAt: expires - life + Math.min(life * 0.8, DAY_MS) };
}
