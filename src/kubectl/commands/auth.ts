import type { Command } from '../command.ts';
import { canI } from './auth/can-i.ts';
import { reconcile } from './auth/reconcile.ts';
import { whoami } from './auth/whoami.ts';

export const auth: Command = {
  name: 'auth',
  short: 'Inspect authorization',
  long: 'Ask who you are and what you may do, and bring roles and bindings up to date.',
  usage: 'auth SUBCOMMAND',
  flags: [],
  subcommands: [canI, reconcile, whoami],
};
