import { Fifo } from '#base/fifo.ts';
import type { Process } from '#base/pump.ts';

/** What a pipe holds before its writers wait, bytes; as a pipe of Linux. */
export const PIPE_CAPACITY = 65_536;

/** A bounded one-way stream of bytes between tasks. Chunks are shared, never changed. */
export class Pipe {
  readonly #chunks = new Fifo<Uint8Array>();
  readonly #capacity: number;
  /** What a short read left of a chunk. */
  #rest: Uint8Array | undefined;
  #size = 0;
  #ended = false;
  #error: Error | undefined;
  #abandoned = false;
  #readers: (() => void)[] = [];
  #writers: (() => void)[] = [];

  constructor(capacity = PIPE_CAPACITY) {
    this.#capacity = capacity;
  }

  /** Whether a read would answer at once. */
  get readable(): boolean {
    return this.#size > 0 || this.#ended;
  }

  /** Whether the reader is gone: what is written is lost, and the writer should stop. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Adds bytes without waiting, over the capacity if need be. False: nobody reads any more. */
  push(bytes: Uint8Array): boolean {
    if (this.#abandoned || this.#ended) return false;
    if (bytes.length === 0) return true;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    wakeAll(this.#readers);
    return true;
  }

  /** Whether writers wait now. */
  get full(): boolean {
    return this.#size >= this.#capacity && !this.#abandoned && !this.#ended;
  }

  /** Adds bytes once there is room; parks the calling task until then. False: nobody reads any more. */
  write(by: Process, bytes: Uint8Array): boolean | Promise<boolean> {
    return this.full ? this.#writeLater(by, bytes) : this.push(bytes);
  }

  async #writeLater(by: Process, bytes: Uint8Array): Promise<boolean> {
    await this.whenRoom(by);
    return this.push(bytes);
  }

  /** Parks the calling task until there is room, or nobody reads any more. */
  async whenRoom(by: Process): Promise<void> {
    while (this.full) {
      await by.park<void>((wake) => {
        this.#writers.push(wake);
      });
    }
  }

  /** The next bytes, at most `max`; parks the calling task until there are some. Undefined at the end; throws what broke the pipe. */
  async read(by: Process, max = PIPE_CAPACITY): Promise<Uint8Array | undefined> {
    while (this.#size === 0 && !this.#ended && !this.#abandoned) {
      await by.park<void>((wake) => {
        this.#readers.push(wake);
      });
    }
    const bytes = this.take(max);
    if (!bytes && this.#error) throw this.#error;
    return bytes;
  }

  /** Bytes that are there already, at most `max`; undefined if there are none. */
  take(max = PIPE_CAPACITY): Uint8Array | undefined {
    const first = this.#rest ?? this.#chunks.shift();
    if (!first) return undefined;
    const bytes = first.length > max ? first.subarray(0, max) : first;
    this.#rest = first.length > max ? first.subarray(max) : undefined;
    this.#size -= bytes.length;
    if (this.#size < this.#capacity) wakeAll(this.#writers);
    return bytes;
  }

  /** No more bytes will come. Readers get what is left, then the end, or `error`. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    wakeAll(this.#readers);
    wakeAll(this.#writers);
  }

  /** Nobody will read any more: what is left goes, writers are told. */
  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    while (this.take()) {}
    wakeAll(this.#writers);
    wakeAll(this.#readers);
  }
}

function wakeAll(waiting: (() => void)[]): void {
  if (waiting.length > 0) for (const wake of waiting.splice(0)) wake();
}
