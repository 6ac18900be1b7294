import { sha256 } from '@noble/hashes/sha2.js';
import { md5 } from '@noble/hashes/legacy.js';
import { KERNEL_VERSION, MACHINE } from '../os/kernel.ts';
import { printfText, unescapeEcho } from '../shell/printf.ts';
import { TestError, testArguments } from '../shell/test-command.ts';
import { allOf, type Applet, usageError } from './applet.ts';
import { date } from './date.ts';
import { userName } from './users.ts';
import { killApplet, killByName, pgrep, pidof, ps } from './processes.ts';
import { env, nohup, timeout, xargs } from './runners.ts';

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
