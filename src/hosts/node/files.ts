import { mkdir, readdir, readFile, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import type { FileErrorCode, FileSystem } from '#shell/file-system.ts';
import { FileError } from '#shell/file-system.ts';

const CODES: readonly string[] = [
  'ENOENT',
  'EISDIR',
  'ENOTDIR',
  'ENOTEMPTY',
  'EEXIST',
  'EACCES',
] satisfies FileErrorCode[];

async function translated<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code !== undefined && CODES.includes(code) ? new FileError(code as FileErrorCode, path) : error;
  }
}

/** The machine's own files. */
export const nodeFiles: FileSystem = {
  async stat(path) {
    try {
      const found = await stat(path);
      return { kind: found.isDirectory() ? 'directory' : 'file', size: found.size, modified: found.mtimeMs };
    } catch {
      return undefined;
    }
  },
  readFile: (path) => translated(path, readFile(path)),
  writeFile: (path, data) => translated(path, writeFile(path, data, { mode: 0o600 })),
  list: async (path) => (await translated(path, readdir(path))).sort(),
  makeDirectory: async (path) => {
    await translated(path, mkdir(path, { recursive: true }));
  },
  remove: async (path) =>
    translated(path, (await stat(path).catch(() => undefined))?.isDirectory() ? rmdir(path) : unlink(path)),
};
