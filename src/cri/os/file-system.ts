import { FileError } from './file-error.ts';
import {
  contentOf,
  type DirectoryNode,
  type FileNode,
  type MountNode,
  type Node,
  newDirectory,
  newFile,
  replaceContent,
  type TreeNode,
  type TreeOwner,
} from './file-node.ts';

/** A volume to mount: a directory, or one file. */
export interface Mount {
  /** Absolute. */
  readonly path: string;
  readonly node: DirectoryNode | FileNode;
  readonly readOnly: boolean;
}

/** Who accesses files. */
export interface FileUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export const ROOT: FileUser = { uid: 0, gid: 0, groups: [0] };

const MAX_SYMLINKS = 40;
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const READ = 4;
const WRITE = 2;
const EXECUTE = 1;

/** Where a path leads to. */
interface Place {
  readonly node: Node;
  /** Who may be changed in place here: the file system itself, or a volume. */
  readonly owner: TreeOwner;
  readonly readOnly: boolean;
  /** Absolute, without links. */
  readonly path: string;
  /** Is a mount point itself. */
  readonly mounted: boolean;
}

/** The directory that a path's last name lies in. */
interface Parent extends Place {
  readonly node: DirectoryNode;
}

/**
 * A container's files: an image's tree that it shares with others, copied where it is written to, and volumes mounted
 * into it. Paths are absolute or relative to `cwd`. All operations throw {@link FileError}.
 */
export class FileSystem {
  readonly #image: DirectoryNode;
  readonly #mounts: readonly Mount[];
  readonly #readOnlyRoot: boolean;
  readonly #now: () => number;
  #root: DirectoryNode | undefined;

  constructor(image: DirectoryNode, now: () => number, mounts: readonly Mount[] = [], readOnlyRoot = false) {
    this.#image = image;
    this.#now = now;
    this.#mounts = mounts;
    this.#readOnlyRoot = readOnlyRoot;
  }

  /** What is there; follows a last symbolic link unless told not to. */
  stat(path: string, cwd = '/', user = ROOT, follow = true): Node {
    return this.#resolve(path, cwd, user, follow).node;
  }

  exists(path: string, cwd = '/', user = ROOT): boolean {
    try {
      this.#resolve(path, cwd, user, true);
      return true;
    } catch {
      return false;
    }
  }

  /** The absolute path without links. */
  realPath(path: string, cwd = '/', user = ROOT): string {
    return this.#resolve(path, cwd, user, true).path;
  }

  readFile(path: string, cwd = '/', user = ROOT): Uint8Array {
    const { node } = this.#resolve(path, cwd, user, true);
    if (node.type === 'directory') throw new FileError('EISDIR');
    if (node.type !== 'file') throw new FileError('EINVAL');
    check(node, user, READ);
    return contentOf(node);
  }

  /** The names in a directory, sorted by code unit. */
  list(path: string, cwd = '/', user = ROOT): readonly string[] {
    const { node } = this.#resolve(path, cwd, user, true);
    if (node.type !== 'directory') throw new FileError('ENOTDIR');
    check(node, user, READ);
    return [...node.entries.keys()].sort();
  }

  /** A file to write into, made if it is not there; its node belongs to this file system or volume. */
  openForWriting(
    path: string,
    cwd = '/',
    user = ROOT,
    options: { readonly truncate?: boolean; readonly exclusive?: boolean; readonly mode?: number } = {},
  ): Node {
    const found = this.#find(path, cwd, user);
    if (!found) {
      const { parent, name } = this.#parent(path, cwd, user);
      const link = parent.node.entries.get(name);
      if (link?.type === 'symlink') return this.openForWriting(link.target, parent.path, user, options);
      const file = newFile(parent.owner, new Uint8Array(0), this.#now(), options.mode ?? 0o644, user.uid, user.gid);
      this.#entriesForWriting(parent, user).set(name, file);
      return file;
    }
    if (options.exclusive) throw new FileError('EEXIST');
    if (found.node.type === 'directory') throw new FileError('EISDIR');
    if (found.node.type !== 'file') return found.node;
    check(found.node, user, WRITE);
    if (found.readOnly) throw new FileError('EROFS');
    const file = this.#own(found) as FileNode;
    if (options.truncate) replaceContent(file, new Uint8Array(0), this.#now());
    return file;
  }

  writeFile(path: string, bytes: Uint8Array, cwd = '/', user = ROOT, mode = 0o644): void {
    if (bytes.length > MAX_FILE_BYTES) throw new FileError('EFBIG');
    const file = this.openForWriting(path, cwd, user, { truncate: true, mode });
    if (file.type === 'file') replaceContent(file, bytes, this.#now());
  }

  mkdir(path: string, cwd = '/', user = ROOT, mode = 0o755): void {
    this.#add(path, cwd, user, (owner) => newDirectory(owner, this.#now(), mode, user.uid, user.gid));
  }

  symlink(target: string, path: string, cwd = '/', user = ROOT): void {
    this.#add(path, cwd, user, (owner) => ({
      type: 'symlink',
      owner,
      mode: 0o777,
      uid: user.uid,
      gid: user.gid,
      mtime: this.#now(),
      target,
    }));
  }

