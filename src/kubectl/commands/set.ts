import type { Command } from '../command.ts';
import { env } from './set/env.ts';
import { image } from './set/image.ts';
import { resources } from './set/resources.ts';
import { setSelector } from './set/selector.ts';
import { serviceAccount } from './set/serviceaccount.ts';

export const set: Command = {
  name: 'set',
  short: 'Set specific features on objects',
  long: 'Change single features of objects that exist.',
  usage: 'set SUBCOMMAND',
  flags: [],
  subcommands: [env, image, resources, setSelector, serviceAccount],
};
