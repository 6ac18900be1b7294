import type { KubectlContext } from '#kubectl/context.ts';
import type { Output, ShellClock } from '#shell/streams.ts';
import { emptyInput } from '#shell/streams.ts';
import type { HttpServer } from '#transport/http.ts';
import { HOME, PageFiles } from './page-files.ts';
import type { RunningSession } from './session.ts';
import { useSessions } from './session.ts';

/** Asks the API server to say what is not modelled. */
const NOT_MODELLED_HEADER = 'x-tabernetes-warn-not-modelled';

const virtualNow = () => useSessions.getState().running?.clock.getState().state?.now ?? Date.now();

/** The page's files; they outlive the cluster. */
export const pageFiles = new PageFiles(virtualNow);

/** What kubectl and the shell know of the outside, over all sessions. `export` changes it. */
export const environment: Record<string, string | undefined> = {
  HOME,
  KUBECONFIG: `${HOME}/.kube/config`,
  USER: 'root',
  SHELL: '/bin/sh',
  TERM: 'xterm-256color',
};

/** The cluster's clock as kubectl sees it: its sleep takes virtual time, and all of a pause. */
export function sessionClock(session: RunningSession): ShellClock {
  const now = () => session.clock.getState().state?.now ?? Date.now();
  return {
    now,
    sleep: (ms) =>
      new Promise((resolve) => {
        const due = now() + ms;
        const stop = session.clock.subscribe(({ state }) => {
          if (state && state.now < due) return;
          stop();
          resolve();
        });
      }),
  };
}

/** The API server as kubectl reaches it, with warnings for what is not modelled. */
function asking(server: HttpServer): HttpServer {
  const ask = <R extends { readonly headers: Readonly<Record<string, string>> }>(request: R) => ({
    ...request,
    headers: { ...request.headers, [NOT_MODELLED_HEADER]: 'true' },
  });
  return { handle: (request) => server.handle(ask(request)), upgrade: (request) => server.upgrade(ask(request)) };
}

const discovery = new WeakMap<RunningSession, Map<string, string>>();

/** What every kubectl of the page shares; streams and directory are the caller's. */
export function kubectlContext(
  session: RunningSession,
  own: Pick<KubectlContext, 'stdout' | 'stderr'> & Partial<KubectlContext>,
): KubectlContext {
  const server = asking(session.api.server);
  let known = discovery.get(session);
  if (!known) discovery.set(session, (known = new Map()));
  const cache = known;
  return {
    connect: () => server,
    stdin: emptyInput,
    files: pageFiles,
    directory: HOME,
    environment,
    clock: sessionClock(session),
    discoveryCache: { get: async (key) => cache.get(key), set: async (key, text) => void cache.set(key, text) },
    ...own,
  };
}

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one kubectl command with files that only it sees, and returns what it printed. */
export async function runKubectl(
  session: RunningSession,
  words: readonly string[],
  files: ReadonlyMap<string, Uint8Array>,
  directory: string,
): Promise<Printed> {
  const { kubectl } = await import('#kubectl/kubectl.ts');
  const printed = { stdout: '', stderr: '' };
  const output = (name: keyof typeof printed): Output => {
    const decoder = new TextDecoder();
    return {
      isTerminal: false,
      write: (data) => {
        printed[name] += typeof data === 'string' ? data : decoder.decode(data, { stream: true });
      },
    };
  };
  const context = kubectlContext(session, {
    stdout: output('stdout'),
    stderr: output('stderr'),
    files: pageFiles.with(files),
    directory,
  });
  const code = await kubectl(words, context);
  return { code, ...printed };
}
