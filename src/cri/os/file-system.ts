import { FileError, type FileErrorCode } from './file-error.ts';
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
  /** Called once, when a process first looks at what may lie in it: most never do. */
  readonly node: () => DirectoryNode | FileNode;
  readonly readOnly: boolean;
}

/** Who accesses files. */
export interface FileUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** The superuser. */
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

/** Why a path leads nowhere, and where it stops. */
interface DeadEnd {
  readonly code: FileErrorCode;
  readonly path: string;
}

/** Where the paths of mounts really are in an image, and the image's own files. */
interface ImageView {
  readonly files: FileSystem;
  readonly physical: Map<string, string>;
}

const views = new WeakMap<DirectoryNode, ImageView>();

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

  /** The same without an exception: the error's code if nothing is there, or it may not be reached. */
  lookUp(path: string, cwd = '/', user = ROOT): Node | FileErrorCode {
    const found = this.#walk(path, cwd, user, true);
    return 'code' in found ? found.code : found.node;
  }

  exists(path: string, cwd = '/', user = ROOT): boolean {
    return !('code' in this.#walk(path, cwd, user, true));
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

  #mount({ path, node: make, readOnly }: Mount): void {
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
    (this.#own(parent) as DirectoryNode).entries.set(last, {
      type: 'mount',
      node: make(),
      readOnly,
    } satisfies MountNode);
  }

  #find(path: string, cwd: string, user: FileUser, follow = true): Place | undefined {
    const found = this.#walk(path, cwd, user, follow);
    if (!('code' in found)) return found;
    if (found.code === 'ENOENT') return undefined;
    throw new FileError(found.code);
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
    const found = this.#walk(path, cwd, user, follow);
    if ('code' in found) throw new FileError(found.code);
    return found;
  }

  #walk(path: string, cwd: string, user: FileUser, follow: boolean): Place | DeadEnd {
    return (
      (this.#root ? undefined : this.#walkImage(path, cwd, user, follow)) ?? this.#walkTree(path, cwd, user, follow)
    );
  }

  /**
   * While nothing was mounted or written yet, the image's own tree answers for all that no mount covers. Undefined when
   * it cannot: a mount covers it, or a directory holds one.
   */
  #walkImage(path: string, cwd: string, user: FileUser, follow: boolean): Place | DeadEnd | undefined {
    if (this.#mounts.length === 0) return undefined;
    let view = views.get(this.#image);
    if (!view) {
      view = { files: new FileSystem(this.#image, () => 0), physical: new Map() };
      views.set(this.#image, view);
    }
    const found = view.files.#walkTree(path, cwd, user, follow);
    const isFile = !('code' in found) && found.node.type !== 'directory';
    if (found.path === '/') return undefined;
    for (const mount of this.#mounts) {
      const at = view.files.#physicalPath(mount.path, view.physical);
      if (found.path === at || found.path.startsWith(`${at}/`)) return undefined;
      // What the image does not have may be made as the way to a mount point.
      if (!isFile && at.startsWith(`${found.path}/`)) return undefined;
    }
    return 'code' in found ? found : { ...found, owner: this, readOnly: this.#readOnlyRoot };
  }

  /** Where a path is once links are followed; what is not there keeps its name. */
  #physicalPath(path: string, known: Map<string, string>): string {
    let physical = known.get(path);
    if (physical === undefined) {
      physical = this.#walkTree(path, '/', ROOT, true).path;
      known.set(path, physical);
    }
    return physical;
  }

  #walkTree(path: string, cwd: string, user: FileUser, follow: boolean): Place | DeadEnd {
    if (path === '') return { code: 'ENOENT', path: cwd };
    const todo = (path.startsWith('/') ? path : `${cwd}/${path}`).split('/').reverse();
    const stack: Place[] = [{ node: this.#tree, owner: this, readOnly: this.#readOnlyRoot, path: '/', mounted: false }];
    let links = 0;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      const here = stack.at(-1) as Place;
      if (name === '' || name === '.') {
        if (todo.length === 0 && name === '' && path.length > 1 && here.node.type !== 'directory')
          return deadEnd('ENOTDIR', here, name, todo);
        continue;
      }
      if (name === '..') {
        if (stack.length > 1) stack.pop();
        continue;
      }
      if (here.node.type !== 'directory') return deadEnd('ENOTDIR', here, name, todo);
      if (!allows(here.node, user, EXECUTE)) return deadEnd('EACCES', here, name, todo);
      const entry = here.node.entries.get(name);
      if (!entry) return deadEnd('ENOENT', here, name, todo);
      const at = here.path === '/' ? `/${name}` : `${here.path}/${name}`;
      if (entry.type === 'mount') {
        stack.push({ node: entry.node, owner: entry.node.owner, readOnly: entry.readOnly, path: at, mounted: true });
      } else if (entry.type === 'symlink' && (follow || todo.some((rest) => rest !== ''))) {
        if (++links > MAX_SYMLINKS) return deadEnd('ELOOP', here, name, todo);
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

function deadEnd(code: FileErrorCode, here: Place, name: string, todo: readonly string[]): DeadEnd {
  const rest = [name, ...[...todo].reverse()].filter((part) => part !== '');
  return { code, path: `${here.path === '/' ? '' : here.path}/${rest.join('/')}` };
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

function allows(node: Node, user: FileUser, wanted: number): boolean {
  if (user.uid === 0) return wanted !== EXECUTE || node.type === 'directory' || (node.mode & 0o111) !== 0;
  const shift = node.uid === user.uid ? 6 : node.gid === user.gid || user.groups.includes(node.gid) ? 3 : 0;
  return ((node.mode >> shift) & wanted) === wanted;
}

function check(node: Node, user: FileUser, wanted: number): void {
  if (!allows(node, user, wanted)) throw new FileError('EACCES');
}

/** Whether the user may execute the file. */
export function isExecutable(node: Node, user: FileUser): boolean {
  return allows(node, user, EXECUTE);
}
