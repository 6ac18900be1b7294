import { encodeUtf8 } from '#base/utf8.ts';
import { type DirectoryNode, type FileNode, newDirectory, newFile, type TreeNode } from '#cri/os/file-node.ts';
import { nodeInVolume } from './volume-files.ts';

/**
 * The files of a node's disk that volumes show: those of hostPath and emptyDir. They outlive the kubelet, and the power.
 * Nothing of the node's own software is in there.
 */
export class HostFiles {
  readonly #root: DirectoryNode;
  readonly #now: () => number;
  /** emptyDir volumes by Pod and name. */
  readonly #emptyDirs = new Map<string, Map<string, DirectoryNode>>();

  constructor(hostname: string, now: () => number) {
    this.#now = now;
    this.#root = newDirectory({ host: hostname }, now());
    for (const path of [
      'etc/kubernetes',
      'home',
      'mnt',
      'opt',
      'run',
      'srv',
      'tmp',
      'usr/share',
      'var/lib/kubelet',
      'var/log/pods',
      'var/run',
    ]) {
      nodeInVolume(this.#root, path, now());
    }
    const etc = this.#root.entries.get('etc') as DirectoryNode;
    etc.entries.set('hostname', newFile(etc.owner, encodeUtf8(`${hostname}\n`), now()));
  }

  /** The file or directory of a hostPath volume, made where its type says so. Throws an Error in upstream's words. */
  find(path: string, type: string): DirectoryNode | FileNode {
    const existing = this.#lookUp(path);
    const fail = (why: string) => new Error(`hostPath type check failed: ${path} is not ${why}`);
    switch (type) {
      case '':
      case 'DirectoryOrCreate':
        if (existing?.type === 'file' && type !== '') throw fail('a directory');
        return existing ?? this.#make(path);
      case 'Directory':
        if (existing?.type !== 'directory') throw fail('a directory');
        return existing;
      case 'File':
        if (existing?.type !== 'file') throw fail('a file');
        return existing;
      case 'FileOrCreate': {
        if (existing?.type === 'directory') throw fail('a file');
        if (existing) return existing;
        const parent = this.#lookUp(path.slice(0, path.lastIndexOf('/')));
        if (parent?.type !== 'directory') throw fail('a file');
        const file = newFile(parent.owner, new Uint8Array(0), this.#now());
        parent.entries.set(path.slice(path.lastIndexOf('/') + 1), file);
        return file;
      }
      case 'Socket':
        throw fail('a socket file');
      case 'CharDevice':
        throw fail('a character device');
      case 'BlockDevice':
        throw fail('a block device');
      default:
        throw new Error(`${type} is an invalid volume type`);
    }
  }

  /** The directory of a Pod's emptyDir volume, made when it is not there yet. */
  emptyDir(podUid: string, name: string, group: number): DirectoryNode {
    let own = this.#emptyDirs.get(podUid);
    if (!own) this.#emptyDirs.set(podUid, (own = new Map()));
    let node = own.get(name);
    if (!node) own.set(name, (node = newDirectory({ volume: name }, this.#now(), 0o777, 0, group)));
    return node;
  }

  /** Takes away what belongs to one Pod. */
  removePod(podUid: string): void {
    this.#emptyDirs.delete(podUid);
  }

  #lookUp(path: string): DirectoryNode | FileNode | undefined {
    let node: DirectoryNode | FileNode = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const entry: TreeNode | undefined = node.type === 'directory' ? node.entries.get(name) : undefined;
      if (entry?.type !== 'directory' && entry?.type !== 'file') return undefined;
      node = entry;
    }
    return node;
  }

  #make(path: string): DirectoryNode | FileNode {
    const made = nodeInVolume(this.#root, path, this.#now());
    if (!made) throw new Error(`hostPath type check failed: ${path} is not a directory`);
    return made;
  }
}
