import { decodeUtf8 } from '#base/utf8.ts';
import { FileError } from '../os/file-error.ts';
import { type Applet, type Invocation, linesOf, usageError } from './applet.ts';
import { PosixRegexError, posixRegex } from './posix-regex.ts';

/** Searches lines for basic regular expressions. */
export const grep: Applet = {
  name: 'grep',
  usage: '[-HhnlLoqvsrRiwFEx] [-m N] [-A N] [-B N] [-C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]...',
  options: 'HhnlLoqvsrRiywFEGPxacm:A:B:C:e:f:z',
  long: {
    color: 'a',
    'ignore-case': 'i',
    'invert-match': 'v',
    count: 'c',
    'line-number': 'n',
    quiet: 'q',
    recursive: 'r',
    'only-matching': 'o',
    'extended-regexp': 'E',
    'fixed-strings': 'F',
    'line-buffered': 'a',
  },
  run: (call) => search(call, call.has('E') || call.has('P'), call.has('F')),
};

/** grep with extended regular expressions. */
export const egrep: Applet = { ...grep, name: 'egrep', run: (call) => search(call, true, false) };
/** grep for plain texts. */
export const fgrep: Applet = { ...grep, name: 'fgrep', run: (call) => search(call, false, true) };

async function search(call: Invocation, extended: boolean, fixed: boolean): Promise<number> {
  const { self } = call;
  const operands = [...call.operands];
  const patterns = [...call.values('e')];
  for (const path of call.values('f'))
    patterns.push(
      ...decodeUtf8(self.system.files.readFile(path, self.cwd, self.user))
        .replace(/\n$/, '')
        .split('\n'),
    );
  if (call.values('e').length === 0 && call.values('f').length === 0) {
    const pattern = operands.shift();
    if (pattern === undefined) return usageError(call, grep);
    patterns.push(...pattern.split('\n'));
  }
  const flags = call.has('i') || call.has('y') ? 'gi' : 'g';
  let expressions: RegExp[];
  try {
    expressions = patterns.map((pattern) => {
      const plain = fixed ? pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : posixRegex(pattern, extended).source;
      const body = pattern === '' ? '' : plain;
      return new RegExp(call.has('x') ? `^(?:${body})$` : call.has('w') ? `(?<!\\w)(?:${body})(?!\\w)` : body, flags);
    });
  } catch (error) {
    if (!(error instanceof PosixRegexError)) throw error;
    await call.fail(`bad regex '${patterns[0]}': ${error.message}`, 2);
    return 2;
  }
  const recursive = call.has('r') || call.has('R');
  const files = recursive
    ? (operands.length > 0 ? operands : ['.']).flatMap((path) => below(call, path))
    : operands.length > 0
      ? operands
      : ['-'];
  const named = call.has('H') || (!call.has('h') && (recursive || files.length > 1));
  const before = Number(call.value('B') ?? call.value('C') ?? 0);
  const after = Number(call.value('A') ?? call.value('C') ?? 0);
  const limit = Number(call.value('m') ?? Number.POSITIVE_INFINITY);
  let found = false;
  let failed = false;
  for (const path of files) {
    if (path !== '-') {
      try {
        const node = self.system.files.stat(path, self.cwd, self.user);
        if (node.type === 'directory') {
          if (!call.has('s')) await call.fail(`${path}: Is a directory`, 2);
          continue;
        }
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        if (!call.has('s')) await call.fail(`${path}: ${error.message}`, 2);
        failed = true;
        continue;
      }
    }
    const prefix = named ? (path === '-' ? '(standard input)' : path) : undefined;
    const label = (number: number, mark: string) =>
      `${prefix === undefined ? '' : `${prefix}${mark}`}${call.has('n') ? `${number}${mark}` : ''}`;
    let number = 0;
    let count = 0;
    let shownTo = 0;
    let trailing = 0;
    const kept: [number, string][] = [];
    for await (const line of linesOf(call, [path])) {
      number++;
      const matches = expressions.flatMap((expression) => [...line.matchAll(expression)]);
      if (matches.length > 0 === call.has('v')) {
        if (trailing > 0) {
          trailing--;
          shownTo = number;
          await self.print(`${label(number, '-')}${line}\n`);
        } else if (before > 0) {
          kept.push([number, line]);
          if (kept.length > before) kept.shift();
        }
        continue;
      }
      found = true;
      count++;
      if (call.has('q')) return 0;
      if (call.has('l') || call.has('L')) break;
      if (!call.has('c')) {
        const first = kept[0]?.[0] ?? number;
        if ((before > 0 || after > 0) && shownTo > 0 && first > shownTo + 1) await self.print('--\n');
        for (const [at, text] of kept.splice(0)) await self.print(`${label(at, '-')}${text}\n`);
        if (call.has('o')) {
          for (const match of matches) if (match[0] !== '') await self.print(`${label(number, ':')}${match[0]}\n`);
        } else await self.print(`${label(number, ':')}${line}\n`);
        shownTo = number;
        trailing = after;
      }
      if (count >= limit) break;
    }
    if (call.has('c')) await self.print(`${prefix === undefined ? '' : `${prefix}:`}${count}\n`);
    if ((call.has('l') && count > 0) || (call.has('L') && count === 0))
      await self.print(`${path === '-' ? '(standard input)' : path}\n`);
  }
  return failed ? 2 : found ? 0 : 1;
}

/** All files below a path. */
function below(call: Invocation, path: string): string[] {
  const { files } = call.self.system;
  try {
    if (files.stat(path, call.self.cwd, call.self.user).type !== 'directory') return [path];
    return files
      .list(path, call.self.cwd, call.self.user)
      .flatMap((name) => below(call, `${path.replace(/\/$/, '')}/${name}`));
  } catch {
    return [path];
  }
}
