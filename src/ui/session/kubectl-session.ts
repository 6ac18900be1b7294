import { readYaml } from '#apimachinery/yaml-reader.ts';
import type { KubectlContext } from '#kubectl/context.ts';
import { emptyInput, type Output, type ShellClock } from '#shell/streams.ts';
import type { HttpServer } from '#transport/http.ts';
import { requestEdit } from '../features/editor/edit-request.tsx';
import { overlayFiles } from './overlay-files.ts';
import { useSessions, type RunningSession } from './session.ts';

/** Asks the API server to say what is not modelled. */
const NOT_MODELLED_HEADER = 'x-tabernetes-warn-not-modelled';

/** The cluster's clock as kubectl sees it: its sleep takes virtual time, and all of a pause. */
function sessionClock(session: RunningSession): ShellClock {
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
  const ask = <R extends { readonly headers: Readonly<Record<string, string>> }>(request: R): R => ({
    ...request,
    headers: { ...request.headers, [NOT_MODELLED_HEADER]: 'true' },
  });
  return {
    handle: (request) => server.handle(ask(request)),
    upgrade: (request) => server.upgrade(ask(request)),
  };
}

interface Shared {
  readonly server: HttpServer;
  readonly clock: ShellClock;
  readonly discovery: Map<string, string>;
}

const shared = new WeakMap<RunningSession, Shared>();

/** What every kubectl of the page shares; streams, files and directory are the caller's. Throws without a cluster. */
export function kubectlContext(
  own: Omit<KubectlContext, 'connect' | 'clock' | 'discoveryCache' | 'edit'>,
): KubectlContext {
  const session = useSessions.getState().running;
  if (!session) throw new Error('there is no cluster');
  let known = shared.get(session);
  if (!known) {
    known = { server: asking(session.api.server), clock: sessionClock(session), discovery: new Map() };
    shared.set(session, known);
  }
  const { server, clock, discovery } = known;
  return {
    ...own,
    connect: () => server,
    clock,
    edit: (text, name) => requestEdit(text, name, own.signal),
    discoveryCache: {
      get: async (key) => discovery.get(key),
      set: async (key, text) => void discovery.set(key, text),
    },
  };
}

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one kubectl command with files that only it sees, and returns what it printed. */
export async function runKubectl(
  words: readonly string[],
  files: ReadonlyMap<string, Uint8Array>,
  directory: string,
): Promise<Printed> {
  const [{ kubectl }, { terminalMachine }] = await Promise.all([
    import('#kubectl/kubectl.ts'),
    import('../features/terminal/terminal-machine.ts'),
  ]);
  const { files: below, environment } = terminalMachine();
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
  const context = kubectlContext({
    stdin: emptyInput,
    stdout: output('stdout'),
    stderr: output('stderr'),
    files: overlayFiles(below, files),
    directory,
    environment,
  });
  const code = await kubectl(words, context);
  return { code, ...printed };
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { readonly name: string; readonly context?: { readonly namespace?: string } }[];
}

/** The namespace that kubectl works in when none is named: as `kubectl config set-context` left it. */
export async function currentNamespace(): Promise<string> {
  const { terminalMachine } = await import('../features/terminal/terminal-machine.ts');
  const { files, environment } = terminalMachine();
  const path = environment['KUBECONFIG'] ?? '';
  if (!(await files.stat(path))) return 'default';
  const config = readYaml(new TextDecoder().decode(await files.readFile(path))) as Kubeconfig | null;
  const context = config?.contexts?.find(({ name }) => name === config['current-context']);
  return context?.context?.namespace || 'default';
}
