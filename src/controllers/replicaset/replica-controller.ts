import { jsonEqual } from '#apimachinery/equal.ts';
import type { NamespacedName } from '#apimachinery/resource.ts';
import { matchesLabels } from '#apimachinery/selectors.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Pod, ReplicaSetStatus } from '#api/generated/types.ts';
import { pods } from '#api/core/v1/pod.ts';
import { isPodReady } from '#api/core/v1/pod-status.ts';
import type { SpanId } from '#base/tracer.ts';
import { Expectations } from '#client/expectations.ts';
import { byControllerUid, type Lister } from '#client/indexer.ts';
import { controllerOf, keyOf, keyOfName, nameOf } from '#client/key.ts';
import { byOrphan, claim, controllerRefTo, resolveControllerRef } from '../controller-ref.ts';
import {
  type ControllerDefinition,
  type ControllerDeps,
  defineController,
  type ReconcileContext,
  ReconcileError,
  type Reconciler,
  type ReconcileResult,
} from '../define-controller.ts';
import { isNamespaceTerminating } from '../namespace-terminating.ts';
import { isPodActive, PodControl, podFromTemplate } from '../pod-control.ts';
import { PodTally } from './pod-tally.ts';
import { planReplicas, podsToDelete } from './replica-plan.ts';
import {
  countPods,
  countTallied,
  isSameStatus,
  type ReplicaCounts,
  type ReplicaFailure,
  replicaStatus,
} from './replica-status.ts';
import type { Replicated, ReplicatedKind } from './replicated.ts';

/**
 * The controller of a kind that keeps Pods at a number: creates what lacks, deletes what is too much, adopts what nobody
 * owns. Follows pkg/controller/replicaset, v1.33, which serves ReplicationControllers too.
 */
export function replicaController<T extends Replicated>(kind: ReplicatedKind<T>): ControllerDefinition<T> {
  return defineController<T>({
    name: kind.name,
    serviceAccount: kind.component,
    workers: 5,
    for: kind.resource,
    create: (deps) => new ReplicaReconciler(deps, kind),
  });
}

