import type { Command } from './command.ts';
import { annotate } from './commands/annotate.ts';
import { get } from './commands/get.ts';
import { label } from './commands/label.ts';
import { patch } from './commands/patch.ts';
import type { CommandGroup } from './help.ts';

/** Every command, in the groups in which help lists them. */
export const commandGroups: readonly CommandGroup[] = [
  { title: 'Basic Commands (Intermediate)', commands: [get] },
  { title: 'Advanced Commands', commands: [patch] },
  { title: 'Settings Commands', commands: [label, annotate] },
];

export const commands: readonly Command[] = commandGroups.flatMap((group) => group.commands);
