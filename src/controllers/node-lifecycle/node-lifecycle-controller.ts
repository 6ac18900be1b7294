import { isStatus } from '#apimachinery/status-error.ts';
import type { Node, Pod, Taint } from '#api/generated/types.ts';
import { leases } from '#api/coordination/v1/lease.ts';
import { nodeCondition, nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { withPodCondition } from '#api/core/v1/pod-status.ts';
import { formatTime } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import { byNodeName, type Lister } from '#client/indexer.ts';
import { keyOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { type ControllerDeps, defineController, type ReconcileContext, type Reconciler } from '../define-controller.ts';
import { nodeEvent, nodeStatusEvent } from '../node-events.ts';
import { isSilent, type NodeHealth, observeNode, planSilentConditions } from './node-health.ts';
import { noExecuteTaintOf, planNodeLabels, planNoExecuteTaint, planNoScheduleTaints } from './node-taints.ts';
import { planDisruption, type ZoneState, ZoneTainter, zoneOf } from './zones.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-disruption';

/** What a Node needs written; decided on a tick, done by a worker. */
interface Todo {
  /** Its kubelet is silent: its conditions become Unknown. */
  silent?: boolean;
  /** Its Pods are to be marked as not ready. */
  podsNotReady?: boolean;
  /** Its NoExecute taint is to follow its Ready condition: at once, or now that its turn in its zone has come. */
  noExecute?: boolean;
}

/**
 * Watches over the health of Nodes: one whose lease and status are not renewed is set to Unknown, tainted, and (after a
 * while, not too many at a time) tainted NoExecute, upon which the taint eviction controller empties it. Follows
 * pkg/controller/nodelifecycle, v1.33.
 *
 * Differs from upstream: a tick reads and decides only; each Node's writes are done by workers under the Node's key, and
 * two changes of taints are one write.
 */
export const nodeLifecycleController = defineController({
  name: 'node-lifecycle-controller',
  serviceAccount: 'node-controller',
  workers: 8,
  create: (deps) => new NodeLifecycle(deps),
});

class NodeLifecycle implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #nodes: Lister<Node>;
  readonly #pods: Lister<Pod>;
  readonly #events: EventRecorder;
  readonly #known = new Map<string, Node>();
  readonly #health = new Map<string, NodeHealth>();
  readonly #todo = new Map<string, Todo>();
  readonly #zones = new Map<string, ZoneTainter>();
  #zoneStates: ReadonlyMap<string, ZoneState> = new Map();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { queue, watch } = deps;
    this.#events = deps.recorder('node-controller');
    const changed = (node: Node, span: SpanId) => {
      // Most changes are heartbeats, which need nothing.
      if (planNoScheduleTaints(node, '') ?? planNodeLabels(node)) queue.add(keyOf(node), span);
    };
    this.#nodes = watch(nodes, {
      add: changed,
      update: (_, node, span) => changed(node, span),
      delete: (node) => this.#todo.delete(node.metadata.name ?? ''),
    });
    const leaseLister = watch(leases);
    const podQueue = deps.addQueue('node-lifecycle-controller-pods', { workers: 4 }, (ctx, key) =>
      this.#podAssigned(ctx, key),
    );
    const assigned = (pod: Pod, span: SpanId) => {
      // Pods on Nodes that are ready need nothing.
      if (pod.spec.nodeName && this.#isNotReady(pod.spec.nodeName)) podQueue.add(keyOf(pod), span);
    };
    this.#pods = watch(
      pods,
      {
        add: assigned,
        update: (previous, pod, span) => {
          if (previous.spec.nodeName !== pod.spec.nodeName) assigned(pod, span);
        },
      },
      byNodeName,
    );
    deps.every(deps.config.nodeMonitorPeriodMs, 'monitor node health', (cause) => {
      this.#monitor((name) => leaseLister.get({ namespace: LEASE_NAMESPACE, name }), cause);
    });
  }

  /** Looks at all Nodes, without writing. */
  #monitor(leaseOf: (node: string) => Parameters<typeof observeNode>[2], cause: () => SpanId): void {
    const { config, process } = this.#deps;
    const now = process.clock.now();
    const all = this.#nodes.list();
    const zones = new Map<string, { ready: number; notReady: number }>();
    this.#register(all, cause);
    for (const node of all) {
      const name = node.metadata.name ?? '';
      const health = observeNode(this.#health.get(name), node, leaseOf(name), now);
      this.#health.set(name, health);
      const observed = nodeCondition(node, 'Ready')?.status ?? 'Unknown';
      const silent = isSilent(health, now, config.nodeMonitorGracePeriodMs, config.nodeStartupGracePeriodMs);
      const current = silent ? 'Unknown' : nodeCondition(node, 'Ready')?.status;
      if (silent && planSilentConditions(node, now)) this.#want(name, cause(), { silent: true });
      if (node.metadata.labels?.[EXCLUDE_LABEL] === undefined) {
        const zone = zones.get(zoneOf(node)) ?? { ready: 0, notReady: 0 };
        if (current === 'True') zone.ready++;
        else zone.notReady++;
        zones.set(zoneOf(node), zone);
      }
      if (current !== undefined) this.#considerNoExecute(node, observed, cause);
    }
    this.#handleDisruption(zones, all, cause);
    for (const zone of this.#zones.values()) this.#drain(zone, cause);
  }

  #register(all: readonly Node[], cause: () => SpanId): void {
    for (const node of all) {
      const name = node.metadata.name ?? '';
      const zone = zoneOf(node);
      if (!this.#zones.has(zone)) {
        this.#zones.set(zone, new ZoneTainter(this.#deps.process.clock, this.#deps.config.nodeEvictionRate));
      }
      if (this.#known.has(name)) continue;
      this.#known.set(name, node);
      nodeEvent(this.#events, node, 'RegisteredNode', `Registered Node ${name} in Controller`, cause());
    }
    if (this.#known.size === all.length) return;
    for (const [name, node] of this.#known) {
      if (this.#nodes.getByKey(name)) continue;
      this.#known.delete(name);
      this.#health.delete(name);
      this.#zones.get(zoneOf(node))?.remove(name);
      nodeEvent(this.#events, node, 'RemovingNode', `Removing Node ${name} from Controller`, cause());
    }
  }

  /** Follows processTaintBaseEviction: the way in is rate-limited, from one taint to the other and out is not. */
  #considerNoExecute(node: Node, observed: string, cause: () => SpanId): void {
    const name = node.metadata.name ?? '';
    const tainter = this.#zones.get(zoneOf(node));
    const wanted = noExecuteTaintOf(observed);
    if (wanted !== undefined && planNoExecuteTaint(node, undefined, '') === undefined) {
      tainter?.add(name);
      return;
    }
    tainter?.remove(name);
    if (planNoExecuteTaint(node, wanted, '')) this.#want(name, cause(), { noExecute: true });
  }

  #handleDisruption(
    zones: ReadonlyMap<string, { ready: number; notReady: number }>,
    all: readonly Node[],
    cause: () => SpanId,
  ): void {
    const { states, rates, masterDisruption } = planDisruption(this.#zoneStates, zones, this.#deps.config);
    this.#zoneStates = states;
    for (const [zone, rate] of rates) this.#zones.get(zone)?.setRate(rate);
    if (masterDisruption === 'enter') {
      for (const node of all) {
        const name = node.metadata.name ?? '';
        this.#zones.get(zoneOf(node))?.remove(name);
        if (planNoExecuteTaint(node, undefined, '')) this.#want(name, cause(), { noExecute: true });
      }
    } else if (masterDisruption === 'leave') {
      const probeMs = this.#deps.process.clock.now();
      for (const [name, health] of this.#health) this.#health.set(name, { ...health, probeMs });
    }
  }

  /** Lets those go whose turn it is, and comes back when it is the next one's. */
  #drain(zone: ZoneTainter, cause: () => SpanId): void {
    for (const name of zone.take()) this.#want(name, cause(), { noExecute: true });
    const waitMs = zone.untilNext();
    if (waitMs === undefined || waitMs >= this.#deps.config.nodeMonitorPeriodMs) return;
    const { process } = this.#deps;
    process.clock.afterFunc(waitMs, 'taint the next node', () => {
      let span: SpanId = 0;
      this.#drain(
        zone,
        () => (span ||= process.tracer.instant('timer', 'node-lifecycle-controller', 'taint the next node', 0)),
      );
    });
  }

  #want(name: string, cause: SpanId, todo: Todo): void {
    this.#todo.set(name, { ...this.#todo.get(name), ...todo });
    this.#deps.queue.add(name, cause);
  }

  async reconcile(ctx: ReconcileContext, { name }: { readonly name: string }): Promise<void> {
    const node = this.#nodes.getByKey(name);
    if (!node) return;
    const todo = this.#todo.get(name);
    const { clock } = this.#deps.process;
    if (todo?.silent) await this.#becomeSilent(ctx, node, todo);
    if (todo?.podsNotReady) {
      await this.#markPodsNotReady(ctx, this.#pods.byIndex(byNodeName, name));
      todo.podsNotReady = false;
    }
    const noSchedule = (latest: Node) => planNoScheduleTaints(latest, formatTime(clock.now()));
    if (noSchedule(node)) await patchTaints(ctx.client, name, noSchedule);
    if (todo?.noExecute) {
      await patchTaints(ctx.client, name, (latest) => this.#noExecuteTaints(latest));
      todo.noExecute = false;
    }
    const labels = planNodeLabels(node);
    if (labels) {
      await ctx.client.patch(nodes, { name }, 'application/strategic-merge-patch+json', { metadata: { labels } });
    }
  }

  #noExecuteTaints(node: Node): readonly Taint[] | undefined {
    const states = [...this.#zoneStates.values()];
    const masterDisruption = states.length > 0 && states.every((state) => state === 'FullDisruption');
    const wanted = masterDisruption ? undefined : noExecuteTaintOf(nodeCondition(node, 'Ready')?.status ?? '');
    return planNoExecuteTaint(node, wanted, formatTime(this.#deps.process.clock.now()));
  }

  async #becomeSilent(ctx: ReconcileContext, node: Node, todo: Todo): Promise<void> {
    const latest = await ctx.client.get(nodes, { name: node.metadata.name ?? '' });
    const conditions = planSilentConditions(latest, this.#deps.process.clock.now());
    if (conditions) {
      await ctx.client.updateStatus(nodes, { ...latest, status: { ...latest.status, conditions } });
      if (nodeCondition(latest, 'Ready')?.status === 'True') {
        nodeStatusEvent(this.#events, latest, 'NodeNotReady', ctx.span);
        todo.podsNotReady = true;
      }
    }
    todo.silent = false;
  }

  async #podAssigned(ctx: ReconcileContext, key: string): Promise<void> {
    const pod = this.#pods.getByKey(key);
    if (pod?.spec.nodeName && this.#isNotReady(pod.spec.nodeName)) await this.#markPodsNotReady(ctx, [pod]);
  }

  #isNotReady(name: string): boolean {
    const node = this.#nodes.getByKey(name);
    const ready = node && this.#health.has(name) ? nodeCondition(node, 'Ready') : undefined;
    return ready !== undefined && ready.status !== 'True';
  }

  /** Follows MarkPodsNotReady of pkg/controller/util/node, v1.33. */
  async #markPodsNotReady({ client, span }: ReconcileContext, all: readonly Pod[]): Promise<void> {
    let failure: unknown;
    for (const pod of all) {
      const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
      if (!ready || ready.status === 'False') continue;
      const now = this.#deps.process.clock.now();
      const status = withPodCondition(pod.status ?? {}, { ...ready, status: 'False' }, now);
      try {
        await client.updateStatus(pods, { ...pod, status });
      } catch (error) {
        if (isStatus(error, 'NotFound')) continue;
        failure = error;
      }
      this.#events.event(referenceTo(pods, pod), 'Warning', 'NodeNotReady', 'Node is not ready', span);
    }
    if (failure !== undefined) throw failure;
  }
}

/** Writes a Node's taints as planned from what the server has; a Conflict comes back to the queue. */
async function patchTaints(
  client: Client,
  name: string,
  plan: (node: Node) => readonly Taint[] | undefined,
): Promise<void> {
  const latest = await client.get(nodes, { name });
  const taints = plan(latest);
  if (!taints) return;
  const patch = { metadata: { resourceVersion: latest.metadata.resourceVersion }, spec: { taints } };
  await client.patch(nodes, { name }, 'application/strategic-merge-patch+json', patch);
}
