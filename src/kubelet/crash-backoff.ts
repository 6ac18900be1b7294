/** The first delay, and the longest: pkg/kubelet, v1.33. */
const INITIAL_MS = 10_000;
const MAX_MS = 300_000;

/**
 * Delays that double with each failure of a key, from 10 s to 5 minutes, and begin anew when a key has been quiet for 10
 * minutes. Follows client-go's util/flowcontrol/backoff.go, v1.33.
 */
export class CrashBackoff {
  readonly #entries = new Map<string, { delay: number; updated: number }>();

  /** The current delay of a key, ms. */
  delay(key: string): number {
    return this.#entries.get(key)?.delay ?? 0;
  }

  /** Whether the delay since `event` is not over at `now`. */
  isInBackoff(key: string, event: number, now: number): boolean {
    const entry = this.#entries.get(key);
    if (!entry || event - entry.updated > 2 * MAX_MS) return false;
    return now - event < entry.delay;
  }

  /** Whether the delay since the last failure is not over at `now`. */
  isInBackoffSinceUpdate(key: string, now: number): boolean {
    const entry = this.#entries.get(key);
    if (!entry || now - entry.updated > 2 * MAX_MS) return false;
    return now - entry.updated < entry.delay;
  }

  /** One more failure, of `event`. */
  next(key: string, event: number, now: number): void {
    const entry = this.#entries.get(key);
    const delay = !entry || event - entry.updated > 2 * MAX_MS ? INITIAL_MS : Math.min(MAX_MS, entry.delay * 2);
    this.#entries.set(key, { delay, updated: now });
  }

  /** Forgets the keys that begin with a text. */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}

/** A duration as Go prints it, to milliseconds: `1m20s`, `1.2s`, `450ms`. */
export function goDuration(ms: number): string {
  const whole = Math.floor(ms);
  if (whole === 0) return '0s';
  if (whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = String((whole % 60_000) / 1000);
  return `${hours > 0 ? `${hours}h` : ''}${whole >= 60_000 ? `${minutes}m` : ''}${seconds}s`;
}
