import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { HttpRequest } from '#transport/http.ts';

/** A write from outside, as the session's log keeps it. */
export interface InputRecord {
  /** When it was taken in: virtual time, and after how many turns. */
  readonly time: number;
  readonly turns: number;
  readonly request: Pick<HttpRequest, 'method' | 'path' | 'headers' | 'body'>;
  readonly upgrade: boolean;
}

/** Who is behind a request from outside: the program that its user agent names. */
const programOf = (request: HttpRequest): string =>
  /^[\w.-]+/.exec(request.headers['user-agent'] ?? '')?.[0] ?? 'client';

/**
 * Takes in what comes from outside and may change something. Each input is stamped, logged, and becomes a task of the
 * server's process; while the clock is paused it waits.
 */
export class Inbox {
  readonly #process: Process;
  readonly log: InputRecord[] = [];
  #waiting = 0;

  constructor(process: Process) {
    this.#process = process;
  }

  /** Inputs that have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Runs `serve` in a task of `server` with the input's span; the promise is the host's, it may be awaited anywhere outside. */
  submit<T>(request: HttpRequest, upgrade: boolean, server: Process, serve: (cause: SpanId) => Promise<T>): Promise<T> {
    const { pump, tracer } = this.#process;
    const { method, path, headers, body } = request;
    this.log.push({
      time: pump.now,
      turns: pump.turns,
      request: { method, path, headers, ...(body ? { body } : {}) },
      upgrade,
    });
    this.#waiting++;
    return new Promise<T>((resolve, reject) => {
      this.#process.spawn('input', async () => {
        this.#waiting--;
        const program = programOf(request);
        const span = tracer.start('input', program, `${method} ${path.split('?')[0]}`, 0, { method });
        try {
          resolve(await server.call('request', () => serve(span)));
        } catch (error) {
          reject(error as Error);
        } finally {
          tracer.end(span);
        }
      });
    });
  }
}
