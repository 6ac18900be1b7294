import type { Command } from './command.ts';
import { Invocation } from './command.ts';
import { commandGroups, commands } from './commands.ts';
import type { KubectlContext } from './context.ts';
import { Interrupted } from './context.ts';
import { describeError, ExitError } from './errors.ts';
import { globalFlags } from './flag-groups.ts';
import type { Flag } from './flags.ts';
import { bareValue, FlagError, HelpRequested, parseFlags } from './flags.ts';
import { commandHelp } from './help.ts';

const root: Command = {
  name: 'kubectl',
  short: 'kubectl controls the Kubernetes cluster manager.',
  usage: '[flags]',
  flags: [],
  subcommands: commands,
};

/** A command found on a command line. */
export interface Located {
  readonly command: Command;
  /** Such as `kubectl config set`. */
  readonly path: string;
  /** What is left for the command: its flags and arguments. */
  readonly words: readonly string[];
}

/** All flags that a command takes: its own, and those of every command. */
export function flagsOf(command: Command): readonly Flag[] {
  const own = new Set(command.flags.map((flag) => flag.name));
  return [...command.flags, ...globalFlags.filter((flag) => !own.has(flag.name))];
}

/** The innermost command that the words name; flags may stand anywhere. Follows cobra's Find. */
export function locate(words: readonly string[]): Located {
  let found: Located = { command: root, path: 'kubectl', words };
  for (;;) {
    const at = firstArgument(found.words, flagsOf(found.command));
    const word = found.words[at];
    const next = found.command.subcommands?.find(
      (each) => each.name === word || each.aliases?.includes(word as string),
    );
    if (!next) return found;
    found = {
      command: next,
      path: `${found.path} ${next.name}`,
      words: [...found.words.slice(0, at), ...found.words.slice(at + 1)],
    };
  }
}

/** The index of the first word that is neither a flag nor a flag's value. */
function firstArgument(words: readonly string[], flags: readonly Flag[]): number {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '--') return words.length;
    if (!word.startsWith('-')) {
      if (word !== '') return at;
      continue;
    }
    if (word.includes('=')) continue;
    const flag = word.startsWith('--')
      ? flags.find((each) => each.name === word.slice(2))
      : word.length === 2
        ? flags.find((each) => each.short === word[1])
        : undefined;
    const takesValue =
      (word.startsWith('--') || word.length === 2) &&
      word !== '-h' &&
      word !== '--help' &&
      !(flag && bareValue(flag) !== undefined);
    if (takesValue) at++;
  }
  return words.length;
}

/**
 * Runs one kubectl command line (without the word `kubectl`) and resolves with its exit code; errors are printed as
 * kubectl v1.33 prints them. An interrupted command ends with 130.
 */
export async function kubectl(words: readonly string[], context: KubectlContext): Promise<number> {
  try {
    await execute(words, context);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted || context.signal?.aborted) return 130;
    const { message, code } = describeError(error);
    if (message !== '') context.stderr.write(message.endsWith('\n') ? message : `${message}\n`);
    return code;
  }
}

async function execute(words: readonly string[], context: KubectlContext): Promise<void> {
  if (words[0] === 'help') return help(words.slice(1), context);
  const { command, path, words: rest } = locate(words);
  if (command === root) {
    const unknown = rest[firstArgument(rest, globalFlags)];
    if (unknown !== undefined) throw new Error(`unknown command "${unknown}" for "kubectl"${suggestions(unknown)}`);
  }
  let parsed: ReturnType<typeof parseFlags>;
  try {
    parsed = parseFlags(flagsOf(command), rest);
  } catch (error) {
    if (error instanceof HelpRequested) {
      context.stdout.write(commandHelp(command, path, commandGroups));
      return;
    }
    if (error instanceof FlagError) throw new Error(`${error.message}\nSee '${path} --help' for usage.`);
    throw error;
  }
  for (const notice of parsed.notices) context.stderr.write(`${notice}\n`);
  const invocation = new Invocation(command, path, parsed, context);
  if (!command.run) {
    if (parsed.args.length > 0) throw invocation.usageError(`unknown command "${parsed.args.join(' ')}"`);
    const page = commandHelp(command, path, commandGroups);
    if (command === root) return context.stdout.write(page);
    context.stderr.write(page);
    throw new ExitError(1);
  }
  const missing = command.flags
    .filter((flag) => flag.required && !parsed.flags.changed(flag.name))
    .map((flag) => `"${flag.name}"`);
  if (missing.length > 0) throw new Error(`required flag(s) ${missing.join(', ')} not set`);
  await command.run(invocation);
  if (invocation.warnings > 0 && parsed.flags.bool('warnings-as-errors')) {
    throw new Error(`${invocation.warnings} ${invocation.warnings === 1 ? 'warning' : 'warnings'} received`);
  }
}

function help(words: readonly string[], context: KubectlContext): void {
  const { command, path, words: rest } = locate(words);
  if (rest.length > 0) context.stdout.write(`Unknown help topic [${rest.map((word) => `\`${word}\``).join(' ')}]\n`);
  context.stdout.write(commandHelp(command, path, commandGroups));
}

/** `Did you mean this?` with commands of a similar name. Follows cobra's SuggestionsFor. */
function suggestions(word: string): string {
  const near = commands.filter(
    ({ name, suggestFor }) =>
      distance(word.toLowerCase(), name.toLowerCase()) <= 2 ||
      name.toLowerCase().startsWith(word.toLowerCase()) ||
      suggestFor?.some((each) => each.toLowerCase() === word.toLowerCase()),
  );
  return near.length === 0 ? '' : `\n\nDid you mean this?\n${near.map(({ name }) => `\t${name}\n`).join('')}`;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + change));
    }
    row = next;
  }
  return row[b.length] as number;
}
