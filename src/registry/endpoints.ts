import type { SubresourceEndpoint } from '#apiserver/contract.ts';
import type { KubeletFinder } from './kubelet-connection.ts';
import { podBinding } from './pod-binding.ts';
import { podEviction } from './pod-eviction.ts';
import { podAttach, podExec } from './pod-exec.ts';
import { podLog } from './pod-log.ts';
import { scaleEndpoints } from './scale.ts';
import { serviceAccountToken } from './service-account-token.ts';
import type { TokenIssuer } from './token-issuer.ts';

/** What the endpoints need of the world around the API server. */
export interface EndpointDependencies {
  readonly kubelet: KubeletFinder;
  readonly tokens: TokenIssuer;
}

/** Every subresource that is more than a view of its object, sorted. A new one is a file and a line here. */
export function endpoints({ kubelet, tokens }: EndpointDependencies): readonly SubresourceEndpoint[] {
  return [
    podAttach(kubelet),
    podBinding,
    podEviction,
    podExec(kubelet),
    podLog(kubelet),
    ...scaleEndpoints,
    serviceAccountToken(tokens),
  ];
}
