import { FileError } from '../os/file-error.ts';
import type { Node } from '../os/file-node.ts';
import { type Invocation } from './applet.ts';
/** A name in a directory. */
export const join = (directory: string, name: string) => `${directory.replace(/\/+$/, '')}/${name}`;

/** The last part of a path. */
export const lastName = (path: string) => path.replace(/\/+$/, '').split('/').at(-1) || '/';

/** What is at a path; undefined when there is nothing, or it may not be seen. */
export function stat(call: Invocation, path: string, follow = true): Node | undefined {
  try {
    return call.self.system.files.stat(path, call.self.cwd, call.self.user, follow);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return undefined;
  }
}

/** Bytes, as ls shows them. */
export function sizeOf(node: Node): number {
  if (node.type === 'file') return node.size;
  return node.type === 'directory' ? 4096 : node.type === 'symlink' ? node.target.length : 0;
}

/** As ls shows it: `drwxr-xr-x`. */
export function modeText(node: Node): string {
  const kind = { file: '-', directory: 'd', symlink: 'l', device: 'c' }[node.type];
  return (
    kind +
    [6, 3, 0]
      .map((shift) => ['r', 'w', 'x'].map((letter, i) => ((node.mode >> shift) & (4 >> i) ? letter : '-')).join(''))
      .join('')
  );
}

/** `1.5K`, `12M`. */
export function humanSize(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  let value = bytes;
  let unit = -1;
  for (; value >= 1024 && unit < 4; unit++) value /= 1024;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}${'KMGTP'[unit]}`;
}

/** A path and all below it. */
export function walk(call: Invocation, path: string): string[] {
  const node = stat(call, path, false);
  if (node?.type !== 'directory') return [path];
  return [
    path,
    ...call.self.system.files.list(path, call.self.cwd, call.self.user).flatMap((name) => walk(call, join(path, name))),
  ];
}
