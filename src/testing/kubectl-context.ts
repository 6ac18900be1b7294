import type { JsonValue } from '#apimachinery/json.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import { FileError } from '#shell/file-system.ts';
import type { Input } from '#shell/streams.ts';
import { emptyInput } from '#shell/streams.ts';
import type { HttpServer, Upgraded } from '#transport/http.ts';
import type { KubectlContext } from '#kubectl/context.ts';

/** What kubectl sees of the world in a test: canned answers by path (without the query), files by path, kept output. */
export interface TestContext extends KubectlContext {
  /** What was written so far. */
  readonly printed: { stdout: string; stderr: string };
}

const CONFIG = `
clusters: [{name: c, cluster: {server: 'http://test'}}]
contexts: [{name: here, context: {cluster: c}}, {name: there, context: {cluster: c, namespace: other}}]
current-context: here
`;

export function testContext(options: {
  readonly answers?: Readonly<Record<string, JsonValue>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly stdin?: Input;
  readonly upgrade?: (path: string) => Upgraded;
}): TestContext {
  const { answers = {}, files = {}, stdin = emptyInput, upgrade } = options;
  const all: Record<string, string> = { '/home/.kube/config': CONFIG, ...files };
  const printed = { stdout: '', stderr: '' };
  const output = (name: keyof typeof printed) => ({
    isTerminal: false,
    write: (data: string | Uint8Array) => {
      printed[name] += typeof data === 'string' ? data : decodeUtf8(data);
    },
  });
  const server: HttpServer = {
    handle: async ({ path }) => {
      const answer = answers[path.split('?')[0] as string];
      return { status: answer === undefined ? 404 : 200, headers: {}, body: encodeUtf8(JSON.stringify(answer ?? {})) };
    },
    upgrade: async ({ path }) => upgrade?.(path) ?? { status: 404, headers: {}, body: new Uint8Array() },
  };
  const below = (path: string) => Object.keys(all).filter((each) => each.startsWith(`${path.replace(/\/$/, '')}/`));
  return {
    printed,
    connect: () => server,
    stdin,
    stdout: output('stdout'),
    stderr: output('stderr'),
    directory: '/home',
    environment: { HOME: '/home' },
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    files: {
      stat: async (path) =>
        all[path] !== undefined
          ? { kind: 'file', size: 0, modified: 0 }
          : below(path).length > 0
            ? { kind: 'directory', size: 0, modified: 0 }
            : undefined,
      readFile: async (path) => {
        const found = all[path];
        if (found === undefined) throw new FileError('ENOENT', path);
        return encodeUtf8(found);
      },
      writeFile: async (path, data) => {
        all[path] = decodeUtf8(data);
      },
      list: async (path) => {
        const names = below(path).map((each) => each.slice(path === '/' ? 1 : path.length + 1).split('/')[0] as string);
        return [...new Set(names)].sort();
      },
      makeDirectory: async () => {},
      remove: async (path) => {
        delete all[path];
      },
    },
  };
}
