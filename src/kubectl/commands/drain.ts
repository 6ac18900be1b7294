import type { JsonObject } from '#apimachinery/json.ts';
import { parseLabelSelector } from '#apimachinery/selectors.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { parseTime } from '#base/clock.ts';
import type { Command, Invocation } from '../command.ts';
import { nodesOf, setUnschedulable } from '../cordoning.ts';
import { knownResource } from '../creating.ts';
import type { DryRun } from '../dry-run.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { asError, ErrorList, PlainError } from '../errors.ts';
import { at, objects, strings, text } from '../fields.ts';
import { chunkSize, dryRun, selector } from '../flag-groups.ts';
import { formatDuration } from '../go-duration.ts';
import { podKey } from '../pods.ts';
import { namePrinter } from '../printers/object-printer.ts';
import { ResourceClient } from '../resource-client.ts';

export const drain: Command = {
  name: 'drain',
  short: 'Drain node in preparation for maintenance',
  long: `Take a Node out of service: no new Pods for it, and those that it has are evicted, which PodDisruptionBudgets can delay.

 Pods of DaemonSets are left alone, with --ignore-daemonsets only; Pods that nothing would make again are only evicted
with --force, Pods with emptyDir volumes only with --delete-emptydir-data. The command ends when the Pods have ended.
Use kubectl uncordon to put the Node back into service.`,
  examples: `
# With Pods that no controller would make again
kubectl drain worker-1 --force

# With 15 minutes for each Pod
kubectl drain worker-1 --grace-period=900`,
  usage: 'drain NODE',
  flags: [
    chunkSize,
    {
      name: 'delete-emptydir-data',
      type: 'bool',
      usage: 'Evict Pods with emptyDir volumes, too: their data are lost.',
    },
    {
      name: 'disable-eviction',
      type: 'bool',
      usage: 'Delete rather than evict: PodDisruptionBudgets do not count.',
    },
    dryRun,
    { name: 'force', type: 'bool', usage: 'Evict Pods without a controller, too.' },
    {
      name: 'grace-period',
      type: 'int',
      default: '-1',
      usage: 'Seconds that each Pod gets to end; negative leaves it to the Pod.',
    },
    { name: 'ignore-daemonsets', type: 'bool', usage: 'Leave Pods of DaemonSets where they are.' },
    { name: 'pod-selector', type: 'string', usage: 'Only Pods with these labels.' },
    selector,
    {
      name: 'skip-wait-for-delete-timeout',
      type: 'int',
      usage: 'Do not wait for Pods that were deleted more than this many seconds ago; 0 waits for all.',
    },
    { name: 'timeout', type: 'duration', default: '0s', usage: 'How long to go on; 0 has no end.' },
  ],
  completion: 'nodes',
  run: runDrain,
};

async function runDrain(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  try {
    parseLabelSelector(flags.string('pod-selector'));
  } catch {
    throw new Error('--pod-selector=<pod_selector> must be a valid label selector');
  }
  const nodes = await nodesOf(invocation);
  await setUnschedulable(invocation, nodes, true);
  const failures: Error[] = [];
  const remaining: string[] = [];
  for (const { name, object } of nodes) {
    try {
      await drainNode(invocation, name, strategy);
      namePrinter(invocation, false).print(object as JsonObject, withDryRun('drained', strategy));
    } catch (thrown) {
      const error = asError(thrown);
      invocation.complain(
        `error: unable to drain node ${goQuote(name)} due to error: ${error.message}, continuing command...`,
      );
      failures.push(error);
      remaining.push(name);
    }
  }
  if (remaining.length === 0) return;
  invocation.complain(`There are pending nodes to be drained:\n${remaining.map((name) => ` ${name}`).join('\n')}`);
  // A list of lists: it is printed as it is.
  throw new PlainError(failures.map(({ message }) => message).join('\n'));
}

async function drainNode(invocation: Invocation, name: string, strategy: DryRun): Promise<void> {
  const { pods, warnings } = await podsToEvict(invocation, name);
  if (warnings !== '') invocation.complain(`Warning: ${warnings}`);
  if (strategy === 'client') {
    for (const pod of pods) invocation.println(`evicting pod ${shown(pod)} (dry run)`);
    return;
  }
  try {
    await evictAll(invocation, pods, strategy);
  } catch (error) {
    try {
      const pending = await podsToEvict(invocation, name);
      if (pending.pods.length > 0) {
        invocation.complain(
          `There are pending pods in node ${goQuote(name)} when an error occurred: ${asError(error).message}`,
        );
        for (const pod of pending.pods) invocation.complain(`pod/${podKey(pod).name}`);
      }
    } catch (thrown) {
      invocation.context.stderr.write(
        `Following errors occurred while getting the list of pods to delete:\n${asError(thrown).message}`,
      );
    }
    throw error;
  }
}

