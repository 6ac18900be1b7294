export interface FileStat {
  readonly kind: 'file' | 'directory';
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** Files as the shell and kubectl see them: in the page's memory, in a test, or a real disk. Paths are absolute. */
export interface FileSystem {
  /** Undefined when there is nothing at the path. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Rejects with {@link FileError}. */
  readFile(path: string): Promise<Uint8Array>;
  /** Creates or replaces a file; its directory must exist. */
  writeFile(path: string, data: Uint8Array): Promise<void>;
  /** Names in a directory, sorted by code unit. */
  list(path: string): Promise<readonly string[]>;
  /** Creates a directory, and those above it. */
  makeDirectory(path: string): Promise<void>;
  /** Removes a file, or an empty directory. */
  remove(path: string): Promise<void>;
}

export type FileErrorCode = 'ENOENT' | 'EISDIR' | 'ENOTDIR' | 'ENOTEMPTY' | 'EEXIST' | 'EACCES';

const MESSAGES: Readonly<Record<FileErrorCode, string>> = {
  ENOENT: 'no such file or directory',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EEXIST: 'file exists',
  EACCES: 'permission denied',
};

/** What file systems reject with. The message is the operating system's, in lower case, without the path. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;
  readonly path: string;

  constructor(code: FileErrorCode, path: string) {
    super(MESSAGES[code]);
    this.code = code;
    this.path = path;
  }
}

/** The absolute, clean path of what a user wrote: relative to `directory`; `.`, `..` and doubled slashes resolved. */
export function resolvePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
