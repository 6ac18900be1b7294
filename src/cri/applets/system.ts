import { sha256 } from '@noble/hashes/sha2.js';
import { md5 } from '@noble/hashes/legacy.js';
import { decodeUtf8 } from '#base/utf8.ts';
import { ExecError } from '../os/container-system.ts';
import { KERNEL_VERSION, MACHINE } from '../os/kernel.ts';
import { parseSignal, type Signal, SIGNALS } from '../os/signals.ts';
import type { UnixProcess } from '../os/unix-process.ts';
import { printfText, unescapeEcho } from '../shell/printf.ts';
import { TestError, testArguments } from '../shell/test-command.ts';
import { allOf, type Applet, type Invocation, linesOf, usageError } from './applet.ts';
import { date } from './date.ts';
import { userName } from './users.ts';

const sleep: Applet = {
  name: 'sleep',
  usage: '[N]...',
  options: '+',
  async run(call) {
    if (call.operands.length === 0) return usageError(call, sleep);
    let ms = 0;
    for (const text of call.operands) {
      const match = /^(\d*\.?\d+|inf(?:inity)?)([smhd]?)$/.exec(text);
      if (!match) {
        await call.fail(`invalid number '${text}'`);
        return 1;
      }
      const seconds = (match[1] as string).startsWith('inf') ? Number.POSITIVE_INFINITY : Number(match[1]);
      ms += seconds * 1000 * { s: 1, m: 60, h: 3600, d: 86_400, '': 1 }[match[2] as 's' | 'm' | 'h' | 'd' | ''];
    }
    await (Number.isFinite(ms) ? call.self.sleep(ms) : call.self.process.park<void>(() => {}));
    return 0;
  },
};

const trueApplet: Applet = { name: 'true', usage: '', raw: true, run: async () => 0 };
const falseApplet: Applet = { name: 'false', usage: '', raw: true, run: async () => 1 };

const echo: Applet = {
  name: 'echo',
  usage: '[-neE] [ARG]...',
  raw: true,
  async run(call) {
    let newline = true;
    let escapes = false;
    let at = 0;
    for (; /^-[neE]+$/.test(call.operands[at] ?? ''); at++) {
      if (call.operands[at]?.includes('n')) newline = false;
      if (call.operands[at]?.includes('e')) escapes = true;
    }
    const text = call.operands.slice(at).join(' ');
    const shown = escapes ? unescapeEcho(text) : { text, stop: false };
    await call.self.print(newline && !shown.stop ? `${shown.text}\n` : shown.text);
    return 0;
  },
};

const printf: Applet = {
  name: 'printf',
  usage: 'FORMAT [ARG]...',
  raw: true,
  async run(call) {
    const [format, ...args] = call.operands;
    if (format === undefined) return usageError(call, printf);
    const { text, errors } = printfText(format, args);
    await call.self.print(text);
    for (const error of errors) await call.fail(error);
    return 0;
  },
};

function testApplet(name: 'test' | '['): Applet {
  return {
    name,
    usage: name === '[' ? 'EXPRESSION ]' : 'EXPRESSION',
    raw: true,
    async run(call) {
      if (name === '[' && call.operands.at(-1) !== ']') {
        await call.fail('missing ]', 2);
        return 2;
      }
      try {
        return testArguments(name === '[' ? call.operands.slice(0, -1) : call.operands, call.self) ? 0 : 1;
      } catch (error) {
        if (!(error instanceof TestError)) throw error;
        await call.fail(error.message, 2);
        return 2;
      }
    },
  };
}

const env: Applet = {
  name: 'env',
  usage: '[-iu] [-] [NAME=VALUE]... [PROG ARGS]',
  options: '+iu:0',
  long: { 'ignore-environment': 'i', unset: 'u' },
  async run(call) {
    const { self } = call;
    if (call.has('i')) self.env.clear();
    for (const name of call.values('u')) self.env.delete(name);
    const words = call.operands.filter((word, i) => !(i === 0 && word === '-'));
    let at = 0;
    for (; words[at]?.includes('='); at++) {
      const word = words[at] as string;
      self.env.set(word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1));
    }
    if (at < words.length) return runInstead(call, words.slice(at));
    for (const [name, value] of self.env) await self.print(`${name}=${value}\n`);
    return 0;
  },
};

const printenv: Applet = {
  name: 'printenv',
  usage: '[VARIABLE]...',
  async run(call) {
    if (call.operands.length === 0)
      for (const [name, value] of call.self.env) await call.self.print(`${name}=${value}\n`);
    let status = 0;
    for (const name of call.operands) {
      const value = call.self.env.get(name);
      if (value === undefined) status = 1;
      else await call.self.print(`${value}\n`);
    }
    return status;
  },
};

