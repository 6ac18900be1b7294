import type { Command } from './command.ts';
import { globalFlags } from './flag-groups.ts';
import type { Flag } from './flags.ts';
import { defaultOf } from './flags.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';

export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** The help page of a command, laid out as kubectl lays out its own. */
export function commandHelp(command: Command, path: string, groups: readonly CommandGroup[]): string {
  const isRoot = path === 'kubectl';
  const parts = [command.long ?? `${command.short.replace(/\.$/, '')}.`];
  if (isRoot) parts.push(' Find more information at: https://kubernetes.io/docs/reference/kubectl/');
  if (command.aliases) parts.push(`Aliases:\n${[command.name, ...command.aliases].join(', ')}`);
  if (command.examples)
    parts.push(
      `Examples:\n${command.examples
        .trim()
        .split('\n')
        .map((line) => `  ${line}`)
        .join('\n')}`,
    );
  if (isRoot) {
    for (const group of groups) parts.push(`${group.title}:\n${commandList(group.commands)}`);
  } else if (command.subcommands) {
    parts.push(
      `Available Commands:\n${commandList([...command.subcommands].sort((a, b) => byCodeUnit(a.name, b.name)))}`,
    );
  }
  const flags = command.flags.filter((flag) => !flag.hidden);
  if (flags.length > 0) parts.push(`Options:\n${flagList(flags)}`);
  parts.push(
    `Usage:\n  ${isRoot ? 'kubectl' : path.slice(0, path.length - command.name.length - 1)} ${command.usage} [options]`,
  );
  const last = [];
  if (isRoot) last.push('Use "kubectl <command> --help" for more information about a given command.');
  else if (command.subcommands) last.push(`Use "${path} <command> --help" for more information about a given command.`);
  last.push('Use "kubectl options" for a list of global command-line options (applies to all commands).');
  return `${parts.join('\n\n')}\n\n${last.join('\n')}\n`;
}

function commandList(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return commands.map(({ name, short }) => `  ${name.padEnd(width)}   ${short}`).join('\n');
}

/** What `kubectl options` prints. */
export function globalOptions(): string {
  return `The following options can be passed to any command:\n\n${flagList(globalFlags)}\n`;
}

function flagList(flags: readonly Flag[]): string {
  return [...flags]
    .sort((a, b) => byCodeUnit(a.name, b.name))
    .map(
      (flag) => `    ${flag.short ? `-${flag.short}, ` : ''}--${flag.name}=${shownDefault(flag)}:\n\t${flag.usage}\n`,
    )
    .join('\n');
}

function shownDefault(flag: Flag): string {
  const value = defaultOf(flag);
  if (flag.type === 'string') return `'${value}'`;
  if (flag.type === 'stringSlice' || flag.type === 'stringArray') return `[${value}]`;
  return value;
}
