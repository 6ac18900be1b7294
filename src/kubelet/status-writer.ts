import { pods } from '#api/core/v1/pod.ts';
import { isPodTerminal } from '#api/core/v1/pod-status.ts';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '#api/generated/types.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonValue } from '#apimachinery/json.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { formatTime } from '#base/clock.ts';
import { type Process, ProcessExitedError } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { containersReadyCondition, KUBELET_CONDITIONS, readyCondition } from './pod-conditions.ts';
import { podStatusDiff } from './pod-status-diff.ts';
import { isStaticPod } from './static-pod.ts';

/** How long to wait when the API server does not take a status. */
const RETRY_MS = 10_000;
const NEVER = null as unknown as undefined;
/** What all termination messages of a Pod may have together, characters. */
const MAX_MESSAGES = 12 * 1024;

interface Entry {
  /** As the kubelet runs it. */
  pod: Pod;
  /** As the API server has it: the Pod, or its mirror. */
  apiPod: Pod | undefined;
  status: PodStatus;
  /** Nothing will happen to the Pod any more: its object may go. */
  finished: boolean;
  cause: SpanId;
}

/** What a writer works with. */
export interface StatusWriterOptions {
  readonly process: Process;
  readonly client: Client;
  /** As spans name the kubelet. */
  readonly component: string;
  /** Whether containers of a Pod may still run; until then it is not reported as ended. */
  readonly mayRun: (uid: string) => boolean;
}

