import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { parseTime } from '#base/clock.ts';
import { ProcessExitedError } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Pod } from '#api/generated/types.ts';
import { pods } from '#api/core/v1/pod.ts';
import { podCondition, withPodCondition } from '#api/core/v1/pod-status.ts';
import { podStatusPatch } from '#api/core/v1/pod-status-patch.ts';
import type { Client } from '#client/client.ts';
import { nameOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import type { CycleState } from '../framework/cycle-state.ts';
import { FilterStatuses, fitMessage } from '../framework/filter-statuses.ts';
import type { Handle } from '../framework/handle.ts';
import type { Plugin, PostFilterResult } from '../framework/plugin.ts';
import { type Status, unresolvable, unschedulable } from '../framework/status.ts';
import type { ReadyNodeInfo } from '../node-info.ts';
import { type PodInfo, priorityOf } from '../pod-info.ts';

const MIN_CANDIDATE_PERCENTAGE = 10;
const MIN_CANDIDATES = 100;
const LATEST_START = Number.POSITIVE_INFINITY;

interface Candidate {
  readonly node: string;
  /** The most important first. */
  readonly victims: readonly PodInfo[];
}

/**
 * Makes room for a Pod by ending Pods of lower priority on one Node, which the Pod is then nominated to. Follows
 * plugins/defaultpreemption and framework/preemption, v1.33 (asynchronous). PodDisruptionBudgets are not known here.
 */
export function defaultPreemption(handle: Handle): Plugin {
  /** Pods whose victims are being ended: they must not be tried before that is done. */
  const preempting = new Set<string>();
  return {
    name: 'DefaultPreemption',
    preEnqueue({ metadata: { uid = '' } }) {
      return preempting.has(uid) ? unresolvable('waiting for the preemption for this pod to be finished') : undefined;
    },
    postFilter(state, pod, statuses, cause) {
      const { nominate, status, candidate } = findVictims(handle, state, pod, statuses);
      if (candidate) preempt(handle, preempting, pod, candidate, cause);
      return {
        ...(nominate === undefined ? {} : { nominate }),
        ...(status ? { status: { ...status, reasons: [`preemption: ${status.reasons.join(', ')}`] } } : {}),
      };
    },
  };
}

function findVictims(
  handle: Handle,
  state: CycleState,
  pod: PodInfo,
  statuses: FilterStatuses,
): PostFilterResult & { readonly candidate?: Candidate } {
  const why = whyNotEligible(handle, pod.pod, statuses);
  if (why) return { status: unschedulable(why) };
  const allNodes = handle.cache.nodes;
  const potential = statuses.withCode(allNodes, 'Unschedulable');
  const results = new FilterStatuses();
  results.absent = { code: 'UnschedulableAndUnresolvable', reasons: ['Preemption is not helpful for scheduling'] };
  const candidates: Candidate[] = [];
  const enough = candidateCount(potential.length);
  const offset = potential.length > 0 ? handle.process.rng.int(potential.length) : 0;
  for (let i = 0; i < potential.length && candidates.length < enough; i++) {
    const node = potential[(offset + i) % potential.length] as ReadyNodeInfo;
    const victims = selectVictims(handle, state.clone(), pod, node.clone() as ReadyNodeInfo);
    if ('code' in victims) results.set(node.name, victims);
    else candidates.push({ node: node.name, victims });
  }
  const best = pickCandidate(candidates);
  if (!best) return { nominate: '', status: unschedulable(fitMessage(allNodes.length, results)) };
  return { nominate: best.node, candidate: best };
}

function candidateCount(nodes: number): number {
  return Math.min(nodes, Math.max(MIN_CANDIDATES, Math.floor((nodes * MIN_CANDIDATE_PERCENTAGE) / 100)));
}

/** Follows PodEligibleToPreemptOthers. */
function whyNotEligible({ cache }: Handle, pod: Pod, statuses: FilterStatuses): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = cache.node(pod.status?.nominatedNodeName ?? '');
  if (!nominated || statuses.get(nominated.name).code === 'UnschedulableAndUnresolvable') return undefined;
  for (const { pod: other } of nominated.pods.values()) {
    if (priorityOf(other) >= priorityOf(pod) || !other.metadata.deletionTimestamp) continue;
    const disruption = podCondition(other, 'DisruptionTarget');
    if (disruption?.status === 'True' && disruption.reason === 'PreemptionByScheduler') {
      return 'not eligible due to a terminating pod on the nominated node.';
    }
  }
  return undefined;
}

