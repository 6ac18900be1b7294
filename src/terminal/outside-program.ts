import type { Program, UnixProcess } from '#cri/os/unix-process.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { CancelSignal, Input, Output } from '#shell/streams.ts';

/** What a program that lives outside of the machine's pump is given. */
export interface OutsideCall {
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The process was killed (^C), or the reader of its output has gone. */
  readonly signal: CancelSignal;
}

/** A program that awaits what it likes: kubectl. Returns its exit code. */
export type OutsideProgram = (call: OutsideCall) => Promise<number>;

type Wish =
  | { readonly write: 1 | 2; readonly bytes: Uint8Array }
  | { readonly read: (bytes: Uint8Array | undefined) => void }
  | { readonly exit: number };

/** A program of the machine that runs an outside one and does for it what it asks: reads, writes, the end. */
export function outsideProgram(program: OutsideProgram): Program {
  return async (self) => {
    const wishes: Wish[] = [];
    let wake: (() => void) | undefined;
    const ask = (wish: Wish) => {
      wishes.push(wish);
      wake?.();
      wake = undefined;
    };
    const listeners: (() => void)[] = [];
    const signal: CancelSignal = {
      get aborted() {
        return !self.process.alive;
      },
      addEventListener: (_type, listener) => listeners.push(listener),
    };
    self.process.onExit(() => {
      for (const listener of listeners) listener();
    });
    const call: OutsideCall = {
      args: self.args.slice(1),
      directory: self.cwd,
      environment: Object.fromEntries(self.env),
      stdin: inputOf(self, (read) => ask({ read })),
      stdout: outputOf(self, 1, ask),
      stderr: outputOf(self, 2, ask),
      signal,
    };
    program(call).then(
      (exit) => ask({ exit }),
      (error: unknown) => {
        if (!self.process.alive) return;
        ask({
          write: 2,
          bytes: encodeUtf8(`${self.args[0]}: ${error instanceof Error ? error.message : String(error)}\n`),
        });
        ask({ exit: 1 });
      },
    );
    for (;;) {
      const wish = wishes.shift();
      if (!wish) {
        await self.process.park<void>((resume) => {
          wake = resume;
        });
      } else if ('exit' in wish) return wish.exit;
      else if ('write' in wish) await self.write(wish.write, wish.bytes);
      // Waiting for keys must not hold up output.
      else self.process.spawn('read', async () => wish.read(await self.read(0)));
    }
  };
}

function outputOf(self: UnixProcess, fd: 1 | 2, ask: (wish: Wish) => void): Output {
  const tty = self.file(fd)?.tty;
  return {
    isTerminal: tty !== undefined,
    write: (data) => ask({ write: fd, bytes: typeof data === 'string' ? encodeUtf8(data) : data }),
    ...(tty ? { size: () => ({ columns: tty.columns, rows: tty.rows }) } : {}),
  };
}

function inputOf(self: UnixProcess, read: (resolve: (bytes: Uint8Array | undefined) => void) => void): Input {
  const tty = self.file(0)?.tty;
  return {
    isTerminal: tty !== undefined,
    read: () => new Promise(read),
    ...(tty
      ? {
          setRaw: (raw: boolean) => {
            tty.raw = raw;
          },
          onResize: (listener: () => void) => {
            self.onSignal('WINCH', listener);
            return () => self.onSignal('WINCH', undefined);
          },
        }
      : {}),
  };
}
