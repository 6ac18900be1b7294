import { decodeUtf8 } from '#base/utf8.ts';
import { ExecError } from '../os/container-system.ts';
import { parseSignal } from '../os/signals.ts';
import { allOf, type Applet, type Invocation, linesOf, usageError } from './applet.ts';

/** Runs a program with a changed environment, or prints it. */
export const env: Applet = {
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

/** Runs a program for so long at most. */
export const timeout: Applet = {
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

/** Runs a program that does not mind hangups. */
export const nohup: Applet = {
  name: 'nohup',
  usage: 'PROG ARGS',
  options: '+',
  async run(call) {
    call.self.onSignal('HUP', 'ignore');
    return runInstead(call, call.operands);
  },
};

/** Runs a program with the words of its input. */
export const xargs: Applet = {
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