const shown = (pod: JsonObject): string => `${podKey(pod).namespace}/${podKey(pod).name}`;

const podsIn = async (invocation: Invocation, namespace: string): Promise<ResourceClient> =>
  new ResourceClient(await invocation.client(), knownResource('', 'v1', 'pods', 'Pod'), namespace);

type Verdict = { readonly evict: boolean; readonly warning?: string; readonly error?: string };

/** The Pods of a Node that must go. Throws when some may not. Follows kubectl/pkg/drain/filters.go, v1.33. */
async function podsToEvict(
  invocation: Invocation,
  node: string,
): Promise<{ readonly pods: readonly JsonObject[]; readonly warnings: string }> {
  const { flags } = invocation;
  const found: JsonObject[] = [];
  const query = {
    labelSelector: flags.string('pod-selector'),
    fieldSelector: `spec.nodeName=${node}`,
    limit: flags.int('chunk-size'),
  };
  await (await podsIn(invocation, '')).pages(query, 'application/json', (page) => {
    found.push(...objects(page, 'items'));
  });
  const pods: JsonObject[] = [];
  const warnings = new Map<string, string[]>();
  const errors = new Map<string, string[]>();
  const note = (notes: Map<string, string[]>, message: string | undefined, pod: JsonObject) => {
    if (message !== undefined) notes.set(message, [...(notes.get(message) ?? []), shown(pod)]);
  };
  for (const item of found) {
    const pod = { apiVersion: 'v1', kind: 'Pod', ...item };
    const verdict = await judge(invocation, pod);
    if (verdict.evict) pods.push(pod);
    note(warnings, verdict.warning, pod);
    note(errors, verdict.error, pod);
  }
  const lines = (notes: Map<string, string[]>) => [...notes].map(([key, names]) => `${key}: ${names.join(', ')}`);
  if (errors.size > 0) throw new ErrorList(lines(errors).map((line) => new Error(`cannot delete ${line}`)));
  return { pods, warnings: lines(warnings).join('; ') };
}

async function judge(invocation: Invocation, pod: JsonObject): Promise<Verdict> {
  const { flags } = invocation;
  if (isLongDeleted(invocation, pod)) return { evict: false };
  const finished = ['Succeeded', 'Failed'].includes(text(pod, 'status', 'phase'));
  const owner = objects(pod, 'metadata', 'ownerReferences').find((each) => at(each, 'controller') === true);
  let warning: string | undefined;
  if (owner && text(owner, 'kind') === 'DaemonSet' && !finished) {
    const missing = await daemonSetError(invocation, pod, text(owner, 'name'));
    if (!missing)
      return flags.bool('ignore-daemonsets')
        ? { evict: false, warning: 'ignoring DaemonSet-managed Pods' }
        : { evict: false, error: 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)' };
    if (!isStatus(missing, 'NotFound') || !flags.bool('force')) return { evict: false, error: missing.message };
  }
  if (strings(pod, 'metadata', 'annotations').has('kubernetes.io/config.mirror')) return { evict: false };
  const local = objects(pod, 'spec', 'volumes').some((volume) => at(volume, 'emptyDir') !== undefined);
  if (local && !finished && !flags.bool('delete-emptydir-data'))
    return { evict: false, error: 'Pods with local storage (use --delete-emptydir-data to override)' };
  // As upstream, only what the last check says is kept.
  if (!finished && !owner) {
    if (!flags.bool('force'))
      return { evict: false, error: 'cannot delete Pods that declare no controller (use --force to override)' };
    warning = 'deleting Pods that declare no controller';
  }
  return { evict: true, ...(warning === undefined ? {} : { warning }) };
}

function isLongDeleted(invocation: Invocation, pod: JsonObject): boolean {
  const limit = invocation.flags.int('skip-wait-for-delete-timeout');
  const deleted = text(pod, 'metadata', 'deletionTimestamp');
  return limit > 0 && deleted !== '' && Math.trunc((invocation.now() - parseTime(deleted)) / 1000) > limit;
}

async function daemonSetError(invocation: Invocation, pod: JsonObject, name: string): Promise<Error | undefined> {
  const resource = knownResource('apps', 'v1', 'daemonsets', 'DaemonSet');
  try {
    await new ResourceClient(await invocation.client(), resource, podKey(pod).namespace).get(name);
    return undefined;
  } catch (error) {
    return asError(error);
  }
}

