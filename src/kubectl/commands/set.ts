import type { Command } from '../command.ts';
import { image } from './set/image.ts';

export const set: Command = {
  name: 'set',
  short: 'Set specific features on objects',
  long: 'Change single features of objects that exist.',
  usage: 'set SUBCOMMAND',
  flags: [],
  subcommands: [image],
};
