import { parseSignal, type Signal, SIGNALS } from '../os/signals.ts';
import type { UnixProcess } from '../os/unix-process.ts';
import { type Applet, type Invocation } from './applet.ts';
import { userName } from './users.ts';

const commandOf = (process: UnixProcess) => process.args.join(' ');

/** Lists the container's processes. */
export const ps: Applet = {
  name: 'ps',
  usage: '[-o COL1,COL2=HEADER] [-T]',
  raw: true,
  async run(call) {
    const { processes, files } = call.self.system;
    const at = call.operands.indexOf('-o');
    const columns = at >= 0 ? (call.operands[at + 1] ?? '').split(',') : ['pid', 'user', 'time', 'args'];
    const now = call.self.process.clock.now();
    const known: Readonly<Record<string, readonly [string, number, (process: UnixProcess) => string]>> = {
      pid: ['PID  ', 5, (process) => String(process.pid).padStart(5)],
      ppid: ['PPID ', 5, (process) => String(process.parentPid).padStart(5)],
      pgid: ['PGID ', 5, (process) => String(process.group).padStart(5)],
      user: ['USER    ', 8, (process) => (userName(files, process.user.uid) ?? String(process.user.uid)).padEnd(8)],
      time: ['TIME ', 5, () => ' 0:00'],
      etime: ['ELAPSED', 7, (process) => minutes(now - process.startedAt).padStart(7)],
      comm: ['COMMAND', 16, (process) => (process.args[0] ?? '').split('/').at(-1) as string],
      args: ['COMMAND', 0, commandOf],
      stat: ['STAT', 4, () => 'S   '],
    };
    const unknown = columns.find((column) => !Object.hasOwn(known, column));
    if (unknown !== undefined) {
      await call.fail(`bad -o argument '${unknown}', supported arguments: ${Object.keys(known).join(',')}`);
      return 1;
    }
    const chosen = columns.map(
      (column) => known[column] as readonly [string, number, (process: UnixProcess) => string],
    );
    await call.self.print(
      `${chosen
        .map(([header, width]) => header.padEnd(width))
        .join(' ')
        .trimEnd()}\n`,
    );
    for (const process of processes)
      await call.self.print(
        `${chosen
          .map(([, width, value]) => value(process).padEnd(width))
          .join(' ')
          .trimEnd()}\n`,
      );
    return 0;
  },
};

function minutes(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Sends signals to processes by number. */
export const killApplet: Applet = {
  name: 'kill',
  usage: '[-l] [-SIG] PID...',
  raw: true,
  async run(call) {
    let signal: Signal = 'TERM';
    let pids = [...call.operands];
    if (pids[0] === '-l') {
      await call.self.print(`${Object.keys(SIGNALS).join('\n')}\n`);
      return 0;
    }
    const flag = /^-s?(\w+)?$/.exec(pids[0] ?? '');
    if (flag) {
      const name = flag[1] ?? pids[1] ?? '';
      const known = parseSignal(name);
      if (!known) {
        await call.fail(`bad signal name '${name}'`);
        return 1;
      }
      signal = known;
      pids = pids.slice(flag[1] === undefined ? 2 : 1);
    }
    for (const pid of pids) {
      if (!call.self.system.kill(Number(pid), signal)) await call.fail(`can't kill pid ${pid}: No such process`);
    }
    return 0;
  },
};

/** Finds processes by name. */
function named(call: Invocation, wanted: (process: UnixProcess) => boolean): UnixProcess[] {
  return call.self.system.processes.filter((process) => process !== call.self && wanted(process));
}

const baseName = (process: UnixProcess) => (process.args[0] ?? '').split('/').at(-1) as string;

/** Finds processes by their exact name. */
export const pidof: Applet = {
  name: 'pidof',
  usage: '[-s] [NAME]...',
  options: 's',
  async run(call) {
    const found = named(call, (process) => call.operands.includes(baseName(process)));
    if (found.length === 0) return 1;
    await call.self.print(`${found.map((process) => process.pid).join(' ')}\n`);
    return 0;
  },
};

/** Finds processes by a part of their name. */
export const pgrep: Applet = {
  name: 'pgrep',
  usage: '[-flx] PATTERN',
  options: 'flxa',
  async run(call) {
    const [pattern = ''] = call.operands;
    const found = named(call, (process) => (call.has('f') ? commandOf(process) : baseName(process)).includes(pattern));
    for (const process of found)
      await call.self.print(`${process.pid}${call.has('l') || call.has('a') ? ` ${commandOf(process)}` : ''}\n`);
    return found.length > 0 ? 0 : 1;
  },
};

/** Sends signals to processes by name. */
export function killByName(name: 'killall' | 'pkill'): Applet {
  return {
    name,
    usage: '[-SIGNAL] NAME...',
    raw: true,
    async run(call) {
      const flag = call.operands.find((word) => word.startsWith('-') && parseSignal(word.slice(1)));
      const signal = (flag && parseSignal(flag.slice(1))) || 'TERM';
      const whole = call.operands.includes('-f');
      const names = call.operands.filter((word) => !word.startsWith('-'));
      const found = named(call, (process) =>
        names.some((text) =>
          name === 'killall'
            ? baseName(process) === text
            : (whole ? commandOf(process) : baseName(process)).includes(text),
        ),
      );
      for (const process of found) call.self.system.kill(process.pid, signal);
      if (found.length === 0 && name === 'killall') await call.fail(`${names[0]}: no process killed`);
      return found.length > 0 ? 0 : 1;
    },
  };
}