  /** Removes a name that is not a directory. */
  unlink(path: string, cwd = '/', user = ROOT): void {
    const place = this.#resolve(path, cwd, user, false);
    if (place.node.type === 'directory') throw new FileError('EISDIR');
    this.#remove(place, path, cwd, user);
  }

  rmdir(path: string, cwd = '/', user = ROOT): void {
    const place = this.#resolve(path, cwd, user, false);
    if (place.node.type !== 'directory') throw new FileError('ENOTDIR');
    if (place.node.entries.size > 0) throw new FileError('ENOTEMPTY');
    this.#remove(place, path, cwd, user);
  }

  /** Moves a name; what had the new name goes, unless it is a directory that is not empty. */
  rename(from: string, to: string, cwd = '/', user = ROOT): void {
    const place = this.#resolve(from, cwd, user, false);
    if (place.mounted || place.path === '/') throw new FileError('EBUSY');
    const target = this.#find(to, cwd, user, false);
    if (target?.path === place.path) return;
    if (target?.node.type === 'directory') {
      if (place.node.type !== 'directory') throw new FileError('EISDIR');
      if (target.node.entries.size > 0) throw new FileError('ENOTEMPTY');
    } else if (target && place.node.type === 'directory') throw new FileError('ENOTDIR');
    const { parent, name } = this.#parent(to, cwd, user);
    if (`${parent.path}/`.startsWith(`${place.path}/`)) throw new FileError('EINVAL');
    // Into another volume it is a copy; the nodes then belong to that one.
    const moved = parent.owner === place.owner ? this.#own(place) : copyTree(place.node, parent.owner);
    this.#remove(place, from, cwd, user);
    const again = this.#parent(to, cwd, user).parent;
    this.#entriesForWriting(again, user).set(name, moved);
  }

