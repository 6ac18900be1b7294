/** Where a program writes: a terminal, a pipe, a file. Text is written as UTF-8. */
export interface Output {
  write(data: string | Uint8Array): void;
  readonly isTerminal: boolean;
  /** Width and height of a terminal, in characters. */
  size?(): { readonly columns: number; readonly rows: number };
}

/** Where a program reads from. */
export interface Input {
  /** The next bytes (never empty), or undefined at the end. Must not be called again before it settles. */
  read(): Promise<Uint8Array | undefined>;
  readonly isTerminal: boolean;
  /** Terminals only: keys are delivered as they are pressed, unechoed, Ctrl-C included. */
  setRaw?(raw: boolean): void;
  /** Terminals only: calls back when the size changes; returns a function that stops it. */
  onResize?(listener: () => void): () => void;
}

/** The end of whatever asks it to stop: Ctrl-C, or the end of the reader in a pipeline. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
}

/** The time as the shell's user sees it. */
export interface ShellClock {
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Input that has ended before it began. */
export const emptyInput: Input = { isTerminal: false, read: () => Promise.resolve(undefined) };
