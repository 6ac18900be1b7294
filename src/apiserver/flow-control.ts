import type { UserInfo } from '#apimachinery/api-request.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';

/** What is known of a request before it is served. */
export interface FlowRequest {
  readonly user: UserInfo;
  readonly verb: string;
  /** Of requests for no resource. */
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
}

/** Where a request belongs. */
export interface Flow {
  /** Requests of one level share its seats. */
  readonly level: string;
  /** Requests of the level that are served at a time; undefined: as many as come. */
  readonly seats: number | undefined;
  /** Requests of one flow that may wait for a seat. */
  readonly queueLength: number;
  /** Tells the flow from the others of its level. */
  readonly key: string;
  /** What the answer says of it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How long a request may wait, ms: a quarter of the request timeout. */
const MAX_WAIT_MS = 15_000;

interface Waiting {
  readonly admit: () => void;
  gone: boolean;
}

/** A priority level as it is now. */
class Level {
  readonly flows = new Map<string, Waiting[]>();
  taken = 0;
}

/**
 * Fair queueing of requests: when all seats of a level are taken, the requests of each flow wait in a queue of their own,
 * and the queues are served in turn.
 *
 * Differs from upstream: flows do not share queues, levels do not lend each other seats, and each request takes one seat.
 * Follows util/flowcontrol, v1.33.
 */
export class FlowControl {
  /** Says where a request belongs. */
  readonly classify: (request: FlowRequest) => Flow;
  readonly #process: Process;
  readonly #maxWaitMs: number;
  readonly #levels = new Map<string, Level>();
  #executing = 0;
  #waiting = 0;
  dispatched = 0;
  rejected = 0;

  constructor(process: Process, classify: (request: FlowRequest) => Flow, maxWaitMs = MAX_WAIT_MS) {
    this.#process = process;
    this.classify = classify;
    this.#maxWaitMs = maxWaitMs;
  }

  /** Requests that are being served. */
  get executing(): number {
    return this.#executing;
  }

  get inQueue(): number {
    return this.#waiting;
  }

  /**
   * Takes a seat for a request, in a task; undefined when it was free. Each one that enters has to {@link leave}. Throws
   * or rejects with 429.
   */
  enter({ level: name, seats = Number.POSITIVE_INFINITY, queueLength, key }: Flow): Promise<void> | undefined {
    let level = this.#levels.get(name);
    if (!level) {
      level = new Level();
      this.#levels.set(name, level);
    }
    if (level.taken < seats) {
      this.#seat(level);
      return undefined;
    }
    const flow = level.flows.get(key) ?? [];
    if (flow.length >= queueLength) throw this.#tooMany();
    level.flows.set(key, flow);
    return this.#wait(flow);
  }

  #seat(level: Level): void {
    level.taken++;
    this.#executing++;
    this.dispatched++;
  }

  #wait(flow: Waiting[]): Promise<void> {
    return this.#process.park<void>((wake, fail) => {
      const waiting: Waiting = { admit: wake, gone: false };
      flow.push(waiting);
      this.#waiting++;
      const timer = this.#process.clock.afterFunc(this.#maxWaitMs, 'request has waited too long', () => {
        waiting.gone = true;
        this.#waiting--;
        flow.splice(flow.indexOf(waiting), 1);
        fail(this.#tooMany());
      });
      return () => timer.stop();
    });
  }

  /** Gives the seat to who has waited longest of the flow whose turn it is. */
  leave({ level: name, seats = Number.POSITIVE_INFINITY }: Flow): void {
    const level = this.#levels.get(name) as Level;
    level.taken--;
    this.#executing--;
    if (level.taken >= seats) return;
    for (const [key, flow] of level.flows) {
      // Behind all others, or out of the round.
      level.flows.delete(key);
      const next = flow.shift();
      if (flow.length) level.flows.set(key, flow);
      if (!next) continue;
      this.#waiting--;
      this.#seat(level);
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
