import type { Builtin } from './builtins.ts';
import type { Shell } from './shell.ts';
import { ShellError } from './shell-error.ts';

async function printVariables(shell: Shell, which: 'exported' | 'readOnly', word: string): Promise<number> {
  const names = [...shell.variables]
    .filter(([, variable]) => variable[which])
    .map(([name, { value }]) => `${word} ${name}='${value.replaceAll("'", "'\\''")}'\n`);
  await shell.self.print(names.sort().join(''));
  return 0;
}

/** `export` and `readonly`. */
export function declare(which: 'exported' | 'readOnly', word: string): Builtin {
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

/** `set`: options and positional parameters. */
export async function set(shell: Shell, args: readonly string[]): Promise<number> {
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

/** `getopts`: options of scripts and functions. */
export async function getopts(shell: Shell, args: readonly string[]): Promise<number> {
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
