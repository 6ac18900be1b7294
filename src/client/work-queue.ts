import { assert } from '#base/assert.ts';
import type { Timer } from '#base/clock.ts';
import { Fifo } from '#base/fifo.ts';
import type { Process } from '#base/pump.ts';
import { MAX_PARENTS, type SpanAttributes, type SpanId } from '#base/tracer.ts';
import { ControllerRateLimiter, type RateLimiter } from './rate-limiter.ts';

/** A key taken from a {@link WorkQueue}, to be handed back by `done`. */
export interface QueueItem {
  readonly key: string;
  /** The span of the take; its parents are the deliveries and timers that were coalesced into it. */
  readonly span: SpanId;
}

interface Pending {
  readonly since: number;
  readonly causes: SpanId[];
  count: number;
}

/**
 * Keys of objects that need work. Each is in the queue once however often it is added, is never worked on twice at the
 * same time, and comes back after `done` if it was added meanwhile. Takes and requeues are traced as work of the process.
 * Follows client-go's util/workqueue, v1.33.
 */
export class WorkQueue {
  readonly name: string;
  readonly #process: Process;
  readonly #limiter: RateLimiter;
  readonly #queue = new Fifo<string>();
  readonly #dirty = new Map<string, Pending>();
  readonly #processing = new Set<string>();
  readonly #delayed = new Map<string, { readonly due: number; readonly timer: Timer }>();
  readonly #takers = new Fifo<() => void>();
  /** Takers that were woken and have not gone on yet: each has a key reserved. */
  #woken = 0;

  constructor(process: Process, name: string, limiter: RateLimiter = new ControllerRateLimiter(process.clock)) {
    this.name = name;
    this.#process = process;
    this.#limiter = limiter;
  }

  /** How many keys wait to be taken. */
  get length(): number {
    return this.#queue.size;
  }

  /** The keys that are being worked on, and those that wait for their time; for the debugger. */
  get processing(): Iterable<string> {
    return this.#processing;
  }

  get delayed(): Iterable<string> {
    return this.#delayed.keys();
  }

  /** Adds a key; `cause` is the span of what made it need work. */
  add(key: string, cause: SpanId = 0): void {
    const pending = this.#dirty.get(key);
    if (pending) {
      addCause(pending, cause);
      return;
    }
    this.#dirty.set(key, { since: this.#process.clock.now(), causes: cause ? [cause] : [], count: cause ? 1 : 0 });
    if (!this.#processing.has(key)) this.#enqueue(key);
  }

  /** Adds a key later; of several times for one key the earliest counts. */
  addAfter(key: string, ms: number, cause: SpanId = 0): void {
    if (ms <= 0) {
      this.add(key, cause);
      return;
    }
    const due = this.#process.clock.now() + ms;
    const waiting = this.#delayed.get(key);
    if (waiting && waiting.due <= due) return;
    waiting?.timer.stop();
    const timer = this.#process.clock.afterFunc(ms, `${this.name} requeues ${key}`, () => {
      this.#delayed.delete(key);
      const span = this.#process.tracer.instant('timer', this.#process.name, `requeue ${key}`, cause, { afterMs: ms });
      this.add(key, span);
    });
    this.#delayed.set(key, { due, timer });
  }

  /** Adds a key again after a failure, when the rate limiter allows. */
  addRateLimited(key: string, cause: SpanId = 0): void {
    this.addAfter(key, this.#limiter.when(key), cause);
  }

  /** The key's work succeeded, or was given up: its back-off starts anew. */
  forget(key: string): void {
    this.#limiter.forget(key);
  }

  /** How often the key has failed since it was last forgotten. */
  requeues(key: string): number {
    return this.#limiter.failures(key);
  }

  /** Parks the calling task until there is a key, and until all deliveries that are due have been made. */
  async take(): Promise<QueueItem> {
    await this.#process.park<void>((wake) => {
      if (this.#queue.size > this.#woken) {
        this.#woken++;
        wake();
      } else {
        this.#takers.push(() => wake());
      }
    }, true);
    this.#woken--;
    const key = this.#queue.shift();
    assert(key !== undefined, `a worker of ${this.name} was woken for nothing`);
    const pending = this.#dirty.get(key) as Pending;
    this.#dirty.delete(key);
    this.#processing.add(key);
    const span = this.#process.tracer.instant(
      'take',
      this.#process.name,
      key,
      pending.causes,
      this.#attributes(pending),
    );
    return { key, span };
  }

  /** The work on the key is over, for better or worse. */
  done(key: string): void {
    this.#processing.delete(key);
    if (this.#dirty.has(key)) this.#enqueue(key);
  }

  #attributes({ since, causes, count }: Pending): SpanAttributes | undefined {
    const waitedMs = this.#process.clock.now() - since;
    const own = this.name === this.#process.name;
    if (own && waitedMs === 0 && count === causes.length) return undefined;
    return {
      ...(own ? {} : { queue: this.name }),
      ...(waitedMs > 0 ? { waitedMs } : {}),
      ...(count > causes.length ? { coalesced: count } : {}),
    };
  }

  #enqueue(key: string): void {
    this.#queue.push(key);
    const wake = this.#takers.shift();
    if (!wake) return;
    this.#woken++;
    wake();
  }
}

function addCause(pending: Pending, cause: SpanId): void {
  if (cause === 0) return;
  pending.count++;
  if (pending.causes.length < MAX_PARENTS) pending.causes.push(cause);
}
