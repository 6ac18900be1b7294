import { jsonEqual } from '#apimachinery/equal.ts';
import type { NamespacedName } from '#apimachinery/resource.ts';
import { labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { controllerRevisions } from '#api/apps/v1/controller-revision.ts';
import { daemonSets, templateGeneration } from '#api/apps/v1/daemon-set.ts';
import { nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { isPodReady } from '#api/core/v1/pod-status.ts';
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from '#api/generated/types.ts';
import type { SpanId } from '#base/tracer.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import { Expectations } from '#client/expectations.ts';
import { byControllerUid, type Lister } from '#client/indexer.ts';
import { controllerOf, keyOf, keyOfName, nameOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import type { WorkQueue } from '#client/work-queue.ts';
import { byOrphan, claim, controllerRefTo, resolveControllerRef } from '../controller-ref.ts';
import {
  type ControllerDeps,
  defineController,
  ReconcileError,
  type ReconcileContext,
  type Reconciler,
  type ReconcileResult,
} from '../define-controller.ts';
import { isNamespaceTerminating } from '../namespace-terminating.ts';
import { PodControl, podFromTemplate } from '../pod-control.ts';
import { DaemonCensus, type DaemonCounts } from './daemon-census.ts';
import { cleanUpHistory, constructHistory, hashOf } from './daemon-history.ts';
import { daemonPodTemplate, nodeFit, nodeNameAffinity } from './daemon-pod.ts';
import { FailedPodsBackoff } from './failed-pods-backoff.ts';
import { type DaemonTerms, planNode } from './node-plan.ts';
import { planRolling, surgeCount } from './rolling-plan.ts';

/** How many Pods are created, and how many deleted, before it waits to see them. */
const BURST = 250;
const BACKOFF_COLLECTION_MS = 60_000;

/** Keeps one Pod on each Node that a DaemonSet means. Follows pkg/controller/daemon, v1.33. */
export const daemonSetController = defineController<DaemonSet>({
  name: 'daemonset-controller',
  serviceAccount: 'daemon-set-controller',
  workers: 2,
  for: daemonSets,
  create: (deps) => new DaemonReconciler(deps),
});

class DaemonReconciler implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #events: EventRecorder;
  readonly #control: PodControl<DaemonSet>;
  readonly #expectations: Expectations;
  readonly #backoff: FailedPodsBackoff;
  readonly #daemonSets: Lister<DaemonSet>;
  readonly #revisions: Lister<ControllerRevision>;
  readonly #pods: Lister<Pod>;
  readonly #nodes: Lister<Node>;
  readonly #nodeQueue: WorkQueue;
  /** By the DaemonSets' uids. */
  readonly #censuses = new Map<string, DaemonCensus>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { clock } = deps.process;
    this.#events = deps.recorder();
    this.#control = new PodControl(daemonSets, this.#events);
    this.#expectations = new Expectations(clock);
    this.#backoff = new FailedPodsBackoff(clock);
    this.#daemonSets = deps.watch(daemonSets, {
      update: (previous, daemonSet) => {
        if (previous.metadata.uid !== daemonSet.metadata.uid) this.#forget(previous);
      },
      delete: (daemonSet) => this.#forget(daemonSet),
    });
    this.#revisions = deps.watch(
      controllerRevisions,
      {
        add: (revision, span) => this.#revisionChanged(undefined, revision, span),
        update: (previous, revision, span) => this.#revisionChanged(previous, revision, span),
        delete: (revision, span) => this.#ownerChanged(revision, span),
      },
      byControllerUid,
      byOrphan,
    );
    this.#pods = deps.watch(
      pods,
      {
        add: (pod, span) => {
          this.#put(pod);
          this.#podAdded(pod, span);
        },
        update: (previous, pod, span) => {
          if (controllerOf(previous)?.uid !== controllerOf(pod)?.uid) this.#remove(previous);
          this.#put(pod);
          this.#podUpdated(previous, pod, span);
        },
        delete: (pod, span) => {
          this.#remove(pod);
          this.#podDeleted(pod, span);
        },
      },
      byControllerUid,
      byOrphan,
    );
    this.#nodeQueue = deps.addQueue('daemonset-node-updates', { workers: 2 }, async ({ span }, name) =>
      this.#syncNode(name, span),
    );
    this.#nodes = deps.watch(nodes, {
      add: (node, span) => this.#nodeChanged(node, span),
      update: (previous, node, span) => {
        if (!isSameToDaemons(previous, node)) this.#nodeChanged(node, span);
      },
      delete: ({ metadata: { name = '' } }) => {
        for (const census of this.#censuses.values()) census.nodeChanged(name);
      },
    });
    deps.every(BACKOFF_COLLECTION_MS, 'collect back-offs', () => this.#backoff.collect());
  }

  #census(uid = ''): DaemonCensus {
    let census = this.#censuses.get(uid);
    if (!census) this.#censuses.set(uid, (census = new DaemonCensus()));
    return census;
  }

  #put(pod: Pod): void {
    const ref = controllerOf(pod);
    if (ref?.kind === daemonSets.kind) this.#census(ref.uid).put(pod);
  }

  #remove(pod: Pod): void {
    const ref = controllerOf(pod);
    const census = ref && this.#censuses.get(ref.uid);
    if (!census) return;
    census.remove(pod);
    const { namespace } = pod.metadata;
    const isGone = this.#daemonSets.get({ namespace, name: ref.name })?.metadata.uid !== ref.uid;
    if (census.isEmpty && isGone) this.#censuses.delete(ref.uid);
  }

  #forget(daemonSet: DaemonSet): void {
    const { uid = '' } = daemonSet.metadata;
    this.#expectations.forget(keyOf(daemonSet));
    if (this.#censuses.get(uid)?.isEmpty) this.#censuses.delete(uid);
  }

  #ownerOf(object: Pod | ControllerRevision): DaemonSet | undefined {
    return resolveControllerRef(daemonSets, this.#daemonSets, object);
  }

  #ownerChanged(object: Pod | ControllerRevision, span: SpanId): void {
    const owner = this.#ownerOf(object);
    if (owner) this.#deps.queue.add(keyOf(owner), span);
  }

  #orphanChanged({ metadata: { namespace, labels } }: Pod | ControllerRevision, span: SpanId): void {
    if (!labels) return;
    for (const daemonSet of this.#daemonSets.list(namespace)) {
      if (this.#selects(daemonSet, labels)) this.#deps.queue.add(keyOf(daemonSet), span);
    }
  }

  #revisionChanged(previous: ControllerRevision | undefined, revision: ControllerRevision, span: SpanId): void {
    const ref = controllerOf(revision);
    if (previous && controllerOf(previous)?.uid !== ref?.uid) this.#ownerChanged(previous, span);
    if (!ref) this.#orphanChanged(revision, span);
    else if (previous || revision.metadata.deletionTimestamp) this.#ownerChanged(revision, span);
  }

  #podAdded(pod: Pod, span: SpanId): void {
    if (pod.metadata.deletionTimestamp) {
      this.#podDeleted(pod, span);
      return;
    }
    if (!controllerOf(pod)) {
      this.#orphanChanged(pod, span);
      return;
    }
    const owner = this.#ownerOf(pod);
    if (!owner) return;
    this.#expectations.creationObserved(keyOf(owner));
    this.#deps.queue.add(keyOf(owner), span);
  }

  #podUpdated(previous: Pod, pod: Pod, span: SpanId): void {
    const { queue } = this.#deps;
    if (pod.metadata.deletionTimestamp) {
      this.#podDeleted(pod, span);
      return;
    }
    const moved = !jsonEqual(controllerOf(previous), controllerOf(pod));
    if (moved) this.#ownerChanged(previous, span);
    if (!controllerOf(pod)) {
      if (moved || !jsonEqual(previous.metadata.labels, pod.metadata.labels)) this.#orphanChanged(pod, span);
      return;
    }
    const owner = this.#ownerOf(pod);
    if (!owner) return;
    queue.add(keyOf(owner), span);
    const { minReadySeconds = 0 } = owner.spec;
    if (minReadySeconds > 0 && !isPodReady(previous) && isPodReady(pod)) {
      queue.addAfter(keyOf(owner), minReadySeconds * 1000 + 1000, span);
    }
  }

  #podDeleted(pod: Pod, span: SpanId): void {
    const owner = this.#ownerOf(pod);
    if (!owner) return;
    this.#expectations.deletionObserved(keyOf(owner), keyOf(pod));
    this.#deps.queue.add(keyOf(owner), span);
  }

  #nodeChanged({ metadata: { name = '' } }: Node, span: SpanId): void {
    for (const census of this.#censuses.values()) census.nodeChanged(name);
    this.#nodeQueue.add(name, span);
  }

  /** Queues the DaemonSets for which a changed Node makes a difference. */
  #syncNode(name: string, span: SpanId): void {
    const node = this.#nodes.get({ name });
    if (!node) return;
    for (const daemonSet of this.#daemonSets.list()) {
      const fit = nodeFit(daemonSet, node);
      const has = this.#censuses.get(daemonSet.metadata.uid ?? '')?.hasPodsOn(name) ?? false;
      const isMisplaced = has && (!fit.stay || (daemonSet.status?.numberMisscheduled ?? 0) > 0);
      if (isMisplaced || (fit.run && !has)) this.#deps.queue.add(keyOf(daemonSet), span);
    }
  }

  #selects({ spec: { selector } }: DaemonSet, labels: Pod['metadata']['labels']): boolean {
    const terms = labelSelectorTerms(selector);
    return terms !== undefined && matchesLabels(terms, labels);
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<ReconcileResult | void> {
    const daemonSet = this.#daemonSets.get(name);
    if (!daemonSet) {
      this.#expectations.forget(keyOfName(name));
      return;
    }
    const { selector } = daemonSet.spec;
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      this.#say(ctx, daemonSet, 'Warning', 'SelectingAll', message);
      return;
    }
    // Whether revisions and Pods are still its own cannot be known while it is being deleted.
    if (daemonSet.metadata.deletionTimestamp) return;
    const census = this.#census(daemonSet.metadata.uid);
    const owned = () => [...census.all()];
    const { current, old } = await constructHistory(ctx, daemonSet, this.#revisions, owned);
    const hash = hashOf(current);
    await this.#claim(ctx, daemonSet, census);
    if (!this.#expectations.satisfied(keyOfName(name))) {
      return this.#updateStatus(ctx, daemonSet, this.#count(daemonSet, census, hash), false);
    }
    let failure: Failed | undefined;
    try {
      await this.#manage(ctx, daemonSet, census, hash);
      await this.#roll(ctx, daemonSet, census, hash);
      await cleanUpHistory(ctx, daemonSet, old, owned);
    } catch (error) {
      if (!isFailure(error)) throw error;
      failure = error;
    }
    try {
      const result = await this.#updateStatus(ctx, daemonSet, this.#count(daemonSet, census, hash), true);
      if (!failure) return result;
    } catch (error) {
      if (!failure || !isFailure(error)) throw error;
    }
    throw failure;
  }

  /** Adopts and releases Pods; looks at all of them only when there is something to adopt or to release. */
  async #claim({ client }: ReconcileContext, daemonSet: DaemonSet, census: DaemonCensus): Promise<void> {
    const matches = ({ metadata }: Pod) => this.#selects(daemonSet, metadata.labels);
    const orphans = this.#pods.byIndex(byOrphan, daemonSet.metadata.namespace ?? '');
    const isOrphaned = orphans.some((pod) => !pod.metadata.deletionTimestamp && matches(pod));
    if (!isOrphaned && [...census.changed()].every(matches)) return;
    const claimed = await claim({
      client,
      ownerResource: daemonSets,
      owner: daemonSet,
      resource: pods,
      lister: this.#pods,
      matches,
    });
    const kept = new Set(claimed);
    for (const pod of [...census.all()]) if (!kept.has(pod)) census.remove(pod);
    for (const pod of claimed) census.put(pod);
  }

  #terms(daemonSet: DaemonSet, hash: string): DaemonTerms {
    return {
      hash,
      generation: templateGeneration(daemonSet),
      minReadySeconds: daemonSet.spec.minReadySeconds ?? 0,
      surge: surgeCount(daemonSet, 1) > 0,
      now: this.#deps.process.clock.now(),
    };
  }

  #count(daemonSet: DaemonSet, census: DaemonCensus, hash: string): DaemonCounts {
    return census.count(
      daemonSet,
      this.#terms(daemonSet, hash),
      (name) => this.#nodes.get({ name }),
      () => this.#nodes.list().map(({ metadata }) => metadata.name ?? ''),
    );
  }

  /** One Pod on each Node that wants one, and none elsewhere. */
  async #manage(ctx: ReconcileContext, daemonSet: DaemonSet, census: DaemonCensus, hash: string): Promise<void> {
    this.#count(daemonSet, census, hash);
    const terms = this.#terms(daemonSet, hash);
    const create: string[] = [];
    const doomed: Pod[] = [];
    for (const node of census.unsettled()) {
      const plan = planNode(node, terms);
      if (plan.create) create.push(node.name);
      doomed.push(...plan.delete);
      for (const pod of plan.failed) if (this.#mayReplace(ctx, daemonSet, node.name, pod)) doomed.push(pod);
      for (const pod of plan.succeeded) {
        const found = `Found succeeded daemon pod ${keyOf(pod)} on node ${node.name}, will try to delete it`;
        this.#say(ctx, daemonSet, 'Normal', 'SucceededDaemonPod', found);
        doomed.push(pod);
      }
      if (!plan.create && !plan.delete.length && !plan.failed.length && !plan.succeeded.length)
        census.settle(node.name);
    }
    await this.#sync(ctx, daemonSet, hash, create, doomed);
  }

  /** A failed Pod goes at once the first time, later after a delay that doubles. */
  #mayReplace(ctx: ReconcileContext, daemonSet: DaemonSet, node: string, pod: Pod): boolean {
    const { metadata, status } = daemonSet;
    const key = `${metadata.uid}/${status?.observedGeneration ?? 0}/${node}`;
    const delay = this.#backoff.waiting(key);
    if (delay !== undefined) {
      this.#deps.queue.addAfter(keyOf(daemonSet), delay, ctx.span);
      return false;
    }
    this.#backoff.next(key);
    const found = `Found failed daemon pod ${keyOf(pod)} on node ${node}, will try to kill it`;
    this.#say(ctx, daemonSet, 'Warning', 'FailedDaemonPod', found);
    return true;
  }

  /** The next step from older templates to the newest. */
  async #roll(ctx: ReconcileContext, daemonSet: DaemonSet, census: DaemonCensus, hash: string): Promise<void> {
    if (!this.#expectations.satisfied(keyOf(daemonSet))) return;
    if (daemonSet.spec.updateStrategy?.type !== 'RollingUpdate') return;
    const { outdated, desired } = this.#count(daemonSet, census, hash);
    if (outdated === 0) return;
    const plan = planRolling(daemonSet, census.nodes(), desired, this.#terms(daemonSet, hash));
    await this.#sync(ctx, daemonSet, hash, plan.create, plan.delete);
  }

  /** Creates Pods in batches that double, and deletes others at once; throws the errors of both. */
  async #sync(
    ctx: ReconcileContext,
    daemonSet: DaemonSet,
    hash: string,
    nodesInNeed: readonly string[],
    doomedPods: readonly Pod[],
  ): Promise<void> {
    const key = keyOf(daemonSet);
    const names = nodesInNeed.slice(0, BURST);
    const doomed = doomedPods.slice(0, BURST);
    this.#expectations.expect(key, names.length, doomed.map(keyOf));
    const errors: Failed[] = [];
    const made = podFromTemplate(daemonPodTemplate(daemonSet, hash), daemonSet, controllerRefTo(daemonSets, daemonSet));
    for (let done = 0, size = 1; done < names.length && errors.length === 0; done += size, size *= 2) {
      const batch = names.slice(done, done + size);
      const failed = await this.#together(batch, 'create a Pod', async (node) => {
        const affinity = nodeNameAffinity(made.spec.affinity, node);
        try {
          await this.#control.create(ctx, daemonSet, { ...made, spec: { ...made.spec, affinity } });
        } catch (error) {
          // In a namespace that goes, nothing can be created, and need not.
          if (isNamespaceTerminating(error)) return;
          this.#expectations.creationObserved(key);
          throw error;
        }
      });
      errors.push(...failed);
      if (failed.length === 0) continue;
      for (let skipped = done + batch.length; skipped < names.length; skipped++) {
        this.#expectations.creationObserved(key);
      }
    }
    const failed = await this.#together(doomed, 'delete a Pod', async (pod) => {
      try {
        await this.#control.delete(ctx, daemonSet, pod);
      } catch (error) {
        this.#expectations.deletionObserved(key, keyOf(pod));
        if (!isStatus(error, 'NotFound')) throw error;
      }
    });
    errors.push(...failed);
    const messages = [...new Set(errors.map(({ message }) => message))];
    if (messages.length > 1) throw new ReconcileError(`[${messages.join(', ')}]`);
    if (errors[0]) throw errors[0];
  }

  /** Works on all items at the same time and returns the errors that are answers of the server. */
  async #together<T>(items: readonly T[], name: string, work: (item: T) => Promise<void>): Promise<Failed[]> {
    const errors: Failed[] = [];
    const run = async (item: T): Promise<void> => {
      try {
        await work(item);
      } catch (error) {
        if (!isFailure(error)) throw error;
        errors.push(error);
      }
    };
    const tasks = items.map((item) => this.#deps.process.spawn(name, () => run(item)));
    for (const task of tasks) await task.join();
    return errors;
  }

  /** Once more when somebody else was faster. `observed`: the newest generation has been acted on. */
  async #updateStatus(
    { client }: ReconcileContext,
    daemonSet: DaemonSet,
    counts: DaemonCounts,
    observed: boolean,
  ): Promise<ReconcileResult | undefined> {
    const { metadata, spec, status } = daemonSet;
    const next = {
      desiredNumberScheduled: counts.desired,
      currentNumberScheduled: counts.current,
      numberMisscheduled: counts.misscheduled,
      numberReady: counts.ready,
      updatedNumberScheduled: counts.updated,
      numberAvailable: counts.available,
      numberUnavailable: counts.desired - counts.available,
    };
    const { generation = 0 } = metadata;
    const isSame = (Object.keys(next) as (keyof typeof next)[]).every(
      (field) => (status?.[field] ?? 0) === next[field],
    );
    if (!isSame || (status?.observedGeneration ?? 0) < generation) {
      const withStatus = (object: DaemonSet): DaemonSet => ({
        ...object,
        status: {
          ...(object.status as DaemonSetStatus),
          ...next,
          ...(observed ? { observedGeneration: generation } : {}),
        },
      });
      try {
        await client.updateStatus(daemonSets, withStatus(daemonSet));
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        await client.updateStatus(daemonSets, withStatus(await client.get(daemonSets, nameOf(daemonSet))));
      }
    }
    const { minReadySeconds = 0 } = spec;
    const waits = minReadySeconds > 0 && counts.ready !== counts.available;
    return waits ? { requeueAfterMs: minReadySeconds * 1000 } : undefined;
  }

  #say(ctx: ReconcileContext, about: DaemonSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#events.event(referenceTo(daemonSets, about), type, reason, message, ctx.span);
  }
}

type Failed = StatusError | ReconcileError;

function isFailure(error: unknown): error is Failed {
  return error instanceof StatusError || error instanceof ReconcileError;
}

/** Whether a Node has nothing new for DaemonSets: heartbeats are not. Follows shouldIgnoreNodeUpdate, v1.33. */
function isSameToDaemons(a: Node, b: Node): boolean {
  return semanticEqual(a.metadata.labels, b.metadata.labels) && semanticEqual(a.spec?.taints, b.spec?.taints);
}
