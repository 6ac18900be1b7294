import { FileError } from '../os/file-error.ts';
import type { UnixProcess } from '../os/unix-process.ts';

/** What a web server's directory has for a path. */
export type StaticFile =
  | { readonly kind: 'file'; readonly body: Uint8Array; readonly type: string | undefined; readonly mtime: number }
  /** A directory asked for without the slash. */
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'listing'; readonly names: readonly string[] }
  | { readonly kind: 'error'; readonly status: 400 | 403 | 404 };

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css',
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  ico: 'image/x-icon',
  jpg: 'image/jpeg',
  js: 'application/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  xml: 'text/xml',
};

/** Finds the file that a request's path means below a directory. A directory is its index.html, or a listing of names. */
export function staticFile(self: UnixProcess, root: string, requested: string): StaticFile {
  let path: string;
  try {
    path = decodeURIComponent(requested.split('?')[0] ?? '/');
  } catch {
    return { kind: 'error', status: 400 };
  }
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return { kind: 'error', status: 400 };
  const { files } = self.system;
  try {
    let file = `${root}/${parts.join('/')}`;
    let node = files.stat(file);
    if (node.type === 'directory') {
      if (!path.endsWith('/')) return { kind: 'redirect', location: `${path}/` };
      const directory = file.replace(/\/$/, '');
      file = `${directory}/index.html`;
      if (!files.exists(file)) return { kind: 'listing', names: files.list(directory) };
      node = files.stat(file);
    }
    return {
      kind: 'file',
      body: files.readFile(file),
      type: TYPES[file.split('.').at(-1) as string],
      mtime: node.mtime,
    };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { kind: 'error', status: error.code === 'EACCES' ? 403 : 404 };
  }
}
