import type { WebhookCall, WebhookCaller } from '#admission/webhooks.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import { services } from '#api/core/v1/service.ts';
import type { ServiceReference } from '#api/generated/types.ts';
import type { RequestContext } from '#apiserver/contract.ts';
import type { Process } from '#base/pump.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { HttpError, httpExchange } from '#network/http.ts';
import type { Endpoint, NetworkNamespace } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';

/** Posts JSON to an address outside of the cluster. Rejects with an Error in Go's words. */
export type PostOutside = (
  url: string,
  body: string,
  caBundle: string | undefined,
  timeoutMs: number,
) => Promise<{ readonly status: number; readonly body: string }>;

const HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json, */*' };

/**
 * Calls webhooks for an API server: those of a Service at one of its ready endpoints, over the virtual network; those with a
 * URL through the host. Differs from upstream: inside of the cluster nobody speaks TLS, so that the handshake is taken as
 * done and `caBundle` is not looked at; endpoints are chosen here instead of by kube-proxy.
 */
export function webhookCaller(
  process: Process,
  host: () => NetworkNamespace,
  postOutside: PostOutside | undefined,
): WebhookCaller {
  const rng = process.rng.fork('webhooks');
  return async (call, context) => {
    const { client, url, body, timeoutMs } = call;
    if (!client.service) return outside(process, call, postOutside);
    const [endpoint, shown] = endpointOf(client.service, context, (count) => rng.int(count));
    const refused = `dial tcp ${shown}: connect: connection refused`;
    if (!endpoint) throw new Error(refused);
    const { pathname, search, host: name } = new UrlParts(url);
    try {
      const question = {
        method: 'POST',
        path: pathname + search,
        headers: { ...HEADERS, Host: name },
        body: encodeUtf8(body),
      };
      const answer = await httpExchange(process, host(), endpoint, question, timeoutMs, { webhook: name });
      return { status: answer.status, body: decodeUtf8(answer.body) };
    } catch (error) {
      if (error instanceof HttpError) throw new Error(error.message);
      if (!(error instanceof NetworkError)) throw error;
      if (error.code === 'ETIMEDOUT') throw new Error('context deadline exceeded');
      throw new Error(
        error.code === 'ECONNRESET' ? 'EOF' : `dial tcp ${shown}: connect: ${error.message.toLowerCase()}`,
      );
    }
  };
}

/** The parts of a URL that a request needs. */
class UrlParts {
  readonly host: string;
  readonly pathname: string;
  readonly search: string;

  constructor(url: string) {
    const [, host = '', pathname = '', search = ''] = /^https?:\/\/([^/?]*)([^?]*)(\?.*)?$/.exec(url) ?? [];
    this.host = host;
    this.pathname = pathname || '/';
    this.search = search;
  }
}

/** Where a Service's Pods listen, and the address that errors name. */
function endpointOf(
  { namespace, name, port = 443 }: ServiceReference,
  context: RequestContext,
  choose: (count: number) => number,
): readonly [Endpoint | undefined, string] {
  const service = context.read(services, namespace, name);
  if (!service) throw new Error(`service "${name}" not found`);
  const { spec } = service;
  if (spec?.type === 'ExternalName') throw new Error(`unsupported service type "ExternalName"`);
  const found = spec?.ports?.find((each) => each.port === port);
  if (!found) throw new Error(`no service port ${port} found for service "${name}"`);
  const ready = context
    .readAll(endpointSlices, namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints, ports = [] }): Endpoint[] => {
      const target = ports.find((each) => (each.name ?? '') === (found.name ?? ''))?.port;
      if (target === undefined) return [];
      return endpoints
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses }) => addresses.slice(0, 1).map((address) => ({ address, port: target })));
    });
  const shown = `${spec?.clusterIP ?? ''}:${port}`;
  return [ready[ready.length > 1 ? choose(ready.length) : 0], shown];
}

/** Calls by URL: the request parks until the host has an answer, or for as long as the webhook may take. */
async function outside(process: Process, call: WebhookCall, post: PostOutside | undefined) {
  const { url, body, timeoutMs, client } = call;
  if (!post) throw new Error('nothing outside of the cluster can be reached from here');
  return process.park<{ readonly status: number; readonly body: string }>((wake, fail) => {
    post(url, body, client.caBundle, timeoutMs).then(wake, (error: unknown) =>
      fail(error instanceof Error ? error : new Error(String(error))),
    );
    const timer = process.clock.afterFunc(timeoutMs, 'webhook timeout', () =>
      fail(new Error('context deadline exceeded')),
    );
    return () => timer.stop();
  });
}
