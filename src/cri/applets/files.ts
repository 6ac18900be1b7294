import { formatTime } from '#base/clock.ts';
import { FileError } from '../os/file-error.ts';
import type { Node } from '../os/file-node.ts';
import { patternRegExp } from '../shell/pattern.ts';
import { type Applet, attempt, type Invocation, usageError } from './applet.ts';
import { userName } from './users.ts';

const lastName = (path: string) => path.replace(/\/+$/, '').split('/').at(-1) || '/';
const join = (directory: string, name: string) => `${directory.replace(/\/+$/, '')}/${name}`;

function stat(call: Invocation, path: string, follow = true): Node | undefined {
  try {
    return call.self.system.files.stat(path, call.self.cwd, call.self.user, follow);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return undefined;
  }
}

function modeText(node: Node): string {
  const kind = { file: '-', directory: 'd', symlink: 'l', device: 'c' }[node.type];
  return (
    kind +
    [6, 3, 0]
      .map((shift) => ['r', 'w', 'x'].map((letter, i) => ((node.mode >> shift) & (4 >> i) ? letter : '-')).join(''))
      .join('')
  );
}

function sizeOf(node: Node): number {
  if (node.type === 'file') return node.size;
  return node.type === 'directory' ? 4096 : node.type === 'symlink' ? node.target.length : 0;
}

function humanSize(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  let value = bytes;
  let unit = -1;
  for (; value >= 1024 && unit < 4; unit++) value /= 1024;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}${'KMGTP'[unit]}`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function listTime(ms: number, now: number): string {
  const iso = formatTime(ms);
  const month = MONTHS[Number(iso.slice(5, 7)) - 1];
  const day = String(Number(iso.slice(8, 10))).padStart(2);
  const recent = Math.abs(now - ms) < 15_811_200_000;
  return `${month} ${day} ${recent ? iso.slice(11, 16) : iso.slice(0, 4).padStart(5)}`;
}

const ls: Applet = {
  name: 'ls',
  usage: '[-1AaCxdLHRFplinshrSXvctuk] [FILE]...',
  options: '1AaCxdLHRFplinshrSXvctukg',
  long: { color: 'k', all: 'a' },
  async run(call) {
    const { self } = call;
    const now = self.process.clock.now();
    const tty = self.file(1)?.tty;
    const long = call.has('l') || call.has('n') || call.has('g');
    const show = async (entries: readonly (readonly [string, Node, string])[]) => {
      const sorted = [...entries];
      if (call.has('S')) sorted.sort((a, b) => sizeOf(b[1]) - sizeOf(a[1]));
      else if (call.has('t')) sorted.sort((a, b) => b[1].mtime - a[1].mtime);
      if (call.has('r')) sorted.reverse();
      const mark = (name: string, node: Node) =>
        name +
        (node.type === 'directory' && (call.has('F') || call.has('p'))
          ? '/'
          : call.has('F') && node.type === 'symlink'
            ? '@'
            : call.has('F') && node.type === 'file' && node.mode & 0o111
              ? '*'
              : '');
      if (!long) {
        const names = sorted.map(([name, node]) => mark(name, node));
        if (names.length === 0) return;
        if (!tty || call.has('1')) await self.print(names.map((name) => `${name}\n`).join(''));
        else await self.print(inColumns(names, tty.columns));
        return;
      }
      const name = (id: number) => (call.has('n') ? String(id) : (userName(self.system.files, id) ?? String(id)));
      for (const [label, node] of sorted) {
        const links = node.type === 'directory' ? 2 : 1;
        const size = call.has('h') ? humanSize(sizeOf(node)) : String(sizeOf(node));
        const target = node.type === 'symlink' ? ` -> ${node.target}` : '';
        await self.print(
          `${modeText(node)} ${String(links).padStart(4)} ${name(node.uid).padEnd(8)} ${name(node.gid).padEnd(8)} ${size.padStart(9)} ${listTime(node.mtime, now)} ${mark(label, node)}${target}\n`,
        );
      }
    };
    const files: (readonly [string, Node, string])[] = [];
    const directories: string[] = [];
    for (const path of call.operands.length > 0 ? call.operands : ['.']) {
      const node = stat(call, path, !long || path.endsWith('/')) ?? stat(call, path, false);
      if (!node) await call.fail(`${path}: No such file or directory`);
      else if (node.type === 'directory' && !call.has('d')) directories.push(path);
      else files.push([path, node, path]);
    }
    await show(files);
    let first = files.length === 0;
    const many = files.length + directories.length > 1 || call.has('R');
    for (const path of directories) {
      if (!first) await self.print('\n');
      first = false;
      if (many) await self.print(`${path}:\n`);
      let names: readonly string[] = [];
      if (
        !(await attempt(
          call,
          `can't open '${path}'`,
          () => (names = self.system.files.list(path, self.cwd, self.user)),
        ))
      )
        continue;
      if (call.has('a')) names = ['.', '..', ...names];
      else if (!call.has('A')) names = names.filter((name) => !name.startsWith('.'));
      const entries = names.flatMap((name) => {
        const node = stat(call, join(path, name), false);
        return node ? [[name, node, join(path, name)] as const] : [];
      });
      if (long)
        await self.print(
          `total ${entries.reduce((sum, [, node]) => sum + (node.type === 'directory' ? 4 : Math.ceil(sizeOf(node) / 4096) * 4), 0)}\n`,
        );
      await show(entries);
      if (call.has('R'))
        directories.push(
          ...entries
            .filter(([name, node]) => node.type === 'directory' && name !== '.' && name !== '..')
            .map(([, , below]) => below),
        );
    }
    return 0;
  },
};

