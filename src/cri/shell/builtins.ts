import { ExitRequest, type ExitStatus } from '../os/unix-process.ts';
import { FileError } from '../os/file-error.ts';
import { ExecError } from '../os/container-system.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import { parseSignal, type Signal, SIGNALS } from '../os/signals.ts';
import { FunctionReturn, LoopJump } from './control-flow.ts';
import { printfText, unescapeEcho } from './printf.ts';
import type { Shell } from './shell.ts';
import { ShellError } from './shell-error.ts';
import { testArguments } from './test-command.ts';
import { evaluateText } from './arithmetic.ts';
import { arithmeticContext } from './expansion.ts';

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

/** Reads a line without reading beyond it. */
async function read(shell: Shell, args: readonly string[]): Promise<number> {
  let raw = false;
  let prompt: string | undefined;
  let limit = Number.POSITIVE_INFINITY;
  let timeoutMs: number | undefined;
  let at = 1;
  for (; args[at]?.startsWith('-') && args[at] !== '-'; at++) {
    const option = args[at] as string;
    if (option === '--') {
      at++;
      break;
    }
    for (let i = 1; i < option.length; i++) {
      const letter = option[i] as string;
      if (letter === 'r') raw = true;
      else if (letter === 's') continue;
      else if ('pntu'.includes(letter)) {
        const value = option.slice(i + 1) || args[++at] || '';
        if (letter === 'p') prompt = value;
        else if (letter === 'n') limit = Number(value);
        else if (letter === 't') timeoutMs = Number(value) * 1000;
        break;
      } else throw new ShellError(`read: invalid option -${letter}`);
    }
  }
  if (prompt !== undefined && shell.self.file(0)?.tty) await shell.self.complain(prompt);
  const line = await readLine(shell, raw, limit, timeoutMs);
  const names = args.slice(at);
  const ifs = shell.parameter('IFS') ?? ' \t\n';
  const fields = splitLine(line.text, line.escaped, ifs, names.length || 1);
  for (const [i, name] of (names.length > 0 ? names : ['REPLY']).entries()) shell.assign(name, fields[i] ?? '');
  return line.complete ? 0 : 1;
}

interface Line {
  readonly text: string;
  /** Characters at these places came after a backslash and do not split. */
  readonly escaped: ReadonlySet<number>;
  readonly complete: boolean;
}

async function readLine(shell: Shell, raw: boolean, limit: number, timeoutMs: number | undefined): Promise<Line> {
  const bytes: number[] = [];
  const escapedBytes = new Set<number>();
  let complete = false;
  let timedOut = false;
  const timer =
    timeoutMs === undefined
      ? undefined
      : shell.self.process.clock.afterFunc(timeoutMs, 'read -t', () => {
          timedOut = true;
        });
  let backslash = false;
  while (bytes.length < limit && !timedOut) {
    const next = (await shell.self.read(0, 1))?.[0];
    if (next === undefined) break;
    if (backslash) {
      backslash = false;
      if (next === 10) continue;
      escapedBytes.add(bytes.length);
      bytes.push(next);
    } else if (next === 92 && !raw) backslash = true;
    else if (next === 10) {
      complete = true;
      break;
    } else bytes.push(next);
  }
  timer?.stop();
  const text = decodeUtf8(Uint8Array.from(bytes));
  // Places of bytes are places of characters in plain text, which is where escapes are used.
  return {
    text,
    escaped: text.length === bytes.length ? escapedBytes : new Set(),
    complete: complete || bytes.length >= limit,
  };
}

/** Splits a line into at most `most` fields; the last one takes the rest. */
function splitLine(text: string, escaped: ReadonlySet<number>, ifs: string, most: number): string[] {
  const isSpace = (at: number) => !escaped.has(at) && ifs.includes(text[at] as string) && /\s/.test(text[at] as string);
  const isBorder = (at: number) => !escaped.has(at) && ifs.includes(text[at] as string);
  const fields: string[] = [];
  let at = 0;
  while (at < text.length && isSpace(at)) at++;
  while (at < text.length && fields.length < most - 1) {
    const start = at;
    while (at < text.length && !isBorder(at)) at++;
    fields.push(text.slice(start, at));
    while (at < text.length && isSpace(at)) at++;
    if (at < text.length && isBorder(at) && !isSpace(at)) at++;
    while (at < text.length && isSpace(at)) at++;
  }
  let end = text.length;
  while (end > at && isSpace(end - 1)) end--;
  if (at < end) fields.push(text.slice(at, end));
  return fields;
}