/**
 * The fewest and least important Pods whose end makes the Pod fit on the Node, or why none do. Works on copies. Follows
 * SelectVictimsOnNode.
 */
function selectVictims(
  handle: Handle,
  state: CycleState,
  pod: PodInfo,
  node: ReadyNodeInfo,
): readonly PodInfo[] | Status {
  const lower = [...node.pods.values()].filter((other) => priorityOf(other.pod) < priorityOf(pod.pod));
  if (lower.length === 0) return unresolvable('No preemption victims found for incoming pod');
  for (const victim of lower) {
    node.remove(victim);
    handle.podRemoved(state, pod, victim, node);
  }
  const status = handle.filter(state, pod, node);
  if (status) return status;
  const victims: PodInfo[] = [];
  for (const victim of lower.sort(byImportance)) {
    node.add(victim);
    handle.podAdded(state, pod, victim, node);
    if (!handle.filter(state, pod, node)) continue;
    node.remove(victim);
    handle.podRemoved(state, pod, victim, node);
    victims.push(victim);
  }
  return victims;
}

/** Follows MoreImportantPod: higher priority, then what started earlier. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return priorityOf(b.pod) - priorityOf(a.pod) || startOf(a) - startOf(b);
}

function startOf({ pod }: PodInfo): number {
  return pod.status?.startTime ? parseTime(pod.status.startTime) : LATEST_START;
}

/** Follows pickOneNodeForPreemption. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const highest = ({ victims }: Candidate) => priorityOf((victims[0] as PodInfo).pod);
  const criteria: ((candidate: Candidate) => number)[] = [
    (candidate) => -highest(candidate),
    ({ victims }) => -victims.reduce((sum, { pod }) => sum + priorityOf(pod) + 2 ** 31, 0),
    ({ victims }) => -victims.length,
    (candidate) => {
      const most = candidate.victims.filter(({ pod }) => priorityOf(pod) === highest(candidate));
      return most.reduce((earliest, victim) => Math.min(earliest, startOf(victim)), LATEST_START);
    },
  ];
  let left = candidates;
  for (const criterion of criteria) {
    if (left.length <= 1) break;
    const scores = left.map(criterion);
    const best = scores.reduce((most, score) => Math.max(most, score));
    left = left.filter((_, i) => scores[i] === best);
  }
  return left[0];
}

/** Ends the victims in a task of its own. Follows prepareCandidateAsync. */
function preempt(
  handle: Handle,
  preempting: Set<string>,
  pod: PodInfo,
  { node, victims }: Candidate,
  cause: SpanId,
): void {
  const client = handle.client.withCause(cause);
  preempting.add(pod.uid);
  handle.process.spawn(`preempt for ${pod.pod.metadata.name}`, async () => {
    let failed = false;
    for (const other of handle.nominatedOn(node)) {
      if (priorityOf(other.pod) < priorityOf(pod.pod))
        failed = !(await tried(() => clearNomination(client, other.pod))) || failed;
    }
    for (const [i, victim] of victims.entries()) {
      // The end of the last victim brings the Pod back into the queue: nothing may hold it up then.
      if (i === victims.length - 1) preempting.delete(pod.uid);
      failed = !(await tried(() => evict(handle, client, pod.pod, victim.pod, node, cause))) || failed;
    }
    preempting.delete(pod.uid);
    if (failed) handle.activate(pod.pod, cause);
  });
}

async function tried(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof StatusError || error instanceof ProcessExitedError) return false;
    throw error;
  }
}

async function clearNomination(client: Client, pod: Pod): Promise<void> {
  const patch = podStatusPatch(pod, { ...pod.status, nominatedNodeName: undefined });
  await client.patchStatus(pods, pod, patch);
}

async function evict(
  handle: Handle,
  client: Client,
  preemptor: Pod,
  victim: Pod,
  node: string,
  cause: SpanId,
): Promise<void> {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
  };
  const status = withPodCondition(victim.status ?? {}, condition, handle.process.clock.now());
  try {
    await client.patchStatus(pods, victim, podStatusPatch(victim, status));
    await client.delete(pods, nameOf(victim));
  } catch (error) {
    if (isStatus(error, 'NotFound')) return;
    throw error;
  }
  const note = `Preempted by pod ${preemptor.metadata.uid} on node ${node}`;
  handle.event(
    referenceTo(pods, victim),
    referenceTo(pods, preemptor),
    'Normal',
    'Preempted',
    'Preempting',
    note,
    cause,
  );
}
