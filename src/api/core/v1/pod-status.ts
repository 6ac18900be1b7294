import { formatTime } from '#base/clock.ts';
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '../../generated/types.ts';

// What several components ask of a Pod. Follows pkg/api/v1/pod/util.go, v1.33.

/** The condition of a type, if the Pod has it. */
export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether a condition is True. */
export function isPodConditionTrue(pod: Pod, type: string): boolean {
  return podCondition(pod, type)?.status === 'True';
}

/** Whether the Pod may get traffic. */
export function isPodReady(pod: Pod): boolean {
  return isPodConditionTrue(pod, 'Ready');
}

/** Whether nothing will run in the Pod any more: Succeeded or Failed. */
export function isPodTerminal(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Whether the kubelet's own file, not the API, is the Pod's source. */
export function isMirrorPod(pod: Pod): boolean {
  return Object.hasOwn(pod.metadata.annotations ?? {}, MIRROR_POD_ANNOTATION);
}
export const MIRROR_POD_ANNOTATION = 'kubernetes.io/config.mirror';

/** Whether an init container is a sidecar. */
export function isRestartableInitContainer(container: Container | undefined): boolean {
  return container?.restartPolicy === 'Always';
}

/** The status of the container of a name. */
export function containerStatus(
  statuses: readonly ContainerStatus[] | undefined,
  name: string,
): ContainerStatus | undefined {
  return statuses?.find((status) => status.name === name);
}

/** All containers of a Pod in upstream's order: init, ordinary, ephemeral. */
export function allContainers({ spec }: Pod): readonly Container[] {
  if (!spec.initContainers && !spec.ephemeralContainers) return spec.containers;
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
}

/**
 * The status with a condition set; the transition time moves only when the condition's status changes. Returns its
 * argument when nothing changes. `now` in ms.
 */
export function withPodCondition(
  status: PodStatus,
  change: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>,
  now: number,
): PodStatus {
  const conditions = status.conditions ?? [];
  const old = conditions.find(({ type }) => type === change.type);
  if (
    old &&
    old.status === change.status &&
    (old.reason ?? '') === (change.reason ?? '') &&
    (old.message ?? '') === (change.message ?? '')
  ) {
    return status;
  }
  const next: PodCondition = {
    type: change.type,
    status: change.status,
    lastProbeTime: old?.lastProbeTime ?? (null as unknown as undefined),
    lastTransitionTime: old?.status === change.status ? old.lastTransitionTime : formatTime(now),
    ...(change.reason ? { reason: change.reason } : {}),
    ...(change.message ? { message: change.message } : {}),
  };
  return {
    ...status,
    conditions: old ? conditions.map((condition) => (condition === old ? next : condition)) : [...conditions, next],
  };
}