/**
 * Keeps the newest status of each Pod and brings it to the API server, one patch after the other; what changes while a
 * patch is under way goes with the next. Deletes the objects of Pods that have ended for good. Follows
 * pkg/kubelet/status/status_manager.go, v1.33.
 *
 * Differs from upstream: it patches against what its watch has seen instead of reading the Pod again each time.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #dirty = new Set<string>();
  #writing = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** The newest status, written or not. */
  status(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.status;
  }

  /** Takes a status (times of conditions are filled in). Without a change nothing is written, unless `finished`. */
  set(pod: Pod, next: PodStatus, cause: SpanId, finished = false): void {
    const uid = pod.metadata.uid ?? '';
    const entry = this.#entries.get(uid);
    const old = entry?.status ?? pod.status ?? {};
    const status = this.#complete(pod, next, old);
    if (entry && !finished && jsonEqual(entry.status as JsonValue, status as JsonValue)) {
      entry.pod = pod;
      return;
    }
    if (entry) Object.assign(entry, { pod, status, cause, finished: entry.finished || finished });
    else this.#entries.set(uid, { pod, apiPod: isStaticPod(pod) ? undefined : pod, status, cause, finished });
    this.#write(uid);
  }

  /** The API server has a newer version of the Pod (of a static Pod: of its mirror). */
  observe(uid: string, apiPod: Pod, cause: SpanId): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    const before = entry.apiPod;
    entry.apiPod = apiPod;
    if (!isStaticPod(entry.pod)) entry.pod = apiPod;
    // Somebody else changed what is ours to say, or the Pod is to go and has ended already.
    if (before?.status !== apiPod.status || apiPod.metadata.deletionTimestamp) {
      entry.cause = cause || entry.cause;
      this.#write(uid);
    }
  }

  /** A probe of readiness changed its mind. */
  setReady(uid: string, containerId: string, ready: boolean, cause: SpanId): void {
    this.#setContainer(uid, containerId, cause, (status) => (status.ready === ready ? status : { ...status, ready }));
  }

  /** A startup probe has come to a result. */
  setStarted(uid: string, containerId: string, started: boolean, cause: SpanId): void {
    this.#setContainer(uid, containerId, cause, (status) =>
      status.started === started ? status : { ...status, started },
    );
  }

  /**
   * The Pod has ended for good: what is still open in its status is closed, and its object may go. Follows TerminatePod.
   */
  finish(pod: Pod, cause: SpanId): void {
    const status = this.status(pod.metadata.uid ?? '') ?? pod.status ?? {};
    const lost = {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
        startedAt: NEVER,
        finishedAt: NEVER,
      },
    };
    const close = (one: ContainerStatus) => (one.state?.terminated ? one : { ...one, state: lost });
    const tried = attempted(status.initContainerStatuses ?? []);
    const phase = status.phase === 'Succeeded' || isStaticPod(pod) ? status.phase : 'Failed';
    const next: PodStatus = {
      ...status,
      phase,
      ...(status.containerStatuses && hasInitialized(pod)
        ? { containerStatuses: status.containerStatuses.map(close) }
        : {}),
      ...(status.initContainerStatuses
        ? { initContainerStatuses: status.initContainerStatuses.map((one, i) => (i < tried ? close(one) : one)) }
        : {}),
    };
    this.set(pod, next, cause, true);
  }

  /** The Pod's object is gone. */
  forget(uid: string): void {
    this.#entries.delete(uid);
    this.#dirty.delete(uid);
  }

  #setContainer(
    uid: string,
    containerId: string,
    cause: SpanId,
    change: (status: ContainerStatus) => ContainerStatus,
  ): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    const update = (statuses: readonly ContainerStatus[] | undefined) =>
      statuses?.map((status) => (status.containerID === containerId ? change(status) : status));
    const { pod } = entry;
    const containerStatuses = update(entry.status.containerStatuses);
    const initContainerStatuses = update(entry.status.initContainerStatuses);
    const byName = new Map(
      [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])].map((status) => [status.name, status]),
    );
    const conditions = entry.status.conditions ?? [];
    const containersReady = containersReadyCondition(pod, byName, entry.status.phase ?? '');
    const ready = readyCondition(pod, containersReady, conditions);
    this.set(
      pod,
      {
        ...entry.status,
        ...(containerStatuses ? { containerStatuses } : {}),
        ...(initContainerStatuses ? { initContainerStatuses } : {}),
        conditions: conditions.map((condition) =>
          condition.type === 'Ready' ? ready : condition.type === 'ContainersReady' ? containersReady : condition,
        ),
      },
      cause,
    );
  }

  #complete(pod: Pod, next: PodStatus, old: PodStatus): PodStatus {
    const now = formatTime(this.#options.process.clock.now());
    const conditions = next.conditions?.map((condition): PodCondition => {
      if (!KUBELET_CONDITIONS.includes(condition.type)) return condition;
      const before = old.conditions?.find(({ type }) => type === condition.type);
      return {
        type: condition.type,
        status: condition.status,
        lastProbeTime: NEVER,
        lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now,
        ...(condition.reason ? { reason: condition.reason } : {}),
        ...(condition.message ? { message: condition.message } : {}),
      };
    });
    const limit = Math.floor(MAX_MESSAGES / (pod.spec.containers.length + (pod.spec.initContainers?.length ?? 0)));
    const cut = (statuses: readonly ContainerStatus[]) => statuses.map((status) => cutMessages(status, limit));
    return {
      ...next,
      ...(conditions ? { conditions } : {}),
      ...(next.containerStatuses ? { containerStatuses: cut(next.containerStatuses) } : {}),
      ...(next.initContainerStatuses ? { initContainerStatuses: cut(next.initContainerStatuses) } : {}),
      startTime: old.startTime ?? now,
    };
  }

  #write(uid: string): void {
    this.#dirty.add(uid);
    if (this.#writing) return;
    this.#writing = true;
    this.#options.process.spawn('write Pod statuses', () => this.#drain());
  }

  async #drain(): Promise<void> {
    for (const uid of this.#dirty) {
      this.#dirty.delete(uid);
      const entry = this.#entries.get(uid);
      if (!entry?.apiPod) continue;
      try {
        await this.#bring(uid, entry, entry.apiPod);
      } catch (error) {
        if (isStatus(error, 'NotFound', 'Conflict')) {
          // Gone, or another one by now: the watch will say so.
          continue;
        }
        if (!(error instanceof StatusError) && !(error instanceof ProcessExitedError)) throw error;
        this.#options.process.clock.afterFunc(RETRY_MS, 'write Pod status again', () => {
          if (this.#entries.has(uid)) this.#write(uid);
        });
      }
    }
    this.#writing = false;
  }

  async #bring(uid: string, entry: Entry, apiPod: Pod): Promise<void> {
    const { tracer } = this.#options.process;
    const { namespace = '', name = '' } = apiPod.metadata;
    const merged = this.#merge(entry, apiPod);
    const before = apiPod.status ?? {};
    const key = { namespace, name };
    let current = apiPod;
    if (!jsonEqual(before, merged)) {
      const span = tracer.start(
        'work',
        this.#options.component,
        `write status of pod ${namespace}/${name}`,
        entry.cause,
        {
          namespace,
          pod: name,
        },
      );
      try {
        const client = this.#options.client.withCause(span);
        const result = { ...apiPod, status: merged };
        current = await client.patchStatusTo(pods, apiPod, result, () => podStatusDiff(before, merged));
        if (entry.apiPod === apiPod) entry.apiPod = current;
      } finally {
        tracer.end(span);
      }
    }
    if (!current.metadata.deletionTimestamp || !entry.finished || !isPodTerminal(current) || isStaticPod(entry.pod))
      return;
    await this.#options.client
      .withCause(entry.cause)
      .delete(pods, key, { gracePeriodSeconds: 0, preconditions: { uid: current.metadata.uid ?? uid } });
  }

  /** Follows mergePodStatus. */
  #merge({ pod, status, finished }: Entry, apiPod: Pod): PodStatus {
    const before = apiPod.status ?? {};
    const others = (before.conditions ?? []).filter(({ type }) => !KUBELET_CONDITIONS.includes(type));
    const own = (status.conditions ?? []).filter(({ type }) => KUBELET_CONDITIONS.includes(type));
    const ends = (phase: string | undefined) => phase === 'Succeeded' || phase === 'Failed';
    let merged: PodStatus = {
      ...status,
      conditions: [...others, ...own],
      ...(before.resourceClaimStatuses ? { resourceClaimStatuses: before.resourceClaimStatuses } : {}),
      ...(before.nominatedNodeName ? { nominatedNodeName: before.nominatedNodeName } : {}),
    };
    if (!ends(before.phase) && ends(status.phase) && !finished && this.#options.mayRun(pod.metadata.uid ?? '')) {
      const { phase, reason, message } = before;
      merged = { ...merged, phase, reason, message };
    }
    if (ends(merged.phase)) {
      const reason = merged.phase === 'Failed' ? 'PodFailed' : 'PodCompleted';
      merged = {
        ...merged,
        conditions: merged.conditions?.map((condition) =>
          (condition.type === 'Ready' || condition.type === 'ContainersReady') && condition.status === 'True'
            ? {
                ...condition,
                status: 'False',
                reason,
                lastTransitionTime: formatTime(this.#options.process.clock.now()),
              }
            : condition,
        ),
      };
    }
    return merged;
  }
}

