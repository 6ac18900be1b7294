import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import type { Duplex as NodeDuplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import { StatusError } from '#apimachinery/status-error.ts';
import { errorResponse } from '#apiserver/http-server.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import {
  ConnectionFailedError,
  type HttpRequest,
  type HttpResponse,
  type HttpServer,
  type Peer,
  type Upgraded,
} from '#transport/http.ts';
import type { KeyPair } from './certificate-authority.ts';

/** Bytes read of a request's body; the API server refuses those beyond 3 MiB itself. */
const MAX_BODY = 3 * 1024 * 1024 + 1;
/** A client that sends on after so many bytes that nobody takes is cut off. */
const MAX_SENT = 64 * 1024 * 1024;
/** A client that reads this much slower than it is written to is dropped. */
const MAX_UNREAD = 16 * 1024 * 1024;
/** Answers from this size on are compressed for who can read it. Follows endpoints/handlers/responsewriters, v1.33. */
const GZIP_FROM = 128 * 1024;
/** As the API server's own listener has them. Follows apiserver/pkg/server/secure_serving.go and net/http, v1.33. */
const SERVER_OPTIONS = { keepAliveTimeout: 90_000, headersTimeout: 32_000, requestTimeout: 0, maxHeaderSize: 1 << 20 };
/** What net/http says to a client that speaks no TLS. */
const NOT_TLS = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

const compress = promisify(gzip);

export interface ListenerOptions {
  /** Serves HTTPS with this certificate; clients may show certificates that `authority` (PEM) has signed. */
  readonly tls?: KeyPair & { readonly authority: string };
  /** Whom bearer tokens belong to. */
  readonly tokens?: ReadonlyMap<string, Peer>;
  /** Who everybody else is; undefined leaves that to the server. */
  readonly others?: Peer;
}

/** Serves an {@link HttpServer} over HTTP/1.1, plain or with TLS, and WebSockets on the loopback interface. */
export class Listener {
  readonly #server: HttpServer;
  readonly #options: ListenerOptions;
  #tcp: TcpServer | undefined;
  readonly #sockets = new Set<Socket>();
  #port: number;

  private constructor(server: HttpServer, port: number, options: ListenerOptions) {
    this.#server = server;
    this.#port = port;
    this.#options = options;
  }

