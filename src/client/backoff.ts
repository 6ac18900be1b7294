import type { Process } from '#base/pump.ts';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Starts anew when so much time has passed since the last step. */
  readonly resetMs: number;
  readonly factor: number;
  /** Each step takes up to this fraction longer, by chance. */
  readonly jitter: number;
}

/** Delays that grow from step to step. Follows apimachinery's wait.NewExponentialBackoffManager, v1.33. */
export class Backoff {
  readonly #process: Process;
  readonly #options: BackoffOptions;
  #next: number;
  #last = Number.NEGATIVE_INFINITY;

  constructor(process: Process, options: BackoffOptions) {
    this.#process = process;
    this.#options = options;
    this.#next = options.initialMs;
  }

  /** Milliseconds to wait this time. */
  step(): number {
    const { initialMs, maxMs, resetMs, factor } = this.#options;
    const now = this.#process.clock.now();
    if (now - this.#last > resetMs) this.#next = initialMs;
    this.#last = now;
    const delay = this.#next;
    this.#next = Math.min(maxMs, delay * factor);
    return jitter(this.#process, delay, this.#options.jitter);
  }
}

/** `ms`, and by chance up to `fraction` of it more, in whole microseconds. */
export function jitter(process: Process, ms: number, fraction: number): number {
  return Math.round(ms * (1 + process.rng.float() * fraction) * 1000) / 1000;
}
