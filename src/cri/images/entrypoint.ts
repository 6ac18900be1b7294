import { ExecError } from '../os/container-system.ts';
import type { Program, UnixProcess } from '../os/unix-process.ts';

/** What `exec "$@"` does at the end of an entry point's script. */
export async function execute(self: UnixProcess, args: readonly string[]): Promise<number> {
  const script = self.args[0] ?? 'sh';
  try {
    const found = self.executable(args);
    self.args = found.args;
    return await found.program(self);
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    await self.complain(`${script}: exec: ${args[0] ?? ''}: not found\n`);
    return 127;
  }
}

/** An entry point that runs its arguments, with `program` before them when they are options or no command. */
export function becomes(program: string, prepare?: (self: UnixProcess, args: readonly string[]) => void): Program {
  return (self) => {
    let args = self.args.slice(1);
    if (args[0]?.startsWith('-') || !isCommand(self, args[0] ?? '')) args = [program, ...args];
    prepare?.(self, args);
    return execute(self, args);
  };
}

function isCommand(self: UnixProcess, name: string): boolean {
  try {
    self.executable([name]);
    return true;
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    return false;
  }
}