function inColumns(names: readonly string[], width: number): string {
  const column = Math.max(...names.map((name) => name.length)) + 2;
  const columns = Math.max(1, Math.floor(width / column));
  const rows = Math.ceil(names.length / columns);
  let out = '';
  for (let row = 0; row < rows; row++) {
    const cells = [];
    for (let at = row; at < names.length; at += rows) cells.push(names[at] as string);
    out += `${cells.map((cell, i) => (i < cells.length - 1 ? cell.padEnd(column) : cell)).join('')}\n`;
  }
  return out;
}

const mkdir: Applet = {
  name: 'mkdir',
  usage: '[-m MODE] [-p] DIRECTORY...',
  options: 'm:pv',
  async run(call) {
    const { files } = call.self.system;
    const { cwd, user } = call.self;
    const mode =
      call.value('m') === undefined ? 0o777 & ~call.self.umask : Number.parseInt(call.value('m') as string, 8);
    if (call.operands.length === 0) return usageError(call, mkdir);
    for (const path of call.operands) {
      const make = (one: string) =>
        attempt(call, `can't create directory '${one}'`, () => files.mkdir(one, cwd, user, mode));
      if (!call.has('p')) {
        await make(path);
        continue;
      }
      const parts = path.split('/');
      for (let i = 1; i <= parts.length; i++) {
        const prefix = parts.slice(0, i).join('/');
        if (prefix === '' || stat(call, prefix)?.type === 'directory') continue;
        if (!(await make(prefix))) break;
      }
    }
    return 0;
  },
};

const rmdir: Applet = {
  name: 'rmdir',
  usage: '[-p] DIRECTORY...',
  options: 'p',
  async run(call) {
    for (const path of call.operands)
      await attempt(call, `'${path}'`, () => call.self.system.files.rmdir(path, call.self.cwd, call.self.user));
    return 0;
  },
};

const rm: Applet = {
  name: 'rm',
  usage: '[-irf] FILE...',
  options: 'irRfv',
  async run(call) {
    const { files } = call.self.system;
    const { cwd, user } = call.self;
    if (call.operands.length === 0 && !call.has('f')) return usageError(call, rm);
    const remove = async (path: string): Promise<void> => {
      const node = stat(call, path, false);
      if (!node) {
        if (!call.has('f')) await call.fail(`can't remove '${path}': No such file or directory`);
        return;
      }
      if (node.type !== 'directory') {
        await attempt(call, `can't remove '${path}'`, () => files.unlink(path, cwd, user));
        return;
      }
      if (!call.has('r') && !call.has('R')) {
        await call.fail(`'${path}' is a directory`);
        return;
      }
      for (const name of files.list(path, cwd, user)) await remove(join(path, name));
      await attempt(call, `can't remove '${path}'`, () => files.rmdir(path, cwd, user));
    };
    for (const path of call.operands) {
      if (['.', '..'].includes(lastName(path))) await call.fail(`can't remove '.' or '..'`);
      else await remove(path);
    }
    return 0;
  },
};

