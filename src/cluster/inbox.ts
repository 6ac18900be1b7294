import type { Process } from '#base/pump.ts';
import type { SpanAttributes, SpanId } from '#base/tracer.ts';
import type { HttpRequest } from '#transport/http.ts';

/** Something from outside that may change the cluster, as the session's log keeps it: a request, or a fault. */
export type InputRecord = Input & {
  /** When it was taken in: virtual time, and after how many turns. */
  readonly time: number;
  readonly turns: number;
};

type Input =
  | { readonly request: Pick<HttpRequest, 'method' | 'path' | 'headers' | 'body' | 'peer'>; readonly upgrade: boolean }
  | { readonly fault: { readonly target: string; readonly state: string } };

/** Who is behind a request from outside: the program that its user agent names. */
const programOf = (request: HttpRequest): string =>
  /^[\w.-]+/.exec(request.headers['user-agent'] ?? '')?.[0] ?? 'client';

/**
 * Takes in what comes from outside and may change something. Each input is stamped, logged, and becomes a task; while the
 * clock is paused it waits. Inputs begin in the order in which they came.
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

  /** Runs `serve` in a task with the input's span; the promise is the host's, it may be awaited anywhere outside. */
  submit<T>(request: HttpRequest, upgrade: boolean, serve: (cause: SpanId) => Promise<T>): Promise<T> {
    const { method, path, headers, body, peer } = request;
    const kept = { method, path, headers, ...(body ? { body } : {}), ...(peer ? { peer } : {}) };
    const name = `${method} ${path.split('?')[0]}`;
    return this.#take({ request: kept, upgrade }, programOf(request), name, { method }, serve);
  }

  /** Sets a fault in a task. */
  submitFault(target: string, state: string, set: () => void): Promise<void> {
    const name = state === 'running' ? `start ${target}` : `${state} ${target}`;
    return this.#take({ fault: { target, state } }, 'fault', name, { target, state }, async () => set());
  }

  #take<T>(
    input: Input,
    component: string,
    name: string,
    attributes: SpanAttributes,
    work: (cause: SpanId) => Promise<T>,
  ): Promise<T> {
    const { pump, tracer } = this.#process;
    this.log.push({ time: pump.now, turns: pump.turns, ...input });
    this.#waiting++;
    return new Promise<T>((resolve, reject) => {
      this.#process.spawn('input', async () => {
        this.#waiting--;
        const span = tracer.start('input', component, name, 0, attributes);
        try {
          resolve(await work(span));
        } catch (error) {
          reject(error as Error);
        } finally {
          tracer.end(span);
        }
      });
    });
  }
}