class ReplicaReconciler<T extends Replicated> implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #kind: ReplicatedKind<T>;
  readonly #owners: Lister<T>;
  readonly #pods: Lister<Pod>;
  readonly #control: PodControl<T>;
  readonly #expectations: Expectations;
  readonly #tally: PodTally;

  constructor(deps: ControllerDeps, kind: ReplicatedKind<T>) {
    this.#deps = deps;
    this.#kind = kind;
    this.#expectations = new Expectations(deps.process.clock);
    this.#tally = new PodTally(kind.resource.kind);
    this.#control = new PodControl(kind.resource, deps.recorder(kind.component));
    const forget = (owner: T) => this.#expectations.forget(keyOf(owner));
    this.#owners = deps.watch(kind.resource, { delete: forget }, byControllerUid);
    this.#pods = deps.watch(
      pods,
      {
        add: (pod, span) => {
          this.#tally.put(pod);
          this.#podAdded(pod, span);
        },
        update: (previous, pod, span) => {
          this.#tally.put(pod);
          this.#podUpdated(previous, pod, span);
        },
        delete: (pod, span) => {
          this.#tally.remove(pod);
          this.#podDeleted(pod, span);
        },
      },
      byControllerUid,
      byOrphan,
    );
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
    const relabelled = !jsonEqual(previous.metadata.labels, pod.metadata.labels);
    if (pod.metadata.deletionTimestamp) {
      this.#podDeleted(pod, span);
      if (relabelled) this.#podDeleted(previous, span);
      return;
    }
    const ref = controllerOf(pod);
    const previousRef = controllerOf(previous);
    const moved = !jsonEqual(ref, previousRef);
    if (moved && previousRef) {
      const owner = this.#ownerOf(previous);
      if (owner) queue.add(keyOf(owner), span);
    }
    if (!ref) {
      if (relabelled || moved) this.#orphanChanged(pod, span);
      return;
    }
    const owner = this.#ownerOf(pod);
    if (!owner) return;
    queue.add(keyOf(owner), span);
    const { minReadySeconds = 0 } = owner.spec ?? {};
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

  #orphanChanged(pod: Pod, span: SpanId): void {
    const { labels } = pod.metadata;
    if (!labels) return;
    for (const owner of this.#owners.list(pod.metadata.namespace)) {
      const selector = this.#kind.selector(owner);
      if (selector?.length && matchesLabels(selector, labels)) this.#deps.queue.add(keyOf(owner), span);
    }
  }

  #ownerOf(pod: Pod): T | undefined {
    return resolveControllerRef(this.#kind.resource, this.#owners, pod);
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<ReconcileResult | void> {
    const key = keyOfName(name);
    const owner = this.#owners.get(name);
    if (!owner) {
      this.#expectations.forget(key);
      return;
    }
    const { clock } = this.#deps.process;
    const needsSync = this.#expectations.satisfied(key);
    const tallied = this.#tallied(owner);
    const claimed = tallied ? undefined : await this.#claim(ctx, owner);
    const counts = tallied ?? countPods(owner, claimed ?? [], clock.now());
    const active = () => claimed ?? this.#pods.byIndex(byControllerUid, owner.metadata.uid ?? '').filter(isPodActive);
    const error =
      needsSync && !owner.metadata.deletionTimestamp
        ? await this.#manage(ctx, owner, counts.replicas, active)
        : undefined;
    const surplus = counts.replicas - (owner.spec?.replicas ?? 1);
    const failure: ReplicaFailure | undefined = error && {
      reason: surplus < 0 ? 'FailedCreate' : 'FailedDelete',
      message: error.message,
    };
    const status = replicaStatus(owner, counts, failure, clock.now());
    const updated = await this.#updateStatus(ctx, owner, status);
    if (error) throw error;
    const { replicas = 1, minReadySeconds = 0 } = updated.spec ?? {};
    const isWaiting = status.readyReplicas === replicas && status.availableReplicas !== replicas;
    return minReadySeconds > 0 && isWaiting ? { requeueAfterMs: minReadySeconds * 1000 } : undefined;
  }

  /** What was counted, unless there is something to adopt or release, or somebody to wait for. */
  #tallied(owner: T): ReplicaCounts | undefined {
    const { uid = '', namespace = '' } = owner.metadata;
    if (owner.spec?.minReadySeconds) return undefined;
    const groups = this.#tally.of(uid);
    for (const labels of groups.keys()) if (!this.#selects(owner, labels)) return undefined;
    const orphans = this.#pods.byIndex(byOrphan, namespace);
    if (orphans.some((pod) => isPodActive(pod) && this.#selects(owner, pod.metadata.labels))) return undefined;
    return countTallied(owner, groups);
  }

  #selects(owner: T, labels: Pod['metadata']['labels']): boolean {
    const selector = this.#kind.selector(owner);
    return selector !== undefined && matchesLabels(selector, labels);
  }

  #claim({ client }: ReconcileContext, owner: T): Promise<Pod[]> {
    const selector = this.#kind.selector(owner);
    return claim({
      client,
      ownerResource: this.#kind.resource,
      owner,
      resource: pods,
      lister: this.#pods,
      matches: ({ metadata }) => selector !== undefined && matchesLabels(selector, metadata.labels),
      isCandidate: isPodActive,
    });
  }

  /** Returns the first error. */
  async #manage(
    ctx: ReconcileContext,
    owner: T,
    count: number,
    active: () => readonly Pod[],
  ): Promise<Failed | undefined> {
    const wanted = owner.spec?.replicas ?? 1;
    const plan = planReplicas(count, wanted);
    if (plan.create === 0 && plan.delete === 0) return undefined;
    const { clock, tracer } = this.#deps.process;
    const span = tracer.instant('decision', this.#kind.name, keyOf(owner), ctx.span, {
      resource: this.#kind.resource.plural,
      namespace: owner.metadata.namespace ?? '',
      name: owner.metadata.name ?? '',
      wanted,
      had: count,
      ...(plan.create > 0 ? { create: plan.create } : { delete: plan.delete }),
    });
    const decided = { client: ctx.client.withCause(span), span };
    if (plan.create > 0) return this.#create(decided, owner, plan.create);
    const now = clock.now();
    return this.#delete(
      decided,
      owner,
      podsToDelete(active(), plan.delete, () => this.#related(owner), now),
    );
  }

  /** The Pods of all that has the same owner, such as old and new ReplicaSets of a Deployment. */
  #related(owner: T): Pod[] {
    const ref = controllerOf(owner);
    if (!ref) return [];
    return this.#owners
      .byIndex(byControllerUid, ref.uid)
      .flatMap(({ metadata }) => this.#pods.byIndex(byControllerUid, metadata.uid ?? ''));
  }

  /** In batches that double, so that what cannot be created at all is tried a few times only. */
  async #create(ctx: ReconcileContext, owner: T, count: number): Promise<Failed | undefined> {
    const key = keyOf(owner);
    const pod = podFromTemplate(owner.spec?.template ?? {}, owner, controllerRefTo(this.#kind.resource, owner));
    this.#expectations.expectCreations(key, count);
    let remaining = count;
    for (let size = 1; remaining > 0; size *= 2) {
      const batch = Math.min(size, remaining);
      const errors = await this.#together(batch, 'create a Pod', async () => {
        try {
          await this.#control.create(ctx, owner, pod);
        } catch (error) {
          // In a namespace that goes, nothing can be created, and need not.
          if (!isNamespaceTerminating(error)) throw error;
        }
      });
      remaining -= batch - errors.length;
      if (errors.length === 0) continue;
      for (let skipped = 0; skipped < remaining; skipped++) this.#expectations.creationObserved(key);
      return errors[0];
    }
    return undefined;
  }

  async #delete(ctx: ReconcileContext, owner: T, doomed: readonly Pod[]): Promise<Failed | undefined> {
    const key = keyOf(owner);
    this.#expectations.expectDeletions(key, doomed.map(keyOf));
    const errors = await this.#together(doomed.length, 'delete a Pod', async (i) => {
      const pod = doomed[i] as Pod;
      try {
        await this.#control.delete(ctx, owner, pod);
      } catch (error) {
        this.#expectations.deletionObserved(key, keyOf(pod));
        if (!isStatus(error, 'NotFound')) throw error;
      }
    });
    return errors[0];
  }

  /** Runs so many tasks and returns the errors that are answers of the server. */
  async #together(count: number, name: string, work: (i: number) => Promise<void>): Promise<Failed[]> {
    const { process } = this.#deps;
    const errors: Failed[] = [];
    const run = async (i: number): Promise<void> => {
      try {
        await work(i);
      } catch (error) {
        if (!(error instanceof StatusError || error instanceof ReconcileError)) throw error;
        errors.push(error);
      }
    };
    if (count === 1) await run(0);
    else {
      const tasks = Array.from({ length: count }, (_, i) => process.spawn(name, () => run(i)));
      for (const task of tasks) await task.join();
    }
    return errors;
  }

  /** Once more when somebody else was faster. */
  async #updateStatus({ client }: ReconcileContext, owner: T, status: ReplicaSetStatus): Promise<T> {
    const { resource } = this.#kind;
    if (isSameStatus(owner.status, status)) return owner;
    try {
      return await client.updateStatus(resource, { ...owner, status });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
    const fresh = await client.get(resource, nameOf(owner));
    return client.updateStatus(resource, { ...fresh, status });
  }
}

type Failed = StatusError | ReconcileError;