const touch: Applet = {
  name: 'touch',
  usage: '[-c] FILE...',
  options: 'cmah',
  async run(call) {
    const { files } = call.self.system;
    const { cwd, user } = call.self;
    for (const path of call.operands) {
      if (stat(call, path))
        await attempt(call, path, () => files.touch(path, call.self.process.clock.now(), cwd, user));
      else if (!call.has('c'))
        await attempt(call, path, () => files.writeFile(path, new Uint8Array(0), cwd, user, 0o666 & ~call.self.umask));
    }
    return 0;
  },
};

/** Where each source goes: into a directory under its own name, or to a name. */
async function targets(call: Invocation): Promise<readonly (readonly [string, string])[] | undefined> {
  const operands = [...call.operands];
  const into = call.value('t') ?? operands.pop();
  if (into === undefined || operands.length === 0) return undefined;
  const directory = stat(call, into)?.type === 'directory' && !call.has('T');
  if (operands.length > 1 && !directory) {
    await call.fail(`target '${into}' is not a directory`);
    return [];
  }
  return operands.map((source) => [source, directory ? join(into, lastName(source)) : into] as const);
}

const cp: Applet = {
  name: 'cp',
  usage: '[-arPLHpfilsTu] SOURCE... DEST',
  options: 'aRrdPLHpfilsTut:v',
  async run(call) {
    const { files } = call.self.system;
    const { cwd, user } = call.self;
    const recursive = call.has('r') || call.has('R') || call.has('a');
    const copy = async (from: string, to: string): Promise<void> => {
      const node = stat(call, from, !(call.has('a') || call.has('d') || call.has('P')));
      if (!node) await call.fail(`can't stat '${from}': No such file or directory`);
      else if (node.type === 'symlink')
        await attempt(call, `can't create symlink '${to}'`, () => files.symlink(node.target, to, cwd, user));
      else if (node.type === 'directory') {
        if (!recursive) {
          await call.fail(`omitting directory '${from}'`);
          return;
        }
        if (
          stat(call, to)?.type !== 'directory' &&
          !(await attempt(call, `can't create directory '${to}'`, () => files.mkdir(to, cwd, user, node.mode)))
        )
          return;
        for (const name of files.list(from, cwd, user)) await copy(join(from, name), join(to, name));
      } else {
        await attempt(call, `can't create '${to}'`, () => {
          const content = node.type === 'file' ? files.readFile(from, cwd, user) : new Uint8Array(0);
          files.writeFile(to, content, cwd, user, node.mode & ~call.self.umask);
          if (call.has('p') || call.has('a')) files.touch(to, node.mtime, cwd, user);
        });
      }
    };
    const pairs = await targets(call);
    if (!pairs) return usageError(call, cp);
    for (const [from, to] of pairs) await copy(from, to);
    return 0;
  },
};

const mv: Applet = {
  name: 'mv',
  usage: '[-finT] SOURCE... DEST',
  options: 'finTt:v',
  async run(call) {
    const pairs = await targets(call);
    if (!pairs) return usageError(call, mv);
    for (const [from, to] of pairs)
      await attempt(call, `can't rename '${from}'`, () =>
        call.self.system.files.rename(from, to, call.self.cwd, call.self.user),
      );
    return 0;
  },
};

const ln: Applet = {
  name: 'ln',
  usage: '[-sfnbtv] [-S SUF] TARGET... LINK|DIR',
  options: 'sfnvT',
  async run(call) {
    const { files } = call.self.system;
    const { cwd, user } = call.self;
    if (!call.has('s')) {
      await call.fail('hard links are not emulated, use -s');
      return 1;
    }
    const [target, name = lastName(call.operands[0] ?? '')] = call.operands;
    if (target === undefined) return usageError(call, ln);
    const path = stat(call, name)?.type === 'directory' && !call.has('n') ? join(name, lastName(target)) : name;
    if (call.has('f') && stat(call, path, false)) await attempt(call, path, () => files.unlink(path, cwd, user));
    await attempt(call, path, () => files.symlink(target, path, cwd, user));
    return 0;
  },
};

