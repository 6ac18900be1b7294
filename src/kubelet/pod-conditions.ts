import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';
import type { Container, ContainerStatus, Pod, PodCondition } from '#api/generated/types.ts';

// The conditions that the kubelet writes. Follows pkg/kubelet/status/generate.go, v1.33. All pure.

/** Types that nobody but the kubelet writes. */
export const KUBELET_CONDITIONS: readonly string[] = [
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
];

/** A condition without its times. */
export type BareCondition = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

type Statuses = ReadonlyMap<string, ContainerStatus>;

const list = (names: readonly string[]) => `[${names.join(' ')}]`;

/** ContainersReady. */
export function containersReadyCondition(pod: Pod, statuses: Statuses, phase: string): BareCondition {
  const type = 'ContainersReady';
  const unknown: string[] = [];
  const unready: string[] = [];
  const look = (container: Container) => {
    const status = statuses.get(container.name);
    if (!status) unknown.push(container.name);
    else if (!status.ready) unready.push(container.name);
  };
  if (pod.spec.initContainers) pod.spec.initContainers.filter(isRestartableInitContainer).forEach(look);
  pod.spec.containers.forEach(look);
  if (phase === 'Succeeded' && unknown.length === 0) return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const message = messageOf(unknown, unready, 'unready');
  return message ? { type, status: 'False', reason: 'ContainersNotReady', message } : { type, status: 'True' };
}

/** Ready: ContainersReady, and all readiness gates. */
export function readyCondition(
  pod: Pod,
  containersReady: BareCondition,
  conditions: readonly PodCondition[],
): BareCondition {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' };
  const missing: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const gate = conditions.find(({ type }) => type === conditionType);
    if (!gate) missing.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (gate.status !== 'True') {
      missing.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`);
    }
  }
  if (missing.length === 0) return { type: 'Ready', status: 'True' };
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') };
}

/** Initialized: all init containers have done their work. */
export function initializedCondition(pod: Pod, statuses: Statuses, phase: string): BareCondition {
  const type = 'Initialized';
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of pod.spec.initContainers ?? []) {
    const status = statuses.get(container.name);
    if (!status) unknown.push(container.name);
    else if (isRestartableInitContainer(container) ? !status.started : !status.ready) incomplete.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { type, status: 'True', reason: 'PodCompleted' };
  const started = pod.spec.containers.some(({ name }) => {
    const status = statuses.get(name);
    return status?.lastState?.terminated || status?.state?.terminated || status?.state?.running;
  });
  if (started) return { type, status: 'True' };
  const message = messageOf(unknown, incomplete, 'incomplete');
  return message ? { type, status: 'False', reason: 'ContainersNotInitialized', message } : { type, status: 'True' };
}

function messageOf(unknown: readonly string[], other: readonly string[], what: 'unready' | 'incomplete'): string {
  return [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(other.length > 0 ? [`containers with ${what} status: ${list(other)}`] : []),
  ].join(', ');
}