/** Runs a program in place of this one; 126 or 127 after a complaint. */
async function runInstead(call: Invocation, args: readonly string[]): Promise<number> {
  const found = await lookUp(call, args);
  if (!found) return 127;
  call.self.args = found.args;
  return found.program(call.self);
}

async function lookUp(call: Invocation, args: readonly string[]) {
  try {
    return call.self.executable(args);
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    await call.fail(
      `can't execute '${args[0]}': ${error.code === 'permission' ? 'Permission denied' : 'No such file or directory'}`,
      127,
    );
    return undefined;
  }
}

const hostname: Applet = {
  name: 'hostname',
  usage: '[-sidf] [HOSTNAME | -F FILE]',
  options: 'sidfIF:',
  async run(call) {
    if (call.operands.length > 0 || call.has('F')) {
      await call.fail('sethostname: Operation not permitted');
      return 1;
    }
    const { hostname: name, network } = call.self.system;
    await call.self.print(`${call.has('i') || call.has('I') ? network.address : name}\n`);
    return 0;
  },
};

const id: Applet = {
  name: 'id',
  usage: '[-ugGnr] [USER]',
  options: 'ugGnr',
  async run(call) {
    const { user, system } = call.self;
    const named = (number: number, table: string) => {
      const name = userName(system.files, number, table);
      return name === undefined ? String(number) : `${number}(${name})`;
    };
    const plain = (number: number, table: string) =>
      call.has('n') ? (userName(system.files, number, table) ?? String(number)) : String(number);
    if (call.has('u')) await call.self.print(`${plain(user.uid, '/etc/passwd')}\n`);
    else if (call.has('g')) await call.self.print(`${plain(user.gid, '/etc/group')}\n`);
    else if (call.has('G'))
      await call.self.print(`${user.groups.map((group) => plain(group, '/etc/group')).join(' ')}\n`);
    else {
      const groups = user.groups.map((group) => named(group, '/etc/group')).join(',');
      await call.self.print(
        `uid=${named(user.uid, '/etc/passwd')} gid=${named(user.gid, '/etc/group')}${groups === '' ? '' : ` groups=${groups}`}\n`,
      );
    }
    return 0;
  },
};

const whoami: Applet = {
  name: 'whoami',
  usage: '',
  async run(call) {
    const name = userName(call.self.system.files, call.self.user.uid);
    if (name === undefined) {
      await call.fail(`unknown uid ${call.self.user.uid}`);
      return 1;
    }
    await call.self.print(`${name}\n`);
    return 0;
  },
};

const commandOf = (process: UnixProcess) => process.args.join(' ');