const chmod: Applet = {
  name: 'chmod',
  usage: '[-Rcvf] MODE[,MODE]... FILE...',
  options: '+Rcvf',
  async run(call) {
    const [mode, ...paths] = call.operands;
    if (mode === undefined || paths.length === 0) return usageError(call, chmod);
    for (const path of paths) {
      for (const one of call.has('R') ? walk(call, path) : [path]) {
        const node = stat(call, one);
        if (!node) {
          await call.fail(`${one}: No such file or directory`);
          continue;
        }
        const next = changedMode(node, mode);
        if (next === undefined) {
          await call.fail(`invalid mode '${mode}'`);
          return 1;
        }
        await attempt(call, one, () => call.self.system.files.chmod(one, next, call.self.cwd, call.self.user));
      }
    }
    return 0;
  },
};

function changedMode(node: Node, text: string): number | undefined {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let mode = node.mode;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)([-+=])([rwxX]*)$/.exec(clause);
    if (!match) return undefined;
    const [, who = '', operator, bits = ''] = match;
    const classes = who === '' || who.includes('a') ? 'ugo' : who;
    let mask = 0;
    let wanted = 0;
    for (const [i, letter] of ['u', 'g', 'o'].entries()) {
      if (!classes.includes(letter)) continue;
      const shift = 6 - 3 * i;
      mask |= 7 << shift;
      for (const bit of bits)
        wanted |= ({ r: 4, w: 2, x: 1, X: node.type === 'directory' || mode & 0o111 ? 1 : 0 }[bit] as number) << shift;
    }
    mode = operator === '+' ? mode | wanted : operator === '-' ? mode & ~wanted : (mode & ~mask) | wanted;
  }
  return mode;
}

const chown: Applet = {
  name: 'chown',
  usage: '[-Rh] USER[:[GROUP]] FILE...',
  options: '+Rh',
  async run(call) {
    const [owner, ...paths] = call.operands;
    const match = /^(\w*)(?:[:.](\w*))?$/.exec(owner ?? '');
    if (!match || paths.length === 0) return usageError(call, chown);
    const id = (text: string | undefined) =>
      text === undefined || text === '' ? undefined : text === 'root' ? 0 : Number(text);
    const [uid, gid] = [id(match[1]), id(match[2])];
    if (Number.isNaN(uid) || Number.isNaN(gid)) {
      await call.fail(`unknown user ${owner}`);
      return 1;
    }
    for (const path of paths) {
      for (const one of call.has('R') ? walk(call, path) : [path])
        await attempt(call, one, () => call.self.system.files.chown(one, uid, gid, call.self.cwd, call.self.user));
    }
    return 0;
  },
};

/** A path and all below it. */
function walk(call: Invocation, path: string): string[] {
  const node = stat(call, path, false);
  if (node?.type !== 'directory') return [path];
  return [
    path,
    ...call.self.system.files.list(path, call.self.cwd, call.self.user).flatMap((name) => walk(call, join(path, name))),
  ];
}

