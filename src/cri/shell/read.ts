import { decodeUtf8 } from '#base/utf8.ts';
import type { Shell } from './shell.ts';
import { ShellError } from './shell-error.ts';

/** Reads a line without reading beyond it. */
export async function read(shell: Shell, args: readonly string[]): Promise<number> {
  let raw = false;
  let prompt: string | undefined;
  let limit = Number.POSITIVE_INFINITY;
  let timeoutMs: number | undefined;
  let at = 1;
  for (; args[at]?.startsWith('-') && args[at] !== '-'; at++) {
    const option = args[at] as string;
    if (option === '--') {
      at++;
      break;
    }
    for (let i = 1; i < option.length; i++) {
      const letter = option[i] as string;
      if (letter === 'r') raw = true;
      else if (letter === 's') continue;
      else if ('pntu'.includes(letter)) {
        const value = option.slice(i + 1) || args[++at] || '';
        if (letter === 'p') prompt = value;
        else if (letter === 'n') limit = Number(value);
        else if (letter === 't') timeoutMs = Number(value) * 1000;
        break;
      } else throw new ShellError(`read: invalid option -${letter}`);
    }
  }
  if (prompt !== undefined && shell.self.file(0)?.tty) await shell.self.complain(prompt);
  const line = await readLine(shell, raw, limit, timeoutMs);
  const names = args.slice(at);
  const ifs = shell.parameter('IFS') ?? ' \t\n';
  const fields = splitLine(line.text, line.escaped, ifs, names.length || 1);
  for (const [i, name] of (names.length > 0 ? names : ['REPLY']).entries()) shell.assign(name, fields[i] ?? '');
  return line.complete ? 0 : 1;
}

interface Line {
  readonly text: string;
  /** Characters at these places came after a backslash and do not split. */
  readonly escaped: ReadonlySet<number>;
  readonly complete: boolean;
}

async function readLine(shell: Shell, raw: boolean, limit: number, timeoutMs: number | undefined): Promise<Line> {
  const bytes: number[] = [];
  const escapedBytes = new Set<number>();
  let complete = false;
  let timedOut = false;
  const timer =
    timeoutMs === undefined
      ? undefined
      : shell.self.process.clock.afterFunc(timeoutMs, 'read -t', () => {
          timedOut = true;
        });
  let backslash = false;
  while (bytes.length < limit && !timedOut) {
    const next = (await shell.self.read(0, 1))?.[0];
    if (next === undefined) break;
    if (backslash) {
      backslash = false;
      if (next === 10) continue;
      escapedBytes.add(bytes.length);
      bytes.push(next);
    } else if (next === 92 && !raw) backslash = true;
    else if (next === 10) {
      complete = true;
      break;
    } else bytes.push(next);
  }
  timer?.stop();
  const text = decodeUtf8(Uint8Array.from(bytes));
  // Places of bytes are places of characters in plain text, which is where escapes are used.
  return {
    text,
    escaped: text.length === bytes.length ? escapedBytes : new Set(),
    complete: complete || bytes.length >= limit,
  };
}

/** Splits a line into at most `most` fields; the last one takes the rest. */
function splitLine(text: string, escaped: ReadonlySet<number>, ifs: string, most: number): string[] {
  const isSpace = (at: number) => !escaped.has(at) && ifs.includes(text[at] as string) && /\s/.test(text[at] as string);
  const isBorder = (at: number) => !escaped.has(at) && ifs.includes(text[at] as string);
  const fields: string[] = [];
  let at = 0;
  while (at < text.length && isSpace(at)) at++;
  while (at < text.length && fields.length < most - 1) {
    const start = at;
    while (at < text.length && !isBorder(at)) at++;
    fields.push(text.slice(start, at));
    while (at < text.length && isSpace(at)) at++;
    if (at < text.length && isBorder(at) && !isSpace(at)) at++;
    while (at < text.length && isSpace(at)) at++;
  }
  let end = text.length;
  while (end > at && isSpace(end - 1)) end--;
  if (at < end) fields.push(text.slice(at, end));
  return fields;
}
