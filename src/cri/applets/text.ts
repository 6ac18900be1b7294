import { decodeBase64, encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { FileNode } from '../os/file-node.ts';
import type { OpenFile } from '../os/open-file.ts';
import { type Applet, allOf, attempt, chunksOf, type Invocation, linesOf, textOf, usageError } from './applet.ts';

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

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const sort: Applet = {
  name: 'sort',
  usage: '[-nrughf] [-k N] [-t CHAR] [-o FILE] [FILE]...',
  options: 'nrughfbdiMcszVk:t:o:S:T:',
  async run(call) {
    const lines: string[] = [];
    for await (const line of linesOf(call)) lines.push(line);
    const separator = call.value('t');
    const keys = call
      .values('k')
      .map((key) => /^(\d+)(?:\.\d+)?([a-zA-Z]*)(?:,(\d+)(?:\.\d+)?([a-zA-Z]*))?$/.exec(key));
    if (keys.some((key) => !key) || ['M', 'V', 'd', 'i'].some((letter) => call.has(letter))) {
      await call.fail('this kind of key is not emulated');
      return 2;
    }
    const fieldsOf = (line: string) =>
      separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator);
    const plain = (a: string, b: string, flags: string) => {
      const has = (letter: string) => flags.includes(letter) || (flags === '' && call.has(letter));
      if (has('n') || has('g')) return leadingNumber(a) - leadingNumber(b);
      if (has('h')) return humanNumber(a) - humanNumber(b);
      if (has('f')) return compare(a.toUpperCase(), b.toUpperCase());
      return has('b') ? compare(a.trimStart(), b.trimStart()) : compare(a, b);
    };
    const ordered = (a: string, b: string): number => {
      for (const key of keys) {
        const [, from, flags = '', to, moreFlags = ''] = key as RegExpExecArray;
        const part = (line: string) =>
          fieldsOf(line)
            .slice(Number(from) - 1, to === undefined ? undefined : Number(to))
            .join(separator ?? '');
        const all = flags + moreFlags;
        const order = plain(part(a), part(b), all.replace('r', ''));
        if (order !== 0) return all.includes('r') || call.has('r') ? -order : order;
      }
      const order = keys.length > 0 ? 0 : plain(a, b, '');
      if (order !== 0) return call.has('r') ? -order : order;
      return call.has('s') || call.has('u') ? 0 : call.has('r') ? -compare(a, b) : compare(a, b);
    };
    lines.sort(ordered);
    const kept = call.has('u')
      ? lines.filter((line, i) => i === 0 || ordered(lines[i - 1] as string, line) !== 0)
      : lines;
    const out = kept.map((line) => `${line}\n`).join('');
    const target = call.value('o');
    if (target === undefined) await call.self.print(out);
    else
      await attempt(call, `can't open '${target}'`, () =>
        call.self.system.files.writeFile(target, encodeUtf8(out), call.self.cwd, call.self.user),
      );
    return 0;
  },
};

function leadingNumber(text: string): number {
  return Number(/^\s*(-?\d*\.?\d*(?:[eE][-+]?\d+)?)/.exec(text)?.[1] || 0) || 0;
}

function humanNumber(text: string): number {
  const unit = /^\s*-?[\d.]+\s*([KMGTP])?/i.exec(text)?.[1]?.toUpperCase();
  return leadingNumber(text) * 1024 ** (unit ? 'KMGTP'.indexOf(unit) + 1 : 0);
}

const uniq: Applet = {
  name: 'uniq',
  usage: '[-cdui] [INPUT [OUTPUT]]',
  options: 'cduif:s:w:',
  async run(call) {
    let previous: string | undefined;
    let count = 0;
    const same = (a: string, b: string) => (call.has('i') ? a.toLowerCase() === b.toLowerCase() : a === b);
    const flush = async () => {
      if (previous === undefined || (call.has('d') && count < 2) || (call.has('u') && count > 1)) return;
      await call.self.print(`${call.has('c') ? `${String(count).padStart(7)} ` : ''}${previous}\n`);
    };
    for await (const line of linesOf(call, call.operands.slice(0, 1))) {
      if (previous !== undefined && same(line, previous)) count++;
      else {
        await flush();
        previous = line;
        count = 1;
      }
    }
    await flush();
    return 0;
  },
};

/** `1,3-5,7-` to a test for numbers from 1. */
function rangesOf(text: string): ((n: number) => boolean) | undefined {
  const ranges = text.split(',').map((range) => /^(\d*)(-?)(\d*)$/.exec(range));
  if (ranges.some((range) => !range || range[0] === '' || range[0] === '-')) return undefined;
  return (n) =>
    ranges.some((range) => {
      const [, from, dash, to] = range as RegExpExecArray;
      return dash === '' ? n === Number(from) : n >= Number(from || 1) && (to === '' || n <= Number(to));
    });
}

const cut: Applet = {
  name: 'cut',
  usage: '{-b|c LIST | -f LIST [-d SEP] [-s]} [FILE]...',
  options: 'b:c:f:d:sn',
  async run(call) {
    const list = call.value('f') ?? call.value('c') ?? call.value('b');
    if (list === undefined) return usageError(call, cut);
    const wanted = rangesOf(list);
    if (!wanted) {
      await call.fail(`invalid range '${list}'`);
      return 1;
    }
    const separator = call.value('d') ?? '\t';
    for await (const line of linesOf(call)) {
      if (!call.has('f'))
        await call.self.print(
          `${Array.from(line)
            .filter((_, i) => wanted(i + 1))
            .join('')}\n`,
        );
      else if (!line.includes(separator)) {
        if (!call.has('s')) await call.self.print(`${line}\n`);
      } else
        await call.self.print(
          `${line
            .split(separator)
            .filter((_, i) => wanted(i + 1))
            .join(separator)}\n`,
        );
    }
    return 0;
  },
};

