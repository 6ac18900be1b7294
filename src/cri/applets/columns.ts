import { encodeUtf8 } from '#base/utf8.ts';
import { type Applet, attempt, chunksOf, linesOf, usageError } from './applet.ts';

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Sorts lines by text, numbers, sizes, or fields. */
export const sort: Applet = {
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

/** Drops or counts lines that repeat. */
export const uniq: Applet = {
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

/** Takes characters or fields out of lines. */
export const cut: Applet = {
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

/** Translates, deletes and squeezes characters. */
export const tr: Applet = {
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
