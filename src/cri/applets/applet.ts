import { decodeUtf8, utf8Stream } from '#base/utf8.ts';
import { FileError } from '../os/file-error.ts';
import { ExitRequest, type Program, type UnixProcess } from '../os/unix-process.ts';

/** The command line of an applet. */
export interface Invocation {
  readonly self: UnixProcess;
  /** The applet's name, for complaints. */
  readonly name: string;
  readonly operands: readonly string[];
  has(option: string): boolean;
  /** The last value of an option that takes one. */
  value(option: string): string | undefined;
  /** All values of an option, in order. */
  values(option: string): readonly string[];
  /** Complains as `name: message` and remembers that the exit code is `status`. */
  fail(message: string, status?: number): Promise<void>;
}

/** One of busybox' commands. */
export interface Applet {
  readonly name: string;
  /** What follows the name in the usage message. */
  readonly usage: string;
  /** Letters as for getopt; `+` first stops at the first operand. */
  readonly options?: string;
  /** Long options and the letters that they stand for. */
  readonly long?: Readonly<Record<string, string>>;
  /** Programs that are none of busybox': says what is wrong with the command line; the exit code. */
  misused?(self: UnixProcess, problem: string): Promise<number>;
  /** It reads its command line itself: all words are operands. */
  readonly raw?: boolean;
  /** The exit code; what `fail` remembered wins over 0. */
  run(call: Invocation): Promise<number>;
}

/** The version that all applets claim. */
export const BUSYBOX = 'BusyBox v1.37.0 (2024-09-26 21:31:42 UTC) multi-call binary.';

/** An applet as an executable. */
export function appletProgram(applet: Applet): Program {
  return async (self) => {
    const found = parseOptions(applet, self.args.slice(1));
    if (typeof found === 'string') {
      if (applet.misused) return applet.misused(self, found);
      await self.complain(`${applet.name}: ${found}\n${usage(applet)}`);
      return 1;
    }
    if (found === undefined) {
      await self.complain(usage(applet));
      return 0;
    }
    let failure = 0;
    const call: Invocation = {
      self,
      name: applet.name,
      operands: found.operands,
      has: (option) => found.options.has(option),
      value: (option) => found.options.get(option)?.at(-1),
      values: (option) => found.options.get(option) ?? [],
      fail: async (message, status = 1) => {
        failure = status;
        await self.complain(`${applet.name}: ${message}\n`);
      },
    };
    try {
      return (await applet.run(call)) || failure;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.fail(error.message);
      return failure;
    }
  };
}

/** Says how the applet is used, and ends. */
export async function usageError(call: Invocation, applet: Applet): Promise<never> {
  await call.self.complain(usage(applet));
  throw new ExitRequest({ code: 1 });
}

function usage(applet: Applet): string {
  return `${BUSYBOX}\n\nUsage: ${applet.name} ${applet.usage}\n`;
}

function parseOptions(
  applet: Applet,
  args: readonly string[],
): { options: Map<string, string[]>; operands: string[] } | string | undefined {
  if (applet.raw) return { options: new Map(), operands: [...args] };
  const spec = applet.options ?? '';
  const options = new Map<string, string[]>();
  const operands: string[] = [];
  const add = (letter: string, value: string) => options.set(letter, [...(options.get(letter) ?? []), value]);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '--') {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      const letter = applet.long?.[name];
      if (letter === undefined) {
        if (name === 'help') return undefined;
        return `unrecognized option '${arg}'`;
      }
      if (spec[spec.indexOf(letter) + 1] !== ':') add(letter, '');
      else if (equals >= 0) add(letter, arg.slice(equals + 1));
      else if (args[i + 1] !== undefined) add(letter, args[++i] as string);
      else return `option '${arg}' requires an argument`;
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let k = 1; k < arg.length; k++) {
        const letter = arg[k] as string;
        const place = letter === ':' || letter === '+' ? -1 : spec.indexOf(letter);
        if (place < 0) return `invalid option -- '${letter}'`;
        if (spec[place + 1] !== ':') {
          add(letter, '');
          continue;
        }
        const rest = arg.slice(k + 1);
        if (rest === '' && args[i + 1] === undefined) return `option requires an argument -- '${letter}'`;
        add(letter, rest !== '' ? rest : (args[++i] as string));
        break;
      }
    } else if (spec.startsWith('+')) {
      operands.push(...args.slice(i));
      break;
    } else operands.push(arg);
  }
  return { options, operands };
}

/** Chunks of the operands' files, or of standard input when there are none (or `-`). What cannot be opened is said. */
export async function* chunksOf(call: Invocation, operands = call.operands): AsyncGenerator<Uint8Array> {
  const { self } = call;
  for (const path of operands.length > 0 ? operands : ['-']) {
    if (path === '-') {
      for (let bytes = await self.read(0); bytes; bytes = await self.read(0)) yield bytes;
      continue;
    }
    const file = await openOrFail(call, path);
    if (!file) continue;
    for (let bytes = await file.read(self.process, 65_536); bytes; bytes = await file.read(self.process, 65_536))
      yield bytes;
  }
}

/** An open file, or undefined after the complaint. */
export async function openOrFail(call: Invocation, path: string) {
  try {
    if (call.self.system.files.stat(path, call.self.cwd, call.self.user).type === 'directory') {
      await call.fail(`read error: Is a directory`);
      return undefined;
    }
    return call.self.open(path, 'read').retain();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await call.fail(`can't open '${path}': ${error.message}`);
    return undefined;
  }
}

/** Lines of the operands' files, or of standard input, without their line feeds, as they come. */
export async function* linesOf(call: Invocation, operands = call.operands): AsyncGenerator<string> {
  const decoder = utf8Stream();
  let rest = '';
  for await (const chunk of chunksOf(call, operands)) {
    rest += decoder.push(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** All of the operands' files, or of standard input. */
export async function allOf(call: Invocation, operands = call.operands): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(call, operands)) {
    chunks.push(chunk);
    length += chunk.length;
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

export async function textOf(call: Invocation, operands = call.operands): Promise<string> {
  return decodeUtf8(await allOf(call, operands));
}

/** Runs one file operation; its error becomes a complaint such as `can't create directory 'x': File exists`. */
export async function attempt(call: Invocation, what: string, operation: () => void): Promise<boolean> {
  try {
    operation();
    return true;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await call.fail(`${what}: ${error.message}`);
    return false;
  }
}
