import type { UserInfo } from '#apimachinery/api-request.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';

export interface FlowControlOptions {
  /** Requests that are served at a time. */
  readonly seats: number;
  /** Requests of one user that may wait. */
  readonly queueLength: number;
  /** How long one may wait, ms. */
  readonly maxWaitMs: number;
}

/**
 * `--max-requests-inflight` and `--max-mutating-requests-inflight` together; six hands of queues of fifty; a quarter of the
 * request timeout.
 */
export const FLOW_CONTROL: FlowControlOptions = { seats: 600, queueLength: 300, maxWaitMs: 15_000 };

interface Waiting {
  readonly admit: () => void;
  gone: boolean;
}

/**
 * Fair queueing of requests: when all seats are taken, each user's requests wait in a queue of their own, and the queues are
 * served in turn. Members of system:masters never wait.
 *
 * Differs from upstream: there is one priority level, and flows are told apart by user alone, whatever FlowSchemas and
 * PriorityLevelConfigurations say. Follows util/flowcontrol, v1.33.
 */
export class FlowControl {
  readonly #process: Process;
  readonly #options: FlowControlOptions;
  readonly #flows = new Map<string, Waiting[]>();
  #taken = 0;
  #waiting = 0;
  dispatched = 0;
  rejected = 0;

  constructor(process: Process, options: FlowControlOptions = FLOW_CONTROL) {
    this.#process = process;
    this.#options = options;
  }

  /** Requests that are being served. */
  get executing(): number {
    return this.#taken;
  }

  get inQueue(): number {
    return this.#waiting;
  }

  /**
   * Takes a seat for a request, in a task; undefined when it was free. Each one that enters has to {@link leave}. Throws
   * or rejects with 429.
   */
  enter({ name, groups }: UserInfo): Promise<void> | undefined {
    if (this.#taken < this.#options.seats || groups.includes('system:masters')) {
      this.#taken++;
      this.dispatched++;
      return undefined;
    }
    const flow = this.#flows.get(name) ?? [];
    if (flow.length >= this.#options.queueLength) throw this.#tooMany();
    this.#flows.set(name, flow);
    return this.#wait(flow);
  }

  #wait(flow: Waiting[]): Promise<void> {
    return this.#process.park<void>((wake, fail) => {
      const waiting: Waiting = { admit: wake, gone: false };
      flow.push(waiting);
      this.#waiting++;
      const timer = this.#process.clock.afterFunc(this.#options.maxWaitMs, 'request has waited too long', () => {
        waiting.gone = true;
        this.#waiting--;
        flow.splice(flow.indexOf(waiting), 1);
        fail(this.#tooMany());
      });
      return () => timer.stop();
    });
  }

  /** Gives the seat to who has waited longest of the user whose turn it is. */
  leave(): void {
    this.#taken--;
    if (this.#taken >= this.#options.seats) return;
    for (const [name, flow] of this.#flows) {
      // Behind all others, or out of the round.
      this.#flows.delete(name);
      const next = flow.shift();
      if (flow.length) this.#flows.set(name, flow);
      if (!next) continue;
      this.#waiting--;
      this.#taken++;
      this.dispatched++;
      next.admit();
      return;
    }
  }

  #tooMany(): StatusError {
    this.rejected++;
    return new StatusError(429, 'TooManyRequests', 'Too many requests, please try again later.', {
      retryAfterSeconds: 1,
    });
  }
}
