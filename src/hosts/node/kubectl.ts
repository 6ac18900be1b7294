import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
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
  edit: (file) =>
    new Promise((resolve, reject) => {
      const editor = process.env['KUBE_EDITOR'] || process.env['EDITOR'] || 'vi';
      const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
      child.on('error', reject);
      child.on('exit', (status) =>
        status === 0 ? resolve() : reject(new Error(`there was a problem with the editor ${JSON.stringify(editor)}`)),
      );
    }),
});
for (const client of clients) client.close();
// What still waits (a timer, a watch) must not keep the process; what was written must get out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
