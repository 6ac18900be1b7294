import type { ApiBackend } from '#apimachinery/api-request.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Latency } from '#base/latency.ts';
import { type Process, ProcessExitedError } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Node, Pod } from '#api/generated/types.ts';
import { events } from '#api/core/v1/event.ts';
import { namespaces } from '#api/core/v1/namespace.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { withPodCondition } from '#api/core/v1/pod-status.ts';
import { podStatusPatch } from '#api/core/v1/pod-status-patch.ts';
import { Client } from '#client/client.ts';
import { SeriesEventRecorder } from '#client/event-series-recorder.ts';
import type { Lister } from '#client/indexer.ts';
import { InformerFactory } from '#client/informer.ts';
import { nameOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { SchedulerCache } from './cache.ts';
import { explainDecision } from './explain.ts';
import { nodeChange, podChange } from './framework/cluster-event.ts';
import { CycleState } from './framework/cycle-state.ts';
import { FilterStatuses, fitMessage } from './framework/filter-statuses.ts';
import { Framework, type Scores } from './framework/framework.ts';
import { errorStatus, isRejected, type Status, statusMessage } from './framework/status.ts';
import type { ReadyNodeInfo } from './node-info.ts';
import { type PodInfo, priorityOf } from './pod-info.ts';
import { defaultPlugins } from './plugins.ts';
import { type QueuedPod, SchedulingQueue } from './scheduling-queue.ts';

const COMPONENT = 'kube-scheduler';
const PROFILE = 'default-scheduler';
const MIN_FEASIBLE_NODES = 100;
const MIN_FEASIBLE_PERCENTAGE = 5;
const MAX_NOTE_LENGTH = 1024;

export interface SchedulerOptions {
  readonly backend: ApiBackend;
  /** Part of the Events' reporting instance. */
  readonly hostname: string;
  readonly latency: Latency;
  /** All resources that are served: Services and owners of Pods, where there are any, decide how Pods are spread. */
  readonly resources: readonly ResourceDefinition[];
}

/** What a cycle came to. */
interface Outcome {
  /** The Node that was chosen. */
  readonly node?: ReadyNodeInfo;
  readonly status?: Status;
  /** Who turned the Pod down. */
  readonly rejectors: ReadonlySet<string>;
  readonly nominate?: string;
  readonly statuses: FilterStatuses;
  readonly feasible: readonly ReadyNodeInfo[];
  readonly scores?: Scores;
}

/**
 * How many Nodes that fit are enough to choose from. Follows numFeasibleNodesToFind of scheduler/schedule_one.go, v1.33.
 */
export function feasibleNodesToFind(allNodes: number): number {
  if (allNodes < MIN_FEASIBLE_NODES) return allNodes;
  const percentage = Math.max(MIN_FEASIBLE_PERCENTAGE, 50 - Math.floor(allNodes / 125));
  return Math.max(MIN_FEASIBLE_NODES, Math.floor((allNodes * percentage) / 100));
}

/**
 * kube-scheduler: takes Pods without a Node from its queue one by one, decides in one turn, and binds in a task of its
 * own. It ends with its process. Follows scheduler/schedule_one.go and eventhandlers.go, v1.33.
 */
export class Scheduler {
  readonly #process: Process;
  readonly #client: Client;
  readonly #latency: Latency;
  readonly #framework: Framework;
  readonly #cache = new SchedulerCache();
  readonly #queue: SchedulingQueue;
  readonly #events: SeriesEventRecorder;
  readonly #informers: InformerFactory;
  readonly #pods: Lister<Pod>;
  /** Where the search for Nodes goes on, so that all get their turn. */
  #nextNode = 0;

  constructor(process: Process, { backend, hostname, latency, resources }: SchedulerOptions) {
    this.#process = process;
    this.#latency = latency;
    this.#client = new Client(backend, {
      user: { name: 'system:kube-scheduler', groups: ['system:authenticated'] },
      userAgent: 'kube-scheduler/v1.33.0 (linux/amd64) kubernetes/60a317e/scheduler',
    });
    this.#informers = new InformerFactory(process, this.#client);
    this.#events = new SeriesEventRecorder(process, this.#client, events, PROFILE, `${PROFILE}-${hostname}`);
    const namespaceLister = this.#informers.informer(namespaces).lister;
    const podInformer = this.#informers.informer(pods, {
      fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
    });
    this.#pods = podInformer.lister;
    const plugins = defaultPlugins({
      process,
      client: this.#client,
      cache: this.#cache,
      namespaces: namespaceLister,
      pods: this.#pods,
      informers: this.#informers,
      resources,
      filter: (state, pod, node) => this.#framework.filterWithNominated(state, pod, node, this.#queue),
      podAdded: (...change) => this.#framework.podAdded(...change),
      podRemoved: (...change) => this.#framework.podRemoved(...change),
      nominatedOn: (node) => this.#queue.podsOn(node),
      activate: (pod, cause) => this.#queue.activate(pod, cause),
      event: (...event) => this.#events.event(...event),
    });
    this.#framework = new Framework(PROFILE, plugins);
    this.#queue = new SchedulingQueue(process, this.#framework);
    podInformer.addHandlers({
      add: (pod, span) => (pod.spec.nodeName ? this.#assignedPodAdded(pod, span) : this.#podAdded(pod, span)),
      update: (previous, pod, span) => this.#podUpdated(previous, pod, span),
      delete: (pod, span) => (pod.spec.nodeName ? this.#assignedPodDeleted(pod, span) : this.#podDeleted(pod, span)),
    });
    this.#informers.informer(nodes).addHandlers({
      add: (node, span) => {
        this.#cache.setNode(node);
        this.#queue.moveAll('Node/Add', undefined, node, span);
      },
      update: (previous, node, span) => this.#nodeUpdated(previous, node, span),
      delete: (node, span) => {
        this.#queue.moveAll('Node/Delete', node, undefined, span);
        this.#cache.removeNode(node);
      },
    });
  }

  /** Pods that wait, by part of the queue. */
  get pending(): SchedulingQueue['pending'] {
    return this.#queue.pending;
  }

  /** Begins to follow the cluster, and to schedule once all is known. */
  start(): void {
    this.#informers.start();
    this.#process.spawn('schedule', async () => {
      await this.#informers.whenSynced();
      for (;;) await this.#scheduleOne(await this.#queue.take());
    });
  }

  #podAdded(pod: Pod, span: SpanId): void {
    if (pod.spec.schedulerName === PROFILE) this.#queue.add(pod, span);
  }

  #podUpdated(previous: Pod, pod: Pod, span: SpanId): void {
    if (pod.spec.nodeName) {
      if (!previous.spec.nodeName) {
        if (previous.spec.schedulerName === PROFILE) this.#queue.delete(previous);
        this.#assignedPodAdded(pod, span);
        return;
      }
      this.#cache.updatePod(pod);
      for (const event of podChange(previous, pod)) this.#queue.moveAll(event, previous, pod, span);
      return;
    }
    if (pod.spec.schedulerName !== PROFILE || this.#cache.isAssumed(pod)) return;
    this.#queue.update(previous, pod, span);
    const nominated = previous.status?.nominatedNodeName;
    // The room that was kept for it on another Node is free.
    if (nominated && nominated !== pod.status?.nominatedNodeName) this.#freed(previous, span, priorityOf(previous));
  }

  #podDeleted(pod: Pod, span: SpanId): void {
    if (pod.spec.schedulerName !== PROFILE) return;
    this.#queue.delete(pod);
    if (pod.status?.nominatedNodeName) this.#freed(pod, span, priorityOf(pod));
  }

  #assignedPodAdded(pod: Pod, span: SpanId): void {
    this.#cache.addPod(pod);
    this.#queue.moveAll('AssignedPod/Add', undefined, pod, span);
  }

  #assignedPodDeleted(pod: Pod, span: SpanId): void {
    this.#queue.delete(pod);
    this.#cache.removePod(pod);
    this.#freed(pod, span);
  }

  #freed(pod: Pod, span: SpanId, upTo = Number.POSITIVE_INFINITY): void {
    this.#queue.moveAll('AssignedPod/Delete', pod, undefined, span, (waiting) => priorityOf(waiting) <= upTo);
  }

  #nodeUpdated(previous: Node, node: Node, span: SpanId): void {
    this.#cache.setNode(node, previous);
    for (const event of nodeChange(previous, node)) this.#queue.moveAll(event, previous, node, span);
  }

  async #scheduleOne(item: QueuedPod): Promise<void> {
    const { tracer } = this.#process;
    const take = tracer.instant('take', COMPONENT, item.key, item.causes, {
      attempt: item.attempts,
      ...(item.causeCount > item.causes.length ? { coalesced: item.causeCount } : {}),
    });
    const { info } = item;
    if (info.pod.metadata.deletionTimestamp) {
      const note = `skip schedule deleting pod: ${item.key}`;
      this.#events.event(
        referenceTo(pods, info.pod),
        undefined,
        'Warning',
        'FailedScheduling',
        'Scheduling',
        note,
        take,
      );
      this.#queue.done(item);
      return;
    }
    if (this.#cache.isAssumed(info.pod)) {
      this.#queue.done(item);
      return;
    }
    const span = tracer.start('decision', COMPONENT, item.key, take);
    const latencyMs = this.#latency.sample('schedule', this.#process.rng);
    if (latencyMs > 0) await this.#process.clock.sleep(latencyMs);
    const state = new CycleState();
    const outcome = this.#decide(state, info, span);
    tracer.end(span, {
      ...explainDecision(outcome.statuses, outcome.feasible, outcome.scores),
      ...(outcome.node ? { node: outcome.node.name } : {}),
      ...(outcome.status ? { message: statusMessage(outcome.status) } : {}),
      ...(outcome.nominate ? { nominated: outcome.nominate } : {}),
    });
    const { node } = outcome;
    if (!node) {
      await this.#handleFailure(item, outcome, span);
      return;
    }
    this.#cache.assume(info, node.name);
    this.#queue.denominate(info);
    const refused = this.#framework.reserve(state, info, node.name) ?? this.#framework.permit(state, info, node.name);
    if (refused) {
      this.#framework.unreserve(state, info, node.name);
      this.#cache.forget(info);
      await this.#handleFailure(item, refusal(refused, node.name), span);
      return;
    }
    this.#process.spawn(`bind ${item.key}`, () => this.#bind(item, state, node.name, span));
  }

  /** The whole decision, in one turn. */
  #decide(state: CycleState, pod: PodInfo, cause: SpanId): Outcome {
    const statuses = new FilterStatuses();
    const rejectors = new Set<string>();
    const all = this.#cache.nodes;
    if (all.length === 0) {
      const status: Status = { code: 'UnschedulableAndUnresolvable', reasons: ['no nodes available to schedule pods'] };
      return { status, rejectors, statuses, feasible: [], nominate: '' };
    }
    const preFiltered = this.#framework.preFilter(state, pod);
    for (const plugin of preFiltered.narrowedBy) rejectors.add(plugin);
    if (preFiltered.status && !isRejected(preFiltered.status)) {
      return { status: preFiltered.status, rejectors, statuses, feasible: [], nominate: '' };
    }
    let feasible: readonly ReadyNodeInfo[] = [];
    if (preFiltered.status) {
      statuses.absent = preFiltered.status;
      if (preFiltered.status.plugin) rejectors.add(preFiltered.status.plugin);
    } else {
      feasible = this.#findFeasible(state, pod, preFiltered, statuses, rejectors);
    }
    if (feasible.length === 0)
      return this.#postFilter(state, pod, all.length, preFiltered.status, statuses, rejectors, cause);
    if (feasible.length === 1) return { node: feasible[0] as ReadyNodeInfo, rejectors, statuses, feasible };
    const scores = this.#framework.score(state, pod, feasible);
    return { node: this.#select(feasible, scores.totals), rejectors, statuses, feasible, scores };
  }

  #findFeasible(
    state: CycleState,
    pod: PodInfo,
    { nodeNames, narrowedBy }: ReturnType<Framework['preFilter']>,
    statuses: FilterStatuses,
    rejectors: Set<string>,
  ): readonly ReadyNodeInfo[] {
    const reject = (node: ReadyNodeInfo, status: Status) => {
      statuses.set(node.name, status);
      if (status.plugin) rejectors.add(status.plugin);
    };
    const nominated = this.#cache.node(pod.pod.status?.nominatedNodeName ?? '');
    if (nominated) {
      // Room was made for it there: nothing else needs to be looked at if it fits.
      const status = this.#framework.filterWithNominated(state, pod, nominated, this.#queue);
      if (!status) return [nominated];
      reject(nominated, status);
    }
    const all = this.#cache.nodes;
    let candidates = all;
    if (nodeNames) {
      candidates = [...nodeNames].flatMap((name) => this.#cache.node(name) ?? []);
      statuses.absent = {
        code: 'UnschedulableAndUnresolvable',
        reasons: [`node(s) didn't satisfy plugin(s) [${[...narrowedBy].sort().join(' ')}]`],
      };
    }
    const wanted = feasibleNodesToFind(candidates.length);
    const feasible: ReadyNodeInfo[] = [];
    for (let i = 0; i < candidates.length && feasible.length < wanted; i++) {
      const node = candidates[(this.#nextNode + i) % candidates.length] as ReadyNodeInfo;
      const status = this.#framework.filterWithNominated(state, pod, node, this.#queue);
      if (status) reject(node, status);
      else feasible.push(node);
    }
    this.#nextNode = (this.#nextNode + feasible.length + statuses.size) % all.length;
    return feasible;
  }

  #postFilter(
    state: CycleState,
    pod: PodInfo,
    allNodes: number,
    preFilterStatus: Status | undefined,
    statuses: FilterStatuses,
    rejectors: ReadonlySet<string>,
    cause: SpanId,
  ): Outcome {
    const result = this.#framework.postFilter(state, pod, statuses, cause);
    const message = fitMessage(
      allNodes,
      statuses,
      preFilterStatus && statusMessage(preFilterStatus),
      result.status && statusMessage(result.status),
    );
    const status: Status = { code: 'Unschedulable', reasons: [message] };
    const nominate = result.nominate === undefined ? {} : { nominate: result.nominate };
    return { status, rejectors, statuses, feasible: [], ...nominate };
  }

  /** One of the best, by chance. Follows selectHost: reservoir sampling. */
  #select(feasible: readonly ReadyNodeInfo[], totals: readonly number[]): ReadyNodeInfo {
    let best = 0;
    let ties = 1;
    for (let i = 1; i < totals.length; i++) {
      const total = totals[i] as number;
      const most = totals[best] as number;
      if (total > most) {
        best = i;
        ties = 1;
      } else if (total === most && this.#process.rng.int(++ties) === 0) best = i;
    }
    return feasible[best] as ReadyNodeInfo;
  }

  async #bind(item: QueuedPod, state: CycleState, node: string, span: SpanId): Promise<void> {
    const { info } = item;
    // From here on nothing can turn the Pod down any more, only fail.
    this.#queue.done(item);
    const status = await this.#framework.bind(state, info, node, this.#client.withCause(span));
    if (!status) {
      const note = `Successfully assigned ${item.key} to ${node}`;
      this.#events.event(referenceTo(pods, info.pod), undefined, 'Normal', 'Scheduled', 'Binding', note, span);
      this.#framework.postBind(state, info, node);
      return;
    }
    this.#framework.unreserve(state, info, node);
    this.#cache.forget(info);
    this.#queue.moveAll(
      'AssignedPod/Delete',
      info.pod,
      undefined,
      span,
      (pod) => !isRejected(status) || pod.metadata.uid !== info.uid,
    );
    await this.#handleFailure(item, refusal(status, node), span);
  }

  async #handleFailure(item: QueuedPod, outcome: Outcome, span: SpanId): Promise<void> {
    const { status = errorStatus('unknown'), rejectors, nominate } = outcome;
    const { pod } = item.info;
    if (isRejected(status)) for (const plugin of rejectors) item.unschedulablePlugins.add(plugin);
    if (status.code === 'Pending' && status.plugin) item.pendingPlugins.add(status.plugin);
    const latest = this.#pods.get(nameOf(pod));
    const waits = latest?.metadata.uid === pod.metadata.uid && !latest?.spec.nodeName;
    if (latest && waits) {
      this.#queue.putBack(item, latest, span);
      this.#queue.nominate(item.info, nominate);
    } else {
      this.#queue.done(item);
    }
    const message = statusMessage(status);
    const note = message.length > MAX_NOTE_LENGTH ? `${message.slice(0, MAX_NOTE_LENGTH - 4)} ...` : message;
    this.#events.event(referenceTo(pods, pod), undefined, 'Warning', 'FailedScheduling', 'Scheduling', note, span);
    const reason = isRejected(status) ? 'Unschedulable' : 'SchedulerError';
    await this.#writeFailure(pod, reason, message, nominate, span);
  }

  async #writeFailure(
    pod: Pod,
    reason: string,
    message: string,
    nominate: string | undefined,
    span: SpanId,
  ): Promise<void> {
    const condition = { type: 'PodScheduled', status: 'False', reason, message };
    const after = withPodCondition(pod.status ?? {}, condition, this.#process.clock.now());
    const status = nominate === undefined ? after : { ...after, nominatedNodeName: nominate || undefined };
    try {
      await this.#client.withCause(span).patchStatus(pods, pod, podStatusPatch(pod, status));
    } catch (error) {
      // The Pod is gone, or the server is: the next attempt says it again.
      if (!(error instanceof StatusError) && !(error instanceof ProcessExitedError)) throw error;
    }
  }
}

/** The outcome of a refusal by one plugin for the one Node that was chosen. */
function refusal(status: Status, node: string): Outcome {
  const statuses = new FilterStatuses();
  statuses.set(node, status);
  const rejectors = new Set(status.plugin ? [status.plugin] : []);
  const message = isRejected(status) ? fitMessage(1, statuses) : statusMessage(status);
  return { status: { ...status, reasons: [message] }, rejectors, statuses, feasible: [], nominate: '' };
}
