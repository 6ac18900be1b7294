import { formatTime } from '#base/clock.ts';
import { type Applet, attempt, type Invocation, usageError } from './applet.ts';
import { userName } from './users.ts';
import { find } from './find.ts';
import { ls } from './ls.ts';
import { chmod, chown } from './modes.ts';
import { humanSize, join, lastName, modeText, sizeOf, stat } from './paths.ts';

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