  /** Listens on a port; 0 chooses a free one. */
  static async open(server: HttpServer, port: number, options: ListenerOptions = {}): Promise<Listener> {
    const listener = new Listener(server, port, options);
    await listener.reopen();
    return listener;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on the same port again. Does nothing while it listens. */
  async reopen(): Promise<void> {
    if (this.#tcp) return;
    const http = serverOf(this.#server, this.#options);
    const take = (socket: Socket) => http.emit('connection', socket);
    const tcp = createTcpServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      if (this.#options.tls) takeIfTls(socket, take);
      else take(socket);
    });
    this.#tcp = tcp;
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (tcp.address() as AddressInfo).port;
  }

  /** Breaks all connections; new ones are refused. */
  async close(): Promise<void> {
    const tcp = this.#tcp;
    this.#tcp = undefined;
    if (!tcp) return;
    await new Promise<void>((resolve) => {
      tcp.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}

/** Hands on a connection whose first byte begins a TLS handshake; the others are told that this is the wrong protocol. */
function takeIfTls(socket: Socket, take: (socket: Socket) => void): void {
  const fail = () => socket.destroy();
  socket.once('error', fail);
  socket.once('data', (first: Buffer) => {
    socket.off('error', fail);
    if (first[0] !== 0x16) {
      socket.on('error', fail);
      socket.end(NOT_TLS);
      return;
    }
    socket.pause();
    socket.unshift(first);
    take(socket);
  });
}

function serverOf(server: HttpServer, options: ListenerOptions): Server {
  const { tls } = options;
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    answer(server, options, incoming, outgoing).catch((error: unknown) => {
      if (error instanceof ConnectionFailedError || outgoing.headersSent) return outgoing.destroy();
      outgoing.statusCode = 500;
      return outgoing.end(error instanceof Error ? error.message : String(error));
    });
  };
  const http: Server = tls
    ? createSecureServer(
        {
          ...SERVER_OPTIONS,
          cert: tls.certificate,
          key: tls.key,
          ca: tls.authority,
          requestCert: true,
          // A certificate that does not hold is answered with 401, as upstream does it.
          rejectUnauthorized: false,
          minVersion: 'TLSv1.2',
        },
        onRequest,
      )
    : createServer(SERVER_OPTIONS, onRequest);
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (_offered, request) => protocols.get(request) || false,
  });
  const protocols = new WeakMap<IncomingMessage, string>();
  http.on('upgrade', (incoming: IncomingMessage, stream: NodeDuplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    const request = requestOf(incoming, options);
    if (request instanceof StatusError) {
      refuse(stream, errorResponse(request));
      return;
    }
    server.upgrade(request).then(
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

/** What a certificate says of its owner, found out once for each connection. */
const certified = new WeakMap<object, Peer | StatusError>();

/** The user that a client certificate names; 401 for one that does not hold. Follows authentication/request/x509, v1.33. */
function certificateOwner(socket: TLSSocket): Peer | StatusError | undefined {
  let found = certified.get(socket);
  if (found) return found;
  const { subject } = socket.getPeerCertificate();
  if (!subject) return undefined;
  const { CN: name = '', O: groups = [] } = subject as { readonly CN?: string; readonly O?: string | string[] };
  found =
    socket.authorized && name !== ''
      ? { name, groups: Array.isArray(groups) ? groups : [groups] }
      : new StatusError(401, 'Unauthorized', 'Unauthorized');
  certified.set(socket, found);
  return found;
}

function requestOf(
  incoming: IncomingMessage,
  { tls, tokens, others }: ListenerOptions,
): Omit<HttpRequest, 'body'> | StatusError {
  const { method, url, headers: given, socket } = incoming;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  if (given['impersonate-user'] !== undefined)
    for (const [name, values] of Object.entries(incoming.headersDistinct))
      if (values && name.startsWith('impersonate-')) headers[name] = values.join('\n');
  const owner = tls && certificateOwner(socket as TLSSocket);
  if (owner instanceof StatusError) return owner;
  const token = /^bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
  // Tokens that are not the host's are the API server's to judge.
  const peer = owner ?? (token === undefined ? others : tokens?.get(token));
  return { method: method ?? 'GET', path: url ?? '/', headers, ...(peer ? { peer } : {}) };
}

/** The body as far as the API server takes it. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (length === undefined && encoding === undefined) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (size < MAX_BODY) chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_SENT) throw new ConnectionFailedError('too much');
  }
  return size ? Buffer.concat(chunks) : undefined;
}

async function answer(
  server: HttpServer,
  options: ListenerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const bytes = await bodyOf(incoming);
  const abort = new AbortController();
  outgoing.on('close', () => abort.abort());
  const request = requestOf(incoming, options);
  const response =
    request instanceof StatusError
      ? errorResponse(request)
      : await server.handle({ ...request, ...(bytes ? { body: bytes } : {}), signal: abort.signal });
  const { status, headers, body } = response;
  if (body instanceof Uint8Array) {
    await end(outgoing, status, headers, body, acceptsGzip(incoming));
    return;
  }
  outgoing.writeHead(status, headers);
  outgoing.flushHeaders();
  outgoing.on('close', () => body.cancel());
  body.start(
    (chunk) => {
      outgoing.write(chunk);
      if (outgoing.writableLength > MAX_UNREAD) outgoing.destroy();
    },
    () => outgoing.end(),
  );
}

const acceptsGzip = ({ headers }: IncomingMessage): boolean =>
  /(^|,)\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))|,|$)/i.test(String(headers['accept-encoding'] ?? ''));

async function end(
  outgoing: ServerResponse,
  status: number,
  headers: HttpResponse['headers'],
  body: Uint8Array,
  gzips: boolean,
): Promise<void> {
  const zipped = gzips && status < 300 && body.length >= GZIP_FROM ? await compress(body, { level: 1 }) : undefined;
  const sent = zipped ?? body;
  const vary = headers['vary'] === undefined ? 'Accept-Encoding' : `${headers['vary']}, Accept-Encoding`;
  outgoing.writeHead(status, {
    ...headers,
    ...(zipped ? { 'content-encoding': 'gzip', vary } : {}),
    // The answer to a HEAD has none, and says so by the length that the server gave.
    'content-length': headers['content-length'] ?? String(sent.length),
  });
  outgoing.end(sent);
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

function join(socket: WebSocket, { socket: other, text }: Upgraded): void {
  socket.on('message', (data: Buffer) => other.send(new Uint8Array(data)));
  socket.on('close', (code: number, reason: Buffer) => other.close(code, reason.toString()));
  socket.on('error', () => other.close(1006, 'connection error'));
  other.onMessage((message) => {
    socket.send(text ? decodeUtf8(message) : message);
    if (socket.bufferedAmount > MAX_UNREAD) socket.terminate();
  });
  other.onClose((code, reason) => {
    // 1005 and 1006 may not be sent; they only say that no code came.
    if (code === 1005 || code === 1006) socket.terminate();
    else socket.close(code, reason);
  });
}
