import { formatTime } from '#base/clock.ts';
import type { Node } from '../os/file-node.ts';
import { type Applet, attempt } from './applet.ts';
import { userName } from './users.ts';
import { humanSize, join, modeText, sizeOf, stat } from './paths.ts';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function listTime(ms: number, now: number): string {
  const iso = formatTime(ms);
  const month = MONTHS[Number(iso.slice(5, 7)) - 1];
  const day = String(Number(iso.slice(8, 10))).padStart(2);
  const recent = Math.abs(now - ms) < 15_811_200_000;
  return `${month} ${day} ${recent ? iso.slice(11, 16) : iso.slice(0, 4).padStart(5)}`;
}

/** Lists directories; in columns on a terminal. */
export const ls: Applet = {
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
