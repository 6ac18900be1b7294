import type { Process } from '#base/pump.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { Pipe } from '#network/pipe.ts';
import { OpenFile } from './open-file.ts';
import type { Signal } from './signals.ts';

const CTRL_C = 3;
const CTRL_D = 4;
const BACKSPACE = 8;
const NEWLINE = 10;
const RETURN = 13;
const CTRL_U = 21;
const CTRL_W = 23;
const CTRL_BACKSLASH = 28;
const DELETE = 127;

/**
 * A terminal's line discipline, as the kernel has it: in cooked mode it echoes, lets the user correct the line and hands
 * it over at Return; ^C and ^\ send signals, ^D ends the input. Raw mode hands over every byte. Output turns each line
 * feed into carriage return and line feed.
 */
export class Tty {
  columns = 80;
  rows = 24;
  /** The process group that ^C goes to. */
  foreground = 0;
  echo = true;
  readonly #output: (bytes: Uint8Array) => void;
  readonly #signal: (signal: Signal, group: number) => void;
  readonly #input = new Pipe();
  #line: number[] = [];
  #raw = false;

  constructor(output: (bytes: Uint8Array) => void, signal: (signal: Signal, group: number) => void) {
    this.#output = output;
    this.#signal = signal;
  }

  /** Every byte is handed over as it comes, without echo and signals; a line that was begun before comes first. */
  get raw(): boolean {
    return this.#raw;
  }

  set raw(raw: boolean) {
    this.#raw = raw;
    if (!raw || this.#line.length === 0) return;
    this.#input.push(Uint8Array.from(this.#line));
    this.#line = [];
  }

  /** Bytes from the user's keyboard. */
  type(bytes: Uint8Array): void {
    if (this.raw) {
      this.#input.push(bytes);
      return;
    }
    for (const byte of bytes) this.#cook(byte);
  }

  /** The user's side is closed. */
  hangUp(): void {
    this.#input.end();
  }

  resize(columns: number, rows: number): void {
    // A terminal that does not know its size says 0.
    if (columns <= 0 || rows <= 0 || (columns === this.columns && rows === this.rows)) return;
    this.columns = columns;
    this.rows = rows;
    this.#signal('WINCH', this.foreground);
  }

  /** Output of a process. */
  write(bytes: Uint8Array): void {
    if (!bytes.includes(NEWLINE)) {
      this.#output(bytes);
      return;
    }
    const out: number[] = [];
    for (const byte of bytes) {
      if (byte === NEWLINE) out.push(RETURN);
      out.push(byte);
    }
    this.#output(Uint8Array.from(out));
  }

  /** What the user typed; undefined at ^D or when the user's side is closed. */
  async read(by: Process, max: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#input.read(by, max);
    return bytes?.[0] === CTRL_D && bytes.length === 1 && !this.raw ? undefined : bytes;
  }

  /** The terminal as an open file. */
  open(): OpenFile {
    return new TtyFile(this);
  }

  #cook(byte: number): void {
    if (byte === CTRL_C || byte === CTRL_BACKSLASH) {
      this.#line = [];
      this.#show(byte === CTRL_C ? '^C' : '^\\');
      this.#signal(byte === CTRL_C ? 'INT' : 'QUIT', this.foreground);
    } else if (byte === CTRL_D) {
      this.#input.push(Uint8Array.from(this.#line.length > 0 ? this.#line : [CTRL_D]));
      this.#line = [];
    } else if (byte === RETURN || byte === NEWLINE) {
      this.#line.push(NEWLINE);
      this.#input.push(Uint8Array.from(this.#line));
      this.#line = [];
      this.#show('\r\n');
    } else if (byte === DELETE || byte === BACKSPACE) {
      this.#erase(1);
    } else if (byte === CTRL_U) {
      this.#erase(this.#line.length);
    } else if (byte === CTRL_W) {
      const text = decodeUtf8(Uint8Array.from(this.#line));
      this.#erase(text.length - text.replace(/\S*\s*$/, '').length);
    } else {
      this.#line.push(byte);
      if (this.echo) this.#output(Uint8Array.of(byte));
    }
  }

  #erase(characters: number): void {
    for (let i = 0; i < characters && this.#line.length > 0; i++) {
      // Continuation bytes of a character go with its first byte.
      while (((this.#line.at(-1) as number) & 0xc0) === 0x80) this.#line.pop();
      this.#line.pop();
      this.#show('\b \b');
    }
  }

  #show(text: string): void {
    if (this.echo) this.#output(encodeUtf8(text));
  }
}

class TtyFile extends OpenFile {
  readonly #tty: Tty;
  constructor(tty: Tty) {
    super();
    this.#tty = tty;
  }
  override get tty(): Tty {
    return this.#tty;
  }
  override read(by: Process, max: number): Promise<Uint8Array | undefined> {
    return this.#tty.read(by, max);
  }
  override write(_by: Process, bytes: Uint8Array): boolean {
    this.#tty.write(bytes);
    return true;
  }
}
