import { isPodTerminal } from '#api/core/v1/pod-status.ts';
import type { Container, EphemeralContainer, Pod } from '#api/generated/types.ts';
import type { Timer } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import type { RuntimeService } from '#cri/contract.ts';
import { CriError } from '#cri/cri-error.ts';
import type { ContainerStarter } from './container-starter.ts';
import { type CrashBackoff, goDuration } from './crash-backoff.ts';
import type { EnvironmentSources } from './environment.ts';
import { containerFieldPath, type KubeletContext } from './kubelet-context.ts';
import { podName } from './lifecycle-hooks.ts';
import { computePodActions } from './pod-actions.ts';
import { podHostname } from './pod-files.ts';
import type { PodKiller } from './pod-killer.ts';
import { podRuntimeStatus, type PodRuntimeStatus } from './pod-runtime-status.ts';
import { generatePodStatus, type StartFailure } from './pod-status.ts';
import { MountError, type PodVolumes } from './pod-volumes.ts';
import type { PodProbes } from './probes.ts';
import type { StatusWriter } from './status-writer.ts';

/** A failed sync is tried again after so long, and up to half as long more, ms. */
const RETRY_MS = 10_000;
/** Volumes are looked at again this often: when content changed, the Pod sees it at the next of these instants, ms. */
const REFRESH_MS = 60_000;
const MOUNT_RETRY_MS = { first: 500, longest: 122_000 };
const NOT_READY =
  'network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';
const DEADLINE = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
} as const;

/** What a worker needs of its kubelet. */
export interface PodWorkerOptions {
  readonly context: KubeletContext;
  readonly runtime: RuntimeService;
  readonly starter: ContainerStarter;
  readonly killer: PodKiller;
  readonly status: StatusWriter;
  readonly volumes: PodVolumes;
  readonly probes: PodProbes;
  readonly sources: EnvironmentSources;
  /** Of all containers of the node that ended and start again. */
  readonly crashes: CrashBackoff;
  readonly hostAddress: string;
  readonly clusterDomain: string;
  /** The Pod has ended and given everything back. */
  readonly finished: (worker: PodWorker, cause: SpanId) => void;
}

type State = 'running' | 'terminating' | 'terminated' | 'finished';

/**
 * Brings one Pod to where it should be and keeps it there: one step after the other, each time from what is, not from
 * what happened. Nothing of it runs while there is nothing to do. Follows pkg/kubelet/pod_workers.go and SyncPod,
 * SyncTerminatingPod and SyncTerminatedPod of pkg/kubelet/kubelet.go, v1.33.
 */
export class PodWorker {
  readonly uid: string;
  readonly #options: PodWorkerOptions;
  readonly #failures = new Map<string, StartFailure>();
  readonly #createdAt: number;
  #pod: Pod;
  #state: State = 'running';
  /** The Pod's object is gone from the API: nobody wants to know how it ends. */
  #gone = false;
  #grace: number | undefined;
  #busy = false;
  #wanted = false;
  #causes: SpanId[] = [];
  #retry: Timer | undefined;
  #deadline: Timer | undefined;
  #refresh: Timer | undefined;
  #tokens: Timer | undefined;
  #mountFailures = 0;
  #lastSpan: SpanId = 0;
  #evicted: typeof DEADLINE | undefined;

