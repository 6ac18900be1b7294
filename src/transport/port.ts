import {
  bodyStream,
  ConnectionFailedError,
  type Duplex,
  type HttpRequest,
  type HttpResponse,
  type HttpServer,
  type Upgraded,
} from './http.ts';

/** Declared through a method, so that a DOM MessagePort is a Port. */
type Listener = { hear(event: { readonly data: unknown }): void }['hear'];

/** The least of a MessagePort: values in, values out, in order. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: Listener | null;
}

type FromClient =
  | { readonly id: number; readonly type: 'request' | 'upgrade'; readonly request: Omit<HttpRequest, 'signal'> }
  | { readonly id: number; readonly type: 'cancel' }
  | { readonly id: number; readonly type: 'send'; readonly data: Uint8Array }
  | { readonly id: number; readonly type: 'close'; readonly code: number; readonly reason: string };

type FromServer =
  | {
      readonly id: number;
      readonly type: 'response';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: Uint8Array;
    }
  | { readonly id: number; readonly type: 'upgraded'; readonly protocol: string }
  | { readonly id: number; readonly type: 'data'; readonly data: Uint8Array }
  | { readonly id: number; readonly type: 'end' }
  | { readonly id: number; readonly type: 'closed'; readonly code: number; readonly reason: string }
  | { readonly id: number; readonly type: 'failed'; readonly message: string; readonly connection?: string };

/** Answers over a port what {@link connectPort} asks at its other end. Bodies are streamed as they grow. */
export function servePort(port: Port, server: HttpServer): void {
  const cancels = new Map<number, () => void>();
  const sockets = new Map<number, Duplex>();
  const post = (message: FromServer) => port.postMessage(message);

  async function answer(id: number, request: HttpRequest): Promise<void> {
    const listeners: (() => void)[] = [];
    let aborted = false;
    const signal = {
      get aborted() {
        return aborted;
      },
      addEventListener: (_type: 'abort', listener: () => void) => listeners.push(listener),
    };
    cancels.set(id, () => {
      aborted = true;
      for (const listener of listeners) listener();
    });
    respond(id, await server.handle({ ...request, signal }));
  }

  function respond(id: number, response: HttpResponse): void {
    const { status, headers, body } = response;
    if (body instanceof Uint8Array) {
      cancels.delete(id);
      post({ id, type: 'response', status, headers, body });
      return;
    }
    post({ id, type: 'response', status, headers });
    const abort = cancels.get(id);
    cancels.set(id, () => {
      abort?.();
      body.cancel();
    });
    body.start(
      (data) => post({ id, type: 'data', data }),
      () => {
        cancels.delete(id);
        post({ id, type: 'end' });
      },
    );
  }

  async function upgrade(id: number, request: HttpRequest): Promise<void> {
    const result = await server.upgrade(request);
    if (!('socket' in result)) {
      respond(id, result);
      return;
    }
    sockets.set(id, result.socket);
    post({ id, type: 'upgraded', protocol: result.protocol });
    result.socket.onMessage((data) => post({ id, type: 'data', data }));
    result.socket.onClose((code, reason) => {
      sockets.delete(id);
      post({ id, type: 'closed', code, reason });
    });
  }

  const failed = (id: number) => (error: unknown) =>
    post({
      id,
      type: 'failed',
      message: error instanceof Error ? error.message : String(error),
      ...(error instanceof ConnectionFailedError ? { connection: error.reason } : {}),
    });

  port.onmessage = ({ data }) => {
    const message = data as FromClient;
    const { id } = message;
    switch (message.type) {
      case 'request':
        answer(id, message.request).catch(failed(id));
        break;
      case 'upgrade':
        upgrade(id, message.request).catch(failed(id));
        break;
      case 'cancel':
        cancels.get(id)?.();
        cancels.delete(id);
        break;
      case 'send':
        sockets.get(id)?.send(message.data);
        break;
      case 'close':
        sockets.get(id)?.close(message.code, message.reason);
        sockets.delete(id);
        break;
    }
  };
}

interface Pending {
  resolve(result: HttpResponse | Upgraded): void;
  reject(error: Error): void;
  data?: (bytes: Uint8Array) => void;
  ended?: () => void;
  closed?: (code: number, reason: string) => void;
}

/** A server at the other end of a port. `fail` makes everything that waits, and all that comes later, fail with the error. */
export function connectPort(port: Port): HttpServer & { fail(error: Error): void } {
  const pending = new Map<number, Pending>();
  let next = 1;
  let dead: Error | undefined;
  const post = (message: FromClient) => port.postMessage(message);

  function ask(type: 'request' | 'upgrade', { signal, ...request }: HttpRequest): Promise<HttpResponse | Upgraded> {
    if (dead) return Promise.reject(dead);
    const id = next++;
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => {
        if (!pending.has(id)) return;
        post({ id, type: 'cancel' });
        const gone = pending.get(id) as Pending;
        pending.delete(id);
        gone.reject(new Error('the request was cancelled'));
        gone.ended?.();
      });
      post({ id, type, request });
    });
  }

  port.onmessage = ({ data }) => {
    const message = data as FromServer;
    const { id } = message;
    const entry = pending.get(id);
    if (!entry) return;
    switch (message.type) {
      case 'response': {
        const { status, headers, body } = message;
        if (body) {
          pending.delete(id);
          entry.resolve({ status, headers, body });
          break;
        }
        const { stream, push, end } = bodyStream(() => {
          pending.delete(id);
          post({ id, type: 'cancel' });
        });
        entry.data = push;
        entry.ended = end;
        entry.resolve({ status, headers, body: stream });
        break;
      }
      case 'upgraded': {
        const kept: Uint8Array[] = [];
        let listener: ((bytes: Uint8Array) => void) | undefined;
        let onClose: ((code: number, reason: string) => void) | undefined;
        let closed: readonly [number, string] | undefined;
        entry.data = (bytes) => (listener ? listener(bytes) : kept.push(bytes));
        entry.closed = (code, reason) => {
          if (closed) return;
          closed = [code, reason];
          onClose?.(code, reason);
        };
        entry.resolve({
          protocol: message.protocol,
          socket: {
            send: (bytes) => post({ id, type: 'send', data: bytes }),
            close: (code = 1000, reason = '') => {
              post({ id, type: 'close', code, reason });
              pending.delete(id);
              entry.closed?.(code, reason);
            },
            onMessage: (on) => {
              listener = on;
              for (const bytes of kept.splice(0)) on(bytes);
            },
            onClose: (on) => {
              onClose = on;
              if (closed) on(...closed);
            },
          },
        });
        break;
      }
      case 'data':
        entry.data?.(message.data);
        break;
      case 'end':
        pending.delete(id);
        entry.ended?.();
        break;
      case 'closed':
        pending.delete(id);
        entry.closed?.(message.code, message.reason);
        break;
      case 'failed':
        pending.delete(id);
        entry.reject(
          message.connection === undefined ? new Error(message.message) : new ConnectionFailedError(message.connection),
        );
        break;
    }
  };

  return {
    handle: (request) => ask('request', request) as Promise<HttpResponse>,
    upgrade: (request) => ask('upgrade', request),
    fail(error) {
      dead = error;
      for (const entry of pending.values()) {
        entry.reject(error);
        entry.ended?.();
        entry.closed?.(1006, error.message);
      }
      pending.clear();
    },
  };
}
