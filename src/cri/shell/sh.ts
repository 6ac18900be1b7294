import { parse } from 'unbash';
import { decodeUtf8 } from '#base/utf8.ts';
import { FileError } from '../os/file-error.ts';
import { ExitRequest, type Program } from '../os/unix-process.ts';
import { builtins } from './builtins.ts';
import { FunctionReturn, LoopJump } from './control-flow.ts';
import { type Completion, LineEditor } from './line-editor.ts';
import { type Flavour, newShell, type Shell } from './shell.ts';
import { ShellError } from './shell-error.ts';

/** Completes what comes from outside of the engine: may await what it likes. Undefined leaves it to the shell. */
export type OutsideCompleter = (before: string) => Promise<Completion | undefined>;

/** The shell as an executable: `sh -c text`, `sh file`, `sh` on a terminal or on piped input. */
export function shellProgram(flavour: Flavour, outside?: OutsideCompleter): Program {
  return async (self) => {
    const [name = 'sh', ...rest] = self.args;
    const options = new Set<string>();
    let command = false;
    let interactive: boolean | undefined;
    let at = 0;
    for (; /^[-+]./.test(rest[at] ?? ''); at++) {
      const word = rest[at] as string;
      if (word === '--') {
        at++;
        break;
      }
      if (word === '-o' || word === '+o') {
        if (rest[++at] === 'pipefail') options.add('pipefail');
        continue;
      }
      if (word.startsWith('--')) continue;
      for (const letter of word.slice(1)) {
        if (letter === 'c') command = true;
        else if (letter === 'i') interactive = true;
        else if ('euxfCan'.includes(letter)) options.add(letter);
        else if (!'lsmb'.includes(letter)) {
          await self.complain(`${name}: invalid option -- '${letter}'\n`);
          return 2;
        }
      }
    }
    const base = (flavour === 'bash' ? name.split('/').at(-1) : name) ?? 'sh';
    if (command) {
      const [text, zero, ...positional] = rest.slice(at);
      if (text === undefined) {
        await self.complain(`${base}: -c requires an argument\n`);
        return 2;
      }
      const shell = newShell(self, flavour, zero ?? base, positional);
      for (const option of options) shell.options.add(option);
      return shell.main(text);
    }
    const [file, ...positional] = rest.slice(at);
    const shell = newShell(self, flavour, file ?? base, positional);
    for (const option of options) shell.options.add(option);
    if (file !== undefined) {
      try {
        return await shell.main(decodeUtf8(self.system.files.readFile(file, self.cwd, self.user)));
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        await self.complain(`${base}: can't open '${file}': ${error.message}\n`);
        return 2;
      }
    }
    const tty = self.file(0)?.tty;
    return (interactive ?? tty !== undefined)
      ? runInteractively(shell, outside)
      : runLines(shell, () => readLine(shell));
  };
}

/** Runs lines as they come until the input ends, each command as soon as it is complete. */
async function runLines(shell: Shell, next: () => Promise<string | undefined>): Promise<number> {
  let text = '';
  for (let line = await next(); line !== undefined; line = await next()) {
    text += `${line}\n`;
    if (isIncomplete(text)) continue;
    const status = await runGuarded(shell, text);
    if (status !== undefined) return shell.finish(status);
    text = '';
  }
  if (text !== '') {
    const status = await runGuarded(shell, text);
    if (status !== undefined) return shell.finish(status);
  }
  return shell.finish(shell.lastStatus);
}

/** Runs a text; the result is the status with which the shell ends, if it does. */
async function runGuarded(shell: Shell, text: string): Promise<number | undefined> {
  try {
    await shell.runText(text);
    return undefined;
  } catch (error) {
    if (error instanceof ExitRequest) {
      if (error.status.signal) throw error;
      return error.status.code;
    }
    if (error instanceof LoopJump || error instanceof FunctionReturn) return undefined;
    if (!(error instanceof ShellError)) throw error;
    await shell.say(error.message);
    shell.lastStatus = error.status;
    return shell.interactive ? undefined : error.status;
  }
}

async function readLine(shell: Shell): Promise<string | undefined> {
  const bytes: number[] = [];
  for (;;) {
    const next = (await shell.self.read(0, 1))?.[0];
    if (next === undefined) return bytes.length > 0 ? decodeUtf8(Uint8Array.from(bytes)) : undefined;
    if (next === 10) return decodeUtf8(Uint8Array.from(bytes));
    bytes.push(next);
  }
}

