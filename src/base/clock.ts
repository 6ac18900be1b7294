/** A pending call; `stop` is idempotent and returns whether it prevented the call. */
export interface Timer {
  stop(): boolean;
}

/** Virtual time as a component sees it. All times are milliseconds since the Unix epoch, with fractions down to 1 µs. */
export interface Clock {
  now(): number;
  /** Parks the calling task for `ms` of virtual time. */
  sleep(ms: number): Promise<void>;
  /** Runs `run` as a task of its own after `ms`; `cause` is the span that set the timer. */
  afterFunc(ms: number, name: string, run: () => void, cause?: number): Timer;
  /** Runs `run` every `ms`, the first time after `ms`, until stopped. */
  ticker(ms: number, name: string, run: () => void, cause?: number): Timer;
}

let lastSecond = Number.NaN;
let lastText = '';

/** RFC 3339 in UTC with seconds, as metav1.Time prints. Mostly asked for the same second again. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}

/** RFC 3339 in UTC with microseconds, as metav1.MicroTime prints. */
export function formatMicroTime(ms: number): string {
  const micros = Math.floor(ms * 1000 + 0.5);
  const second = Math.floor(micros / 1e6);
  return `${new Date(second * 1000).toISOString().slice(0, 19)}.${String(micros - second * 1e6).padStart(6, '0')}Z`;
}

/** Milliseconds since the epoch of a metav1.Time or MicroTime; NaN if it is not a time. */
export function parseTime(text: string): number {
  const fraction = /\.(\d{4,9})/.exec(text)?.[1];
  const base = Date.parse(text);
  return fraction === undefined ? base : Math.floor(base / 1000) * 1000 + Number(`0.${fraction}`) * 1000;
}
