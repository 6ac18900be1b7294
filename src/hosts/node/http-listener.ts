import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex as NodeDuplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  ConnectionFailedError,
  type HttpRequest,
  type HttpResponse,
  type HttpServer,
  type Upgraded,
} from '#transport/http.ts';

/** Bytes read of a request's body; the API server refuses those beyond 3 MiB itself. */
const MAX_BODY = 3 * 1024 * 1024 + 1;
/** A client that reads this much slower than it is written to is dropped. */
const MAX_UNREAD = 16 * 1024 * 1024;

/** Serves an {@link HttpServer} over HTTP/1.1 and WebSockets on the loopback interface. */
export class Listener {
  readonly #server: HttpServer;
  #http: Server | undefined;
  #port: number;

  private constructor(server: HttpServer, port: number) {
    this.#server = server;
    this.#port = port;
  }

  /** Listens on a port; 0 chooses a free one. */
  static async open(server: HttpServer, port: number): Promise<Listener> {
    const listener = new Listener(server, port);
    await listener.reopen();
    return listener;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on the same port again. Does nothing while it listens. */
  async reopen(): Promise<void> {
    if (this.#http) return;
    const http = serverOf(this.#server);
    this.#http = http;
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (http.address() as AddressInfo).port;
  }

  /** Breaks all connections; new ones are refused. */
  async close(): Promise<void> {
    const http = this.#http;
    this.#http = undefined;
    if (!http) return;
    await new Promise<void>((resolve) => {
      http.close(() => resolve());
      http.closeAllConnections();
    });
  }
}

function serverOf(server: HttpServer): Server {
  const http: Server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    answer(server, incoming, outgoing).catch((error: unknown) => {
      if (error instanceof ConnectionFailedError || outgoing.headersSent) return outgoing.destroy();
      outgoing.statusCode = 500;
      return outgoing.end(error instanceof Error ? error.message : String(error));
    });
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (_offered, request) => protocols.get(request) ?? false,
  });
  const protocols = new WeakMap<IncomingMessage, string>();
  http.on('upgrade', (incoming: IncomingMessage, stream: NodeDuplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    server.upgrade(requestOf(incoming)).then(
      (result) => {
        if ('socket' in result) {
          protocols.set(incoming, result.protocol);
          sockets.handleUpgrade(incoming, stream, head, (socket) => join(socket, result));
        } else refuse(stream, result);
      },
      () => stream.destroy(),
    );
  });
  return http;
}

function requestOf(incoming: IncomingMessage): Omit<HttpRequest, 'body'> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers };
}

async function answer(server: HttpServer, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (size >= MAX_BODY) continue;
    chunks.push(chunk);
    size += chunk.length;
  }
  const abort = new AbortController();
  outgoing.on('close', () => abort.abort());
  const response = await server.handle({
    ...requestOf(incoming),
    ...(size ? { body: Buffer.concat(chunks) } : {}),
    signal: abort.signal,
  });
  const { status, headers, body } = response;
  if (body instanceof Uint8Array) {
    outgoing.writeHead(status, { ...headers, 'content-length': String(body.length) });
    outgoing.end(body);
    return;
  }
  outgoing.writeHead(status, headers);
  outgoing.flushHeaders();
  outgoing.on('close', () => body.cancel());
  body.start(
    (bytes) => {
      outgoing.write(bytes);
      if (outgoing.writableLength > MAX_UNREAD) outgoing.destroy();
    },
    () => outgoing.end(),
  );
}

function refuse(stream: NodeDuplex, response: HttpResponse): void {
  const { status, headers, body } = response;
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  const lines = Object.entries({ ...headers, 'content-length': String(bytes.length), connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  stream.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n`);
  stream.end(bytes);
}

function join(socket: WebSocket, { socket: end }: Upgraded): void {
  socket.on('message', (data: Buffer) => end.send(new Uint8Array(data)));
  socket.on('close', (code: number, reason: Buffer) => end.close(code, reason.toString()));
  socket.on('error', () => end.close(1006, 'connection error'));
  end.onMessage((message) => socket.send(message));
  end.onClose((code, reason) => {
    // 1005 and 1006 may not be sent; they only say that no code came.
    if (code === 1005 || code === 1006) socket.terminate();
    else socket.close(code, reason);
  });
}
