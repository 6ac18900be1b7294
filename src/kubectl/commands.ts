import type { Command } from './command.ts';
import { annotate } from './commands/annotate.ts';
import { apply } from './commands/apply.ts';
import { config } from './commands/config.ts';
import { create } from './commands/create.ts';
import { deleteCommand } from './commands/delete.ts';
import { get } from './commands/get.ts';
import { label } from './commands/label.ts';
import { patch } from './commands/patch.ts';
import type { CommandGroup } from './help.ts';

/** Every command, in the groups in which help lists them. */
export const commandGroups: readonly CommandGroup[] = [
  { title: 'Basic Commands (Beginner)', commands: [create] },
  { title: 'Basic Commands (Intermediate)', commands: [get, deleteCommand] },
  { title: 'Advanced Commands', commands: [apply, patch] },
  { title: 'Settings Commands', commands: [label, annotate] },
  { title: 'Other Commands', commands: [config] },
];

export const commands: readonly Command[] = commandGroups.flatMap((group) => group.commands);