async function runInteractively(shell: Shell, outside: OutsideCompleter | undefined): Promise<number> {
  const { self } = shell;
  shell.interactive = true;
  const tty = self.file(0)?.tty;
  if (tty) tty.foreground = self.group;
  // A function, not "ignore", so that the children get the defaults back.
  for (const signal of ['INT', 'TERM', 'QUIT'] as const) self.onSignal(signal, () => shell.interruptWith(signal));
  const editor = new LineEditor(self, async (before) => {
    const found =
      outside &&
      (await self.process.park<Completion | undefined>((wake, fail) => void outside(before).then(wake, fail)));
    return found ?? complete(shell, before);
  });
  let text = '';
  for (;;) {
    await reportJobs(shell);
    const outcome = await editor.read(text === '' ? prompt(shell) : '> ');
    if (outcome === 'interrupted') {
      text = '';
      shell.lastStatus = 130;
      continue;
    }
    if (outcome === 'end') {
      // dash and ash say nothing but end the line.
      await self.complain(shell.flavour === 'bash' ? 'exit\n' : '\n');
      return shell.finish(shell.lastStatus);
    }
    text += `${outcome.line}\n`;
    if (isIncomplete(text)) continue;
    const status = await runGuarded(shell, text);
    if (status !== undefined) {
      if (shell.flavour === 'bash') await self.complain('exit\n');
      return shell.finish(status);
    }
    text = '';
  }
}

async function reportJobs(shell: Shell): Promise<void> {
  for (const job of [...shell.jobs]) {
    const { status } = job.process;
    if (!status) continue;
    shell.jobs.splice(shell.jobs.indexOf(job), 1);
    const state = status.code === 0 ? 'Done' : `Done(${status.code})`;
    await shell.self.complain(`[${job.number}]+  ${state.padEnd(27)}${job.text}\n`);
  }
}

function prompt(shell: Shell): string {
  const home = shell.parameter('HOME');
  const at =
    home && home !== '/' && (shell.cwd === home || shell.cwd.startsWith(`${home}/`))
      ? `~${shell.cwd.slice(home.length)}`
      : shell.cwd;
  const sign = shell.user.uid === 0 ? '#' : '$';
  const set = shell.variables.get('PS1')?.value;
  const user = shell.user.uid === 0 ? 'root' : 'I have no name!';
  const { hostname } = shell.self.system;
  if (set !== undefined) {
    return set.replace(/\\([wWuh$n])/g, (_, letter: string) => {
      switch (letter) {
        case 'w':
          return at;
        case 'W':
          return at.split('/').at(-1) || '/';
        case 'u':
          return user;
        case 'h':
          return hostname;
        case 'n':
          return '\n';
        default:
          return sign;
      }
    });
  }
  if (shell.flavour === 'bash') return `${user}@${hostname}:${at}${sign} `;
  return shell.flavour === 'dash' ? `${sign} ` : `${at} ${sign} `;
}

/** Whether more lines must come before this can be run. */
function isIncomplete(text: string): boolean {
  if (/(^|[^\\])(\\\\)*\\\n$/.test(text)) return true;
  const { errors } = parse(text);
  if (!errors) return hasOpenHereDocument(text);
  const end = text.trimEnd().length;
  return errors.every(
    ({ message, pos }) => message.startsWith('unterminated') || (message.startsWith('expected') && pos >= end),
  );
}

function hasOpenHereDocument(text: string): boolean {
  const starts = [...text.matchAll(/<<(-?)\s*(["']?)([A-Za-z_]\w*)\2/g)];
  if (starts.length === 0) return false;
  const lines = text.split('\n');
  return starts.some(([, dash, , word]) => !lines.some((line) => (dash ? line.replace(/^\t+/, '') : line) === word));
}

/** Completion of commands in the first place, of files elsewhere. */
function complete(shell: Shell, before: string): { readonly word: string; readonly candidates: readonly string[] } {
  const word = /[^\s|&;<>()]*$/.exec(before)?.[0] ?? '';
  const isCommand = /(^|[|&;(])\s*$/.test(before.slice(0, before.length - word.length));
  const slash = word.lastIndexOf('/');
  const list = (directory: string) => {
    try {
      return shell.files.list(directory, shell.cwd, shell.user);
    } catch {
      return [];
    }
  };
  if (isCommand && slash < 0) {
    const names = new Set([...builtins.keys(), ...shell.functions.keys()]);
    for (const directory of (shell.parameter('PATH') ?? '').split(':'))
      for (const name of list(directory)) names.add(name);
    return { word, candidates: [...names].filter((name) => name.startsWith(word)).sort() };
  }
  const directory = slash < 0 ? '.' : word.slice(0, slash + 1);
  const candidates = list(directory)
    .filter(
      (name) =>
        name.startsWith(word.slice(slash + 1)) && (!name.startsWith('.') || word.slice(slash + 1).startsWith('.')),
    )
    .map((name) => {
      const path = word.slice(0, slash + 1) + name;
      try {
        return shell.files.stat(path, shell.cwd, shell.user).type === 'directory' ? `${path}/` : path;
      } catch {
        return path;
      }
    });
  return { word, candidates };
}
