import type { Process } from '#base/pump.ts';
import type { SpanAttributes } from '#base/tracer.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import type { Connection, Endpoint, Listener, NetworkNamespace } from './network.ts';
import { NetworkError } from './network-error.ts';

/** A request between Pods. */
export interface HttpMessage {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** An answer between Pods. */
export interface HttpAnswer {
  readonly status: number;
  /** The text after the status code; default: the standard's. */
  readonly reason?: string;
  /** Names as they are sent; the codec adds `Content-Length` and `Connection`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** What is asked. */
export interface HttpQuestion {
  /** Default: GET. */
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What came back. Header names in lower case. */
export interface ReceivedAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The other side did not speak HTTP, or hung up in the middle. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
}

const EMPTY = new Uint8Array(0);
const MAX_HEAD_BYTES = 65_536;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** How much of a path goes into the trace. */
const MAX_NOTED_PATH = 256;

/** The standard's text for a status code. */
export const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Serves HTTP/1.1 on a port; `handle` runs in a task of the connection and may park. Throws EADDRINUSE. */
export function serveHttp(
  namespace: NetworkNamespace,
  process: Process,
  port: number,
  handle: (request: HttpMessage, connection: Connection) => HttpAnswer | Promise<HttpAnswer>,
): Listener {
  return namespace.listen(process, port, async (connection) => {
    const reader = new MessageReader(connection);
    for (;;) {
      let head: Head | undefined;
      try {
        head = await reader.head();
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        await connection.write(answerBytes({ status: 400, body: '' }, 'GET', true));
        return;
      }
      if (!head) return;
      const [method = '', path = '', version = ''] = head.first.split(' ');
      const length = Number(head.headers['content-length'] ?? 0);
      const body = await reader.body(head.headers, length);
      const answer = await handle({ method, path, headers: head.headers, body }, connection);
      connection.note({ method, path: path.slice(0, MAX_NOTED_PATH), status: answer.status });
      const close = head.headers.connection?.toLowerCase() === 'close' || version === 'HTTP/1.0';
      await connection.write(answerBytes(answer, method, close));
      if (close) return;
    }
  });
}

/** Asks once, over a connection of its own, which it closes; `attributes` go into its span. Throws {@link NetworkError} and {@link HttpError}. */
export async function httpExchange(
  by: Process,
  from: NetworkNamespace,
  to: Endpoint,
  request: HttpQuestion,
  timeoutMs?: number,
  attributes?: SpanAttributes,
): Promise<ReceivedAnswer> {
  const deadline = timeoutMs === undefined ? undefined : by.clock.now() + timeoutMs;
  const method = request.method ?? 'GET';
  const facts = { method, path: request.path.slice(0, MAX_NOTED_PATH), ...attributes };
  const connection = await from.connect(by, to, timeoutMs, facts);
  try {
    if (deadline !== undefined) connection.setDeadline(deadline - by.clock.now());
    return await httpRequest(connection, to, request);
  } finally {
    connection.close();
  }
}

/** Asks once over a connection, which the server is asked to close. Throws {@link NetworkError} and {@link HttpError}. */
export async function httpRequest(
  connection: Connection,
  to: Endpoint,
  request: HttpQuestion,
): Promise<ReceivedAnswer> {
  const { method = 'GET', body = EMPTY } = request;
  const headers = { Host: to.port === 80 ? to.address : `${to.address}:${to.port}`, ...request.headers };
  const length = body.length > 0 ? `Content-Length: ${body.length}\r\n` : '';
  await connection.write(
    concat(
      encodeUtf8(`${method} ${request.path} HTTP/1.1\r\n${headerLines(headers)}${length}Connection: close\r\n\r\n`),
      body,
    ),
  );
  const answer = await readAnswer(connection, method);
  connection.note({ status: answer.status });
  return answer;
}

async function readAnswer(connection: Connection, method: string): Promise<ReceivedAnswer> {
  const reader = new MessageReader(connection);
  const head = await reader.head();
  if (!head) throw new HttpError('EOF');
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(head.first);
  if (!match) throw new HttpError(`malformed HTTP response "${head.first}"`);
  const status = Number(match[1]);
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  const length = head.headers['content-length'];
  const body = bodiless ? EMPTY : await reader.body(head.headers, length === undefined ? undefined : Number(length));
  return { status, reason: match[2] ?? '', headers: head.headers, body };
}

function answerBytes(answer: HttpAnswer, method: string, close: boolean): Uint8Array {
  const body = typeof answer.body === 'string' ? encodeUtf8(answer.body) : (answer.body ?? EMPTY);
  const head = encodeUtf8(
    `HTTP/1.1 ${answer.status} ${answer.reason ?? REASONS[answer.status] ?? ''}\r\n${headerLines(answer.headers ?? {})}` +
      `Content-Length: ${body.length}\r\nConnection: ${close ? 'close' : 'keep-alive'}\r\n\r\n`,
  );
  return method === 'HEAD' ? head : concat(head, body);
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${headers[name]}\r\n`;
  return lines;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (b.length === 0) return a;
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

interface Head {
  /** The request or status line. */
  readonly first: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Cuts HTTP messages out of a connection's bytes. */
class MessageReader {
  readonly #connection: Connection;
  #buffer: Uint8Array = EMPTY;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The next message's head; undefined when the connection ended before one. */
  async head(): Promise<Head | undefined> {
    for (;;) {
      const end = headEnd(this.#buffer);
      if (end) {
        const [first = '', ...lines] = decodeUtf8(this.#buffer.subarray(0, end.at)).split(/\r?\n/);
        this.#buffer = this.#buffer.subarray(end.at + end.length);
        const headers: [string, string][] = lines.map((line) => {
          const colon = line.indexOf(':');
          if (colon < 1) throw new HttpError(`malformed header "${line}"`);
          return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
        });
        return { first, headers: Object.fromEntries(headers) };
      }
      if (this.#buffer.length > MAX_HEAD_BYTES) throw new HttpError('header too long');
      if (!(await this.#more())) {
        if (this.#buffer.length > 0) throw new HttpError('unexpected EOF');
        return undefined;
      }
    }
  }

  /** `length` bytes, or chunks as the headers say; undefined reads to the end of the connection. */
  async body(headers: Readonly<Record<string, string>>, length: number | undefined): Promise<Uint8Array> {
    if (headers['transfer-encoding']?.toLowerCase() === 'chunked') return this.#chunks();
    if (length === 0) return EMPTY;
    if (length === undefined) {
      while (await this.#more()) this.#limit();
      return this.#take(this.#buffer.length);
    }
    if (!(length > 0 && length <= MAX_BODY_BYTES)) throw new HttpError('bad Content-Length');
    await this.#need(length);
    return this.#take(length);
  }

  async #chunks(): Promise<Uint8Array> {
    let body = EMPTY as Uint8Array;
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      if (!(size >= 0 && body.length + size <= MAX_BODY_BYTES)) throw new HttpError('bad chunk');
      if (size === 0) {
        while ((await this.#line()) !== '') {}
        return body;
      }
      await this.#need(size);
      body = concat(body, this.#take(size));
      await this.#line();
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(10);
      if (end >= 0) return decodeUtf8(this.#take(end + 1)).replace(/\r?\n$/, '');
      if (this.#buffer.length > MAX_HEAD_BYTES || !(await this.#more())) throw new HttpError('unexpected EOF');
    }
  }

  async #need(length: number): Promise<void> {
    while (this.#buffer.length < length) if (!(await this.#more())) throw new HttpError('unexpected EOF');
  }

  #take(length: number): Uint8Array {
    const bytes = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return bytes;
  }

  #limit(): void {
    if (this.#buffer.length > MAX_BODY_BYTES) throw new HttpError('body too long');
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#connection.read();
    if (bytes) this.#buffer = this.#buffer.length === 0 ? bytes : concat(this.#buffer, bytes);
    return bytes !== undefined;
  }
}

/** Where a head ends, and how long the empty line is. */
function headEnd(bytes: Uint8Array): { readonly at: number; readonly length: number } | undefined {
  for (let i = bytes.indexOf(10); i >= 0; i = bytes.indexOf(10, i + 1)) {
    if (bytes[i + 1] === 10) return { at: i, length: 2 };
    if (bytes[i + 1] === 13 && bytes[i + 2] === 10)
      return { at: i - (bytes[i - 1] === 13 ? 1 : 0), length: 3 + (bytes[i - 1] === 13 ? 1 : 0) };
  }
  return undefined;
}
