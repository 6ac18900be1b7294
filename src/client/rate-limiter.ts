import type { Clock } from '#base/clock.ts';

/** A bucket of tokens that refills at a steady rate. Follows golang.org/x/time/rate as client-go uses it. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = clock.now();
  }

  /** Takes a token if there is one. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Milliseconds until there is a token. */
  untilNext(): number {
    this.#refill();
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#perSecond) * 1000;
  }

  /** Takes the next token, also one that is not there yet; returns the milliseconds until it is. */
  reserve(): number {
    this.#refill();
    this.#tokens--;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  #refill(): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
  }
}

export interface RateLimiter {
  /** Milliseconds to wait before the key may be tried again; counts as one more failure of it. */
  when(key: string): number;
  forget(key: string): void;
  failures(key: string): number;
}

/**
 * The longer of an exponential back-off of each key and, where `bucket` is given, a limit for all keys together.
 * Follows client-go's workqueue.DefaultTypedControllerRateLimiter, v1.33 (5 ms to 1000 s; 10 in a second, burst 100).
 */
export class ControllerRateLimiter implements RateLimiter {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #bucket: TokenBucket | undefined;
  readonly #failures = new Map<string, number>();

  constructor(
    clock: Clock,
    baseMs = 5,
    maxMs = 1_000_000,
    bucket: TokenBucket | undefined = new TokenBucket(clock, 10, 100),
  ) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#bucket = bucket;
  }

  when(key: string): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    const own = failures > 30 ? this.#maxMs : Math.min(this.#maxMs, this.#baseMs * 2 ** failures);
    return Math.max(own, this.#bucket?.reserve() ?? 0);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }
}
