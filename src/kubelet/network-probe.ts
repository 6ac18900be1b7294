import type { Container, HTTPGetAction } from '#api/generated/types.ts';
import type { Process } from '#base/pump.ts';
import type { SpanAttributes } from '#base/tracer.ts';
import { HttpError, httpExchange, type ReceivedAnswer } from '#network/http.ts';
import type { NetworkNamespace } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';

/** The number of a port given by number or by name. Throws an Error in upstream's words. */
export function containerPort(port: number | string, container: Pick<Container, 'ports' | 'name'>): number {
  const number =
    typeof port === 'number' || /^\d+$/.test(port)
      ? Number(port)
      : container.ports?.find(({ name }) => name === port)?.containerPort;
  if (number === undefined) throw new Error(`couldn't find port: ${port}`);
  if (number <= 0 || number >= 65_536) throw new Error(`invalid port number: ${number}`);
  return number;
}

/** How a request for a probe or a hook went: an answer, or Go's words for what went wrong. */
export async function httpGet(
  by: Process,
  from: NetworkNamespace,
  action: HTTPGetAction,
  container: Pick<Container, 'ports' | 'name'>,
  podAddress: string,
  agent: string,
  timeoutMs: number,
  attributes?: SpanAttributes,
): Promise<ReceivedAnswer | string> {
  const port = containerPort(action.port, container);
  const host = action.host || podAddress;
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const url = `${scheme}://${host}:${port}${path}`;
  const fail = (why: string) => `Get "${url}": ${why}`;
  if (scheme === 'https') return fail('tls: TLS is not emulated here, use HTTP');
  const headers: [string, string][] = [
    ['Accept', '*/*'],
    ['User-Agent', agent],
    ...(action.httpHeaders ?? []).map(({ name, value }): [string, string] => [name, value]),
  ];
  try {
    return await httpExchange(
      by,
      from,
      { address: host, port },
      { path, headers: Object.fromEntries(headers) },
      timeoutMs,
      attributes,
    );
  } catch (error) {
    if (error instanceof HttpError)
      return fail(
        error.message === 'EOF' || error.message === 'unexpected EOF'
          ? error.message
          : `net/http: HTTP/1.x transport connection broken: ${error.message}`,
      );
    if (!(error instanceof NetworkError)) throw error;
    if (error.code === 'ETIMEDOUT')
      return fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
    if (error.code === 'ECONNRESET')
      return fail(`read tcp ${from.address}->${host}:${port}: read: connection reset by peer`);
    return fail(dialError(`${host}:${port}`, error));
  }
}

/** Go's words for a connection that could not be made. */
export function dialError(address: string, error: NetworkError): string {
  if (error.code === 'ETIMEDOUT') return `dial tcp ${address}: i/o timeout`;
  return `dial tcp ${address}: connect: ${error.message.toLowerCase()}`;
}
