import { isPodTerminal, isRestartableInitContainer } from '#api/core/v1/pod-status.ts';
import { qosClass } from '#api/core/v1/pod-resources.ts';
import type { Container, ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from '#api/generated/types.ts';
import { formatTime } from '#base/clock.ts';
import type { ContainerStatus as RuntimeContainer } from '#cri/contract.ts';
import {
  type BareCondition,
  containersReadyCondition,
  initializedCondition,
  KUBELET_CONDITIONS,
  readyCondition,
} from './pod-conditions.ts';
import { podPhase } from './pod-phase.ts';
import { findContainer, type PodRuntimeStatus, sandboxChanged } from './pod-runtime-status.ts';

/** Why a container could not be started. */
export interface StartFailure {
  /** `CrashLoopBackOff`, `ErrImagePull` … */
  readonly reason: string;
  readonly message: string;
}

/** What the probes say of a running container. */
export interface ProbeView {
  started(container: Container, containerId: string): boolean;
  ready(container: Container, containerId: string): boolean;
}

/** Everything that a Pod's status is made from. */
export interface PodStatusInput {
  readonly pod: Pod;
  readonly runtime: PodRuntimeStatus;
  /** What was reported last. */
  readonly old: PodStatus;
  /** Nothing will be started any more. */
  readonly terminal: boolean;
  readonly failures: ReadonlyMap<string, StartFailure>;
  readonly probes: ProbeView;
  readonly hostAddress: string;
  /** The Pod is to fail, whatever its containers do (deadline exceeded). */
  readonly evicted?: { readonly reason: string; readonly message: string };
  /** A container's termination message. */
  readonly terminationMessage: (container: RuntimeContainer) => string;
}

/** The status of a Pod, but for the times of its conditions. Follows generateAPIPodStatus of pkg/kubelet/kubelet_pods.go, v1.33. Pure. */
export function generatePodStatus(input: PodStatusInput): PodStatus {
  const { pod, runtime, old, terminal } = input;
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  const address =
    runtime.address ?? (pod.spec.hostNetwork ? input.hostAddress : undefined) ?? (terminal ? old.podIP : undefined);
  const containerStatuses = containerStatusesOf(input, containers, old.containerStatuses, false).map((status, i) =>
    withProbes(input, containers[i] as Container, status),
  );
  const initStatuses =
    initContainers &&
    containerStatusesOf(input, initContainers, old.initContainerStatuses, true).map((status, i) =>
      withProbes(input, initContainers[i] as Container, status),
    );
  const ephemeralStatuses =
    ephemeralContainers &&
    containerStatusesOf(input, ephemeralContainers as readonly Container[], old.ephemeralContainerStatuses, false);
  const byName = new Map([...(initStatuses ?? []), ...containerStatuses].map((status) => [status.name, status]));

  const initialized = containers.some(({ name }) =>
    runtime.activeContainers.some(({ config, state }) => config.name === name && state !== 'Created'),
  );
  let phase = podPhase(pod, byName, terminal, initialized);
  const ended = [old.phase, pod.status?.phase].find((one) => one === 'Succeeded' || one === 'Failed');
  if (phase !== 'Succeeded' && phase !== 'Failed' && ended) phase = ended;
  let { reason, message } =
    phase === old.phase
      ? { reason: old.reason || pod.status?.reason, message: old.message || pod.status?.message }
      : { reason: undefined, message: undefined };
  if (input.evicted) {
    phase = 'Failed';
    ({ reason, message } = input.evicted);
  }
  if (isPodTerminal(pod)) phase = pod.status?.phase as string;

  const others = (pod.status?.conditions ?? []).filter(({ type }) => !KUBELET_CONDITIONS.includes(type));
  const containersReady = containersReadyCondition(pod, byName, phase);
  const conditions: (PodCondition | BareCondition)[] = [
    ...others,
    { type: 'PodReadyToStartContainers', status: sandboxChanged(runtime).changed ? 'False' : 'True' },
    initializedCondition(pod, byName, phase),
    readyCondition(pod, containersReady, others),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
  ];
  return {
    phase,
    conditions,
    ...(message ? { message } : {}),
    ...(reason ? { reason } : {}),
    hostIP: input.hostAddress,
    hostIPs: [{ ip: input.hostAddress }],
    ...(address ? { podIP: address, podIPs: [{ ip: address }] } : {}),
    ...(initStatuses ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses,
    ...(ephemeralStatuses ? { ephemeralContainerStatuses: ephemeralStatuses } : {}),
    qosClass: qosClass(pod),
  };
}

/** Follows UpdatePodStatus of pkg/kubelet/prober/prober_manager.go, v1.33. */
function withProbes({ pod, probes }: PodStatusInput, container: Container, status: ContainerStatus): ContainerStatus {
  const { containerID = '' } = status;
  const running = status.state?.running !== undefined;
  const started = running && probes.started(container, containerID);
  const isInit = pod.spec.initContainers?.includes(container) === true;
  let ready = false;
  if (isInit && !isRestartableInitContainer(container)) ready = status.state?.terminated?.exitCode === 0;
  else if (started) ready = probes.ready(container, containerID);
  return { ...status, ready, started };
}

/** In the order of the containers. Follows convertToAPIContainerStatuses of pkg/kubelet/kubelet_pods.go, v1.33. */
function containerStatusesOf(
  input: PodStatusInput,
  containers: readonly Container[],
  olds: readonly ContainerStatus[] | undefined,
  init: boolean,
): ContainerStatus[] {
  const { pod, runtime, failures } = input;
  const waiting: ContainerState = {
    waiting: { reason: pod.spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating' },
  };
  return containers.map((container) => {
    const { name } = container;
    const old = olds?.find((status) => status.name === name);
    const [current, previous] = runtime.containers.filter(({ config }) => config.name === name);
    let status: ContainerStatus;
    if (current) {
      status = describeContainer(input, container, current);
      if (previous) status = { ...status, lastState: stateOf(input, previous) };
    } else if (old?.state?.terminated) {
      status = old;
    } else {
      status = {
        name,
        state: waiting,
        lastState: old?.lastState ?? {},
        ready: false,
        restartCount: old?.restartCount ?? 0,
        image: container.image ?? '',
        imageID: '',
        ...volumeMountsOf(container),
      };
      if (old?.state?.running && !status.lastState?.terminated) {
        // It ran, and is gone without a trace.
        const lost = {
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message: 'The container could not be located when the pod was deleted.  The container used to be Running',
          startedAt: null as unknown as undefined,
          finishedAt: null as unknown as undefined,
        };
        status = {
          ...status,
          lastState: { terminated: lost },
          restartCount: status.restartCount + (pod.metadata.deletionTimestamp ? 0 : 1),
        };
      }
    }
    const failure = failures.get(name);
    const done = init && current?.state === 'Exited' && current.exitCode === 0;
    if (failure && !done && shouldBeRestarted(pod, container, runtime)) {
      status = {
        ...status,
        ...(status.state?.terminated ? { lastState: status.state } : {}),
        state: { waiting: { reason: failure.reason, ...(failure.message ? { message: failure.message } : {}) } },
      };
    }
    return status;
  });
}

function describeContainer(input: PodStatusInput, container: Container, current: RuntimeContainer): ContainerStatus {
  const { requests, limits } = container.resources ?? {};
  return {
    name: container.name,
    state: stateOf(input, current),
    lastState: {},
    ready: false,
    restartCount: current.config.attempt,
    image: current.image.name,
    imageID: current.image.repoDigest,
    containerID: `containerd://${current.id}`,
    ...(requests ? { allocatedResources: requests } : {}),
    resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) },
    ...volumeMountsOf(container),
    user: { linux: { uid: current.user.uid, gid: current.user.gid, supplementalGroups: current.user.groups } },
  };
}

function stateOf({ terminationMessage }: PodStatusInput, container: RuntimeContainer): ContainerState {
  if (container.state === 'Created') return { waiting: {} };
  if (container.state === 'Running') return { running: { startedAt: formatTime(container.startedAt) } };
  const message = terminationMessage(container);
  return {
    terminated: {
      exitCode: container.exitCode,
      ...(container.reason ? { reason: container.reason } : {}),
      ...(message ? { message } : {}),
      startedAt: formatTime(container.startedAt),
      finishedAt: formatTime(container.finishedAt),
      containerID: `containerd://${container.id}`,
    },
  };
}

function volumeMountsOf({ volumeMounts }: Container): Pick<ContainerStatus, 'volumeMounts'> {
  if (!volumeMounts || volumeMounts.length === 0) return {};
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly }) => ({
      name,
      mountPath,
      ...(readOnly
        ? {
            readOnly,
            recursiveReadOnly:
              recursiveReadOnly === 'Enabled' || recursiveReadOnly === 'IfPossible' ? 'Enabled' : 'Disabled',
          }
        : {}),
    })),
  };
}

/** Whether a container that does not run will be started again. Follows ShouldContainerBeRestarted of pkg/kubelet/container, v1.33. */
export function shouldBeRestarted(pod: Pod, container: Container, runtime: PodRuntimeStatus): boolean {
  if (pod.metadata.deletionTimestamp) return false;
  const status = findContainer(runtime, container.name);
  if (!status || status.state === 'Created') return true;
  if (status.state === 'Running' || pod.spec.restartPolicy === 'Never') return false;
  return pod.spec.restartPolicy !== 'OnFailure' || status.exitCode !== 0;
}