/** One Pod on its way. */
interface Eviction {
  readonly pod: JsonObject;
  phase: 'evicting' | 'ending' | 'done';
  /** When to look at it next, ms. */
  at: number;
}

const RETRY_MS = 5000;
const POLL_MS = 1000;

/** Evicts Pods, or deletes them, side by side, and waits for their end. */
async function evictAll(invocation: Invocation, pods: readonly JsonObject[], strategy: DryRun): Promise<void> {
  const timeout = invocation.flags.duration('timeout');
  const deadline = timeout === 0 ? Number.POSITIVE_INFINITY : invocation.now() + timeout;
  const evictions = pods.map((pod): Eviction => ({ pod, phase: 'evicting', at: invocation.now() }));
  const errors: Error[] = [];
  for (;;) {
    const open = evictions.filter(({ phase }) => phase !== 'done');
    if (open.length === 0) break;
    const next = Math.min(...open.map((eviction) => eviction.at));
    if (next > invocation.now()) await invocation.sleep(next - invocation.now());
    for (const eviction of open.filter((each) => each.at <= invocation.now())) {
      try {
        if (eviction.phase === 'evicting') await evict(invocation, eviction, strategy, deadline);
        else await look(invocation, eviction, deadline);
      } catch (error) {
        eviction.phase = 'done';
        errors.push(asError(error));
      }
    }
  }
  if (errors.length > 0) throw new ErrorList(errors);
}

async function evict(invocation: Invocation, eviction: Eviction, strategy: DryRun, deadline: number): Promise<void> {
  const { flags } = invocation;
  const { name, namespace } = podKey(eviction.pod);
  const subject = `pods/${goQuote(name)} -n ${goQuote(namespace)}`;
  const bare = flags.bool('disable-eviction');
  if (!bare)
    invocation.println(`evicting pod ${shown(eviction.pod)}${strategy === 'server' ? ' (server dry run)' : ''}`);
  if (invocation.now() > deadline)
    throw new Error(
      `error when evicting ${subject}: global timeout reached: ${formatDuration(flags.duration('timeout'))}`,
    );
  const grace = flags.int('grace-period');
  const options = {
    ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}),
    ...(strategy === 'server' ? { dryRun: ['All'] } : {}),
  };
  const client = await podsIn(invocation, namespace);
  try {
    if (bare) await client.delete(name, { kind: 'DeleteOptions', apiVersion: 'v1', ...options });
    else
      await client.createSubresource(name, 'eviction', {
        kind: 'Eviction',
        apiVersion: 'policy/v1',
        metadata: { name, namespace, creationTimestamp: null },
        deleteOptions: options,
      });
  } catch (error) {
    if (isStatus(error, 'NotFound')) {
      eviction.phase = bare ? 'ending' : 'done';
      return;
    }
    if (isStatus(error, 'TooManyRequests') && !bare) {
      invocation.complain(`error when evicting ${subject} (will retry after 5s): ${asError(error).message}`);
      eviction.at = invocation.now() + RETRY_MS;
      return;
    }
    throw bare ? error : new Error(`error when evicting ${subject}: ${asError(error).message}`);
  }
  eviction.phase = strategy === 'server' && !bare ? 'done' : 'ending';
}

/** Whether the Pod has gone. */
async function look(invocation: Invocation, eviction: Eviction, deadline: number): Promise<void> {
  const { pod } = eviction;
  const { name, namespace } = podKey(pod);
  const bare = invocation.flags.bool('disable-eviction');
  const finish = (verb: string) => {
    eviction.phase = 'done';
    namePrinter(invocation, false).print(pod, verb);
  };
  try {
    const now = await (await podsIn(invocation, namespace)).get(name);
    if (text(now, 'metadata', 'uid') !== text(pod, 'metadata', 'uid')) return finish(bare ? 'deleted' : 'evicted');
    if (isLongDeleted(invocation, now)) {
      const limit = invocation.flags.int('skip-wait-for-delete-timeout');
      eviction.phase = 'done';
      return invocation.println(`pod ${goQuote(name)} has DeletionTimestamp older than ${limit} seconds, skipping`);
    }
  } catch (error) {
    if (isStatus(error, 'NotFound')) return finish(bare ? 'deleted' : 'evicted');
    finish(bare ? 'deletion failed' : 'eviction failed');
    throw wrap(asError(error).message);
  }
  if (invocation.now() > deadline) throw wrap('context deadline exceeded');
  eviction.at = invocation.now() + POLL_MS;

  function wrap(message: string): Error {
    return new Error(
      bare
        ? message
        : `error when waiting for pod ${goQuote(name)} in namespace ${goQuote(namespace)} to terminate: ${message}`,
    );
  }
}
