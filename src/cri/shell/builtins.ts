import { ExitRequest, type ExitStatus } from '../os/unix-process.ts';
import { FileError } from '../os/file-error.ts';
import { ExecError } from '../os/container-system.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { FunctionReturn, LoopJump } from './control-flow.ts';
import { printfText, unescapeEcho } from './printf.ts';
import type { Shell } from './shell.ts';
import { ShellError } from './shell-error.ts';
import { testArguments } from './test-command.ts';
import { evaluateText } from './arithmetic.ts';
import { arithmeticContext } from './expansion.ts';
import { findJob, forget, kill, trap, wait } from './job-builtins.ts';
import { read } from './read.ts';
import { declare, getopts, set } from './set-builtins.ts';

/** A command that runs inside the shell. `args[0]` is its name; the result is its status. */
export type Builtin = (shell: Shell, args: readonly string[]) => Promise<number> | number;

/** Builtins before which assignments stay in force (POSIX' special builtins). */
export const specialBuiltins: ReadonlySet<string> = new Set([
  '.',
  ':',
  'break',
  'continue',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'source',
  'trap',
  'unset',
]);

function count(args: readonly string[]): number {
  const text = args[1] ?? '1';
  if (!/^\d+$/.test(text)) throw new ShellError(`${args[0]}: Illegal number: ${text}`);
  return Number(text);
}

function statusArgument(shell: Shell, args: readonly string[]): number {
  const text = args[1];
  if (text === undefined) return shell.lastStatus;
  if (!/^-?\d+$/.test(text)) throw new ShellError(`${args[0]}: Illegal number: ${text}`);
  return Number(text) & 255;
}

async function changeDirectory(shell: Shell, args: readonly string[]): Promise<number> {
  const operands = args.slice(1).filter((arg) => arg !== '-L' && arg !== '-P' && arg !== '--');
  const back = operands[0] === '-';
  const target = back ? shell.parameter('OLDPWD') : (operands[0] ?? shell.parameter('HOME'));
  if (target === undefined || target === '') {
    await shell.say(back ? 'cd: OLDPWD not set' : 'cd: HOME not set');
    return 1;
  }
  try {
    const path = shell.files.realPath(target, shell.cwd, shell.user);
    if (shell.files.stat(path, '/', shell.user).type !== 'directory') throw new FileError('ENOTDIR');
    shell.assign('OLDPWD', shell.cwd);
    shell.self.cwd = path;
    shell.assign('PWD', path, true);
    if (back) await shell.self.print(`${path}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await shell.say(
      shell.flavour === 'bash' ? `cd: ${target}: ${error.message}` : `cd: can't cd to ${target}: ${error.message}`,
    );
    return shell.flavour === 'bash' ? 1 : 2;
  }
}

async function echo(shell: Shell, args: readonly string[]): Promise<number> {
  let newline = true;
  // dash's echo reads escapes always; the others ask for -e.
  let escapes = shell.flavour === 'dash';
  let at = 1;
  for (; shell.flavour === 'dash' ? args[at] === '-n' : /^-[neE]+$/.test(args[at] ?? ''); at++) {
    const option = args[at] as string;
    if (option.includes('n')) newline = false;
    if (option.includes('e')) escapes = true;
    if (option.includes('E')) escapes = false;
  }
  const text = args.slice(at).join(' ');
  if (!escapes) await shell.self.print(newline ? `${text}\n` : text);
  else {
    const { text: shown, stop } = unescapeEcho(text);
    await shell.self.print(newline && !stop ? `${shown}\n` : shown);
  }
  return 0;
}

