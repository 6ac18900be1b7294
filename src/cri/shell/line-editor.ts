import type { UnixProcess } from '../os/unix-process.ts';
import { utf8Stream } from '#base/utf8.ts';
import { LineDisplay } from './line-display.ts';

/** What ended the editing of a line. */
export type LineOutcome = { readonly line: string } | 'end' | 'interrupted';

/** Words that could stand at the end of a line. */
export type Completer = (before: string) => Completion;

export interface Completion {
  readonly word: string;
  readonly candidates: readonly string[];
}

const HISTORY_LIMIT = 256;
/** Single characters, and escape sequences as one. */
const KEYS = new RegExp(`${String.fromCharCode(27)}(?:\\[[0-9;]*[A-Za-z~]|O[A-Z]|.)?|[^]`, 'gu');

/** Edits lines on a terminal as busybox and readline do: arrows, history, ^A ^E ^K ^U ^W ^L, completion by Tab. */
export class LineEditor {
  readonly #self: UnixProcess;
  readonly #complete: (before: string) => Promise<Completion>;
  readonly #history: string[] = [];
  readonly #decoder = utf8Stream();
  #keys: string[] = [];

  constructor(self: UnixProcess, complete: (before: string) => Promise<Completion>) {
    this.#self = self;
    this.#complete = complete;
  }

  /** Reads one line; the terminal is raw meanwhile. */
  async read(prompt: string): Promise<LineOutcome> {
    const tty = this.#self.file(0)?.tty;
    if (tty) tty.raw = true;
    try {
      return await this.#edit(prompt);
    } finally {
      if (tty) tty.raw = false;
    }
  }

  async #edit(prompt: string): Promise<LineOutcome> {
    let text = '';
    let at = 0;
    let back = this.#history.length;
    let draft = '';
    const show = (out: string) => this.#self.complain(out);
    const columns = () => this.#self.file(0)?.tty?.columns ?? 80;
    let display = new LineDisplay(prompt, columns);
    const replace = async (next: string, cursor = next.length) => {
      await show(display.update(next, cursor));
      text = next;
      at = cursor;
    };
    /** The prompt and the line once more, below what was printed. */
    const again = async () => {
      display = new LineDisplay(prompt, columns);
      await show(prompt + display.update(text, at));
    };
    await show(prompt);
    for (;;) {
      const key = await this.#key();
      switch (key) {
        case undefined:
          return 'end';
        case '\r':
        case '\n':
          await show(`${display.update(text, text.length)}\n`);
          if (text.trim() !== '' && this.#history.at(-1) !== text) this.#history.push(text);
          if (this.#history.length > HISTORY_LIMIT) this.#history.shift();
          return { line: text };
        case '\x03':
          await show('^C\n');
          return 'interrupted';
        case '\x04':
          if (text === '') return 'end';
          if (at < text.length) await replace(text.slice(0, at) + text.slice(at + 1), at);
          break;
        case '\x7f':
        case '\b':
          if (at > 0) await replace(text.slice(0, at - 1) + text.slice(at), at - 1);
          break;
        case '\x1b[3~':
          if (at < text.length) await replace(text.slice(0, at) + text.slice(at + 1), at);
          break;
        case '\x01':
        case '\x1b[H':
        case '\x1bOH':
        case '\x1b[1~':
          await replace(text, 0);
          break;
        case '\x05':
        case '\x1b[F':
        case '\x1bOF':
        case '\x1b[4~':
          await replace(text);
          break;
        case '\x02':
        case '\x1b[D':
        case '\x1bOD':
          if (at > 0) await replace(text, at - 1);
          break;
        case '\x06':
        case '\x1b[C':
        case '\x1bOC':
          if (at < text.length) await replace(text, at + 1);
          break;
        case '\x0b':
          await replace(text.slice(0, at));
          break;
        case '\x15':
          await replace(text.slice(at), 0);
          break;
        case '\x17': {
          const kept = text.slice(0, at).replace(/\S*\s*$/, '');
          await replace(kept + text.slice(at), kept.length);
          break;
        }
        case '\x0c':
          await show('\x1b[H\x1b[J');
          await again();
          break;
        case '\x10':
        case '\x1b[A':
        case '\x1bOA':
          if (back > 0) {
            if (back === this.#history.length) draft = text;
            await replace(this.#history[--back] as string);
          }
          break;
        case '\x0e':
        case '\x1b[B':
        case '\x1bOB':
          if (back < this.#history.length)
            await replace(++back === this.#history.length ? draft : (this.#history[back] as string));
          break;
        case '\t': {
          const { word, candidates } = await this.#complete(text.slice(0, at));
          const common = commonPrefix(candidates);
          const only = candidates.length === 1;
          if (candidates.length > 0 && (common.length > word.length || only)) {
            const added = common.slice(word.length) + (only && !common.endsWith('/') ? ' ' : '');
            await replace(text.slice(0, at) + added + text.slice(at), at + added.length);
          } else if (candidates.length > 1) {
            await show(`${display.update(text, text.length)}\n${candidates.join('  ')}\n`);
            await again();
          }
          break;
        }
        default:
          if (key.length > 1 || key >= ' ') {
            if (key.startsWith('\x1b')) break;
            await replace(text.slice(0, at) + key + text.slice(at), at + key.length);
          }
      }
    }
  }

  /** The next key: one character, or one escape sequence. */
  async #key(): Promise<string | undefined> {
    while (this.#keys.length === 0) {
      const bytes = await this.#self.read(0);
      if (!bytes) return undefined;
      this.#keys.push(...(this.#decoder.push(bytes).match(KEYS) ?? []));
    }
    return this.#keys.shift();
  }
}

function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? '';
  for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}
