import type { Invocation } from './command.ts';
import { parseBool } from './flags.ts';

export type DryRun = 'none' | 'client' | 'server';

/** What `--dry-run` asks for. Old spellings are understood and noted. */
export function dryRunStrategy(invocation: Invocation): DryRun {
  const value = invocation.flags.string('dry-run');
  switch (value) {
    case 'none':
    case 'client':
    case 'server':
      return value;
    case 'unchanged':
      logWarning(invocation, '--dry-run is deprecated and can be replaced with --dry-run=client.');
      return 'client';
  }
  const bool = parseBool(value);
  if (bool === undefined) throw new Error(`Invalid dry-run value (${value}). Must be "none", "server", or "client".`);
  const instead = bool ? 'client' : 'none';
  logWarning(
    invocation,
    `--dry-run=${value} is deprecated (boolean value) and can be replaced with --dry-run=${instead}.`,
  );
  return instead;
}

/** A line of kubectl's log on stderr. */
function logWarning(invocation: Invocation, message: string): void {
  const time = new Date(invocation.now()).toISOString();
  invocation.complain(
    `W${time.slice(5, 7)}${time.slice(8, 10)} ${time.slice(11, 23)}000       1 helpers.go:703] ${message}`,
  );
}

/** What is said of an operation that was only tried: `created (dry run)`. */
export function withDryRun(operation: string, dryRun: DryRun): string {
  if (dryRun === 'client') return `${operation} (dry run)`;
  return dryRun === 'server' ? `${operation} (server dry run)` : operation;
}

/** `--validate` as the server's fieldValidation. */
export function fieldValidation(invocation: Invocation): 'Strict' | 'Warn' | 'Ignore' {
  const value = invocation.flags.string('validate');
  const bool = parseBool(value);
  if (bool !== undefined) return bool ? 'Strict' : 'Ignore';
  if (value === 'strict') return 'Strict';
  if (value === 'warn') return 'Warn';
  if (value === 'ignore') return 'Ignore';
  throw new Error(`invalid - validate option "${value}"; must be one of: strict (or true), warn, ignore (or false)`);
}
