import type { Program } from './unix-process.ts';

/** Who may change a node in place: the container (or volume) that made it. Nodes of others are copied first. */
export type TreeOwner = object;

interface NodeCommon {
  readonly owner: TreeOwner;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Milliseconds since the epoch. */
  mtime: number;
}

/** A regular file. */
export interface FileNode extends NodeCommon {
  readonly type: 'file';
  /** The content is the first `size` bytes; what was handed out is never changed. */
  data: Uint8Array;
  size: number;
  /** What runs when the file is executed; absent for scripts and data. */
  readonly program?: Program;
  /** Called after each change, for `tail -f`. */
  watchers?: Set<() => void>;
}

/** A directory: names and what they stand for. */
export interface DirectoryNode extends NodeCommon {
  readonly type: 'directory';
  readonly entries: Map<string, TreeNode>;
}

/** A symbolic link. */
export interface SymlinkNode extends NodeCommon {
  readonly type: 'symlink';
  readonly target: string;
}

/** A character device such as /dev/null. */
export interface DeviceNode extends NodeCommon {
  readonly type: 'device';
  readonly device: 'null' | 'zero' | 'random' | 'full' | 'tty' | 'stdin' | 'stdout' | 'stderr';
}

/** A volume (or a single file) mounted over this place. */
export interface MountNode {
  readonly type: 'mount';
  readonly node: DirectoryNode | FileNode;
  readonly readOnly: boolean;
}

/** What a name can stand for. */
export type Node = FileNode | DirectoryNode | SymlinkNode | DeviceNode;
/** What a directory's entry can be. */
export type TreeNode = Node | MountNode;

/** When the files of images were made, ms. */
export const IMAGE_TIME = Date.UTC(2025, 0, 1);
const IMAGE: TreeOwner = Object.freeze({ of: 'images' });
const EMPTY = new Uint8Array(0);

/** A directory of an image, shared by all containers. */
export function imageDirectory(entries: Readonly<Record<string, Node>>, mode = 0o755): DirectoryNode {
  return {
    type: 'directory',
    owner: IMAGE,
    mode,
    uid: 0,
    gid: 0,
    mtime: IMAGE_TIME,
    entries: new Map(Object.entries(entries)),
  };
}

/** A file of an image. */
export function imageFile(data: Uint8Array, mode = 0o644): FileNode {
  return { type: 'file', owner: IMAGE, mode, uid: 0, gid: 0, mtime: IMAGE_TIME, data, size: data.length };
}

/** An executable of an image; there is nothing to read in it. */
export function imageProgram(program: Program): FileNode {
  return { ...imageFile(EMPTY, 0o755), program };
}

/** A symbolic link of an image. */
export function imageSymlink(target: string): SymlinkNode {
  return { type: 'symlink', owner: IMAGE, mode: 0o777, uid: 0, gid: 0, mtime: IMAGE_TIME, target };
}

/** A device of an image. */
export function imageDevice(device: DeviceNode['device']): DeviceNode {
  return { type: 'device', owner: IMAGE, mode: 0o666, uid: 0, gid: 0, mtime: IMAGE_TIME, device };
}

/** An empty directory that belongs to a volume or container. */
export function newDirectory(owner: TreeOwner, mtime: number, mode = 0o755, uid = 0, gid = 0): DirectoryNode {
  return { type: 'directory', owner, mode, uid, gid, mtime, entries: new Map() };
}

/** A file that belongs to a volume or container. */
export function newFile(owner: TreeOwner, data: Uint8Array, mtime: number, mode = 0o644, uid = 0, gid = 0): FileNode {
  return { type: 'file', owner, mode, uid, gid, mtime, data, size: data.length };
}

/** The content of a file; a view that later changes do not touch. */
export function contentOf(file: FileNode): Uint8Array {
  return file.data.length === file.size ? file.data : file.data.subarray(0, file.size);
}

/** Puts bytes into a file at a place (its end is `file.size`); what lies between is zero. */
export function writeAt(file: FileNode, at: number, bytes: Uint8Array, now: number): void {
  const end = at + bytes.length;
  // Bytes that readers may hold views of are replaced in a copy, never in place.
  if (end > file.data.length || at < file.size) {
    const grown = new Uint8Array(end > file.data.length ? Math.max(end, 2 * file.size, 64) : file.data.length);
    grown.set(contentOf(file));
    file.data = grown;
  }
  file.data.set(bytes, at);
  file.size = Math.max(file.size, end);
  changed(file, now);
}

/** Replaces the content of a file. */
export function replaceContent(file: FileNode, bytes: Uint8Array, now: number): void {
  file.data = bytes;
  file.size = bytes.length;
  changed(file, now);
}

function changed(file: FileNode, now: number): void {
  file.mtime = now;
  if (file.watchers) for (const watcher of [...file.watchers]) watcher();
}
