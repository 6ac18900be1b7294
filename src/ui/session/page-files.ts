import { FileError, resolvePath, type FileStat, type FileSystem } from '#shell/file-system.ts';
import { freeName, useEditor, type EditorFile } from '../features/editor/editor-store.ts';

export const HOME = '/root';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Manifests in the home directory are the editor's files: what one writes the other shows. */
const editorName = (path: string) => /^\/root\/([\w.-]+\.(?:ya?ml|json))$/.exec(path)?.[1];

const editorFile = (path: string): EditorFile | undefined => {
  const name = editorName(path);
  return useEditor.getState().files.find((file) => file.name === name);
};

interface Entry {
  readonly data: Uint8Array | undefined;
  readonly modified: number;
}

/**
 * The files that the terminal and kubectl see: in memory, for as long as the page lives. The editor's files stand in
 * the home directory. `overlay` holds files that only one command sees.
 */
export class PageFiles implements FileSystem {
  readonly #entries: Map<string, Entry>;
  readonly #overlay: ReadonlyMap<string, Uint8Array>;
  readonly #now: () => number;

  constructor(now: () => number, from?: PageFiles, overlay: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#now = now;
    this.#overlay = overlay;
    this.#entries = from
      ? from.#entries
      : new Map(['/', HOME, '/tmp'].map((path) => [path, { data: undefined, modified: 0 }]));
  }

  /** The same files with some that only whoever holds this sees. */
  with(overlay: ReadonlyMap<string, Uint8Array>): PageFiles {
    return new PageFiles(this.#now, this, overlay);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const data = this.#read(path);
    if (data) return { kind: 'file', size: data.length, modified: this.#entries.get(path)?.modified ?? this.#now() };
    const entry = this.#entries.get(path);
    return entry && { kind: 'directory', size: 0, modified: entry.modified };
  }

  async readFile(path: string): Promise<Uint8Array> {
    const data = this.#read(path);
    if (data) return data;
    throw new FileError(this.#entries.has(path) ? 'EISDIR' : 'ENOENT', path);
  }

  async writeFile(path: string, data: Uint8Array): Promise<void> {
    if (this.#isDirectory(path)) throw new FileError('EISDIR', path);
    this.#demandDirectory(parentOf(path), path);
    const name = editorName(path);
    if (name === undefined) {
      this.#entries.set(path, { data, modified: this.#now() });
      return;
    }
    const file = editorFile(path);
    const text = decoder.decode(data);
    const { active, add, write, open } = useEditor.getState();
    if (file) write(file.id, text);
    else {
      add(name, text);
      // A file that a command writes does not take the editor away from what is being looked at.
      open(active);
    }
  }

  async list(path: string): Promise<readonly string[]> {
    this.#demandDirectory(path, path);
    const prefix = path === '/' ? '/' : `${path}/`;
    const names = [
      ...this.#entries.keys(),
      ...this.#overlay.keys(),
      ...useEditor.getState().files.map((file) => `${HOME}/${file.name}`),
    ]
      .filter((entry) => entry !== path && entry.startsWith(prefix) && !entry.slice(prefix.length).includes('/'))
      .map((entry) => entry.slice(prefix.length));
    return [...new Set(names)].sort();
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#read(path)) throw new FileError('EEXIST', path);
    if (path !== '/') await this.makeDirectory(parentOf(path));
    if (!this.#entries.has(path)) this.#entries.set(path, { data: undefined, modified: this.#now() });
  }

  async remove(path: string): Promise<void> {
    const file = editorFile(path);
    if (file) {
      useEditor.getState().close(file.id);
      return;
    }
    if (!this.#entries.has(path)) throw new FileError('ENOENT', path);
    if (this.#isDirectory(path) && (await this.list(path)).length > 0) throw new FileError('ENOTEMPTY', path);
    this.#entries.delete(path);
  }

  #read(path: string): Uint8Array | undefined {
    const overlaid = this.#overlay.get(path);
    if (overlaid) return overlaid;
    const file = editorFile(path);
    return file ? encoder.encode(file.text) : this.#entries.get(path)?.data;
  }

  #isDirectory(path: string): boolean {
    const entry = this.#entries.get(path);
    return entry !== undefined && entry.data === undefined;
  }

  #demandDirectory(path: string, asked: string): void {
    if (this.#isDirectory(path)) return;
    throw new FileError(this.#read(path) ? 'ENOTDIR' : 'ENOENT', asked);
  }
}

const parentOf = (path: string) => resolvePath(path, '..');

/** A name for a new file of the editor. */
export const newFileName = () =>
  freeName(
    'new.yaml',
    useEditor.getState().files.map((file) => file.name),
  );
