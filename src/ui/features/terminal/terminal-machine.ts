import { Driver } from '#hosts/driver.ts';
import { browserWall } from '#hosts/worker/browser-wall.ts';
import { complete } from '#kubectl/complete.ts';
import { kubectl } from '#kubectl/kubectl.ts';
import type { FileSystem } from '#shell/file-system.ts';
import { emptyInput } from '#shell/streams.ts';
import type { OutsideCall } from '#terminal/outside-program.ts';
import { completeFault, type FaultTarget, runFault } from '#shell/fault-command.ts';
import { HOME, Terminal } from '#terminal/terminal.ts';
import { kubectlContext } from '../../session/kubectl-session.ts';
import { type RunningSession, useSessions } from '../../session/session.ts';
import { useEditor } from '../editor/editor-store.ts';
import { NODE_PROGRAMS, onNode, ssh } from './node-login.ts';

/** The machine behind the page's terminal. It outlives the cluster; its kubectl talks to the one that runs now. */
export interface TerminalMachine {
  readonly files: FileSystem;
  readonly environment: Readonly<Record<string, string>>;
  type(bytes: Uint8Array): void;
  resize(columns: number, rows: number): void;
  /** Calls back with the last of what was printed, and from then on with all that is printed. Returns how to stop. */
  onOutput(listener: (bytes: Uint8Array) => void): () => void;
}

/** How much of what was printed a screen that is drawn anew shows, bytes. */
const KEPT = 200_000;
const MANIFEST = /\.(?:ya?ml|json)$/;
/** After output the machine's files are compared with the editor's, ms. */
const SYNC_MS = 150;

const environment = { HOME, KUBECONFIG: `${HOME}/.kube/config`, USER: 'root', TERM: 'xterm-256color' };
/** The directory in cyan, the rest plain. */
const PROMPT = '\x1b[36m\\w\x1b[0m $ ';

let machine: TerminalMachine | undefined;

/** The one terminal of the page, started when it is first asked for. */
export function terminalMachine(): TerminalMachine {
  machine ??= start();
  return machine;
}

