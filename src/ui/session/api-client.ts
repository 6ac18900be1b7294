import { StatusError, type Status } from '#apimachinery/status-error.ts';
import { readBody, type HttpResponse, type HttpServer } from '#transport/http.ts';

const JSON_TYPE = 'application/json';
const encoder = new TextEncoder();

/** Turns an answer that is an error into a StatusError, whatever its body is. */
function errorOf(status: number, body: string): StatusError {
  try {
    const parsed = JSON.parse(body) as Partial<Status>;
    if (parsed.kind === 'Status') {
      return new StatusError(parsed.code ?? status, parsed.reason ?? '', parsed.message ?? '', parsed.details);
    }
  } catch {
    // Not JSON: the text itself is the message.
  }
  return new StatusError(status, '', body.trim() || `HTTP ${status}`);
}

/** Calls back with each whole line of a stream of UTF-8 bytes, and with what is left at its end. */
function lineReader(onLine: (line: string) => void): { push(bytes: Uint8Array): void; end(): void } {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    push(bytes) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    },
    end() {
      rest += decoder.decode();
      if (rest) onLine(rest);
      rest = '';
    },
  };
}

interface StreamHandlers {
  readonly line: (line: string) => void;
  /** The stream is over; `error` is the server's refusal, if it refused. Not called after `stop`. */
  readonly end: (error?: unknown) => void;
}

/** The page's client of the Kubernetes API: JSON over an HttpServer. Errors are StatusErrors. */
export class ApiClient {
  readonly server: HttpServer;

  constructor(server: HttpServer) {
    this.server = server;
  }

  async get<T>(path: string, accept = JSON_TYPE): Promise<T> {
    return JSON.parse(await this.text('GET', path, accept)) as T;
  }

  async text(method: string, path: string, accept = JSON_TYPE, body?: unknown): Promise<string> {
    const response = await this.#send(method, path, accept, body);
    const text = new TextDecoder().decode(await readBody(response));
    if (response.status >= 400) throw errorOf(response.status, text);
    return text;
  }

  /** Follows an endless answer (a watch, a log) line by line. Returns how to stop. */
  stream(path: string, handlers: StreamHandlers, accept = JSON_TYPE): () => void {
    let stopped = false;
    let cancel = () => {};
    const abort = new AbortController();
    const follow = async () => {
      const response = await this.#send('GET', path, accept, undefined, abort.signal);
      if (response.status >= 400 || response.body instanceof Uint8Array) {
        const text = new TextDecoder().decode(await readBody(response));
        if (stopped) return;
        if (response.status >= 400) throw errorOf(response.status, text);
        for (const line of text.split('\n')) if (line) handlers.line(line);
        handlers.end();
        return;
      }
      const { body } = response;
      cancel = () => body.cancel();
      if (stopped) {
        cancel();
        return;
      }
      const lines = lineReader((line) => {
        if (!stopped) handlers.line(line);
      });
      body.start(lines.push, () => {
        lines.end();
        if (!stopped) handlers.end();
      });
    };
    follow().catch((error: unknown) => {
      if (!stopped) handlers.end(error);
    });
    return () => {
      stopped = true;
      abort.abort();
      cancel();
    };
  }

  #send(method: string, path: string, accept: string, body?: unknown, signal?: AbortSignal): Promise<HttpResponse> {
    return this.server.handle({
      method,
      path,
      headers: {
        accept,
        'user-agent': 'tabernetes-page',
        ...(body === undefined ? {} : { 'content-type': JSON_TYPE }),
      },
      ...(body === undefined ? {} : { body: encoder.encode(JSON.stringify(body)) }),
      ...(signal ? { signal } : {}),
    });
  }
}
