import { encodeUtf8 } from '#base/utf8.ts';
import type { HttpAnswer, HttpMessage } from '#network/http.ts';
import type { Connection } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { strftime } from '../os/strftime.ts';
import { serveHttp } from '../os/serve.ts';
import type { UnixProcess } from '../os/unix-process.ts';

/** A line of Go's standard logger, on standard error. */
export function log(self: UnixProcess, text: string): Promise<void> {
  return self.complain(`${strftime('%Y/%m/%d %H:%M:%S', self.process.clock.now())} ${text}\n`);
}

/** A program in Go ends with 2 on a signal that it does not ask for, also as PID 1. */
export function diesOfSignals(self: UnixProcess): void {
  for (const signal of ['INT', 'TERM', 'HUP'] as const) self.onSignal(signal, () => self.exit({ code: 2 }));
}

/** A text as Go's net/http sends it. */
export function goAnswer(
  self: UnixProcess,
  body: string | Uint8Array,
  {
    status = 200,
    headers = {},
  }: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): HttpAnswer {
  return {
    status,
    headers: {
      ...headers,
      Date: strftime('%a, %d %b %Y %H:%M:%S GMT', self.process.clock.now()),
      ...(body.length > 0 && headers['Content-Type'] === undefined
        ? { 'Content-Type': 'text/plain; charset=utf-8' }
        : {}),
    },
    body: typeof body === 'string' ? encodeUtf8(body) : body,
  };
}

/** Serves HTTP; says what is in the way and answers false when the port is taken. */
export async function listenAndServe(
  self: UnixProcess,
  port: number,
  handle: (request: HttpMessage, connection: Connection) => HttpAnswer | Promise<HttpAnswer>,
  complain = (text: string) => log(self, text),
): Promise<boolean> {
  try {
    serveHttp(self, port, handle);
    return true;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await complain(`listen tcp :${port}: bind: ${error.message.toLowerCase()}`);
    return false;
  }
}

/** A path and its query, decoded; what is not well formed stays as it is. */
export function splitPath(target: string): { readonly path: string; query(name: string): string } {
  const [path = '/', search = ''] = target.split('?');
  const fields = search
    .split('&')
    .map((field) => [field.split('=')[0] ?? '', field.slice(field.indexOf('=') + 1)].map(decode));
  return { path: decode(path), query: (name) => fields.find(([key]) => key === name && search !== '')?.[1] ?? '' };
}

/** A header's name as Go writes it: `X-Forwarded-For`. */
export function canonicalHeader(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** Flags of Go's flag package (`-name value`, `--name=value`; `booleans` take no value), or what is wrong with them. */
export function goFlags(
  words: readonly string[],
  known: readonly string[],
  booleans: readonly string[] = [],
): { readonly flags: ReadonlyMap<string, readonly string[]>; readonly rest: readonly string[] } | string {
  const flags = new Map<string, readonly string[]>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!word.startsWith('-') || word === '-') return { flags, rest: words.slice(i) };
    if (word === '--') return { flags, rest: words.slice(i + 1) };
    const [, name = '', value] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const add = (one: string) => flags.set(name, [...(flags.get(name) ?? []), one]);
    if (booleans.includes(name)) add(value ?? 'true');
    else if (!known.includes(name)) return `flag provided but not defined: -${name}`;
    else if (value !== undefined) add(value);
    else if (++i < words.length) add(words[i] as string);
    else return `flag needs an argument: -${name}`;
  }
  return { flags, rest: [] };
}

/** Milliseconds of a duration such as `1m30s`; undefined if it is none. */
export function goDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (units[unit] as number),
    0,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