async function which(
  shell: Shell,
  args: readonly string[],
  style: 'type' | 'command -v' | 'command -V',
): Promise<number> {
  let status = 0;
  for (const name of args) {
    let text: string | undefined;
    const verbose = style !== 'command -v';
    if (shell.functions.has(name)) text = verbose ? `${name} is a function` : name;
    else if (builtins.has(name))
      text = verbose ? `${name} is a ${specialBuiltins.has(name) ? 'special ' : ''}shell builtin` : name;
    else {
      const path = pathOf(shell, name);
      if (path !== undefined) text = verbose ? `${name} is ${path}` : path;
      else {
        status = 127;
        if (verbose) text = `${name}: not found`;
      }
    }
    if (text !== undefined) await shell.self.print(`${text}\n`);
  }
  return status;
}

/** Where a command's executable lies. */
function pathOf(shell: Shell, name: string): string | undefined {
  const candidates = name.includes('/')
    ? [name]
    : (shell.parameter('PATH') ?? '').split(':').map((directory) => `${directory || '.'}/${name}`);
  return candidates.find((path) => {
    try {
      shell.self.executable([path]);
      return shell.files.exists(path, shell.cwd, shell.user);
    } catch (error) {
      if (error instanceof ExecError && error.code === 'format') return true;
      return false;
    }
  });
}

async function command(shell: Shell, args: readonly string[]): Promise<number> {
  if (args[1] === '-v' || args[1] === '-V')
    return which(shell, args.slice(2), args[1] === '-v' ? 'command -v' : 'command -V');
  const rest = args.slice(args[1] === '-p' || args[1] === '--' ? 2 : 1);
  const [name] = rest;
  if (name === undefined) return 0;
  const builtin = builtins.get(name);
  if (builtin) return builtin(shell, rest);
  const child = shell.fork((inner) => inner.replaceWith(rest));
  return (await child.wait(shell.self.process)).code;
}

async function source(shell: Shell, args: readonly string[]): Promise<number> {
  const name = args[1];
  if (name === undefined) throw new ShellError(`${args[0]}: filename argument required`);
  let text: string;
  try {
    text = decodeUtf8(shell.files.readFile(name, shell.cwd, shell.user));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ShellError(`${args[0]}: can't open '${name}': ${error.message}`);
  }
  const { positional } = shell;
  if (args.length > 2) shell.positional = args.slice(2);
  try {
    return await shell.runText(text);
  } catch (error) {
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  } finally {
    shell.positional = positional;
  }
}

const test: Builtin = (shell, args) => {
  let operands = args.slice(1);
  if (args[0] === '[') {
    if (operands.at(-1) !== ']') throw new ShellError('[: missing ]');
    operands = operands.slice(0, -1);
  }
  return testArguments(operands, shell.self) ? 0 : 1;
};

const jump =
  (kind: 'break' | 'continue'): Builtin =>
  (shell, args) => {
    const depth = Math.min(count(args), shell.loopDepth);
    if (depth === 0) return 0;
    throw new LoopJump(kind, depth);
  };

