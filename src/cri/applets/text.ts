import { decodeBase64, encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { FileNode } from '../os/file-node.ts';
import type { OpenFile } from '../os/open-file.ts';
import { type Applet, allOf, attempt, chunksOf, type Invocation, linesOf, textOf, usageError } from './applet.ts';
import { cut, sort, tr, uniq } from './columns.ts';
import { expr } from './expr.ts';

const cat: Applet = {
  name: 'cat',
  usage: '[-nbvteA] [FILE]...',
  options: 'nbvteAu',
  async run(call) {
    if (!call.has('n') && !call.has('b') && !call.has('e') && !call.has('A')) {
      for await (const chunk of chunksOf(call)) await call.self.write(1, chunk);
      return 0;
    }
    let number = 0;
    for await (const line of linesOf(call)) {
      const numbered = call.has('n') || (call.has('b') && line !== '');
      const end = call.has('e') || call.has('A') ? '$' : '';
      await call.self.print(`${numbered ? `${String(++number).padStart(6)}\t` : ''}${line}${end}\n`);
    }
    return 0;
  },
};

function countOption(call: Invocation, text: string | undefined): number | undefined {
  const old = call.operands[0] !== undefined && /^[-+]\d+$/.test(call.operands[0]) ? call.operands[0] : undefined;
  const match = /^([-+]?\d+)([kmb]?)$/i.exec(text ?? old ?? '');
  return match
    ? Number(match[1]) * ({ k: 1024, m: 1_048_576, b: 512, '': 1 }[(match[2] ?? '').toLowerCase()] ?? 1)
    : undefined;
}

const head: Applet = {
  name: 'head',
  usage: '[-n N | -c N] [-qv] [FILE]...',
  options: 'n:c:qv0123456789',
  async run(call) {
    const bytes = countOption(call, call.value('c'));
    const digits = '0123456789'
      .split('')
      .filter((digit) => call.has(digit))
      .join('');
    const lines = countOption(call, call.value('n') ?? (digits || '10')) ?? 10;
    const many = call.operands.length > 1;
    for (const [i, operand] of (call.operands.length > 0 ? call.operands : ['-']).entries()) {
      if ((many || call.has('v')) && !call.has('q'))
        await call.self.print(`${i > 0 ? '\n' : ''}==> ${operand === '-' ? 'standard input' : operand} <==\n`);
      if (bytes !== undefined) {
        let left = bytes;
        for await (const chunk of chunksOf(call, [operand])) {
          await call.self.write(1, chunk.subarray(0, left));
          left -= chunk.length;
          if (left <= 0) break;
        }
      } else if (lines < 0) {
        const all: string[] = [];
        for await (const line of linesOf(call, [operand])) all.push(line);
        for (const line of all.slice(0, lines)) await call.self.print(`${line}\n`);
      } else {
        let left = lines;
        if (left > 0) {
          for await (const line of linesOf(call, [operand])) {
            await call.self.print(`${line}\n`);
            if (--left === 0) break;
          }
        }
      }
    }
    return 0;
  },
};

const tail: Applet = {
  name: 'tail',
  usage: '[-fF] [-n [+]N | -c [+]N] [-q] [FILE]...',
  options: 'n:c:fFqs:v0123456789',
  async run(call) {
    const { self } = call;
    const byBytes = call.value('c');
    const digits = '0123456789'
      .split('')
      .filter((digit) => call.has(digit))
      .join('');
    const text = byBytes ?? call.value('n') ?? (digits || '10');
    const fromStart = text.startsWith('+');
    const count = Math.abs(Number(text));
    if (Number.isNaN(count)) {
      await call.fail(`invalid number '${text}'`);
      return 1;
    }
    const operands = call.operands.length > 0 ? call.operands : ['-'];
    for (const operand of operands) {
      if (operands.length > 1 && !call.has('q')) await self.print(`==> ${operand} <==\n`);
      const all = await allOf(call, [operand]);
      await self.write(
        1,
        byBytes !== undefined
          ? fromStart
            ? all.subarray(Math.max(0, count - 1))
            : all.subarray(Math.max(0, all.length - count))
          : lastLines(all, count, fromStart),
      );
    }
    if (!call.has('f') && !call.has('F')) return 0;
    const files = operands.filter((operand) => operand !== '-');
    if (files.length === 0) return 0;
    const nodes: { readonly node: FileNode; size: number }[] = [];
    for (const path of files) {
      const node = self.system.files.exists(path, self.cwd, self.user)
        ? self.system.files.openForWriting(path, self.cwd, self.user)
        : undefined;
      if (node?.type === 'file') nodes.push({ node, size: node.size });
    }
    if (nodes.length === 0) return 1;
    for (;;) {
      for (const followed of nodes) {
        const { node } = followed;
        if (node.size < followed.size) followed.size = 0;
        if (node.size > followed.size) await self.write(1, node.data.slice(followed.size, node.size));
        followed.size = node.size;
      }
      await self.process.park<void>((wake) => {
        const changed = () => wake();
        for (const { node } of nodes) (node.watchers ??= new Set()).add(changed);
        return () => {
          for (const { node } of nodes) node.watchers?.delete(changed);
        };
      });
    }
  },
};

function lastLines(bytes: Uint8Array, count: number, fromStart: boolean): Uint8Array {
  if (fromStart) {
    let at = 0;
    for (let line = 1; line < count && at < bytes.length; line++) {
      const end = bytes.indexOf(10, at);
      at = end < 0 ? bytes.length : end + 1;
    }
    return bytes.subarray(at);
  }
  let at = bytes.length;
  if (bytes[at - 1] === 10) at--;
  for (let line = 0; line < count; line++) {
    const previous = at > 0 ? bytes.lastIndexOf(10, at - 1) : -1;
    if (previous < 0) return count === 0 ? new Uint8Array(0) : bytes;
    at = previous;
  }
  return bytes.subarray(at + 1);
}

const wc: Applet = {
  name: 'wc',
  usage: '[-cmlwL] [FILE]...',
  options: 'cmlwL',
  async run(call) {
    const wanted = ['l', 'w', 'm', 'c', 'L'].filter((letter) => call.has(letter));
    const columns = wanted.length > 0 ? wanted : ['l', 'w', 'c'];
    const total = new Map<string, number>();
    const show = async (counts: ReadonlyMap<string, number>, name: string) => {
      const numbers = columns.map((column) => String(counts.get(column) ?? 0));
      const shown =
        columns.length === 1
          ? (numbers[0] as string)
          : numbers
              .map((number) => number.padStart(9))
              .join('')
              .replace(/^ /, '');
      await call.self.print(`${shown}${name === '-' ? '' : ` ${name}`}\n`);
    };
    for (const operand of call.operands.length > 0 ? call.operands : ['-']) {
      const bytes = await allOf(call, [operand]);
      const text = new TextOf(bytes);
      const counts = new Map([
        ['l', text.lines],
        ['w', text.words],
        ['m', text.characters],
        ['c', bytes.length],
        ['L', text.longest],
      ]);
      for (const [key, count] of counts)
        total.set(key, key === 'L' ? Math.max(total.get(key) ?? 0, count) : (total.get(key) ?? 0) + count);
      await show(counts, operand);
    }
    if (call.operands.length > 1) await show(total, 'total');
    return 0;
  },
};

class TextOf {
  readonly lines: number;
  readonly words: number;
  readonly characters: number;
  readonly longest: number;
  constructor(bytes: Uint8Array) {
    let lines = 0;
    let words = 0;
    let characters = 0;
    let longest = 0;
    let line = 0;
    let inWord = false;
    for (const byte of bytes) {
      if ((byte & 0xc0) !== 0x80) characters++;
      const space = byte === 32 || (byte >= 9 && byte <= 13);
      if (!space && !inWord) words++;
      inWord = !space;
      if (byte === 10) {
        lines++;
        longest = Math.max(longest, line);
        line = 0;
      } else line++;
    }
    this.lines = lines;
    this.words = words;
    this.characters = characters;
    this.longest = Math.max(longest, line);
  }
}

const tee: Applet = {
  name: 'tee',
  usage: '[-ai] [FILE]...',
  options: 'ai',
  async run(call) {
    const { self } = call;
    const files: OpenFile[] = [];
    for (const path of call.operands) {
      await attempt(call, `can't open '${path}'`, () =>
        files.push(self.open(path, call.has('a') ? 'append' : 'write').retain()),
      );
    }
    for (let bytes = await self.read(0); bytes; bytes = await self.read(0)) {
      await self.write(1, bytes);
      for (const file of files) await file.write(self.process, bytes);
    }
    return 0;
  },
};

const seq: Applet = {
  name: 'seq',
  usage: '[-w] [-s SEP] [FIRST [INC]] LAST',
  options: '+ws:',
  async run(call) {
    const numbers = call.operands.map(Number);
    if (numbers.length < 1 || numbers.length > 3) return usageError(call, seq);
    if (numbers.some(Number.isNaN)) {
      await call.fail(`invalid number '${call.operands[numbers.findIndex(Number.isNaN)]}'`);
      return 1;
    }
    const [first, step, last] =
      numbers.length === 1
        ? [1, 1, numbers[0] as number]
        : numbers.length === 2
          ? [numbers[0] as number, 1, numbers[1] as number]
          : (numbers as [number, number, number]);
    const decimals = Math.max(...call.operands.map((text) => (text.split('.')[1] ?? '').length));
    const width = call.has('w') ? Math.max(first.toFixed(decimals).length, last.toFixed(decimals).length) : 0;
    if (step === 0) return 0;
    for (let i = 0; ; i++) {
      const value = first + i * step;
      if (step > 0 ? value > last + 1e-9 : value < last - 1e-9) break;
      const separator = i === 0 ? '' : (call.value('s') ?? '\n');
      await call.self.print(`${separator}${value.toFixed(decimals).padStart(width, '0')}`);
    }
    await call.self.print('\n');
    return 0;
  },
};

const yes: Applet = {
  name: 'yes',
  usage: '[STRING]',
  options: '+',
  async run(call) {
    const line = `${call.operands.join(' ') || 'y'}\n`;
    const lines = encodeUtf8(line.repeat(Math.ceil(8192 / line.length)));
    for (;;) await call.self.write(1, lines);
  },
};

const rev: Applet = {
  name: 'rev',
  usage: '[FILE]...',
  async run(call) {
    for await (const line of linesOf(call)) await call.self.print(`${Array.from(line).reverse().join('')}\n`);
    return 0;
  },
};

const tac: Applet = {
  name: 'tac',
  usage: '[FILE]...',
  async run(call) {
    const lines: string[] = [];
    for await (const line of linesOf(call)) lines.push(line);
    await call.self.print(
      lines
        .reverse()
        .map((line) => `${line}\n`)
        .join(''),
    );
    return 0;
  },
};

const nl: Applet = {
  name: 'nl',
  usage: '[FILE]...',
  options: 'b:',
  async run(call) {
    let number = 0;
    for await (const line of linesOf(call))
      await call.self.print(
        line === '' && call.value('b') !== 'a' ? '       \n' : `${String(++number).padStart(6)}\t${line}\n`,
      );
    return 0;
  },
};

const base64: Applet = {
  name: 'base64',
  usage: '[-d] [-w COL] [FILE]',
  options: 'dw:',
  async run(call) {
    if (call.has('d')) {
      const bytes = decodeBase64((await textOf(call)).replace(/\s/g, ''));
      if (typeof bytes === 'number') {
        await call.fail('truncated input');
        return 1;
      }
      await call.self.write(1, bytes);
      return 0;
    }
    const width = Number(call.value('w') ?? 76);
    const text = encodeBase64(await allOf(call));
    await call.self.print(width > 0 ? text.replace(new RegExp(`.{1,${width}}`, 'g'), '$&\n') : text);
    return 0;
  },
};

/** Applets that read and write text. */
export const textApplets: readonly Applet[] = [
  base64,
  cat,
  cut,
  expr,
  head,
  nl,
  rev,
  seq,
  sort,
  tac,
  tail,
  tee,
  tr,
  uniq,
  wc,
  yes,
];
