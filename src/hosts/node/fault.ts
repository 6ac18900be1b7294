import { readFileSync } from 'node:fs';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { type FaultTarget, runFault } from '#shell/fault-command.ts';
import type { Output } from '#shell/streams.ts';
import { readBody } from '#transport/http.ts';
import { FAULTS_PATH } from './fault-server.ts';
import { httpClient } from './http-client.ts';
import { CONTROL_EXTENSION } from './kubeconfig.ts';

/** Where `npm run serve` has its control port by default. */
const DEFAULT_SERVER = 'http://127.0.0.1:8002';

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { readonly name: string; readonly context?: { readonly cluster?: string } }[];
  readonly clusters?: readonly {
    readonly name: string;
    readonly cluster?: { readonly extensions?: readonly { readonly name: string; readonly extension?: unknown }[] };
  }[];
}

/** The control port that a kubeconfig of ours names for its current context. */
function serverIn(file: string): string {
  const config = readYaml(readFileSync(file, 'utf8')) as Kubeconfig | null;
  const context = config?.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config?.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const found = cluster?.extensions?.find(({ name }) => name === CONTROL_EXTENSION)?.extension;
  const server = (found as { readonly server?: string } | undefined)?.server;
  if (!server) throw new Error(`${file} is not a kubeconfig that "npm run serve" wrote`);
  return server;
}

/** Takes `--kubeconfig FILE` and `--server URL` out of the arguments. */
function parse(args: readonly string[]): { readonly server: string; readonly rest: readonly string[] } {
  const rest: string[] = [];
  const values: Record<'kubeconfig' | 'server', string | undefined> = {
    kubeconfig: process.env['KUBECONFIG'] || undefined,
    server: undefined,
  };
  for (let at = 0; at < args.length; at++) {
    const flag = /^--(kubeconfig|server)(?:=(.*))?$/.exec(args[at] as string);
    if (!flag) rest.push(args[at] as string);
    else values[flag[1] as keyof typeof values] = flag[2] ?? args[++at];
  }
  return { rest, server: values.server ?? (values.kubeconfig ? serverIn(values.kubeconfig) : DEFAULT_SERVER) };
}

const HELP = `
Which cluster (on the command line only):
  --kubeconfig FILE   the one whose kubeconfig "npm run serve" wrote there (default: $KUBECONFIG)
  --server URL        the one whose control port this is (default without a kubeconfig: ${DEFAULT_SERVER})
`;

const output = (stream: NodeJS.WriteStream): Output => ({
  isTerminal: stream.isTTY === true,
  write: (data) => {
    stream.write(data);
  },
});

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.some((arg) => ['help', '--help', '-h'].includes(arg))) {
    const none = () => Promise.reject(new Error('help asks nothing'));
    const streams = { stdout: output(process.stdout), stderr: output(process.stderr) };
    const code = await runFault(['--help'], { faults: none, setFault: none, ...streams });
    process.stdout.write(HELP);
    return code;
  }
  const { server, rest } = parse(args);
  const client = httpClient({ server });
  const ask = async <T>(method: string, body?: unknown): Promise<T> => {
    const response = await client.handle({
      method,
      path: FAULTS_PATH,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: encodeUtf8(JSON.stringify(body)) }),
    });
    const answer = JSON.parse(decodeUtf8(await readBody(response))) as T & { readonly message?: string };
    if (response.status >= 400) throw new Error(answer.message);
    return answer;
  };
  try {
    return await runFault(rest, {
      faults: () => ask<readonly FaultTarget[]>('GET'),
      setFault: async (target, state) => void (await ask('PUT', { target, state })),
      stdout: output(process.stdout),
      stderr: output(process.stderr),
    });
  } finally {
    client.close();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`fault: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
