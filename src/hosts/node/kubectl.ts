import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import type { KubectlContext } from '#kubectl/context.ts';
import { kubectl } from '#kubectl/kubectl.ts';
import type { Input, Output } from '#shell/streams.ts';
import { nodeFiles } from './files.ts';
import { httpClient } from './http-client.ts';

/** The real kubectl keeps discovery for six hours, too. */
const CACHE_MS = 6 * 3_600_000;

function output(stream: NodeJS.WriteStream): Output {
  return {
    isTerminal: stream.isTTY === true,
    write: (data) => {
      stream.write(data);
    },
    size: () => ({ columns: stream.columns ?? 80, rows: stream.rows ?? 24 }),
  };
}

function input(stream: NodeJS.ReadStream): Input {
  let chunks: AsyncIterator<Buffer> | undefined;
  return {
    isTerminal: stream.isTTY === true,
    async read() {
      chunks ??= stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      const next = await chunks.next();
      return next.done ? undefined : next.value;
    },
    setRaw: (raw) => stream.setRawMode?.(raw),
    onResize: (listener) => {
      process.stdout.on('resize', listener);
      return () => process.stdout.off('resize', listener);
    },
  };
}

function cacheFile(server: string): string {
  return path.join(homedir(), '.kube/cache/tabernetes', `${createHash('sha256').update(server).digest('hex')}.json`);
}

/** Discovery on disk, beside the real kubectl's. A cache that cannot be read or written is no cache. */
const discoveryCache: KubectlContext['discoveryCache'] = {
  async get(server) {
    try {
      const file = cacheFile(server);
      return Date.now() - statSync(file).mtimeMs < CACHE_MS ? readFileSync(file, 'utf8') : undefined;
    } catch {
      return undefined;
    }
  },
  async set(server, text) {
    try {
      const file = cacheFile(server);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    } catch {
      // The next command asks again.
    }
  },
};

/** The words of the editor's command line. Follows kubectl/pkg/cmd/util/editor, v1.33. */
function editorWords(): readonly string[] {
  const editor = process.env['KUBE_EDITOR'] || process.env['EDITOR'] || 'vi';
  if (!editor.includes(' ')) return [editor];
  return /["'\\]/.test(editor) ? [process.env['SHELL'] || '/bin/bash', '-c', editor] : editor.split(' ');
}

/** Runs the editor of the environment on a temporary file. */
async function editWithEditor(text: string, name: string): Promise<string> {
  const file = path.join(tmpdir(), name);
  const words = editorWords();
  const [program = '', ...args] = words;
  const shown = JSON.stringify(words.join(' '));
  // A shell's command line gets the file as its last word.
  const given = args[0] === '-c' ? ['-c', `${args[1]} ${JSON.stringify(file)}`] : [...args, file];
  writeFileSync(file, text, { mode: 0o600 });
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(program, given, { stdio: 'inherit' });
      child.on('error', () => reject(new Error(`unable to launch the editor ${shown}`)));
      child.on('exit', (status) =>
        status === 0 ? resolve() : reject(new Error(`there was a problem with the editor ${shown}`)),
      );
    });
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(file, { force: true });
  }
}

const clients: { close(): void }[] = [];
const abort = new AbortController();
// Every request listens for the end.
setMaxListeners(0, abort.signal);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
// A reader that has seen enough (`| head -1`) ends the command.
process.stdout.on('error', () => process.exit(1));

const code = await kubectl(process.argv.slice(2), {
  connect(config) {
    const client = httpClient(config);
    clients.push(client);
    return client;
  },
  stdin: input(process.stdin),
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  files: nodeFiles,
  directory: process.cwd(),
  environment: process.env,
  clock: { now: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  signal: abort.signal,
  discoveryCache,
  edit: editWithEditor,
});
for (const client of clients) client.close();
// What still waits (a timer, a watch) must not keep the process; what was written must get out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
