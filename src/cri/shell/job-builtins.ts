import { ExitRequest } from '../os/unix-process.ts';
import { parseSignal, type Signal, SIGNALS } from '../os/signals.ts';
import type { Shell } from './shell.ts';

/** `trap`: what signals do. */
export async function trap(shell: Shell, args: readonly string[]): Promise<number> {
  const operands = args[1] === '--' ? args.slice(2) : args.slice(1);
  if (operands[0] === '-l') {
    await shell.self.print(`${Object.keys(SIGNALS).join(' ')}\n`);
    return 0;
  }
  if (operands.length === 0 || operands[0] === '-p') {
    for (const [signal, action] of shell.traps)
      await shell.self.print(`trap -- '${action.replaceAll("'", "'\\''")}' ${signal}\n`);
    return 0;
  }
  const reset = operands.length === 1 || operands[0] === '-' || /^\d+$/.test(operands[0] as string);
  const action = reset ? undefined : operands[0];
  const names = reset && operands[0] !== '-' ? operands : operands.slice(1);
  for (const name of names) {
    const signal = name === '0' || name === 'EXIT' ? 'EXIT' : parseSignal(name);
    if (!signal) {
      await shell.say(`trap: ${name}: invalid signal specification`);
      return 1;
    }
    shell.setTrap(signal, action);
  }
  return 0;
}

/** `wait`: for jobs; a trapped signal ends it. */
export async function wait(shell: Shell, args: readonly string[]): Promise<number> {
  const wanted = args.slice(1);
  if (wanted.length === 0) {
    for (const job of [...shell.jobs]) {
      const outcome = await shell.waitInterruptibly(job.process);
      if (typeof outcome === 'string') return 128 + SIGNALS[outcome];
      forget(shell, job.process.pid);
    }
    return 0;
  }
  let status = 0;
  for (const text of wanted) {
    const job = findJob(shell, text);
    if (!job) {
      status = 127;
      continue;
    }
    const outcome = await shell.waitInterruptibly(job.process);
    if (typeof outcome === 'string') return 128 + SIGNALS[outcome];
    status = outcome.code;
    forget(shell, job.process.pid);
  }
  return status;
}

/** A job by `%1` or by the number of its process. */
export function findJob(shell: Shell, text: string) {
  if (text.startsWith('%'))
    return text === '%%' || text === '%+'
      ? shell.jobs.at(-1)
      : shell.jobs.find((job) => String(job.number) === text.slice(1));
  return shell.jobs.find((job) => String(job.process.pid) === text);
}

/** Takes a job off the list. */
export function forget(shell: Shell, pid: number): void {
  const at = shell.jobs.findIndex((job) => job.process.pid === pid);
  if (at >= 0) shell.jobs.splice(at, 1);
}

/** `kill`: processes, groups and jobs. */
export async function kill(shell: Shell, args: readonly string[]): Promise<number> {
  let signal: Signal = 'TERM';
  let at = 1;
  const first = args[1] ?? '';
  if (first === '-l') {
    await shell.self.print(`${Object.keys(SIGNALS).join('\n')}\n`);
    return 0;
  }
  if (first === '-s' || /^-[A-Za-z0-9]+$/.test(first)) {
    const name = first === '-s' ? (args[2] ?? '') : first.slice(1);
    at = first === '-s' ? 3 : 2;
    if (name === '0')
      return args.slice(at).every((pid) => shell.self.system.processes.some((process) => String(process.pid) === pid))
        ? 0
        : 1;
    const named = parseSignal(name);
    if (!named) {
      await shell.say(`kill: bad signal name '${name}'`);
      return 1;
    }
    signal = named;
  }
  if (args[at] === '--') at++;
  if (at >= args.length) {
    await shell.say('kill: you need to specify whom to kill');
    return 1;
  }
  let status = 0;
  for (const target of args.slice(at)) {
    const pid = target.startsWith('%') ? findJob(shell, target)?.process.pid : Number(target);
    const { system } = shell.self;
    const done =
      pid === undefined || Number.isNaN(pid)
        ? false
        : pid > 0
          ? system.kill(pid, signal)
          : system.killGroup(pid === 0 ? shell.self.group : -pid, signal);
    if (done) continue;
    await shell.say(
      `kill: can't kill pid ${target}: ${pid === undefined || Number.isNaN(pid) ? 'invalid number' : 'No such process'}`,
    );
    status = 1;
  }
  // A signal to the shell itself acts before its next command.
  if (shell.self.status) throw new ExitRequest(shell.self.status);
  return status;
}
