import type { Process } from '#base/pump.ts';
import type { Rng } from '#base/rng.ts';
import type { Pipe } from '#network/pipe.ts';
import { FileError } from './file-error.ts';
import { contentOf, type FileNode, writeAt } from './file-node.ts';
import type { Tty } from './tty.ts';

/**
 * What a file descriptor refers to; shared by the descriptors that were duplicated from it. `read` and `write` may park
 * the calling task. A write answers false when nobody will ever read it (EPIPE).
 */
export abstract class OpenFile {
  #references = 0;

  /** The terminal that this is, if it is one. */
  get tty(): Tty | undefined {
    return undefined;
  }

  /** The next bytes, undefined at the end. */
  abstract read(by: Process, max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  abstract write(by: Process, bytes: Uint8Array): boolean | Promise<boolean>;

  /** One more descriptor refers to this. */
  retain(): this {
    this.#references++;
    return this;
  }

  /** One descriptor less; the last one closes. */
  release(): void {
    if (--this.#references === 0) this.close();
  }

  protected close(): void {}
}

/** The reading end of a pipe. */
export class PipeReader extends OpenFile {
  readonly #pipe: Pipe;
  constructor(pipe: Pipe) {
    super();
    this.#pipe = pipe;
  }
  override read(by: Process, max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    return this.#pipe.take(max) ?? this.#pipe.read(by, max);
  }
  override write(): never {
    throw new FileError('EBADF');
  }
  protected override close(): void {
    this.#pipe.abandon();
  }
}

/** The writing end of a pipe. */
export class PipeWriter extends OpenFile {
  readonly #pipe: Pipe;
  constructor(pipe: Pipe) {
    super();
    this.#pipe = pipe;
  }
  override read(): never {
    throw new FileError('EBADF');
  }
  override write(by: Process, bytes: Uint8Array): boolean | Promise<boolean> {
    return this.#pipe.write(by, bytes);
  }
  protected override close(): void {
    this.#pipe.end();
  }
}

/** Takes bytes and hands them to a function at once: a container's log, an exec session. */
export class Sink extends OpenFile {
  readonly #take: (bytes: Uint8Array) => void;
  constructor(take: (bytes: Uint8Array) => void) {
    super();
    this.#take = take;
  }
  override read(): undefined {
    return undefined;
  }
  override write(_by: Process, bytes: Uint8Array): boolean {
    this.#take(bytes);
    return true;
  }
}

/** A regular file with a position. */
export class FileDescription extends OpenFile {
  readonly node: FileNode;
  readonly #now: () => number;
  readonly #append: boolean;
  #position = 0;

  constructor(node: FileNode, now: () => number, append = false) {
    super();
    this.node = node;
    this.#now = now;
    this.#append = append;
  }

  override read(_by: Process, max: number): Uint8Array | undefined {
    const rest = contentOf(this.node).subarray(this.#position, this.#position + max);
    this.#position += rest.length;
    return rest.length > 0 ? rest : undefined;
  }

  override write(_by: Process, bytes: Uint8Array): boolean {
    const at = this.#append ? this.node.size : this.#position;
    if (at + bytes.length > MAX_FILE_BYTES) throw new FileError('ENOSPC');
    writeAt(this.node, at, bytes, this.#now());
    this.#position = at + bytes.length;
    return true;
  }
}

const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** /dev/null and its like. */
export class Device extends OpenFile {
  readonly #device: 'null' | 'zero' | 'random' | 'full';
  readonly #rng: Rng;
  constructor(device: 'null' | 'zero' | 'random' | 'full', rng: Rng) {
    super();
    this.#device = device;
    this.#rng = rng;
  }
  override read(_by: Process, max: number): Uint8Array | undefined {
    if (this.#device === 'null') return undefined;
    return this.#device === 'random' ? this.#rng.bytes(Math.min(max, 4096)) : new Uint8Array(Math.min(max, 4096));
  }
  override write(): boolean {
    if (this.#device === 'full') throw new FileError('ENOSPC');
    return true;
  }
}