function cutMessages(status: ContainerStatus, limit: number): ContainerStatus {
  const message = status.state?.terminated?.message;
  if (message === undefined || message.length <= limit) return status;
  return {
    ...status,
    state: {
      terminated: {
        ...status.state?.terminated,
        exitCode: status.state?.terminated?.exitCode ?? 0,
        message: message.slice(0, limit),
      },
    },
  };
}

/** Whether ordinary containers have ever had a chance to run. */
function hasInitialized({ spec, status = {} }: Pod): boolean {
  if (!spec.initContainers?.length) return true;
  if (status.containerStatuses?.some(({ state, lastState }) => lastState?.terminated || !state?.waiting)) return true;
  const last = status.initContainerStatuses?.at(-1);
  if (!last) return false;
  if (spec.initContainers.at(-1)?.restartPolicy === 'Always')
    return last.state?.running !== undefined && last.started === true;
  return last.lastState?.terminated?.exitCode === 0 || last.state?.terminated?.exitCode === 0;
}

/** How many init containers, from the first on, have been tried; at least one. */
function attempted(statuses: readonly ContainerStatus[]): number {
  const last = statuses.findLastIndex(({ state, lastState }) => !state?.waiting || lastState?.terminated);
  return last < 0 ? Math.min(1, statuses.length) : last + 1;
}