const CLASSES: Readonly<Record<string, string>> = {
  digit: '0123456789',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  space: ' \t\n\v\f\r',
  blank: ' \t',
  punct: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
};

function characterSet(text: string): string[] {
  const expanded = text
    .replace(/\[:(\w+):\]/g, (whole, name: string) => {
      if (name === 'alpha') return `${CLASSES.upper}${CLASSES.lower}`;
      if (name === 'alnum') return `${CLASSES.digit}${CLASSES.upper}${CLASSES.lower}`;
      return CLASSES[name] ?? whole;
    })
    .replace(
      /\\([\\nrtabfv0])/g,
      (_, letter: string) =>
        ({ n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v', '0': '\0', '\\': '\\' })[letter] as string,
    );
  const out: string[] = [];
  const chars = Array.from(expanded);
  for (let i = 0; i < chars.length; i++) {
    const from = chars[i] as string;
    const to = chars[i + 2];
    if (chars[i + 1] === '-' && to !== undefined) {
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) out.push(String.fromCharCode(code));
      i += 2;
    } else out.push(from);
  }
  return out;
}

const tr: Applet = {
  name: 'tr',
  usage: '[-cds] STRING1 [STRING2]',
  options: '+cCds',
  async run(call) {
    const [first, second] = call.operands;
    if (first === undefined || (second === undefined && !call.has('d') && !call.has('s'))) return usageError(call, tr);
    const set = characterSet(first);
    const complement = call.has('c') || call.has('C');
    const members = new Set(set);
    const inSet = (char: string) => members.has(char) !== complement;
    const target = second === undefined ? undefined : characterSet(second);
    const squeezed = new Set(call.has('s') ? (target ?? set) : []);
    const map = new Map(set.map((char, i) => [char, target?.[Math.min(i, target.length - 1)] ?? char]));
    let last = '';
    for await (const chunk of chunksOf(call, [])) {
      let out = '';
      for (const char of String.fromCharCode(...chunk)) {
        let next = char;
        if (inSet(char)) {
          if (call.has('d')) continue;
          if (target) next = complement ? (target.at(-1) as string) : (map.get(char) ?? char);
        }
        if (next === last && (squeezed.has(next) || (call.has('s') && !target && inSet(next)))) continue;
        last = next;
        out += next;
      }
      await call.self.write(
        1,
        Uint8Array.from(out, (char) => char.charCodeAt(0)),
      );
    }
    return 0;
  },
};

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

const expr: Applet = {
  name: 'expr',
  usage: 'EXPRESSION',
  options: '+',
  async run(call) {
    const value = expression(call.operands);
    if (value === undefined) {
      await call.fail('syntax error', 2);
      return 2;
    }
    await call.self.print(`${value}\n`);
    return value === '' || value === '0' ? 1 : 0;
  },
};

function expression(words: readonly string[]): string | undefined {
  let at = 0;
  const levels: readonly (readonly string[])[] = [
    ['|'],
    ['&'],
    ['=', '==', '!=', '<', '<=', '>', '>='],
    ['+', '-'],
    ['*', '/', '%'],
    [':'],
  ];
  const number = (text: string) => (/^-?\d+$/.test(text) ? BigInt(text) : undefined);
  const apply = (operator: string, a: string, b: string): string | undefined => {
    const [x, y] = [number(a), number(b)];
    const truth = (condition: boolean) => (condition ? '1' : '0');
    const order = x !== undefined && y !== undefined ? (x < y ? -1 : x > y ? 1 : 0) : compare(a, b);
    switch (operator) {
      case '|':
        return a !== '' && a !== '0' ? a : b;
      case '&':
        return a !== '' && a !== '0' && b !== '' && b !== '0' ? a : '0';
      case '=':
      case '==':
        return truth(order === 0);
      case '!=':
        return truth(order !== 0);
      case '<':
        return truth(order < 0);
      case '<=':
        return truth(order <= 0);
      case '>':
        return truth(order > 0);
      case '>=':
        return truth(order >= 0);
      case ':': {
        const match = new RegExp(`^(?:${b.replace(/\\\(/g, '(').replace(/\\\)/g, ')')})`).exec(a);
        return b.includes('\\(') ? (match?.[1] ?? '') : String(match?.[0].length ?? 0);
      }
      default:
        if (x === undefined || y === undefined || ((operator === '/' || operator === '%') && y === 0n))
          return undefined;
        return String(
          operator === '+'
            ? x + y
            : operator === '-'
              ? x - y
              : operator === '*'
                ? x * y
                : operator === '/'
                  ? x / y
                  : x % y,
        );
    }
  };
  const level = (depth: number): string | undefined => {
    const operators = levels[depth];
    if (!operators) {
      const word = words[at++];
      if (word !== '(') return word;
      const inner = level(0);
      return words[at++] === ')' ? inner : undefined;
    }
    let left = level(depth + 1);
    while (left !== undefined && operators.includes(words[at] as string)) {
      const operator = words[at++] as string;
      const right = level(depth + 1);
      left = right === undefined ? undefined : apply(operator, left, right);
    }
    return left;
  };
  const value = level(0);
  return at === words.length ? value : undefined;
}

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