const ps: Applet = {
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

const uname: Applet = {
  name: 'uname',
  usage: '[-amnrspvio]',
  options: 'amnrspvio',
  async run(call) {
    const parts: readonly (readonly [string, string])[] = [
      ['s', 'Linux'],
      ['n', call.self.system.hostname],
      ['r', KERNEL_VERSION],
      ['v', '#1 SMP'],
      ['m', MACHINE],
      ['o', 'GNU/Linux'],
    ];
    const asked = parts.filter(([letter]) => call.has('a') || call.has(letter));
    await call.self.print(`${(asked.length > 0 ? asked : parts.slice(0, 1)).map(([, value]) => value).join(' ')}\n`);
    return 0;
  },
};

const which: Applet = {
  name: 'which',
  usage: '[-a] COMMAND...',
  options: 'a',
  async run(call) {
    const { self } = call;
    let status = 0;
    for (const name of call.operands) {
      const paths = name.includes('/')
        ? [name]
        : (self.env.get('PATH') ?? '').split(':').map((directory) => `${directory || '.'}/${name}`);
      const found = paths.filter((path) => {
        try {
          const node = self.system.files.stat(path, self.cwd, self.user);
          return node.type === 'file' && (node.mode & 0o111) !== 0;
        } catch {
          return false;
        }
      });
      if (found.length === 0) status = 1;
      for (const path of call.has('a') ? found : found.slice(0, 1)) await self.print(`${path}\n`);
    }
    return status;
  },
};

const pwd: Applet = {
  name: 'pwd',
  usage: '',
  options: 'LP',
  async run(call) {
    await call.self.print(`${call.self.cwd}\n`);
    return 0;
  },
};

const uptime: Applet = {
  name: 'uptime',
  usage: '',
  async run(call) {
    const { self } = call;
    const now = self.process.clock.now();
    const first = self.system.processes[0]?.startedAt ?? now;
    const up = Math.floor((now - first) / 60_000);
    const text = up < 60 ? `${up} min` : `${Math.floor(up / 60)}:${String(up % 60).padStart(2, '0')}`;
    await self.print(` ${new Date(now).toISOString().slice(11, 19)} up ${text},  load average: 0.00, 0.00, 0.00\n`);
    return 0;
  },
};

const killApplet: Applet = {
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

const pidof: Applet = {
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

const pgrep: Applet = {
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

function killByName(name: 'killall' | 'pkill'): Applet {
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

const timeout: Applet = {
  name: 'timeout',
  usage: '[-s SIG] [-k KILL_SECS] SECS PROG ARGS',
  options: '+s:k:',
  async run(call) {
    const [duration, ...args] = call.operands;
    const match = /^(\d*\.?\d+)([smhd]?)$/.exec(duration ?? '');
    if (!match || args.length === 0) return usageError(call, timeout);
    const found = await lookUp(call, args);
    if (!found) return 127;
    const child = call.self.spawn(found.program, { args: found.args });
    let late = false;
    const ms = Number(match[1]) * 1000 * { s: 1, m: 60, h: 3600, d: 86_400, '': 1 }[match[2] as ''];
    const { clock } = call.self.process;
    const timer = clock.afterFunc(ms, 'timeout', () => {
      late = true;
      child.signal(parseSignal(call.value('s') ?? 'TERM') ?? 'TERM');
      if (call.has('k')) clock.afterFunc(Number(call.value('k')) * 1000, 'timeout -k', () => child.signal('KILL'));
    });
    const status = await child.wait(call.self.process);
    timer.stop();
    return late && status.signal ? 143 : status.code;
  },
};

const nohup: Applet = {
  name: 'nohup',
  usage: 'PROG ARGS',
  options: '+',
  async run(call) {
    call.self.onSignal('HUP', 'ignore');
    return runInstead(call, call.operands);
  },
};

const xargs: Applet = {
  name: 'xargs',
  usage: '[OPTIONS] [PROG ARGS]',
  options: '+0rn:I:tL:P:',
  async run(call) {
    const { self } = call;
    const base = call.operands.length > 0 ? call.operands : ['echo'];
    const replace = call.value('I');
    let words: string[] = [];
    if (call.has('0'))
      words = decodeUtf8(await allOf(call, []))
        .split('\0')
        .filter((word) => word !== '');
    else if (replace !== undefined || call.has('L')) {
      for await (const line of linesOf(call, [])) if (line.trim() !== '') words.push(line.trim());
    } else {
      for await (const line of linesOf(call, []))
        words.push(
          ...(line.match(/"[^"]*"|'[^']*'|(?:\\.|[^\s"'\\])+/g) ?? []).map((word) =>
            word.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(.)/g, '$1'),
          ),
        );
    }
    const size = replace !== undefined ? 1 : Number(call.value('n') ?? call.value('L') ?? Math.max(1, words.length));
    if (words.length === 0 && (call.has('r') || replace !== undefined)) return 0;
    let status = 0;
    for (let at = 0; at === 0 || at < words.length; at += size) {
      const some = words.slice(at, at + size);
      const args =
        replace === undefined ? [...base, ...some] : base.map((word) => word.replaceAll(replace, some[0] as string));
      if (call.has('t')) await self.complain(`${args.join(' ')}\n`);
      const found = await lookUp(call, args);
      if (!found) return 127;
      const child = self.spawn(found.program, {
        args: found.args,
        files: new Map(self.files).set(0, self.open('/dev/null', 'read')),
      });
      if ((await child.wait(self.process)).code !== 0) status = 123;
    }
    return status;
  },
};

function digest(name: string, hash: (bytes: Uint8Array) => Uint8Array): Applet {
  return {
    name,
    usage: '[FILE]...',
    options: 'csw',
    async run(call) {
      for (const path of call.operands.length > 0 ? call.operands : ['-']) {
        const bytes = await allOf(call, [path]);
        const hex = [...hash(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        await call.self.print(`${hex}  ${path}\n`);
      }
      return 0;
    },
  };
}

const tty: Applet = {
  name: 'tty',
  usage: '[-s]',
  options: 's',
  async run(call) {
    const is = call.self.file(0)?.tty !== undefined;
    if (!call.has('s')) await call.self.print(is ? '/dev/pts/0\n' : 'not a tty\n');
    return is ? 0 : 1;
  },
};

const clear: Applet = {
  name: 'clear',
  usage: '',
  async run(call) {
    await call.self.print('\x1b[H\x1b[J');
    return 0;
  },
};

/** Applets that deal with processes, users and the machine. */
export const systemApplets: readonly Applet[] = [
  clear,
  date,
  echo,
  env,
  falseApplet,
  hostname,
  id,
  killApplet,
  killByName('killall'),
  digest('md5sum', md5),
  nohup,
  pgrep,
  pidof,
  killByName('pkill'),
  printenv,
  printf,
  ps,
  pwd,
  digest('sha256sum', sha256),
  sleep,
  testApplet('['),
  testApplet('test'),
  timeout,
  trueApplet,
  tty,
  uname,
  uptime,
  which,
  whoami,
  xargs,
];