const find: Applet = {
  name: 'find',
  usage:
    '[-HL] [PATH]... [ -name PATTERN | -iname PATTERN | -path PATTERN | -type X | -maxdepth N | -mindepth N | -size N | -empty | -print | -delete ]...',
  raw: true,
  async run(call) {
    const { self } = call;
    const words = call.operands;
    const split = words.findIndex((word) => word.startsWith('-') || word === '!' || word === '(');
    const paths = split < 0 ? words : words.slice(0, split);
    const tests: ((path: string, node: Node) => boolean)[] = [];
    let least = 0;
    let most = Number.POSITIVE_INFINITY;
    let remove = false;
    let not = false;
    for (let i = split < 0 ? words.length : split; i < words.length; i++) {
      const word = words[i] as string;
      const add = (test: (path: string, node: Node) => boolean) => {
        const negated = not;
        tests.push((path, node) => test(path, node) !== negated);
        not = false;
      };
      if (word === '!' || word === '-not') not = true;
      else if (word === '-print' || word === '-a') continue;
      else if (word === '-delete') remove = true;
      else if (word === '-empty')
        add((path, node) =>
          node.type === 'directory' ? node.entries.size === 0 : node.type === 'file' && node.size === 0 && path !== '',
        );
      else {
        const value = words[++i];
        if (
          value === undefined ||
          !['-name', '-iname', '-path', '-type', '-maxdepth', '-mindepth', '-size'].includes(word)
        ) {
          await call.fail(`unrecognized: ${word}`);
          return 1;
        }
        const pattern = patternRegExp(word === '-iname' ? value.toLowerCase() : value);
        if (word === '-name') add((path) => pattern.test(lastName(path)));
        else if (word === '-iname') add((path) => pattern.test(lastName(path).toLowerCase()));
        else if (word === '-path') add((path) => pattern.test(path));
        else if (word === '-type')
          add((_, node) => ({ f: 'file', d: 'directory', l: 'symlink', c: 'device' })[value] === node.type);
        else if (word === '-size') {
          const [, sign, number, unit] = /^([-+]?)(\d+)([ckMG]?)$/.exec(value) ?? [];
          const blocks = (node: Node) =>
            Math.ceil(sizeOf(node) / ({ c: 1, k: 1024, M: 1_048_576, G: 1_073_741_824 }[unit ?? ''] ?? 512));
          add((_, node) =>
            sign === '+'
              ? blocks(node) > Number(number)
              : sign === '-'
                ? blocks(node) < Number(number)
                : blocks(node) === Number(number),
          );
        } else if (word === '-maxdepth') most = Number(value);
        else least = Number(value);
      }
    }
    const visit = async (path: string, depth: number): Promise<void> => {
      const node = stat(call, path, false);
      if (!node) {
        await call.fail(`${path}: No such file or directory`);
        return;
      }
      const report = async () => {
        if (depth < least || !tests.every((test) => test(path, node))) return;
        if (!remove) await self.print(`${path}\n`);
        else if (node.type === 'directory')
          await attempt(call, path, () => self.system.files.rmdir(path, self.cwd, self.user));
        else await attempt(call, path, () => self.system.files.unlink(path, self.cwd, self.user));
      };
      if (!remove) await report();
      if (node.type === 'directory' && depth < most) {
        for (const name of self.system.files.list(path, self.cwd, self.user)) await visit(join(path, name), depth + 1);
      }
      if (remove) await report();
    };
    for (const path of paths.length > 0 ? paths : ['.']) await visit(path, 0);
    return 0;
  },
};

const statApplet: Applet = {
  name: 'stat',
  usage: '[-ltf] [-c FMT] FILE...',
  options: 'ltfLc:',
  async run(call) {
    for (const path of call.operands) {
      const node = stat(call, path, call.has('L'));
      if (!node) {
        await call.fail(`can't stat '${path}': No such file or directory`);
        continue;
      }
      const kind = {
        file: sizeOf(node) === 0 ? 'regular empty file' : 'regular file',
        directory: 'directory',
        symlink: 'symbolic link',
        device: 'character special file',
      }[node.type];
      const octal = node.mode.toString(8).padStart(4, '0');
      const format = call.value('c');
      if (format !== undefined) {
        const values: Record<string, string> = {
          n: path,
          s: String(sizeOf(node)),
          a: node.mode.toString(8),
          A: modeText(node),
          F: kind,
          u: String(node.uid),
          g: String(node.gid),
          U: userName(call.self.system.files, node.uid) ?? 'UNKNOWN',
          G: userName(call.self.system.files, node.gid) ?? 'UNKNOWN',
          Y: String(Math.floor(node.mtime / 1000)),
        };
        await call.self.print(
          `${format.replace(/%([a-zA-Z])/g, (whole, letter: string) => values[letter] ?? whole)}\n`,
        );
        continue;
      }
      const time = formatTime(node.mtime).replace('T', ' ').replace('Z', '.000000000 +0000');
      await call.self.print(
        `  File: ${path}${node.type === 'symlink' ? ` -> ${node.target}` : ''}\n  Size: ${String(sizeOf(node)).padEnd(10)}\t${kind}\nAccess: (${octal}/${modeText(node)})  Uid: (${String(node.uid).padStart(5)}/${(userName(call.self.system.files, node.uid) ?? 'UNKNOWN').padStart(8)})   Gid: (${String(node.gid).padStart(5)}/${(userName(call.self.system.files, node.gid) ?? 'UNKNOWN').padStart(8)})\nModify: ${time}\n`,
      );
    }
    return 0;
  },
};

