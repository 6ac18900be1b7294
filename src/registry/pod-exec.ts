import { pods } from '#api/core/v1/pod.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest } from '#apimachinery/status-error.ts';
import type { SubresourceEndpoint } from '#apiserver/contract.ts';
import {
  chosenContainer,
  encodeQuery,
  type KubeletFinder,
  kubeletRequest,
  requestedPod,
} from './kubelet-connection.ts';

/** Query parameters that switch streams on, as clients and as kubelets call them. */
const STREAMS = [
  ['stdin', 'input'],
  ['stdout', 'output'],
  ['stderr', 'error'],
  ['tty', 'tty'],
] as const;

/** Connects a client to a process in a container, over the kubelet. Follows pkg/registry/core/pod/rest/subresources.go, v1.33. */
function streaming(subresource: 'exec' | 'attach', kind: string, findKubelet: KubeletFinder): SubresourceEndpoint {
  return {
    resource: pods as unknown as ResourceDefinition,
    subresource,
    kind: { group: '', version: 'v1', kind, schema: `io.k8s.api.core.v1.${kind}` },
    verbs: ['create', 'get'],
    async connect(context, store) {
      const { name = '', parameters = {}, protocols } = context.request;
      const pod = requestedPod(context, store);
      const container = chosenContainer(pod, parameters.container?.[0] ?? '');
      if (!pod.spec.nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
      const query = encodeQuery({
        ...Object.fromEntries(STREAMS.filter(([key]) => isSet(parameters[key])).map(([, key]) => [key, ['1']])),
        ...(subresource === 'exec' ? { command: parameters.command ?? [] } : {}),
      });
      const path = `/${subresource}/${pod.metadata.namespace}/${name}/${container}${query ? `?${query}` : ''}`;
      const { kubelet, request } = kubeletRequest(context, store, findKubelet, pod.spec.nodeName, path);
      if (!protocols) throw badRequest('Upgrade request required');
      return kubelet.upgrade(request);
    },
  };
}

function isSet(values: readonly string[] | undefined): boolean {
  const value = values?.[0];
  return value !== undefined && value !== '0' && value.toLowerCase() !== 'false';
}

/** Runs a command in a container. */
export const podExec = (findKubelet: KubeletFinder): SubresourceEndpoint =>
  streaming('exec', 'PodExecOptions', findKubelet);

/** Joins the process that a container runs. */
export const podAttach = (findKubelet: KubeletFinder): SubresourceEndpoint =>
  streaming('attach', 'PodAttachOptions', findKubelet);