/** All builtins by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [':', () => 0],
  ['true', () => 0],
  ['false', () => 1],
  ['.', source],
  ['source', source],
  ['[', test],
  ['test', test],
  [
    'alias',
    async (shell, args) => {
      for (const operand of args.slice(1)) {
        const equals = operand.indexOf('=');
        if (equals > 0) shell.aliases.set(operand.slice(0, equals), operand.slice(equals + 1));
        else if (shell.aliases.has(operand)) await shell.self.print(`${operand}='${shell.aliases.get(operand)}'\n`);
        else await shell.say(`alias: ${operand} not found`);
      }
      if (args.length === 1) for (const [name, value] of shell.aliases) await shell.self.print(`${name}='${value}'\n`);
      return 0;
    },
  ],
  [
    'unalias',
    (shell, args) => {
      if (args[1] === '-a') shell.aliases.clear();
      else for (const name of args.slice(1)) shell.aliases.delete(name);
      return 0;
    },
  ],
  ['bg', async (shell) => (await shell.say('bg: stopping and continuing jobs is not emulated'), 1)],
  ['break', jump('break')],
  ['continue', jump('continue')],
  ['cd', changeDirectory],
  ['command', command],
  ['echo', echo],
  ['eval', (shell, args) => shell.runText(args.slice(1).join(' '))],
  ['exec', (shell, args) => shell.replaceWith(args.slice(1))],
  [
    'exit',
    (shell, args) => {
      throw new ExitRequest({ code: statusArgument(shell, args) });
    },
  ],
  [
    'logout',
    (shell, args) => {
      throw new ExitRequest({ code: statusArgument(shell, args) });
    },
  ],
  ['export', declare('exported', 'export')],
  ['readonly', declare('readOnly', 'readonly')],
  [
    'fg',
    async (shell, args) => {
      const job = findJob(shell, args[1] ?? '%%');
      if (!job) {
        await shell.say('fg: no current job');
        return 2;
      }
      await shell.self.print(`${job.text}\n`);
      const status: ExitStatus = await job.process.wait(shell.self.process);
      forget(shell, job.process.pid);
      return status.code;
    },
  ],
  ['getopts', getopts],
  ['hash', () => 0],
  [
    'jobs',
    async (shell) => {
      for (const job of [...shell.jobs]) {
        const { status } = job.process;
        const state = !status ? 'Running' : status.code === 0 ? 'Done' : `Done(${status.code})`;
        await shell.self.print(
          `[${job.number}]${job === shell.jobs.at(-1) ? '+' : ' '}  ${state.padEnd(24)}${job.text}\n`,
        );
        if (status) forget(shell, job.process.pid);
      }
      return 0;
    },
  ],
  ['kill', kill],
  [
    'let',
    async (shell, args) => {
      let value = 0n;
      for (const text of args.slice(1)) value = await evaluateText(text, arithmeticContext(shell));
      return value === 0n ? 1 : 0;
    },
  ],
  [
    'local',
    (shell, args) => {
      for (const operand of args.slice(1)) {
        const equals = operand.indexOf('=');
        const name = equals < 0 ? operand : operand.slice(0, equals);
        shell.declareLocal(name);
        if (equals >= 0) shell.assign(name, operand.slice(equals + 1));
      }
      return 0;
    },
  ],
  [
    'printf',
    async (shell, args) => {
      const [, format, ...rest] = args;
      if (format === undefined) throw new ShellError('printf: usage: printf format [arguments]');
      const { text, errors } = printfText(format, rest);
      await shell.self.print(text);
      for (const error of errors) await shell.say(`printf: ${error}`);
      return errors.length > 0 ? 1 : 0;
    },
  ],
  ['pwd', async (shell) => (await shell.self.print(`${shell.cwd}\n`), 0)],
  ['read', read],
  [
    'return',
    (shell, args) => {
      throw new FunctionReturn(statusArgument(shell, args));
    },
  ],
  ['set', set],
  [
    'shift',
    (shell, args) => {
      const by = count(args);
      if (by > shell.positional.length) return 1;
      shell.positional = shell.positional.slice(by);
      return 0;
    },
  ],
  ['times', async (shell) => (await shell.self.print('0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n'), 0)],
  ['trap', trap],
  ['type', (shell, args) => which(shell, args.slice(1), 'type')],
  ['ulimit', async (shell) => (await shell.self.print('unlimited\n'), 0)],
  [
    'umask',
    async (shell, args) => {
      if (args[1] === undefined) await shell.self.print(`${shell.self.umask.toString(8).padStart(4, '0')}\n`);
      else if (/^[0-7]{1,4}$/.test(args[1])) shell.self.umask = Number.parseInt(args[1], 8);
      else throw new ShellError(`umask: Illegal mode: ${args[1]}`);
      return 0;
    },
  ],
  [
    'unset',
    (shell, args) => {
      const functions = args[1] === '-f';
      for (const name of args.slice(functions || args[1] === '-v' ? 2 : 1)) {
        if (functions) shell.functions.delete(name);
        else if (shell.variables.get(name)?.readOnly) throw new ShellError(`unset: ${name}: is read only`);
        else shell.variables.delete(name);
      }
      return 0;
    },
  ],
  ['wait', wait],
]);