  chmod(path: string, mode: number, cwd = '/', user = ROOT): void {
    this.#change(path, cwd, user, (node) => {
      node.mode = mode;
    });
  }

  chown(path: string, uid: number | undefined, gid: number | undefined, cwd = '/', user = ROOT): void {
    this.#change(path, cwd, user, (node) => {
      node.uid = uid ?? node.uid;
      node.gid = gid ?? node.gid;
    });
  }

  /** Sets the time of the last change. */
  touch(path: string, mtime: number, cwd = '/', user = ROOT): void {
    this.#change(path, cwd, user, (node) => {
      node.mtime = mtime;
    });
  }

  /** What is mounted where, in the order of mounting. */
  get mounts(): readonly Mount[] {
    return this.#mounts;
  }

  #add(path: string, cwd: string, user: FileUser, make: (owner: TreeOwner) => Node): void {
    const { parent, name } = this.#parent(path, cwd, user);
    if (name === '' || parent.node.entries.has(name)) throw new FileError('EEXIST');
    this.#entriesForWriting(parent, user).set(name, make(parent.owner));
  }

  #change(path: string, cwd: string, user: FileUser, change: (node: Node) => void): void {
    const place = this.#resolve(path, cwd, user, true);
    if (place.readOnly) throw new FileError('EROFS');
    if (user.uid !== 0 && user.uid !== place.node.uid) throw new FileError('EACCES');
    change(this.#own(place));
  }

  #remove(place: Place, path: string, cwd: string, user: FileUser): void {
    if (place.mounted || place.path === '/') throw new FileError('EBUSY');
    const { parent, name } = this.#parent(path, cwd, user);
    this.#entriesForWriting(parent, user).delete(name);
  }

  #entriesForWriting(parent: Parent, user: FileUser): Map<string, TreeNode> {
    check(parent.node, user, WRITE);
    if (parent.readOnly) throw new FileError('EROFS');
    const directory = this.#own(parent) as DirectoryNode;
    directory.mtime = this.#now();
    return directory.entries;
  }

  /** The tree with everything mounted. Made when it is first looked at: most containers never do. */
  get #tree(): DirectoryNode {
    if (this.#root) return this.#root;
    this.#root = { ...this.#image, owner: this, entries: new Map(this.#image.entries) };
    for (const mount of this.#mounts) this.#mount(mount);
    return this.#root;
  }

  #mount({ path, node, readOnly }: Mount): void {
    const names = path.split('/').filter((name) => name !== '');
    const last = names.pop();
    if (last === undefined) return;
    let directory = '/';
    for (const name of names) {
      const next = directory === '/' ? `/${name}` : `${directory}/${name}`;
      const found = this.#find(next, '/', ROOT);
      if (found && found.node.type !== 'directory') throw new FileError('ENOTDIR');
      if (!found) {
        const { parent, name: made } = this.#parent(next, '/', ROOT);
        (this.#own(parent) as DirectoryNode).entries.set(made, newDirectory(parent.owner, this.#now()));
      }
      directory = next;
    }
    const { parent } = this.#parent(path, '/', ROOT);
    (this.#own(parent) as DirectoryNode).entries.set(last, { type: 'mount', node, readOnly } satisfies MountNode);
  }

  #find(path: string, cwd: string, user: FileUser, follow = true): Place | undefined {
    try {
      return this.#resolve(path, cwd, user, follow);
    } catch (error) {
      if (error instanceof FileError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #parent(path: string, cwd: string, user: FileUser): { readonly parent: Parent; readonly name: string } {
    const trimmed = path.replace(/\/+$/, '');
    const slash = trimmed.lastIndexOf('/');
    const name = trimmed.slice(slash + 1);
    const directory = slash < 0 ? '.' : slash === 0 ? '/' : trimmed.slice(0, slash);
    const parent = this.#resolve(directory, cwd, user, true);
    if (parent.node.type !== 'directory') throw new FileError('ENOTDIR');
    return { parent: parent as Parent, name };
  }

  #resolve(path: string, cwd: string, user: FileUser, follow: boolean): Place {
    if (path === '') throw new FileError('ENOENT');
    const todo = (path.startsWith('/') ? path : `${cwd}/${path}`).split('/').reverse();
    const rootPlace: Place = { node: this.#tree, owner: this, readOnly: this.#readOnlyRoot, path: '/', mounted: false };
    const stack: Place[] = [rootPlace];
    let links = 0;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '' || name === '.') {
        if (todo.length === 0 && name === '' && path.length > 1 && (stack.at(-1) as Place).node.type !== 'directory')
          throw new FileError('ENOTDIR');
        continue;
      }
      if (name === '..') {
        if (stack.length > 1) stack.pop();
        continue;
      }
      const here = stack.at(-1) as Place;
      if (here.node.type !== 'directory') throw new FileError('ENOTDIR');
      check(here.node, user, EXECUTE);
      const entry = here.node.entries.get(name);
      if (!entry) throw new FileError('ENOENT');
      const at = here.path === '/' ? `/${name}` : `${here.path}/${name}`;
      if (entry.type === 'mount') {
        const readOnly = entry.readOnly;
        stack.push({ node: entry.node, owner: entry.node.owner, readOnly, path: at, mounted: true });
      } else if (entry.type === 'symlink' && (follow || todo.some((rest) => rest !== ''))) {
        if (++links > MAX_SYMLINKS) throw new FileError('ELOOP');
        if (entry.target.startsWith('/')) stack.length = 1;
        for (const part of entry.target.split('/').reverse()) todo.push(part);
      } else {
        stack.push({ node: entry, owner: here.owner, readOnly: here.readOnly, path: at, mounted: false });
      }
    }
    return stack.at(-1) as Place;
  }

  /** The node as one that may be changed: copied, with the directories above it, if it belongs to somebody else. */
  #own(place: Place): Node {
    if (place.node.owner === place.owner || place.mounted) return place.node;
    const slash = place.path.lastIndexOf('/');
    const parent = this.#resolve(slash === 0 ? '/' : place.path.slice(0, slash), '/', ROOT, true);
    const directory = this.#own(parent) as DirectoryNode;
    const own = copyNode(place.node, place.owner);
    directory.entries.set(place.path.slice(slash + 1), own);
    return own;
  }
}

function copyNode(node: Node, owner: TreeOwner): Node {
  if (node.type === 'directory') return { ...node, owner, entries: new Map(node.entries) };
  if (node.type === 'file') return { ...node, owner, watchers: undefined };
  return { ...node, owner };
}

/** A copy of all that lies below, which belongs to `owner`. Mounts stay behind. */
export function copyTree(node: Node, owner: TreeOwner): Node {
  const copy = copyNode(node, owner);
  if (copy.type !== 'directory') return copy;
  for (const [name, entry] of copy.entries) {
    if (entry.type === 'mount') copy.entries.delete(name);
    else copy.entries.set(name, copyTree(entry, owner));
  }
  return copy;
}

function check(node: Node, user: FileUser, wanted: number): void {
  if (user.uid === 0) {
    if (wanted !== EXECUTE || node.type === 'directory' || (node.mode & 0o111) !== 0) return;
    throw new FileError('EACCES');
  }
  const shift = node.uid === user.uid ? 6 : node.gid === user.gid || user.groups.includes(node.gid) ? 3 : 0;
  if (((node.mode >> shift) & wanted) !== wanted) throw new FileError('EACCES');
}

/** Throws EACCES unless the user may execute the file. */
export function checkExecutable(node: Node, user: FileUser): void {
  check(node, user, EXECUTE);
}
