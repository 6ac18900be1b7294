import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { WebSocket } from 'ws';
import type { ServerConfig } from '#kubectl/context.ts';
import { ConnectionError } from '#kubectl/errors.ts';
import type { Duplex, HttpRequest, HttpResponse, HttpServer, Upgraded } from '#transport/http.ts';
import { bodyStream, duplexPair } from '#transport/http.ts';

/** An API server somewhere else, reached by HTTP/1.1 and WebSockets. Rejects with ConnectionError. */
export function httpClient(config: ServerConfig): HttpServer & { close(): void } {
  const url = new URL(config.server);
  const secure = url.protocol === 'https:';
  const tls = secure
    ? {
        ...(config.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
        ...(config.tlsServerName ? { servername: config.tlsServerName } : {}),
        ...(config.certificateAuthority ? { ca: Buffer.from(config.certificateAuthority) } : {}),
        ...(config.clientCertificate ? { cert: Buffer.from(config.clientCertificate) } : {}),
        ...(config.clientKey ? { key: Buffer.from(config.clientKey) } : {}),
      }
    : {};
  const agent = secure ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
  const prefix = url.pathname.replace(/\/$/, '');
  const failure = (error: Error): Error => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED') return new ConnectionError(url.host, 'refused');
    if (code === 'ENOTFOUND') return new ConnectionError(url.host, `dial tcp: lookup ${url.hostname}: no such host`);
    return new ConnectionError(url.host, error.message);
  };

  const handle = (input: HttpRequest): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      const outgoing = (secure ? httpsRequest : httpRequest)(
        {
          host: url.hostname,
          port: url.port || (secure ? 443 : 80),
          method: input.method,
          path: prefix + input.path,
          headers: { ...headerLines(input.headers), ...(input.body ? { 'content-length': input.body.length } : {}) },
          agent,
          ...tls,
          ...(config.timeoutMs ? { timeout: config.timeoutMs } : {}),
        },
        (incoming) =>
          resolve({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: streamOf(incoming) }),
      );
      outgoing.on('timeout', () =>
        outgoing.destroy(new Error('net/http: request canceled (Client.Timeout exceeded while awaiting headers)')),
      );
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The server had closed a connection that was kept: that says nothing of the server now.
        const stale = outgoing.reusedSocket && error.code === 'ECONNRESET';
        if (stale && input.method === 'GET') handle(input).then(resolve, reject);
        else reject(failure(error));
      });
      input.signal?.addEventListener('abort', () => outgoing.destroy());
      outgoing.end(input.body);
    });

  const upgrade = (input: HttpRequest): Promise<Upgraded | HttpResponse> =>
    new Promise((resolve, reject) => {
      const { 'sec-websocket-protocol': offered = '', ...headers } = input.headers;
      const address = `${secure ? 'wss' : 'ws'}://${url.host}${prefix}${input.path}`;
      const socket = new WebSocket(
        address,
        offered.split(',').map((each) => each.trim()),
        { headers: headerLines(headers), ...tls },
      );
      socket.binaryType = 'nodebuffer';
      socket.on('open', () => resolve({ protocol: socket.protocol, socket: duplexOf(socket) }));
      socket.on('unexpected-response', (_request, incoming) => {
        resolve({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: streamOf(incoming) });
      });
      socket.on('error', (error) => reject(failure(error)));
      input.signal?.addEventListener('abort', () => socket.terminate());
    });

  return { handle, upgrade, close: () => agent.destroy() };
}

/** Header values as node:http sends them. */
const headerLines = (headers: HttpRequest['headers']): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.includes('\n') ? value.split('\n') : value]),
  );

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const entries = Object.entries(incoming.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return Object.fromEntries(entries);
}

function streamOf(incoming: IncomingMessage): HttpResponse['body'] {
  const { stream, push, end } = bodyStream(() => incoming.destroy());
  incoming.on('data', (chunk: Buffer) => push(chunk));
  incoming.on('end', end);
  incoming.on('close', end);
  incoming.on('error', end);
  return stream;
}

function duplexOf(socket: WebSocket): Duplex {
  const [client, server] = duplexPair();
  socket.on('message', (data: Buffer) => server.send(new Uint8Array(data)));
  socket.on('close', (code: number, reason: Buffer) => server.close(code, reason.toString()));
  server.onMessage((message) => socket.send(message));
  server.onClose((code, reason) => {
    if (code === 1005 || code === 1006) socket.terminate();
    else socket.close(code, reason);
  });
  return client;
}
