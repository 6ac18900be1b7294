import { decodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { type DirectoryNode, type FileNode, newDirectory, newFile, type TreeNode } from '#cri/os/file-node.ts';
import { strftime } from '#cri/os/strftime.ts';

/** A file to be in a volume. */
export interface VolumeFile {
  readonly content: string;
  readonly encoding: 'text' | 'base64';
  readonly mode: number;
}

function bytesOf({ content, encoding }: VolumeFile): Uint8Array {
  if (encoding === 'text') return encodeUtf8(content);
  const bytes = decodeBase64(content);
  return typeof bytes === 'number' ? new Uint8Array(0) : bytes;
}

const DATA = '..data';

/**
 * Puts files into a volume's directory so that readers see all of the old or all of the new: in a directory of their own,
 * to which `..data` points, and to which each visible name points through it. `paths` are relative. Follows
 * pkg/volume/util/atomic_writer.go, v1.33.
 */
export function writeAtomically(
  volume: DirectoryNode,
  files: ReadonlyMap<string, VolumeFile>,
  now: number,
  group = 0,
): void {
  const { owner } = volume;
  const before = volume.entries.get(DATA);
  const stamp = `..${strftime('%Y_%m_%d_%H_%M_%S', now)}.${String(Math.floor((now % 1000) * 1e6)).padStart(9, '0')}`;
  const payload = newDirectory(owner, now, 0o755, 0, group);
  const tops = new Set<string>();
  for (const [path, file] of files) {
    const names = path.split('/');
    tops.add(names[0] as string);
    let directory = payload;
    for (const name of names.slice(0, -1)) directory = subdirectory(directory, name, now);
    directory.entries.set(names.at(-1) as string, newFile(owner, bytesOf(file), now, file.mode, 0, group));
  }
  const link = (target: string): TreeNode => ({
    type: 'symlink',
    owner,
    mode: 0o777,
    uid: 0,
    gid: group,
    mtime: now,
    target,
  });
  if (before?.type === 'symlink') volume.entries.delete(before.target);
  for (const name of [...volume.entries.keys()]) if (!tops.has(name)) volume.entries.delete(name);
  volume.entries.set(stamp, payload);
  volume.entries.set(DATA, link(stamp));
  for (const name of tops) if (!volume.entries.has(name)) volume.entries.set(name, link(`${DATA}/${name}`));
  volume.mtime = now;
}

/**
 * The node at a path inside a volume, links followed inside it; missing directories are made. Undefined when a link leads
 * out of the volume or a file is in the way.
 */
export function nodeInVolume(
  volume: DirectoryNode | FileNode,
  path: string,
  now: number,
): DirectoryNode | FileNode | undefined {
  const todo = path.split('/').reverse();
  const stack: (DirectoryNode | FileNode)[] = [volume];
  for (let name = todo.pop(), steps = 0; name !== undefined && steps < 256; name = todo.pop(), steps++) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (stack.length === 1) return undefined;
      stack.pop();
      continue;
    }
    const here = stack.at(-1) as DirectoryNode | FileNode;
    if (here.type !== 'directory') return undefined;
    const entry = here.entries.get(name);
    if (!entry) stack.push(subdirectory(here, name, now));
    else if (entry.type === 'symlink') {
      if (entry.target.startsWith('/')) return undefined;
      todo.push(...entry.target.split('/').reverse());
    } else if (entry.type === 'mount') stack.push(entry.node);
    else if (entry.type === 'device') return undefined;
    else stack.push(entry);
  }
  return stack.at(-1);
}

function subdirectory(directory: DirectoryNode, name: string, now: number): DirectoryNode {
  const entry = directory.entries.get(name);
  if (entry?.type === 'directory') return entry;
  const made = newDirectory(directory.owner, now, directory.mode, directory.uid, directory.gid);
  directory.entries.set(name, made);
  return made;
}
