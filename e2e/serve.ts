import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Served {
  readonly url: string;
  readonly kubeconfig: string;
  stop(): void;
}

/** Starts `npm run serve` on a free port of loopback with a kubeconfig in a folder of its own; resolves when it is ready. */
export async function serve(...args: readonly string[]): Promise<Served> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tabernetes-'));
  const kubeconfig = path.join(folder, 'kubeconfig');
  const server: ChildProcess = spawn(
    process.execPath,
    ['tools/run.js', 'serve', '--port', '0', '--kubeconfig', kubeconfig, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    const hear = (bytes: Buffer) => {
      said += bytes.toString();
      const found = /at (https?:\/\/127\.0\.0\.1:\d+)/.exec(said);
      if (found) resolve(found[1] as string);
    };
    server.stdout?.on('data', hear);
    server.stderr?.on('data', hear);
    server.on('exit', (code) => reject(new Error(`the server exited with ${code}:\n${said}`)));
  });
  return { url, kubeconfig, stop: () => server.kill('SIGTERM') };
}
