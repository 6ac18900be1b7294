import type { Clock } from '#base/clock.ts';

const INITIAL_MS = 1000;
const MAX_MS = 15 * 60_000;

interface Entry {
  readonly ms: number;
  readonly since: number;
}

/**
 * Keeps failed Pods of one Node from being replaced again and again: the time to wait doubles. Follows client-go's
 * flowcontrol.Backoff as pkg/controller/daemon uses it, v1.33.
 */
export class FailedPodsBackoff {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The delay while the key has to wait, in ms; undefined when it may go on. */
  waiting(key: string): number | undefined {
    const entry = this.#entry(key);
    return entry && this.#clock.now() - entry.since < entry.ms ? entry.ms : undefined;
  }

  /** The key goes on now; next time it waits longer. */
  next(key: string): void {
    const entry = this.#entry(key);
    this.#entries.set(key, { ms: entry ? Math.min(entry.ms * 2, MAX_MS) : INITIAL_MS, since: this.#clock.now() });
  }

  /** Forgets what has been quiet for long. */
  collect(): void {
    for (const key of this.#entries.keys()) if (!this.#entry(key)) this.#entries.delete(key);
  }

  #entry(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry && this.#clock.now() - entry.since <= 2 * MAX_MS ? entry : undefined;
  }
}
