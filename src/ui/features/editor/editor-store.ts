import { create } from 'zustand';
import { recall, remember } from '../../session/preferences.ts';
import { NGINX_POD } from './examples.ts';
import type { Problem } from './documents.ts';

export interface EditorFile {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  /** It is no file of the person's: a command waits for what becomes of it. */
  readonly isRequest?: boolean;
}

/** The server's answer to one document. */
export interface Answer {
  readonly verb: 'apply' | 'delete';
  readonly title: string;
  readonly startLine: number;
  /** What kubectl printed: `pod/nginx created`, or the error. */
  readonly text: string;
  readonly failed: boolean;
  readonly warnings: readonly string[];
  /** The fields that the answer complains of, where they are. */
  readonly problems: readonly Problem[];
}

interface EditorState {
  readonly files: readonly EditorFile[];
  readonly active: number;
  /** Closed files, newest last: they can be opened again. */
  readonly closed: readonly EditorFile[];
  /** By file: what came of applying it last. */
  readonly answers: ReadonlyMap<number, readonly Answer[]>;
  readonly open: (id: number) => void;
  /** Adds a file, or shows the one that has this name; `text` replaces what it holds. */
  readonly add: (name: string, text?: string) => void;
  /** Adds a text that a command waits for, under a name of its own, and returns its id. */
  readonly addRequest: (name: string, text: string) => number;
  readonly rename: (id: number, name: string) => boolean;
  readonly write: (id: number, text: string) => void;
  readonly close: (id: number) => void;
  readonly reopen: (id: number) => void;
  readonly answer: (id: number, answers: readonly Answer[] | undefined) => void;
}

const MAX_CLOSED = 8;
/** More is not kept over a reload, characters. */
const MAX_KEPT = 1_500_000;

/** A name that a shell takes without quotes, that ends as manifests do. */
export function fileName(name: string): string {
  const clean = name
    .trim()
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+/, '');
  return /\.(ya?ml|json)$/.test(clean) ? clean : `${clean || 'file'}.yaml`;
}

/** The name, or the first of `name-2.yaml`, `name-3.yaml` … that is free. */
export function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  const [, stem, ending] = /^(.*?)(\.\w+)$/.exec(name) as RegExpExecArray;
  let number = 2;
  while (taken.includes(`${stem}-${number}${ending}`)) number++;
  return `${stem}-${number}${ending}`;
}

function readFiles(value: unknown): readonly EditorFile[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const files = value as readonly Partial<EditorFile>[];
  return files.every((file) => typeof file.name === 'string' && typeof file.text === 'string')
    ? files.map((file, at) => ({ id: at + 1, name: file.name as string, text: file.text as string }))
    : undefined;
}

export const useEditor = create<EditorState>((set, get) => {
  const files = recall('files', readFiles) ?? [{ id: 1, name: 'nginx-pod.yaml', text: NGINX_POD }];
  let lastId = files.length;
  const answersWithout = (id: number) => new Map([...get().answers].filter(([file]) => file !== id));
  return {
    files,
    active: 1,
    closed: [],
    answers: new Map(),
    open: (id) => set({ active: id }),
    add: (name, text) => {
      const existing = get().files.find((file) => file.name === name);
      if (existing) {
        set({ active: existing.id });
        if (text !== undefined) get().write(existing.id, text);
        return;
      }
      const file = { id: ++lastId, name, text: text ?? '' };
      set((state) => ({ files: [...state.files, file], active: file.id }));
    },
    addRequest: (name, text) => {
      const taken = get().files.map((file) => file.name);
      const file = { id: ++lastId, name: freeName(fileName(name), taken), text, isRequest: true };
      set((state) => ({ files: [...state.files, file], active: file.id }));
      return file.id;
    },
    rename: (id, name) => {
      const clean = fileName(name);
      if (get().files.some((file) => file.name === clean && file.id !== id)) return false;
      set((state) => ({ files: state.files.map((file) => (file.id === id ? { ...file, name: clean } : file)) }));
      return true;
    },
    write: (id, text) =>
      set((state) => ({
        files: state.files.map((file) => (file.id === id && file.text !== text ? { ...file, text } : file)),
      })),
    close: (id) =>
      set((state) => {
        const at = state.files.findIndex((file) => file.id === id);
        const file = state.files[at];
        if (!file) return {};
        let rest = state.files.filter((other) => other !== file);
        if (rest.length === 0) rest = [{ id: ++lastId, name: 'file.yaml', text: '' }];
        const closed = file.text.trim() && !file.isRequest ? [...state.closed, file].slice(-MAX_CLOSED) : state.closed;
        const active = state.active === id ? (rest[Math.min(at, rest.length - 1)] as EditorFile).id : state.active;
        return { files: rest, closed, active, answers: answersWithout(id) };
      }),
    reopen: (id) =>
      set((state) => {
        const file = state.closed.find((closed) => closed.id === id);
        if (!file) return {};
        const name = freeName(
          file.name,
          state.files.map((other) => other.name),
        );
        return {
          files: [...state.files, { ...file, name }],
          closed: state.closed.filter((closed) => closed.id !== id),
          active: id,
        };
      }),
    answer: (id, answers) =>
      set(() => {
        const next = answersWithout(id);
        if (answers) next.set(id, answers);
        return { answers: next };
      }),
  };
});

/** Keeps the files over a reload, a little after they changed. Returns how to stop. */
export function keepFiles(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = () => {
    timer = undefined;
    const { files } = useEditor.getState();
    let room = MAX_KEPT;
    remember(
      'files',
      files
        .filter(({ text, isRequest }) => !isRequest && (room -= text.length) >= 0)
        .map(({ name, text }) => ({ name, text })),
    );
  };
  const stop = useEditor.subscribe((state, before) => {
    if (state.files !== before.files) timer ??= setTimeout(keep, 400);
  });
  const onHide = () => timer && keep();
  window.addEventListener('pagehide', onHide);
  return () => {
    stop();
    window.removeEventListener('pagehide', onHide);
    clearTimeout(timer);
  };
}
