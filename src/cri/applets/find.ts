import type { Node } from '../os/file-node.ts';
import { patternRegExp } from '../shell/pattern.ts';
import { type Applet, attempt } from './applet.ts';
import { join, lastName, sizeOf, stat } from './paths.ts';

/** Finds files by name, kind and size. */
export const find: Applet = {
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
