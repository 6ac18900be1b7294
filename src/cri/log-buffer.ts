/** One piece of a container's log. */
export interface LogEntry {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly stream: 'stdout' | 'stderr';
  /** Whole lines, each with its line feed, except the last line of a stream that ended without one. */
  readonly bytes: Uint8Array;
}

/** What one container may keep, bytes. Upstream keeps five files of 10 MiB. */
const MAX_BYTES = 2 * 1024 * 1024;
/** A line without an end is cut here, as containerd does. */
const MAX_LINE_BYTES = 16 * 1024;
const LINE_FEED = 10;

/** The log of one container: bounded, the oldest entries go first. Reading and following it influences nothing. */
export class LogBuffer {
  readonly #entries: LogEntry[] = [];
  readonly #now: () => number;
  readonly #partial = new Map<'stdout' | 'stderr', Uint8Array>();
  readonly #listeners = new Set<(entry: LogEntry | undefined) => void>();
  #size = 0;
  #dropped = 0;
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** From the oldest that is kept. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /** How many entries have gone. */
  get dropped(): number {
    return this.#dropped;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes what a process wrote; a line that is not complete waits for its end. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const before = this.#partial.get(stream);
    const all = before ? join(before, bytes) : bytes;
    const end =
      all.length > MAX_LINE_BYTES
        ? Math.max(all.lastIndexOf(LINE_FEED) + 1, all.length - (all.length % MAX_LINE_BYTES))
        : all.lastIndexOf(LINE_FEED) + 1;
    if (end < all.length) this.#partial.set(stream, end === 0 ? all : all.subarray(end));
    else if (before) this.#partial.delete(stream);
    if (end > 0) this.#add({ time: this.#now(), stream, bytes: end === all.length ? all : all.subarray(0, end) });
  }

  /** The container has ended. */
  close(): void {
    if (this.#closed) return;
    for (const [stream, bytes] of this.#partial) this.#add({ time: this.#now(), stream, bytes });
    this.#partial.clear();
    this.#closed = true;
    for (const listener of [...this.#listeners]) listener(undefined);
    this.#listeners.clear();
  }

  /** Calls back with each entry from now on, and with undefined at the end. Returns what takes it back. */
  follow(listener: (entry: LogEntry | undefined) => void): () => void {
    if (this.#closed) {
      listener(undefined);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #add(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#size += entry.bytes.length;
    if (this.#size > MAX_BYTES) {
      let count = 0;
      while (this.#size > MAX_BYTES * 0.75 && count < this.#entries.length - 1)
        this.#size -= (this.#entries[count++] as LogEntry).bytes.length;
      this.#entries.splice(0, count);
      this.#dropped += count;
    }
    for (const listener of [...this.#listeners]) listener(entry);
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
