import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';
import type { Container, EphemeralContainer, Pod } from '#api/generated/types.ts';
import type { ContainerStatus } from '#cri/contract.ts';
import { containerHash, HASH_ANNOTATION } from './container-hash.ts';
import { findContainer, type PodRuntimeStatus, sandboxChanged } from './pod-runtime-status.ts';
import { shouldBeRestarted } from './pod-status.ts';

/** The result of a probe of a container, if there is one. */
export type ProbeVerdict = 'success' | 'failure' | 'unknown' | undefined;

/** What the probes say, by container id. */
export interface ProbeVerdicts {
  liveness(containerId: string): ProbeVerdict;
  startup(containerId: string): ProbeVerdict;
}

/** A running container that has to end, and why. */
export interface ContainerToKill {
  readonly container: Container;
  readonly status: ContainerStatus;
  readonly message: string;
  readonly reason?: 'LivenessProbe' | 'StartupProbe';
}

/** What has to be done so that a Pod is as it should be. */
export interface PodActions {
  /** End all containers and the sandbox. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** The current one, if there is any. */
  readonly sandboxId: string;
  readonly attempt: number;
  readonly kill: readonly ContainerToKill[];
  readonly startEphemeral: readonly EphemeralContainer[];
  readonly startInit: readonly Container[];
  readonly start: readonly Container[];
}

/** The whole decision of a sync. Follows computePodActions of pkg/kubelet/kuberuntime, v1.33. Pure. */
export function computePodActions(pod: Pod, runtime: PodRuntimeStatus, probes: ProbeVerdicts): PodActions {
  const { changed, attempt, sandboxId } = sandboxChanged(runtime);
  const nothing: PodActions = {
    killPod: changed,
    createSandbox: changed,
    sandboxId,
    attempt,
    kill: [],
    startEphemeral: [],
    startInit: [],
    start: [],
  };
  const { containers, initContainers = [], ephemeralContainers = [], restartPolicy } = pod.spec;
  const restarts = restartPolicy !== 'Never';
  if (changed) {
    if (!restarts && attempt !== 0 && runtime.containers.length > 0) return { ...nothing, createSandbox: false };
    const start = containers.filter(
      ({ name }) => !(restartPolicy === 'OnFailure' && succeeded(findContainer(runtime, name))),
    );
    const initialized = containers.some(({ name }) => findContainer(runtime, name));
    if (start.length === 0 && initialized) return { ...nothing, createSandbox: false };
    return initContainers.length > 0 ? { ...nothing, startInit: initContainers.slice(0, 1) } : { ...nothing, start };
  }
  const startEphemeral = ephemeralContainers.filter(({ name }) => !findContainer(runtime, name));
  const init = computeInitActions(pod, runtime, probes);
  if (init.failed) return { ...nothing, startEphemeral, killPod: true };
  if (!init.initialized) return { ...nothing, startEphemeral, startInit: init.start, kill: init.kill };

  const start: Container[] = [];
  const kill = [...init.kill];
  let keep = 0;
  for (const container of containers) {
    const status = findContainer(runtime, container.name);
    if (status?.state !== 'Running') {
      if (shouldBeRestarted(pod, container, runtime)) start.push(container);
      continue;
    }
    const wanted = definitionChanged(container, status)
      ? { message: `Container ${container.name} definition changed`, restart: true }
      : probes.liveness(status.id) === 'failure'
        ? {
            message: `Container ${container.name} failed liveness probe`,
            restart: restarts,
            reason: 'LivenessProbe' as const,
          }
        : probes.startup(status.id) === 'failure'
          ? {
              message: `Container ${container.name} failed startup probe`,
              restart: restarts,
              reason: 'StartupProbe' as const,
            }
          : undefined;
    if (!wanted) {
      keep++;
      continue;
    }
    if (wanted.restart) start.push(container);
    const message = wanted.restart ? `${wanted.message}, will be restarted` : wanted.message;
    kill.push({ container, status, message, ...(wanted.reason ? { reason: wanted.reason } : {}) });
  }
  const done = keep === 0 && start.length === 0;
  return { ...nothing, killPod: done, kill, startEphemeral, startInit: done ? [] : init.start, start };
}

interface InitActions {
  /** An init container failed for good. */
  readonly failed: boolean;
  readonly initialized: boolean;
  readonly start: readonly Container[];
  readonly kill: readonly ContainerToKill[];
}

/** Follows computeInitContainerActions of pkg/kubelet/kuberuntime, v1.33. */
function computeInitActions(pod: Pod, runtime: PodRuntimeStatus, probes: ProbeVerdicts): InitActions {
  const { containers, initContainers = [], restartPolicy } = pod.spec;
  if (initContainers.length === 0) return { failed: false, initialized: true, start: [], kill: [] };
  let initialized = containers.some(({ name }) => {
    const state = findContainer(runtime, name)?.state;
    return state === 'Created' || state === 'Running';
  });
  let before = initialized;
  const start: Container[] = [];
  const kill: ContainerToKill[] = [];
  for (let i = initContainers.length - 1; i >= 0; i--) {
    const container = initContainers[i] as Container;
    const next = initContainers[i + 1];
    const sidecar = isRestartableInitContainer(container);
    const status = findContainer(runtime, container.name);
    if (!status) {
      if (before && sidecar) start.push(container);
      continue;
    }
    if (before && !sidecar) continue;
    if (status.state === 'Created') start.push(container);
    else if (status.state === 'Running') {
      if (sidecar) {
        const startup = container.startupProbe ? probes.startup(status.id) : 'success';
        const killed = (what: string, reason?: 'LivenessProbe' | 'StartupProbe') => {
          kill.push({
            container,
            status,
            message: `Init container ${container.name} ${what}`,
            ...(reason ? { reason } : {}),
          });
          start.push(container);
        };
        if (startup === 'failure') killed('failed startup probe', 'StartupProbe');
        else if (startup === 'success') {
          if (!next) initialized = true;
          else if (!before) start.push(next);
          if (definitionChanged(container, status)) killed('definition changed');
          else if (container.livenessProbe && probes.liveness(status.id) === 'failure')
            killed('failed liveness probe', 'LivenessProbe');
        }
      }
    } else if (sidecar) start.push(container);
    else if (status.exitCode !== 0) {
      if (restartPolicy === 'Never') return { failed: true, initialized: false, start: [], kill };
      start.push(container);
    } else if (!next) initialized = true;
    else start.push(next);
    before = true;
  }
  if (!before) start.push(initContainers[0] as Container);
  return { failed: false, initialized, start: start.reverse(), kill };
}

function succeeded(status: ContainerStatus | undefined): boolean {
  return status?.state === 'Exited' && status.exitCode === 0;
}

function definitionChanged(container: Container, status: ContainerStatus): boolean {
  return status.config.annotations[HASH_ANNOTATION] !== containerHash(container);
}
