import type { Node } from '../os/file-node.ts';
import { type Applet, attempt, usageError } from './applet.ts';
import { stat, walk } from './paths.ts';

/** Changes permissions, by numbers or by letters. */
export const chmod: Applet = {
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

/** Changes owners. */
export const chown: Applet = {
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
