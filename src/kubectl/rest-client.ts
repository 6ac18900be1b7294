import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import type { Status } from '#apimachinery/status-error.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import { decodeUtf8, encodeUtf8, utf8Stream } from '#base/utf8.ts';
import type { BodyStream, CancelSignal, HttpResponse, HttpServer, Upgraded } from '#transport/http.ts';
import { readBody } from '#transport/http.ts';
import { Interrupted, interruptible, onInterrupt } from './context.ts';
import { encodeJson, parseJson } from '#apimachinery/go-encode.ts';

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface RequestInput {
  readonly query?: Query;
  readonly accept?: string;
  readonly contentType?: string;
  /** A value is sent as JSON, a string or bytes as they are. */
  readonly body?: JsonObject | string | Uint8Array;
  /** How errors without a Status name what was asked for: `pods`, `deployments.apps`. */
  readonly resource?: string;
  readonly name?: string;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: JsonObject;
}

/** Events of a watch, one by one. `next` resolves with undefined when the server has closed the watch. */
export interface WatchStream {
  next(): Promise<WatchEvent | undefined>;
  close(): void;
}

const GENERIC: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  403: ['Forbidden', ''],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  406: ['NotAcceptable', ''],
  409: ['Conflict', 'the server reported a conflict'],
  410: ['Gone', 'the server could not find the requested resource'],
  415: ['UnsupportedMediaType', ''],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: [
    'Timeout',
    'the server was unable to return a response in the time allotted, but may still be processing the request',
  ],
};

/** Talks JSON to an API server over a transport. Errors that the server reports are thrown as {@link StatusError}. */
export class RestClient {
  readonly #server: HttpServer;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #warn: (text: string) => void;
  readonly #signal: CancelSignal | undefined;

  constructor(
    server: HttpServer,
    options: {
      readonly headers: Readonly<Record<string, string>>;
      warn(text: string): void;
      readonly signal?: CancelSignal | undefined;
    },
  ) {
    this.#server = server;
    this.#headers = options.headers;
    this.#warn = options.warn;
    this.#signal = options.signal;
  }

  async get(path: string, input: RequestInput = {}): Promise<JsonObject> {
    return this.json('GET', path, input);
  }

  /** The answer as a JSON object. */
  async json(method: string, path: string, input: RequestInput = {}): Promise<JsonObject> {
    return parseJson(decodeUtf8(await this.bytes(method, path, input))) as JsonObject;
  }

  /** The answer's body. */
  async bytes(method: string, path: string, input: RequestInput = {}): Promise<Uint8Array> {
    const response = await this.#send(method, path, input);
    return this.#untilInterrupted(readBody(response), response.body instanceof Uint8Array ? undefined : response.body);
  }

  /** Calls back with the answer's body as it arrives; resolves at its end, or when the callback says false. */
  async stream(
    method: string,
    path: string,
    input: RequestInput,
    chunk: (bytes: Uint8Array) => boolean | undefined | void,
  ): Promise<void> {
    const { body } = await this.#send(method, path, input);
    if (body instanceof Uint8Array) {
      if (body.length > 0) chunk(body);
      return;
    }
    const ended = new Promise<void>((resolve) =>
      body.start((bytes) => {
        if (chunk(bytes) !== false) return;
        body.cancel();
        resolve();
      }, resolve),
    );
    await this.#untilInterrupted(ended, body);
  }

