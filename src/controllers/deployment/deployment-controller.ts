import { jsonEqual } from '#apimachinery/equal.ts';
import type { NamespacedName } from '#apimachinery/resource.ts';
import { labelSelectorTerms, matchesLabels } from '#apimachinery/selectors.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { deployments } from '#api/apps/v1/deployment.ts';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '#api/generated/types.ts';
import { pods } from '#api/core/v1/pod.ts';
import { isPodTerminal } from '#api/core/v1/pod-status.ts';
import type { SpanId } from '#base/tracer.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import { byControllerUid, type Lister } from '#client/indexer.ts';
import { controllerOf, keyOf, nameOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
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
import {
  deploymentCondition,
  deploymentStatus,
  isComplete,
  isSameDeploymentStatus,
  progressCheckMs,
  progressDeadline,
  rolloutStatus,
  withCondition,
} from './deployment-status.ts';
import { isActive, replicasOf } from './replicas.ts';
import {
  equalIgnoreHash,
  findNewReplicaSet,
  maxRevision,
  newReplicaSetAnnotations,
  podTemplateHash,
  REVISION,
  TEMPLATE_HASH,
  withMatchLabel,
  withReplicasAnnotations,
} from './revision.ts';
import { isScalingEvent, newReplicas, planCleanup, planRolling, planScaling, type Scaling } from './rollout-plan.ts';

/**
 * Brings the Pods of Deployments from one template to the next by sizing ReplicaSets, one for each template. Follows
 * pkg/controller/deployment, v1.33; rollbacks are the client's.
 */
export const deploymentController = defineController<Deployment>({
  name: 'deployment-controller',
  workers: 5,
  maxRetries: 15,
  for: deployments,
  create: (deps) => new DeploymentReconciler(deps),
});

class DeploymentReconciler implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #deployments: Lister<Deployment>;
  readonly #replicaSets: Lister<ReplicaSet>;
  readonly #pods: Lister<Pod>;
  readonly #events: EventRecorder;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#events = deps.recorder();
    this.#deployments = deps.watch(deployments);
    this.#replicaSets = deps.watch(
      replicaSets,
      {
        add: (replicaSet, span) => this.#replicaSetChanged(undefined, replicaSet, span),
        update: (previous, replicaSet, span) => this.#replicaSetChanged(previous, replicaSet, span),
        delete: (replicaSet, span) => this.#ownerChanged(replicaSet, span),
      },
      byControllerUid,
      byOrphan,
    );
    this.#pods = deps.watch(pods, { delete: (pod, span) => this.#podDeleted(pod, span) }, byControllerUid);
  }

  #replicaSetChanged(previous: ReplicaSet | undefined, replicaSet: ReplicaSet, span: SpanId): void {
    const moved = previous !== undefined && !jsonEqual(controllerOf(previous), controllerOf(replicaSet));
    if (moved) this.#ownerChanged(previous, span);
    if (controllerOf(replicaSet)) {
      this.#ownerChanged(replicaSet, span);
      return;
    }
    const { namespace, labels, deletionTimestamp } = replicaSet.metadata;
    const relabelled = previous !== undefined && !jsonEqual(previous.metadata.labels, labels);
    if (deletionTimestamp || !labels || !(previous === undefined || moved || relabelled)) return;
    for (const deployment of this.#deployments.list(namespace)) {
      const selector = labelSelectorTerms(deployment.spec.selector);
      if (selector?.length && matchesLabels(selector, labels)) this.#deps.queue.add(keyOf(deployment), span);
    }
  }

  #ownerChanged(replicaSet: ReplicaSet, span: SpanId): void {
    const deployment = resolveControllerRef(deployments, this.#deployments, replicaSet);
    if (deployment) this.#deps.queue.add(keyOf(deployment), span);
  }

  /** With the strategy Recreate, the new Pods wait until the last of the old ones is gone. */
  #podDeleted(pod: Pod, span: SpanId): void {
    const replicaSet = resolveControllerRef(replicaSets, this.#replicaSets, pod);
    const deployment = replicaSet && resolveControllerRef(deployments, this.#deployments, replicaSet);
    if (deployment?.spec.strategy?.type !== 'Recreate') return;
    const siblings = this.#replicaSets.byIndex(byControllerUid, deployment.metadata.uid ?? '');
    if (siblings.every((owner) => this.#podsOf(owner).length === 0)) this.#deps.queue.add(keyOf(deployment), span);
  }

  #podsOf({ metadata: { uid = '' } }: ReplicaSet): Pod[] {
    return this.#pods.byIndex(byControllerUid, uid);
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<ReconcileResult | void> {
    const deployment = this.#deployments.get(name);
    if (!deployment) return;
    const selector = labelSelectorTerms(deployment.spec.selector);
    const owned = await claim({
      client: ctx.client,
      ownerResource: deployments,
      owner: deployment,
      resource: replicaSets,
      lister: this.#replicaSets,
      matches: ({ metadata }) => selector !== undefined && matchesLabels(selector, metadata.labels),
    });
    const { clock } = this.#deps.process;
    const sync = new DeploymentSync({
      ctx,
      deployment,
      owned,
      now: clock.now(),
      podsOf: (replicaSet) => this.#podsOf(replicaSet),
      find: (key) => this.#replicaSets.get(key),
      say: (type, reason, message) =>
        this.#events.event(referenceTo(deployments, deployment), type, reason, message, ctx.span),
    });
    try {
      return await sync.run();
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
  }
}

interface SyncOptions {
  readonly ctx: ReconcileContext;
  readonly deployment: Deployment;
  readonly owned: readonly ReplicaSet[];
  /** Milliseconds. */
  readonly now: number;
  readonly podsOf: (replicaSet: ReplicaSet) => readonly Pod[];
  readonly find: (key: NamespacedName) => ReplicaSet | undefined;
  readonly say: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** One look at one Deployment: carries out what the plans say. */
class DeploymentSync {
  readonly #options: SyncOptions;
  /** As last written. */
  #deployment: Deployment;
  #new: ReplicaSet | undefined;
  readonly #old: readonly ReplicaSet[];

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#deployment = options.deployment;
    this.#new = findNewReplicaSet(options.deployment, options.owned);
    this.#old = options.owned.filter((replicaSet) => replicaSet !== this.#new);
  }

  async run(): Promise<ReconcileResult | void> {
    const { spec, metadata } = this.#deployment;
    if (!metadata.deletionTimestamp) await this.#notePause();
    await this.#syncRevision();
    if (metadata.deletionTimestamp) {
      await this.#writeStatus(this.#status());
      return;
    }
    const all = this.#new ? [...this.#old, this.#new] : this.#old;
    if (spec.paused || isScalingEvent(this.#deployment, all)) {
      await this.#scaleAll(planScaling(this.#deployment, this.#new, this.#old));
      if (spec.paused) await this.#cleanUp();
      await this.#writeStatus(this.#status());
      return;
    }
    const scaled = spec.strategy?.type === 'Recreate' ? await this.#recreate() : await this.#roll();
    if (!scaled && isComplete(this.#deployment, this.#deployment.status ?? {})) await this.#cleanUp();
    const { now } = this.#options;
    const status = rolloutStatus(this.#deployment, this.#new, this.#old, now);
    if (await this.#writeStatus(status)) return;
    const requeueAfterMs = progressCheckMs(this.#deployment, status, now);
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  #status(): DeploymentStatus {
    return deploymentStatus(this.#deployment, this.#new, this.#old, this.#options.now);
  }

  /** A pause, and its end, count as progress, so that a long one is not taken for a rollout that is stuck. */
  async #notePause(): Promise<void> {
    const { spec, status = {} } = this.#deployment;
    const current = deploymentCondition(status, 'Progressing');
    if (progressDeadline(this.#deployment) === undefined || current?.reason === 'ProgressDeadlineExceeded') return;
    const wasPaused = current?.reason === 'DeploymentPaused';
    if ((spec.paused ?? false) === wasPaused) return;
    const [reason, message] = spec.paused
      ? ['DeploymentPaused', 'Deployment is paused']
      : ['DeploymentResumed', 'Deployment is resumed'];
    await this.#writeStatus(
      withCondition(status, 'Progressing', 'Unknown', reason as string, message as string, this.#options.now),
    );
  }

  /** The new ReplicaSet's annotations follow the Deployment's, and the Deployment's revision follows the ReplicaSet's. */
  async #syncRevision(): Promise<void> {
    if (!this.#new) return;
    const { metadata, spec } = this.#new;
    const { minReadySeconds } = this.#deployment.spec;
    const before = metadata.annotations ?? {};
    const annotations = newReplicaSetAnnotations(this.#deployment, before, maxRevision(this.#old) + 1);
    if (annotations !== before || (spec.minReadySeconds ?? 0) !== (minReadySeconds ?? 0)) {
      this.#new = await this.#options.ctx.client.update(replicaSets, {
        ...this.#new,
        metadata: { ...metadata, annotations },
        spec: { ...spec, minReadySeconds },
      });
      return;
    }
    const { status = {} } = this.#deployment;
    const isNoted =
      progressDeadline(this.#deployment) === undefined || deploymentCondition(status, 'Progressing') !== undefined;
    const found = `Found new replica set "${metadata.name}"`;
    await this.#writeRevision(
      annotations[REVISION] ?? '',
      isNoted ? status : withCondition(status, 'Progressing', 'True', 'FoundNewReplicaSet', found, this.#options.now),
    );
  }

  async #writeRevision(revision: string, status: DeploymentStatus): Promise<void> {
    const { metadata } = this.#deployment;
    if (metadata.annotations?.[REVISION] === revision) {
      await this.#writeStatus(status);
      return;
    }
    const annotations = { ...metadata.annotations, [REVISION]: revision };
    this.#deployment = await this.#options.ctx.client.updateStatus(deployments, {
      ...this.#deployment,
      metadata: { ...metadata, annotations },
      status,
    });
  }

  /** Returns whether it was necessary. */
  async #writeStatus(status: DeploymentStatus): Promise<boolean> {
    if (isSameDeploymentStatus(this.#deployment.status, status)) return false;
    this.#deployment = await this.#options.ctx.client.updateStatus(deployments, { ...this.#deployment, status });
    return true;
  }

  /** Returns whether something was scaled. */
  async #roll(): Promise<boolean> {
    this.#new ??= await this.#createNew();
    return this.#scaleAll(planRolling(this.#deployment, this.#new, this.#old));
  }

  async #recreate(): Promise<boolean> {
    const down = this.#old.filter(isActive).map((replicaSet) => ({ replicaSet, replicas: 0 }));
    if (await this.#scaleAll(down)) return true;
    const runs = this.#old.some(
      (replicaSet) =>
        (replicaSet.status?.replicas ?? 0) > 0 || this.#options.podsOf(replicaSet).some((pod) => !isPodTerminal(pod)),
    );
    if (runs) return true;
    this.#new ??= await this.#createNew();
    const replicas = replicasOf(this.#deployment);
    if (replicasOf(this.#new) !== replicas) await this.#scaleAll([{ replicaSet: this.#new, replicas }]);
    return false;
  }

  async #createNew(): Promise<ReplicaSet> {
    const { metadata, spec, status = {} } = this.#deployment;
    const { name = '', namespace } = metadata;
    const hash = podTemplateHash(spec.template, status.collisionCount);
    const labels = { ...spec.template.metadata?.labels, [TEMPLATE_HASH]: hash };
    const replicas = newReplicas(this.#deployment, this.#old, 0);
    const revision = maxRevision(this.#old) + 1;
    const annotations = withReplicasAnnotations(
      this.#deployment,
      newReplicaSetAnnotations(this.#deployment, undefined, revision),
    );
    const wanted: ReplicaSet = {
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels,
        annotations,
        ownerReferences: [controllerRefTo(deployments, this.#deployment)],
      },
      spec: {
        replicas,
        minReadySeconds: spec.minReadySeconds,
        selector: withMatchLabel(spec.selector, TEMPLATE_HASH, hash),
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    };
    let created: ReplicaSet;
    try {
      created = await this.#options.ctx.client.create(replicaSets, wanted);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const own = await this.#notCreated(wanted, error);
      await this.#writeRevision(String(revision), this.#deployment.status ?? {});
      return own;
    }
    if (replicas > 0) this.#sayScaled(created, 0, replicas);
    const message = `Created new replica set "${created.metadata.name}"`;
    const { now } = this.#options;
    await this.#writeRevision(
      String(revision),
      progressDeadline(this.#deployment) === undefined
        ? status
        : withCondition(status, 'Progressing', 'True', 'NewReplicaSetCreated', message, now),
    );
    return created;
  }

  /** The ReplicaSet that was in the way, when it is the wanted one; else says why there is none, and throws. */
  async #notCreated(wanted: ReplicaSet, error: StatusError): Promise<ReplicaSet> {
    const { status = {}, metadata } = this.#deployment;
    if (error.reason === 'AlreadyExists') {
      const existing = this.#options.find(nameOf(wanted));
      if (!existing) throw new ReconcileError(`replicaset.apps "${wanted.metadata.name}" not found`);
      const isOwn = controllerOf(existing)?.uid === metadata.uid;
      if (isOwn && equalIgnoreHash(existing.spec.template, wanted.spec.template)) return existing;
      // Another template has the same hash: the next one is made with another number.
      await this.#writeStatus({ ...status, collisionCount: (status.collisionCount ?? 0) + 1 });
      throw error;
    }
    if (isNamespaceTerminating(error)) throw error;
    const message = `Failed to create new replica set "${wanted.metadata.name}": ${error.message}`;
    if (progressDeadline(this.#deployment) !== undefined) {
      const { now } = this.#options;
      await this.#writeStatus(withCondition(status, 'Progressing', 'False', 'ReplicaSetCreateError', message, now));
    }
    this.#options.say('Warning', 'ReplicaSetCreateError', message);
    throw error;
  }

  /** Returns whether a size was changed. One ReplicaSet may occur several times. */
  async #scaleAll(plan: readonly Scaling[]): Promise<boolean> {
    const latest = new Map<ReplicaSet, ReplicaSet>();
    let scaled = false;
    for (const { replicaSet, replicas } of plan) {
      const current = latest.get(replicaSet) ?? replicaSet;
      const annotations = withReplicasAnnotations(this.#deployment, current.metadata.annotations);
      const before = replicasOf(current);
      if (before === replicas && annotations === current.metadata.annotations) continue;
      const updated = await this.#options.ctx.client.update(replicaSets, {
        ...current,
        metadata: { ...current.metadata, annotations },
        spec: { ...current.spec, replicas },
      });
      latest.set(replicaSet, updated);
      if (before === replicas) continue;
      scaled = true;
      this.#sayScaled(updated, before, replicas);
    }
    return scaled;
  }

  #sayScaled({ metadata: { name } }: ReplicaSet, from: number, to: number): void {
    const direction = from < to ? 'up' : 'down';
    this.#options.say('Normal', 'ScalingReplicaSet', `Scaled ${direction} replica set ${name} from ${from} to ${to}`);
  }

  async #cleanUp(): Promise<void> {
    for (const replicaSet of planCleanup(this.#deployment, this.#old)) {
      try {
        await this.#options.ctx.client.delete(replicaSets, nameOf(replicaSet));
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
  }
}
