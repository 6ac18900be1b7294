import type { Command } from './command.ts';
import { get } from './commands/get.ts';
import type { CommandGroup } from './help.ts';

/** Every command, in the groups in which help lists them. */
export const commandGroups: readonly CommandGroup[] = [{ title: 'Basic Commands (Intermediate)', commands: [get] }];

export const commands: readonly Command[] = commandGroups.flatMap((group) => group.commands);
