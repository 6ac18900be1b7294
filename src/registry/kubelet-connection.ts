import { nodes, nodeAddress } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { allContainers } from '#api/core/v1/pod-status.ts';
import type { Pod } from '#api/generated/types.ts';
import { badRequest, StatusError } from '#apimachinery/status-error.ts';
import type { ObjectStore, RequestContext } from '#apiserver/contract.ts';
import type { HttpRequest, HttpServer } from '#transport/http.ts';

/**
 * Finds a node's kubelet; undefined when it does not run, and what dialling it ends with when the node is out of reach
 * (`i/o timeout`). `observer`: the request must not influence the engine, so the
 * server that answers it must need no tasks.
 */
export type KubeletFinder = (nodeName: string, observer: boolean) => HttpServer | string | undefined;

const KUBELET_PORT = 10250;

/** The Pod of a subresource request. Throws 404. */
export function requestedPod(context: RequestContext, store: ObjectStore): Pod {
  const { namespace, name = '' } = context.request;
  return store.get(pods, namespace, name);
}

/** The container that is meant. Throws 400. Follows validateContainer of pkg/registry/core/pod/strategy.go, v1.33. */
export function chosenContainer(pod: Pod, container: string): string {
  const { name = '' } = pod.metadata;
  const names = allContainers(pod).map((each) => each.name);
  if (container) {
    if (names.includes(container)) return container;
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  }
  const { containers } = pod.spec;
  if (containers.length === 1) return containers[0]?.name ?? '';
  if (containers.length === 0) throw badRequest(`a container name must be specified for pod ${name}`);
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`);
}

/** A query in the order of its keys, as Go encodes it. */
export function encodeQuery(parameters: Readonly<Record<string, readonly string[]>>): string {
  return Object.keys(parameters)
    .sort()
    .flatMap((key) => parameters[key]?.map((value) => `${key}=${encodeURIComponent(value)}`) ?? [])
    .join('&');
}

/** The kubelet that runs a Pod, and the request to it. Throws 404 for a node that is gone, 500 when nobody answers there. */
export function kubeletRequest(
  context: RequestContext,
  store: ObjectStore,
  find: KubeletFinder,
  nodeName: string,
  path: string,
): { readonly kubelet: HttpServer; readonly request: HttpRequest } {
  const { request } = context;
  const node = store.get(nodes, undefined, nodeName);
  const kubelet = find(nodeName, request.observer === true);
  if (kubelet === undefined || typeof kubelet === 'string') {
    const address = `${nodeAddress(node, 'InternalIP') ?? nodeName}:${KUBELET_PORT}`;
    const message = `Get "https://${address}${path}": dial tcp ${address}: ${kubelet ?? 'connect: connection refused'}`;
    throw new StatusError(500, '', message);
  }
  const { signal, protocols } = request;
  return {
    kubelet,
    request: {
      method: 'GET',
      path,
      headers: protocols ? { 'sec-websocket-protocol': protocols.join(', ') } : {},
      ...(signal ? { signal } : {}),
    },
  };
}
