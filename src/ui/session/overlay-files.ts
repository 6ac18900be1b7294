import { FileError, type FileStat, type FileSystem } from '#shell/file-system.ts';

/** Files of another file system with some on top that only whoever holds this sees. They can be read, not changed. */
export function overlayFiles(below: FileSystem, above: ReadonlyMap<string, Uint8Array>): FileSystem {
  const prefix = (path: string) => (path === '/' ? '/' : `${path}/`);
  const inside = (path: string) => [...above.keys()].filter((name) => name.startsWith(prefix(path)));
  return {
    async stat(path): Promise<FileStat | undefined> {
      const data = above.get(path);
      if (data) return { kind: 'file', size: data.length, modified: 0 };
      const stat = await below.stat(path);
      return stat ?? (inside(path).length > 0 ? { kind: 'directory', size: 0, modified: 0 } : undefined);
    },
    async readFile(path) {
      return above.get(path) ?? below.readFile(path);
    },
    async writeFile(path, data) {
      if (above.has(path)) throw new FileError('EACCES', path);
      await below.writeFile(path, data);
    },
    async list(path) {
      const names = inside(path).map((name) => name.slice(prefix(path).length).split('/')[0] as string);
      const there = (await below.stat(path)) || names.length === 0 ? await below.list(path) : [];
      return [...new Set([...there, ...names])].sort();
    },
    makeDirectory: (path) => below.makeDirectory(path),
    async remove(path) {
      if (above.has(path)) throw new FileError('EACCES', path);
      await below.remove(path);
    },
  };
}