  /** Starts a watch; the query says from where. */
  async watch(path: string, input: RequestInput): Promise<WatchStream> {
    const { body } = await this.#send('GET', path, { ...input, query: { ...input.query, watch: 'true' } });
    const events: WatchEvent[] = [];
    let waiting: (() => void) | undefined;
    let ended = false;
    let rest = '';
    const text = utf8Stream();
    const wake = () => {
      waiting?.();
      waiting = undefined;
    };
    const chunk = (bytes: Uint8Array) => {
      const lines = (rest + text.push(bytes)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') events.push(parseJson(line) as unknown as WatchEvent);
      wake();
    };
    const end = () => {
      ended = true;
      wake();
    };
    if (body instanceof Uint8Array) {
      chunk(body);
      end();
    } else body.start(chunk, end);
    const close = () => {
      forget?.();
      if (!(body instanceof Uint8Array)) body.cancel();
      end();
    };
    const forget = this.#signal ? onInterrupt(this.#signal, close) : undefined;
    return {
      next: async () => {
        while (events.length === 0 && !ended && !this.#signal?.aborted) {
          await new Promise<void>((resolve) => {
            waiting = resolve;
          });
        }
        if (this.#signal?.aborted) throw new Interrupted();
        return events.shift();
      },
      close,
    };
  }

  /** Asks for an upgrade, for exec and attach. */
  async upgrade(path: string, query: Query, protocols: readonly string[]): Promise<Upgraded> {
    const answer = await this.#server.upgrade({
      method: 'GET',
      path: withQuery(path, query),
      headers: { ...this.#headers, 'sec-websocket-protocol': protocols.join(', ') },
      ...(this.#signal ? { signal: this.#signal } : {}),
    });
    if ('socket' in answer) return answer;
    const body = decodeUtf8(await readBody(answer));
    throw statusIn(body, answer.status) ?? new Error(`unable to upgrade connection: ${body.trim()}`);
  }

  async #send(method: string, path: string, input: RequestInput): Promise<HttpResponse> {
    const { body } = input;
    // With sorted keys, as kubectl sends what it has read from files: servers name faults in the order of the fields.
    const bytes =
      body === undefined || body instanceof Uint8Array
        ? body
        : encodeUtf8(typeof body === 'string' ? body : encodeJson(body));
    const response = await this.#untilInterrupted(
      this.#server.handle({
        method,
        path: withQuery(path, input.query ?? {}),
        headers: {
          ...this.#headers,
          accept: input.accept ?? 'application/json',
          ...(bytes ? { 'content-type': input.contentType ?? 'application/json' } : {}),
        },
        ...(bytes ? { body: bytes } : {}),
        ...(this.#signal ? { signal: this.#signal } : {}),
      }),
    );
    const warning = response.headers['warning'];
    if (warning !== undefined) for (const text of parseWarnings(warning)) this.#warn(text);
    if (response.status >= 400) throw await this.#errorOf(response, method, input);
    return response;
  }

  async #errorOf(response: HttpResponse, method: string, input: RequestInput): Promise<StatusError> {
    const body = decodeUtf8(await readBody(response));
    return statusIn(body, response.status) ?? genericError(response.status, method, input, body.trim());
  }

  #untilInterrupted<T>(promise: Promise<T>, body?: BodyStream): Promise<T> {
    return interruptible(promise, this.#signal, () => body?.cancel());
  }
}

/** The error that a Status tells of; undefined for what is none: proxies and unknown paths answer with plain text. */
function statusIn(body: string, code: number): StatusError | undefined {
  try {
    const status = JSON.parse(body) as Status;
    if (status.kind !== 'Status') return undefined;
    return new StatusError(status.code ?? code, status.reason ?? '', status.message ?? '', status.details);
  } catch {
    return undefined;
  }
}

/** Follows apimachinery/pkg/api/errors NewGenericServerResponse, v1.33. */
function genericError(code: number, method: string, input: RequestInput, body: string): StatusError {
  const [reason, known] = GENERIC[code] ?? (code >= 500 ? ['InternalError', ''] : ['', '']);
  let message = known || body || 'unknown';
  if (reason === 'InternalError')
    message = `an error on the server (${quoteBody(body)}) has prevented the request from succeeding`;
  else if (reason === '')
    message = `the server responded with the status code ${code} but did not return more information`;
  if (input.resource) message += ` (${[method.toLowerCase(), input.resource, input.name].filter(Boolean).join(' ')})`;
  return new StatusError(code, reason, message, {
    ...(input.name ? { name: input.name } : {}),
    ...(input.resource ? { kind: input.resource } : {}),
    causes: [{ reason: 'UnexpectedServerResponse', message: body || 'unknown' }],
  });
}

function quoteBody(body: string): string {
  return JSON.stringify(body || 'unknown');
}

/** The texts of a Warning header: `299 - "text", 299 - "more"`. */
function parseWarnings(header: string): string[] {
  return [...header.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] as string).replace(/\\(.)/g, '$1'),
  );
}

/** Appends a query; values are percent-encoded, absent and empty ones left out. */
export function withQuery(path: string, query: Query): string {
  const parts = Object.entries(query).flatMap(([key, value]) =>
    (typeof value === 'string' ? [value] : (value ?? []))
      .filter((item) => item !== '')
      .map((item) => `${encodeURIComponent(key)}=${encodeURIComponent(item)}`),
  );
  if (parts.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parts.join('&')}`;
}

/** The value as a JSON object, or undefined. */
export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}
