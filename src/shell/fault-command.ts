import type { Output } from './streams.ts';

/** A part of a cluster that can be made to fail, and how it is now. */
export interface FaultTarget {
  readonly target: string;
  readonly state: string;
  readonly states: readonly string[];
}

/** What the command needs of the cluster. */
export interface FaultContext {
  faults(): Promise<readonly FaultTarget[]>;
  /** Rejects with a message for people. */
  setFault(target: string, state: string): Promise<void>;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Verbs, and the state that each one brings about. */
const VERBS = {
  start: 'running',
  stop: 'stopped',
  off: 'off',
  unplug: 'unplugged',
  hang: 'hang',
  crash: 'crash',
  slow: 'slow',
  unready: 'unready',
  heal: 'running',
} as const;
type Verb = keyof typeof VERBS;

const HELP = `Makes parts of the cluster fail, and run again.

Usage:
  fault [list]                          what fails now, and what could
  fault stop|start COMPONENT            kills a component where it is; starts it anew
  fault off|unplug|start NODE           power, or network cable, of a node
  fault hang|crash|slow|unready|heal pod/NAME [-n NAMESPACE]
                                        what a Pod does instead of answering

COMPONENT is kube-apiserver, etcd, kube-scheduler, kube-controller-manager, coredns, the name of a controller
(replicaset-controller), kubelets/NODE or kube-proxies/NODE. "heal" undoes what was done to a Pod.

Examples:
  fault stop kube-scheduler
  fault unplug node-1
  fault hang pod/web-1 -n shop
`;

class UsageError extends Error {}

/**
 * The command `fault`: the same words in the page's terminal and on the command line of Node. Returns the exit code.
 */
export async function runFault(args: readonly string[], context: FaultContext): Promise<number> {
  const { stdout, stderr } = context;
  if (args.some((arg) => arg === '-h' || arg === '--help') || args[0] === 'help') {
    stdout.write(HELP);
    return 0;
  }
  try {
    const { words, namespace } = parse(args);
    const [verb = 'list', name, ...rest] = words;
    if (verb === 'list') {
      if (name !== undefined) throw new UsageError('list takes no arguments');
      stdout.write(table(await context.faults()));
      return 0;
    }
    if (!(verb in VERBS)) throw new UsageError(`unknown verb "${verb}"`);
    if (name === undefined || rest.length > 0) throw new UsageError(`${verb} takes one name`);
    const target = targetOf(name, namespace, await context.faults());
    const state = VERBS[verb as Verb];
    await context.setFault(target, state);
    stdout.write(`${target} ${state}\n`);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    stderr.write(`fault: ${message}\n${error instanceof UsageError ? 'See "fault --help".\n' : ''}`);
    return 1;
  }
}

/** Candidates for the last of the words, which may be empty; the words before it are whole. */
export function completeFault(words: readonly string[], faults: readonly FaultTarget[]): readonly string[] {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const fits = (candidates: readonly string[]) => candidates.filter((one) => one.startsWith(word));
  const [verb] = before;
  if (verb === undefined) return fits(['list', ...Object.keys(VERBS)]);
  const state = VERBS[verb as Verb];
  if (before.length > 1 || state === undefined) return [];
  const able = faults.filter(({ states, state: now }) => states.includes(state) && now !== state);
  return fits(able.map(({ target }) => nameOf(target).replace(/^pods\/default\//, 'pod/')));
}

function parse(args: readonly string[]): { readonly words: readonly string[]; readonly namespace: string } {
  const words: string[] = [];
  let namespace = 'default';
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    const flag = /^(?:-n|--namespace)(?:=(.*))?$/.exec(arg);
    if (flag) {
      const value = flag[1] ?? args[++at];
      if (!value) throw new UsageError(`${arg} needs a namespace`);
      namespace = value;
    } else if (arg.startsWith('-')) throw new UsageError(`unknown flag "${arg}"`);
    else words.push(arg);
  }
  return { words, namespace };
}

/** The target that a name means: as it is listed, or without what stands before its slash. */
function targetOf(name: string, namespace: string, faults: readonly FaultTarget[]): string {
  const pod = /^(?:pods?|po)\/(.+)$/.exec(name)?.[1];
  if (pod !== undefined) return `pods/${pod.includes('/') ? pod : `${namespace}/${pod}`}`;
  const node = /^(?:nodes?|no)\/(.+)$/.exec(name)?.[1];
  const short = node === undefined ? name : `nodes/${node}`;
  const found = faults.find(({ target }) => [target, nameOf(target)].includes(short));
  if (!found) throw new Error(`there is no "${name}" here: "fault list" shows what there is, a Pod is pod/NAME`);
  return found.target;
}

/** How people call it: nodes and controllers by their own names. */
function nameOf(target: string): string {
  return target.replace(/^(?:nodes|controllers)\//, '');
}

function table(faults: readonly FaultTarget[]): string {
  const rows = [['NAME', 'STATE'], ...faults.map(({ target, state }) => [nameOf(target), state])];
  const width = Math.max(...rows.map(([name = '']) => name.length)) + 3;
  return rows.map(([name = '', state = '']) => `${name.padEnd(width)}${state}\n`).join('');
}