const readlink: Applet = {
  name: 'readlink',
  usage: '[-fnv] FILE',
  options: 'fnv',
  async run(call) {
    const [path = ''] = call.operands;
    const node = stat(call, path, false);
    if (call.has('f')) {
      if (!node) return 1;
      await call.self.print(`${call.self.system.files.realPath(path, call.self.cwd, call.self.user)}\n`);
      return 0;
    }
    if (node?.type !== 'symlink') return 1;
    await call.self.print(`${node.target}\n`);
    return 0;
  },
};

const realpath: Applet = {
  name: 'realpath',
  usage: 'FILE...',
  async run(call) {
    for (const path of call.operands) {
      let real = '';
      if (
        await attempt(call, path, () => (real = call.self.system.files.realPath(path, call.self.cwd, call.self.user)))
      )
        await call.self.print(`${real}\n`);
    }
    return 0;
  },
};

const mktemp: Applet = {
  name: 'mktemp',
  usage: '[-dqtu] [-p DIR] [TEMPLATE]',
  options: 'dqtup:',
  async run(call) {
    const template = call.operands[0] ?? join(call.value('p') ?? call.self.env.get('TMPDIR') ?? '/tmp', 'tmp.XXXXXX');
    const path = template.replace(/X+$/, (xs) => call.self.process.rng.suffix(xs.length));
    const { files } = call.self.system;
    const made = await attempt(call, `can't create '${path}'`, () =>
      call.has('d')
        ? files.mkdir(path, call.self.cwd, call.self.user, 0o700)
        : files.writeFile(path, new Uint8Array(0), call.self.cwd, call.self.user, 0o600),
    );
    if (made) await call.self.print(`${path}\n`);
    return 0;
  },
};

const basename: Applet = {
  name: 'basename',
  usage: 'FILE [SUFFIX]',
  options: '+',
  async run(call) {
    const [path, suffix = ''] = call.operands;
    if (path === undefined) return usageError(call, basename);
    const name = lastName(path);
    await call.self.print(
      `${suffix !== '' && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`,
    );
    return 0;
  },
};

const dirname: Applet = {
  name: 'dirname',
  usage: 'FILENAME',
  options: '+',
  async run(call) {
    const path = (call.operands[0] ?? '').replace(/\/+$/, '');
    const slash = path.lastIndexOf('/');
    await call.self.print(`${slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash)}\n`);
    return 0;
  },
};

const du: Applet = {
  name: 'du',
  usage: '[-aHLdclsxhmk] [FILE]...',
  options: 'asxhmkcd:',
  async run(call) {
    const { files } = call.self.system;
    const measure = async (path: string, depth: number): Promise<number> => {
      const node = stat(call, path, false);
      if (!node) {
        await call.fail(`${path}: No such file or directory`);
        return 0;
      }
      let kilobytes = node.type === 'directory' ? 4 : Math.ceil(sizeOf(node) / 4096) * 4;
      if (node.type === 'directory')
        for (const name of files.list(path, call.self.cwd, call.self.user))
          kilobytes += await measure(join(path, name), depth + 1);
      if (depth === 0 || (!call.has('s') && (node.type === 'directory' || call.has('a'))))
        await call.self.print(`${call.has('h') ? humanSize(kilobytes * 1024) : kilobytes}\t${path}\n`);
      return kilobytes;
    };
    for (const path of call.operands.length > 0 ? call.operands : ['.']) await measure(path, 0);
    return 0;
  },
};

/** Applets that look at files and change them. */
export const fileApplets: readonly Applet[] = [
  basename,
  chmod,
  chown,
  cp,
  dirname,
  du,
  find,
  ln,
  ls,
  mkdir,
  mktemp,
  mv,
  readlink,
  realpath,
  rm,
  rmdir,
  statApplet,
  touch,
];