  constructor(pod: Pod, options: PodWorkerOptions) {
    this.uid = pod.metadata.uid ?? '';
    this.#pod = pod;
    this.#options = options;
    this.#createdAt = options.context.now;
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** Whether containers of the Pod may run. */
  get mayRun(): boolean {
    return this.#state === 'running' || this.#state === 'terminating';
  }

  get terminating(): boolean {
    return this.#state !== 'running';
  }

  /** Nothing will happen any more. */
  get finished(): boolean {
    return this.#state === 'finished';
  }

  /** Whether the Pod's object is gone from the API. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The API has a newer version of the Pod. */
  update(pod: Pod, cause: SpanId): void {
    const before = this.#pod;
    this.#pod = pod;
    if (before.metadata.labels !== pod.metadata.labels || before.metadata.annotations !== pod.metadata.annotations)
      this.#scheduleRefresh();
    if (pod.metadata.deletionTimestamp) this.#terminate(pod.metadata.deletionGracePeriodSeconds, cause);
    else if (isPodTerminal(pod)) this.#terminate(undefined, cause);
    else if (before.spec !== pod.spec || before.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp)
      this.sync(cause);
  }

  /** The Pod's object is gone. */
  remove(pod: Pod, cause: SpanId): void {
    this.#gone = true;
    this.#pod = pod;
    this.#terminate(pod.metadata.deletionGracePeriodSeconds ?? 0, cause);
  }

  /** Something about the Pod has changed: look at it. */
  sync(cause: SpanId): void {
    if (cause !== 0 && !this.#causes.includes(cause)) this.#causes.push(cause);
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    const { namespace, name } = this.#pod.metadata;
    this.#options.context.process.spawn(`sync pod ${namespace}/${name}`, () => this.#work());
  }

  /** A container has started or ended: what this worker did last led to it, for all that is known. */
  containerChanged(): void {
    this.sync(this.#lastSpan);
  }

  /** Content that the Pod's volumes show has changed. */
  contentChanged(): void {
    this.#scheduleRefresh();
  }

  #terminate(graceSeconds: number | undefined, cause: SpanId): void {
    if (this.#state === 'finished') return;
    const shorter = graceSeconds !== undefined && (this.#grace === undefined || graceSeconds < this.#grace);
    if (shorter) this.#grace = Math.max(1, graceSeconds);
    if (this.#state === 'terminating' && shorter) this.#hurry(this.#grace as number);
    if (this.#state === 'running') this.#state = 'terminating';
    this.sync(cause);
  }

  /** The containers that are being stopped have less time than they were told. */
  #hurry(graceSeconds: number): void {
    const { context, runtime } = this.#options;
    for (const { id, state } of podRuntimeStatus(runtime, this.uid).containers) {
      if (state === 'Running')
        context.process.spawn('stop sooner', () => runtime.stopContainer(id, graceSeconds * 1000));
    }
  }

  async #work(): Promise<void> {
    const { context } = this.#options;
    while (this.#wanted) {
      this.#wanted = false;
      this.#retry?.stop();
      const causes = this.#causes;
      this.#causes = [];
      const state = this.#state;
      const verb = state === 'running' ? 'sync' : state === 'terminating' ? 'terminate' : 'clean up';
      const { namespace = '', name = '' } = this.#pod.metadata;
      const span = context.process.tracer.start('work', context.component, `${verb} pod ${namespace}/${name}`, causes, {
        namespace,
        pod: name,
      });
      this.#lastSpan = span;
      let retryMs: number | undefined;
      if (state === 'running') retryMs = await this.#syncRunning(span);
      else if (state === 'terminating') await this.#syncTerminating(span);
      else if (state === 'terminated') this.#syncTerminated(span);
      context.process.tracer.end(span);
      if (this.#state !== state) {
        this.#causes.push(span);
        this.#wanted = this.#state !== 'finished';
      } else if (retryMs !== undefined && !this.#wanted) {
        this.#retry = context.process.clock.afterFunc(retryMs, `sync pod ${namespace}/${name} again`, () =>
          this.sync(span),
        );
      }
    }
    this.#busy = false;
  }

  /** The current status of the Pod, reported. */
  #report(runtime: PodRuntimeStatus, terminal: boolean, cause: SpanId) {
    const { status, probes, hostAddress, starter } = this.#options;
    const pod = this.#pod;
    const next = generatePodStatus({
      pod,
      runtime,
      old: status.status(this.uid) ?? pod.status ?? {},
      terminal,
      failures: this.#failures,
      probes,
      hostAddress,
      ...(this.#evicted ? { evicted: this.#evicted } : {}),
      terminationMessage: (container) =>
        starter.terminationMessage(
          container,
          [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(
            ({ name }) => name === container.config.name,
          ),
        ),
    });
    status.set(pod, next, cause);
    return next;
  }

  /** One step forward; the result is after how many ms to try again, if something failed. */
  async #syncRunning(cause: SpanId): Promise<number | undefined> {
    const { context, runtime, volumes, probes } = this.#options;
    this.#checkDeadline(cause);
    const runtimeStatus = podRuntimeStatus(runtime, this.uid);
    const { phase } = this.#report(runtimeStatus, false, cause);
    if (phase === 'Succeeded' || phase === 'Failed') {
      this.#state = 'terminating';
      return undefined;
    }
    const pod = this.#pod;
    if (!runtime.networkReady && !pod.spec.hostNetwork) {
      context.podEvent(pod, 'Warning', 'NetworkNotReady', NOT_READY, cause);
      return this.#retryMs() / 10;
    }
    try {
      await volumes.mount(pod);
      this.#mountFailures = 0;
      this.#watchTokens();
    } catch (error) {
      if (!(error instanceof MountError)) throw error;
      context.podEvent(pod, 'Warning', 'FailedMount', error.message, cause);
      return Math.min(MOUNT_RETRY_MS.longest, MOUNT_RETRY_MS.first * 2 ** this.#mountFailures++);
    }
    if (this.terminating) return undefined;
    probes.add(pod);
    return (await this.#bringAbout(runtimeStatus, cause)) ? undefined : this.#retryMs();
  }

  #retryMs(): number {
    return Math.round(RETRY_MS * (1 + 0.5 * this.#options.context.process.rng.float()));
  }

  /** Does what has to be done about sandbox and containers. False: something failed. Follows SyncPod of pkg/kubelet/kuberuntime, v1.33. */
  async #bringAbout(before: PodRuntimeStatus, cause: SpanId): Promise<boolean> {
    const { context, runtime, killer, probes } = this.#options;
    const pod = this.#pod;
    const actions = computePodActions(pod, before, probes);
    if (actions.createSandbox && actions.sandboxId) {
      context.podEvent(
        pod,
        'Normal',
        'SandboxChanged',
        'Pod sandbox changed, it will be killed and re-created.',
        cause,
      );
    }
    if (actions.killPod) {
      if (before.sandboxes.length > 0) await killer.killPod(pod, before, cause);
      if (actions.createSandbox) await this.#removeInitContainers(before);
    } else {
      for (const { container, status, message, reason } of actions.kill) {
        await killer.kill(pod, container, status.id, before.address ?? '', cause, {
          message,
          ...(reason ? { reason } : {}),
        });
      }
    }
    let { sandboxId } = actions;
    let current = before;
    if (actions.createSandbox) {
      try {
        sandboxId = await context.step(pod, 'create sandbox', cause, () => this.#createSandbox(actions.attempt));
      } catch (error) {
        if (!(error instanceof CriError)) throw error;
        if (this.terminating) return true;
        context.podEvent(
          pod,
          'Warning',
          'FailedCreatePodSandBox',
          `Failed to create pod sandbox: ${error.message}`,
          cause,
        );
        return false;
      }
      current = podRuntimeStatus(runtime, this.uid);
      // The sandbox is news: the Pod is looked at once more when this sync is over.
      this.sync(cause);
    }
    let fine = true;
    for (const container of actions.startEphemeral) {
      if (!(await this.#start(container as EphemeralContainer as Container, sandboxId, current, cause))) fine = false;
    }
    for (const container of actions.startInit) {
      if (await this.#start(container, sandboxId, current, cause)) continue;
      fine = false;
      if (container.restartPolicy !== 'Always') return false;
    }
    for (const container of actions.start) if (!(await this.#start(container, sandboxId, current, cause))) fine = false;
    return fine;
  }

  #createSandbox(attempt: number): Promise<string> {
    const { runtime, clusterDomain } = this.#options;
    const pod = this.#pod;
    const { name = '', namespace = '' } = pod.metadata;
    return runtime.runPodSandbox({
      name,
      namespace,
      uid: this.uid,
      attempt,
      hostname: podHostname(pod, clusterDomain).hostname,
      hostNetwork: pod.spec.hostNetwork === true,
    });
  }

  /** Starts a container unless it has to wait after its last end. */
  async #start(container: Container, sandboxId: string, current: PodRuntimeStatus, cause: SpanId): Promise<boolean> {
    if (this.terminating) return true;
    const { context, starter, volumes, sources, killer, crashes } = this.#options;
    const pod = this.#pod;
    const ended = current.containers.find(({ config, state }) => config.name === container.name && state === 'Exited');
    const key = `${this.uid}_${container.name}_${container.image}`;
    if (ended && crashes.isInBackoff(key, ended.finishedAt, context.now)) {
      const where = `container ${container.name} in pod ${podName(pod)}`;
      context.podEvent(
        pod,
        'Warning',
        'BackOff',
        `Back-off restarting failed ${where}`,
        cause,
        containerFieldPath(pod, container.name),
      );
      const message = `back-off ${goDuration(crashes.delay(key))} restarting failed container=${container.name} pod=${podName(pod)}`;
      this.#failures.set(container.name, { reason: 'CrashLoopBackOff', message });
      return false;
    }
    if (ended) crashes.next(key, ended.finishedAt, context.now);
    const address = current.address ?? (pod.spec.hostNetwork ? this.#options.hostAddress : undefined);
    const failure = await starter.start(
      {
        pod,
        sandboxId,
        address,
        runtime: current,
        volumes,
        sources,
        kill: (one, id) => killer.kill(pod, one, id, address ?? '', cause, { message: 'FailedPostStartHook' }),
      },
      container,
      cause,
    );
    if (failure) this.#failures.set(container.name, failure);
    else this.#failures.delete(container.name);
    await this.#collectDead(container.name);
    return failure === undefined;
  }

  /** Keeps the current container of a name and the one before it, for its log and its state. */
  async #collectDead(name: string): Promise<void> {
    const { runtime, starter } = this.#options;
    const own = podRuntimeStatus(runtime, this.uid).containers.filter(({ config }) => config.name === name);
    for (const { id } of own.slice(2)) {
      await runtime.removeContainer(id);
      starter.forget(id);
    }
  }

  async #removeInitContainers(status: PodRuntimeStatus): Promise<void> {
    const names = this.#pod.spec.initContainers?.map(({ name }) => name) ?? [];
    for (const { id, config } of status.containers)
      if (names.includes(config.name)) await this.#options.runtime.removeContainer(id);
  }

  async #syncTerminating(cause: SpanId): Promise<void> {
    const { runtime, probes, killer } = this.#options;
    const before = podRuntimeStatus(runtime, this.uid);
    this.#deadline?.stop();
    this.#report(before, false, cause);
    probes.stopLivenessAndStartup();
    await killer.killPod(this.#pod, before, cause, this.#grace);
    probes.stop();
    const after = podRuntimeStatus(runtime, this.uid);
    this.#report(after, true, cause);
    this.#state = 'terminated';
  }

  #syncTerminated(cause: SpanId): void {
    const { status, finished } = this.#options;
    this.#refresh?.stop();
    this.#tokens?.stop();
    this.#state = 'finished';
    status.finish(this.#pod, cause);
    finished(this, cause);
  }

  #checkDeadline(cause: SpanId): void {
    const { context, status } = this.#options;
    const { activeDeadlineSeconds } = this.#pod.spec;
    this.#deadline?.stop();
    if (activeDeadlineSeconds === undefined) return;
    const started = status.status(this.uid)?.startTime ?? this.#pod.status?.startTime;
    const left = (started ? Date.parse(started) : context.now) + activeDeadlineSeconds * 1000 - context.now;
    if (left > 0) {
      this.#deadline = context.process.clock.afterFunc(left, 'active deadline', () => this.sync(cause));
      return;
    }
    this.#evicted = DEADLINE;
    context.podEvent(this.#pod, 'Normal', DEADLINE.reason, DEADLINE.message, cause);
  }

  /** The Pod looks at its volumes' content once a minute; only when there is something new is it made to. */
  #scheduleRefresh(): void {
    if (this.#refresh || this.terminating) return;
    const { context, volumes } = this.#options;
    const wait = REFRESH_MS - ((context.now - this.#createdAt) % REFRESH_MS);
    this.#refresh = context.process.clock.afterFunc(wait, 'refresh volumes', () => {
      this.#refresh = undefined;
      volumes.stale = true;
      this.sync(0);
    });
  }

  #watchTokens(): void {
    const { context, volumes } = this.#options;
    const { refreshAt } = volumes;
    if (this.#tokens || refreshAt === undefined) return;
    this.#tokens = context.process.clock.afterFunc(Math.max(1000, refreshAt - context.now), 'refresh token', () => {
      this.#tokens = undefined;
      volumes.stale = true;
      this.sync(0);
    });
  }
}