function start(): TerminalMachine {
  const listeners = new Set<(bytes: Uint8Array) => void>();
  let printed: Uint8Array[] = [];
  let size = 0;
  const show = (bytes: Uint8Array) => {
    printed.push(bytes);
    size += bytes.length;
    if (size > 2 * KEPT) [printed, size] = lastBytes(printed, KEPT);
    for (const listener of listeners) listener(bytes);
  };
  const runKubectl = (call: OutsideCall) => kubectl(call.args, kubectlContext({ ...call, files: terminal.files }));
  const terminal = new Terminal({
    epoch: useSessions.getState().running?.clock.getState().state?.now ?? Date.now(),
    environment: { ...environment, PS1: PROMPT },
    programs: {
      kubectl: runKubectl,
      k: runKubectl,
      fault: ({ args, stdout, stderr }) => {
        const { control } = session();
        const setFault = (target: string, state: string) => control.setFault(target, state);
        return runFault(args, { faults: () => control.faults(), setFault, stdout, stderr });
      },
      ssh: ssh(server),
      ...Object.fromEntries(NODE_PROGRAMS.map((name) => [name, onNode(name, homeNode, server)])),
    },
    complete: async (before) => (await completeOwn(before)) ?? completeKubectl(before, terminal.files),
    onOutput: (bytes) => {
      show(bytes);
      sync.later();
    },
  });
  const sync = shareFiles(terminal);
  new Driver(terminal.pump, browserWall()).onCrash = (error) => {
    machine = undefined;
    const text = error instanceof Error ? error.message : String(error);
    show(new TextEncoder().encode(`\r\n\x1b[31m${text}\x1b[0m\r\n`));
  };
  return {
    files: terminal.files,
    environment,
    type: (bytes) => terminal.type(bytes),
    resize: (columns, rows) => terminal.resize(columns, rows),
    onOutput(listener) {
      for (const bytes of printed) listener(bytes);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function session(): RunningSession {
  const { running } = useSessions.getState();
  if (!running) throw new Error('there is no cluster');
  return running;
}

const server = () => session().api.server;

/** The node on which network tools that are typed here run. */
const homeNode = () => (useSessions.getState().info?.topology.controlPlaneNode === false ? 'node-1' : 'control-plane');

/** Completes a line that ends in `fault` or `ssh`. */
async function completeOwn(before: string) {
  const [program, ...words] = (/[^|&;()]*$/.exec(before)?.[0] ?? '').trimStart().split(/\s+/);
  const word = words.at(-1);
  const { running } = useSessions.getState();
  if (!running || word === undefined) return undefined;
  if (program === 'ssh') {
    const nodes = (await running.control.faults()).filter(({ target }) => target.startsWith('nodes/'));
    const names = nodes.map(({ target }) => target.slice('nodes/'.length));
    return words.length === 1 ? { word, candidates: names.filter((name) => name.startsWith(word)) } : undefined;
  }
  if (program !== 'fault') return undefined;
  const known = await running.control.faults();
  const pods = (await podNames(running)).map(
    (name): FaultTarget => ({
      target: `pods/default/${name}`,
      state: 'running',
      states: ['hang', 'crash', 'slow', 'unready'],
    }),
  );
  return { word, candidates: completeFault(words, [...known, ...pods]) };
}

/** Names of Pods of the namespace that `fault` means by default; none while the API server does not answer. */
async function podNames({ api }: RunningSession): Promise<readonly string[]> {
  try {
    const list = await api.get<{ readonly items: readonly { readonly metadata: { readonly name: string } }[] }>(
      '/api/v1/namespaces/default/pods?limit=500',
    );
    return list.items.map(({ metadata }) => metadata.name);
  } catch {
    return [];
  }
}

/** Completes a line that ends in a kubectl command; the shell completes all others. */
async function completeKubectl(before: string, files: FileSystem) {
  if (!useSessions.getState().running) return undefined;
  const silent = { isTerminal: false, write: () => {} };
  const context = { stdin: emptyInput, stdout: silent, stderr: silent, files, directory: HOME, environment };
  return complete(before, kubectlContext(context));
}

function lastBytes(chunks: readonly Uint8Array[], limit: number): [Uint8Array[], number] {
  const kept: Uint8Array[] = [];
  let size = 0;
  for (let at = chunks.length - 1; at >= 0 && size < limit; at--) {
    const chunk = chunks[at] as Uint8Array;
    kept.unshift(chunk);
    size += chunk.length;
  }
  return [kept, size];
}

/** The editor's files are those of the home directory that hold manifests: what one side writes, the other has. */
function shareFiles(terminal: Terminal): { later(): void } {
  const { files } = terminal;
  /** What both sides agreed on, by name. */
  const agreed = new Map<string, string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const fromEditor = () => {
    const names = new Set<string>();
    for (const { name, text, isRequest } of useEditor.getState().files) {
      if (isRequest) continue;
      names.add(name);
      if (agreed.get(name) === text) continue;
      terminal.writeFile(`${HOME}/${name}`, text);
      agreed.set(name, text);
    }
    for (const name of [...agreed.keys()]) {
      if (names.has(name)) continue;
      agreed.delete(name);
      terminal.removeFile(`${HOME}/${name}`);
    }
  };
  const fromMachine = async () => {
    timer = undefined;
    const names = (await files.list(HOME)).filter((name) => MANIFEST.test(name));
    for (const name of names) {
      const stat = await files.stat(`${HOME}/${name}`);
      if (stat?.kind !== 'file') continue;
      const text = new TextDecoder().decode(await files.readFile(`${HOME}/${name}`));
      if (agreed.get(name) === text) continue;
      agreed.set(name, text);
      const { active, add, open } = useEditor.getState();
      add(name, text);
      // A file that a command writes does not take the editor away from what is being looked at.
      open(active);
    }
    for (const name of [...agreed.keys()]) {
      if (names.includes(name)) continue;
      agreed.delete(name);
      const gone = useEditor.getState().files.find((file) => file.name === name);
      if (gone) useEditor.getState().close(gone.id);
    }
  };

  fromEditor();
  useEditor.subscribe((state, before) => {
    if (state.files !== before.files) fromEditor();
  });
  return {
    later() {
      timer ??= setTimeout(() => void fromMachine(), SYNC_MS);
    },
  };
}
