import type { Command } from '../command.ts';
import { globalOptions } from '../help.ts';

export const options: Command = {
  name: 'options',
  short: 'Print the list of flags inherited by all commands',
  examples: `
# Flags of every command
kubectl options`,
  usage: 'options',
  flags: [],
  completion: 'none',
  run: async (invocation) => invocation.print(globalOptions()),
};
