/** A request as plain values: every host adapts its own wire to it. */
export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** Path with query, percent-encoded, beginning with a slash. */
  readonly path: string;
  /** Names in lower case. Where each value counts (`impersonate-*`), one that comes several times has its values on lines. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Who sent it, where the transport has verified that; headers tell of the others. */
  readonly peer?: Peer;
  /** The client has gone: streams end, what waits is abandoned. */
  readonly signal?: CancelSignal;
}

/** Somebody whom a host has authenticated: by a client certificate, or by a token that it gave out. */
export interface Peer {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The least of an AbortSignal that a handler needs; a DOM AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A body that grows: the producer pushes, the consumer is called. Chunks pushed before `start` are kept.
 * It has no promises, so that engine and host cannot get into each other's turns.
 */
export interface BodyStream {
  /** Begins delivery. `end` is called once; nothing follows it. */
  start(chunk: (bytes: Uint8Array) => void, end: () => void): void;
  /** The consumer does not want more. */
  cancel(): void;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | BodyStream;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

/** A connection of messages in both directions, as a WebSocket is: exec, attach and port-forward run over it. */
export interface Duplex {
  send(message: Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Messages that arrive before a listener is set are kept for it. */
  onMessage(listener: (message: Uint8Array) => void): void;
  onClose(listener: (code: number, reason: string) => void): void;
}

/** The server agreed to an upgrade; `socket` is the client's end. */
export interface Upgraded {
  /** Empty: none was chosen. */
  readonly protocol: string;
  readonly socket: Duplex;
  /** The server's messages are text. */
  readonly text?: boolean;
}

/**
 * Nobody answers at the other end: the connection was refused, or broke before there was an answer. An {@link HttpServer}
 * rejects with it.
 */
export class ConnectionFailedError extends Error {
  override readonly name = 'ConnectionFailedError';
  /** `refused`, or what went wrong. */
  readonly reason: string;

  constructor(reason: string) {
    super(reason === 'refused' ? 'connection refused' : reason);
    this.reason = reason;
  }
}

/** A server: plain requests, and upgrades to a {@link Duplex} (offered protocols in `sec-websocket-protocol`). */
export interface HttpServer {
  readonly handle: HttpHandler;
  readonly upgrade: (request: HttpRequest) => Promise<Upgraded | HttpResponse>;
}

/** A {@link BodyStream} and its producer's end. */
export function bodyStream(onCancel: () => void = () => {}): {
  readonly stream: BodyStream;
  push(bytes: Uint8Array): void;
  end(): void;
} {
  const kept: Uint8Array[] = [];
  let chunk: ((bytes: Uint8Array) => void) | undefined;
  let finish: (() => void) | undefined;
  let ended = false;
  return {
    stream: {
      start(onChunk, onEnd) {
        chunk = onChunk;
        finish = onEnd;
        for (const bytes of kept.splice(0)) onChunk(bytes);
        if (ended) onEnd();
      },
      cancel() {
        if (ended) return;
        ended = true;
        onCancel();
      },
    },
    push(bytes) {
      if (ended) return;
      if (chunk) chunk(bytes);
      else kept.push(bytes);
    },
    end() {
      if (ended) return;
      ended = true;
      finish?.();
    },
  };
}

/** Both ends of a {@link Duplex} in memory: what one sends the other receives, at once and in order. */
export function duplexPair(): readonly [Duplex, Duplex] {
  class End implements Duplex {
    peer!: End;
    #kept: Uint8Array[] = [];
    #message: ((message: Uint8Array) => void) | undefined;
    #close: ((code: number, reason: string) => void) | undefined;
    #closed: readonly [number, string] | undefined;

    send(message: Uint8Array): void {
      if (!this.#closed) this.peer.receive(message);
    }
    close(code = 1000, reason = ''): void {
      this.closed(code, reason);
      this.peer.closed(code, reason);
    }
    onMessage(listener: (message: Uint8Array) => void): void {
      this.#message = listener;
      for (const message of this.#kept.splice(0)) listener(message);
    }
    onClose(listener: (code: number, reason: string) => void): void {
      this.#close = listener;
      if (this.#closed) listener(...this.#closed);
    }
    receive(message: Uint8Array): void {
      if (this.#message) this.#message(message);
      else this.#kept.push(message);
    }
    closed(code: number, reason: string): void {
      if (this.#closed) return;
      this.#closed = [code, reason];
      this.#close?.(code, reason);
    }
  }
  const a = new End();
  const b = new End();
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** The whole body as bytes. For clients outside the engine. */
export function readBody(response: HttpResponse): Promise<Uint8Array> {
  const { body } = response;
  if (body instanceof Uint8Array) return Promise.resolve(body);
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    body.start(
      (bytes) => chunks.push(bytes),
      () => {
        const all = new Uint8Array(chunks.reduce((sum, bytes) => sum + bytes.length, 0));
        let at = 0;
        for (const bytes of chunks) {
          all.set(bytes, at);
          at += bytes.length;
        }
        resolve(all);
      },
    );
  });
}