async function printVariables(shell: Shell, which: 'exported' | 'readOnly', word: string): Promise<number> {
  const names = [...shell.variables]
    .filter(([, variable]) => variable[which])
    .map(([name, { value }]) => `${word} ${name}='${value.replaceAll("'", "'\\''")}'\n`);
  await shell.self.print(names.sort().join(''));
  return 0;
}

function declare(which: 'exported' | 'readOnly', word: string): Builtin {
  return async (shell, args) => {
    const undo = args[1] === '-n';
    const operands = args.slice(1).filter((arg) => arg !== '-p' && arg !== '-n');
    if (operands.length === 0) return printVariables(shell, which, word);
    for (const operand of operands) {
      const equals = operand.indexOf('=');
      const name = equals < 0 ? operand : operand.slice(0, equals);
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new ShellError(`${args[0]}: ${name}: bad variable name`);
      if (equals >= 0) shell.assign(name, operand.slice(equals + 1));
      const variable = shell.variables.get(name);
      if (variable) shell.variables.set(name, { ...variable, [which]: !undo });
    }
    return 0;
  };
}

async function set(shell: Shell, args: readonly string[]): Promise<number> {
  if (args.length === 1) {
    const lines = [...shell.variables].map(([name, { value }]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`);
    await shell.self.print(lines.sort().join(''));
    return 0;
  }
  let at = 1;
  for (; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--') {
      shell.positional = args.slice(at + 1);
      return 0;
    }
    if (!/^[-+]./.test(arg)) break;
    const change = (option: string) => (arg.startsWith('-') ? shell.options.add(option) : shell.options.delete(option));
    if (arg[1] === 'o') {
      const name = args[++at];
      const letter =
        name &&
        {
          errexit: 'e',
          nounset: 'u',
          xtrace: 'x',
          noglob: 'f',
          noclobber: 'C',
          allexport: 'a',
          noexec: 'n',
          monitor: 'm',
          pipefail: 'pipefail',
          vi: 'V',
          emacs: 'E',
        }[name];
      if (!letter) throw new ShellError(`set: illegal option -o ${name ?? ''}`);
      change(letter);
    } else {
      for (const letter of arg.slice(1)) {
        if (!'euxfCanmbhvV'.includes(letter)) throw new ShellError(`set: illegal option -${letter}`);
        change(letter);
      }
    }
  }
  if (at < args.length) shell.positional = args.slice(at);
  return 0;
}

async function trap(shell: Shell, args: readonly string[]): Promise<number> {
  const operands = args[1] === '--' ? args.slice(2) : args.slice(1);
  if (operands[0] === '-l') {
    await shell.self.print(`${Object.keys(SIGNALS).join(' ')}\n`);
    return 0;
  }
  if (operands.length === 0 || operands[0] === '-p') {
    for (const [signal, action] of shell.traps)
      await shell.self.print(`trap -- '${action.replaceAll("'", "'\\''")}' ${signal}\n`);
    return 0;
  }
  const reset = operands.length === 1 || operands[0] === '-' || /^\d+$/.test(operands[0] as string);
  const action = reset ? undefined : operands[0];
  const names = reset && operands[0] !== '-' ? operands : operands.slice(1);
  for (const name of names) {
    const signal = name === '0' || name === 'EXIT' ? 'EXIT' : parseSignal(name);
    if (!signal) {
      await shell.say(`trap: ${name}: invalid signal specification`);
      return 1;
    }
    shell.setTrap(signal, action);
  }
  return 0;
}

async function wait(shell: Shell, args: readonly string[]): Promise<number> {
  const wanted = args.slice(1);
  if (wanted.length === 0) {
    for (const job of [...shell.jobs]) {
      const outcome = await shell.waitInterruptibly(job.process);
      if (typeof outcome === 'string') return 128 + SIGNALS[outcome];
      forget(shell, job.process.pid);
    }
    return 0;
  }
  let status = 0;
  for (const text of wanted) {
    const job = findJob(shell, text);
    if (!job) {
      status = 127;
      continue;
    }
    const outcome = await shell.waitInterruptibly(job.process);
    if (typeof outcome === 'string') return 128 + SIGNALS[outcome];
    status = outcome.code;
    forget(shell, job.process.pid);
  }
  return status;
}

function findJob(shell: Shell, text: string) {
  if (text.startsWith('%'))
    return text === '%%' || text === '%+'
      ? shell.jobs.at(-1)
      : shell.jobs.find((job) => String(job.number) === text.slice(1));
  return shell.jobs.find((job) => String(job.process.pid) === text);
}

function forget(shell: Shell, pid: number): void {
  const at = shell.jobs.findIndex((job) => job.process.pid === pid);
  if (at >= 0) shell.jobs.splice(at, 1);
}

async function kill(shell: Shell, args: readonly string[]): Promise<number> {
  let signal: Signal = 'TERM';
  let at = 1;
  const first = args[1] ?? '';
  if (first === '-l') {
    await shell.self.print(`${Object.keys(SIGNALS).join('\n')}\n`);
    return 0;
  }
  if (first === '-s' || /^-[A-Za-z0-9]+$/.test(first)) {
    const name = first === '-s' ? (args[2] ?? '') : first.slice(1);
    at = first === '-s' ? 3 : 2;
    if (name === '0')
      return args.slice(at).every((pid) => shell.self.system.processes.some((process) => String(process.pid) === pid))
        ? 0
        : 1;
    const named = parseSignal(name);
    if (!named) {
      await shell.say(`kill: bad signal name '${name}'`);
      return 1;
    }
    signal = named;
  }
  if (args[at] === '--') at++;
  if (at >= args.length) {
    await shell.say('kill: you need to specify whom to kill');
    return 1;
  }
  let status = 0;
  for (const target of args.slice(at)) {
    const pid = target.startsWith('%') ? findJob(shell, target)?.process.pid : Number(target);
    const { system } = shell.self;
    const done =
      pid === undefined || Number.isNaN(pid)
        ? false
        : pid > 0
          ? system.kill(pid, signal)
          : system.killGroup(pid === 0 ? shell.self.group : -pid, signal);
    if (done) continue;
    await shell.say(
      `kill: can't kill pid ${target}: ${pid === undefined || Number.isNaN(pid) ? 'invalid number' : 'No such process'}`,
    );
    status = 1;
  }
  // A signal to the shell itself acts before its next command.
  if (shell.self.status) throw new ExitRequest(shell.self.status);
  return status;
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

async function getopts(shell: Shell, args: readonly string[]): Promise<number> {
  const [, spec = '', name = ''] = args;
  const words = args.length > 3 ? args.slice(3) : shell.positional;
  let index = Number(shell.parameter('OPTIND') ?? 1);
  let offset = Number(shell.parameter('OPTOFF') ?? 1);
  const word = words[index - 1];
  const end = () => {
    shell.assign(name, '?');
    return 1;
  };
  if (word === undefined || !word.startsWith('-') || word === '-') return end();
  if (word === '--') {
    shell.assign('OPTIND', String(index + 1));
    return end();
  }
  const letter = word[offset] as string;
  const at = spec.indexOf(letter, spec.startsWith(':') ? 1 : 0);
  const advance = () => {
    if (offset + 1 < word.length) offset++;
    else {
      index++;
      offset = 1;
    }
  };
  let result = letter;
  if (at < 0 || letter === ':') {
    result = '?';
    advance();
    if (spec.startsWith(':')) shell.assign('OPTARG', letter);
    else await shell.say(`Illegal option -${letter}`);
  } else if (spec[at + 1] === ':') {
    const rest = word.slice(offset + 1);
    const value = rest !== '' ? rest : words[index];
    index += rest !== '' ? 1 : 2;
    offset = 1;
    if (value === undefined) {
      result = spec.startsWith(':') ? ':' : '?';
      if (spec.startsWith(':')) shell.assign('OPTARG', letter);
      else await shell.say(`No arg for -${letter} option`);
    } else shell.assign('OPTARG', value);
  } else advance();
  shell.assign('OPTIND', String(index));
  shell.assign('OPTOFF', String(offset));
  shell.assign(name, result);
  return 0;
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
