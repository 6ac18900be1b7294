import { sha256 } from '@noble/hashes/sha2.js';
import type { JsonObject } from '#apimachinery/json.ts';

import { goQuote, isEnvVarName } from '#apimachinery/validation.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { FileError } from '#shell/file-system.ts';
import type { Invocation } from './command.ts';
import type { Flag } from './flags.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';

/** Flags of ConfigMaps and Secrets for where their data come from. */
export const sourceFlags: readonly Flag[] = [
  { name: 'append-hash', type: 'bool', usage: 'Append a hash of the content to the name.' },
  { name: 'from-env-file', type: 'stringSlice', usage: 'A file with a KEY=VALUE in each line.', values: 'files' },
  {
    name: 'from-file',
    type: 'stringSlice',
    usage: 'A file as FILE or KEY=FILE; or a directory, each file of which becomes a key.',
    values: 'files',
  },
  { name: 'from-literal', type: 'stringArray', usage: 'A KEY=VALUE.' },
];

/** Takes a key with its content. */
export type AddKey = (key: string, content: Uint8Array) => void;

/** Adds what --from-file, --from-literal and --from-env-file give, in kubectl's order. */
export async function readSources(
  invocation: Invocation,
  order: readonly ('file' | 'literal' | 'env')[],
  what: string,
  add: AddKey,
): Promise<void> {
  const { flags } = invocation;
  for (const kind of order) {
    if (kind === 'literal') {
      for (const source of flags.strings('from-literal')) {
        const equals = source.indexOf('=');
        if (equals <= 0) throw new Error(`invalid literal source ${source}, expected key=value`);
        add(source.slice(0, equals), encodeUtf8(source.slice(equals + 1)));
      }
    } else if (kind === 'file') {
      for (const source of flags.strings('from-file')) await readFileSource(invocation, source, add);
    } else {
      for (const path of flags.strings('from-env-file')) await readEnvFile(invocation, path, what, add);
    }
  }
}

/** Refuses --from-env-file together with the others. */
export function checkSources(invocation: Invocation): void {
  const { flags } = invocation;
  if (
    flags.strings('from-env-file').length > 0 &&
    (flags.strings('from-file').length > 0 || flags.strings('from-literal').length > 0)
  ) {
    throw new Error('from-env-file cannot be combined with from-file or from-literal');
  }
}

function parseFileSource(source: string): { readonly key: string; readonly path: string } {
  const parts = source.split('=');
  if (parts.length === 1) return { key: source.replace(/\/+$/, '').split('/').at(-1) ?? '', path: source };
  if (parts.length > 2) throw new Error("key names or file paths cannot contain '='");
  const [key = '', path = ''] = parts;
  if (key === '') throw new Error(`key name for file path ${path} missing`);
  if (path === '') throw new Error(`file path for key name ${key} missing`);
  return { key, path };
}

/** One --from-file source. */
export async function readFileSource(invocation: Invocation, source: string, add: AddKey): Promise<void> {
  const { key, path } = parseFileSource(source);
  const { files } = invocation.context;
  const absolute = invocation.absolute(path);
  const stat = await files.stat(absolute);
  if (!stat) throw new Error(`error reading ${path}: ${new FileError('ENOENT', path).message}`);
  if (stat.kind === 'file') {
    add(key, await files.readFile(absolute));
    return;
  }
  if (source.includes('=')) throw new Error('cannot give a key name for a directory path');
  for (const name of await files.list(absolute)) {
    const inner = `${absolute.replace(/\/$/, '')}/${name}`;
    if ((await files.stat(inner))?.kind === 'file') add(name, await files.readFile(inner));
  }
}

async function readEnvFile(invocation: Invocation, path: string, what: string, add: AddKey): Promise<void> {
  const stat = await invocation.context.files.stat(invocation.absolute(path));
  if (!stat) throw new Error(`error reading ${path}: ${new FileError('ENOENT', path).message}`);
  if (stat.kind === 'directory') throw new Error(`env ${what} file cannot be a directory`);
  const lines = decodeUtf8(await invocation.readBytes(path))
    .replace(/^\ufeff/, '')
    .split(/\r?\n/);
  for (const raw of lines) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    const errors = isEnvVarName(key);
    if (errors.length > 0) throw new Error(`${goQuote(key)} is not a valid key name: ${errors.join(';')}`);
    // A name alone takes its value from the environment.
    add(key, encodeUtf8(equals < 0 ? (invocation.context.environment[key] ?? '') : line.slice(equals + 1)));
  }
}

const LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** The suffix of --append-hash. Follows kubectl/pkg/util/hash, v1.33. */
export function contentHash(content: JsonObject): string {
  const digest = Array.from(sha256(encodeUtf8(encodeJson(content))), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  return digest.slice(0, 10).replace(/[013ae]/g, (char) => LETTERS[char] as string);
}
