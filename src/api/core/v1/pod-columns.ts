import { timestampSince } from '#apimachinery/human-duration.ts';
import type { TableColumn, TableRowCondition } from '#apimachinery/resource.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type { ContainerStatus, Pod } from '../../generated/types.ts';
import { isPodConditionTrue, isPodReady, isRestartableInitContainer, podCondition } from './pod-status.ts';

/** What `kubectl get pods` shows of a Pod. */
export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  /** The STATUS column. */
  readonly status: string;
  readonly restarts: number;
  /** Timestamp of the last end of a container that was started again. */
  readonly lastRestart: string;
}

/** Follows printPod of pkg/printers/internalversion, v1.33. */
export function podSummary(pod: Pod): PodSummary {
  const { spec, status = {}, metadata } = pod;
  const initContainers = spec.initContainers ?? [];
  const sidecars = new Set(initContainers.filter(isRestartableInitContainer).map(({ name }) => name));
  let reason = status.reason || status.phase || '';
  let ready = 0;
  if (podCondition(pod, 'PodScheduled')?.reason === 'SchedulingGated') reason = 'SchedulingGated';

  const all = new Restarts();
  const running = new Restarts();
  let initializing = false;
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    all.add(container);
    const isSidecar = sidecars.has(container.name);
    if (isSidecar) running.add(container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && container.started) {
      if (container.ready) ready++;
      continue;
    }
    if (terminated) reason = `Init:${ended(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') reason = `Init:${waiting.reason}`;
    else reason = `Init:${i}/${initContainers.length}`;
    initializing = true;
    break;
  }

  let restarts = all;
  if (!initializing || isPodConditionTrue(pod, 'Initialized')) {
    restarts = running;
    let hasRunning = false;
    const containers = status.containerStatuses ?? [];
    for (let i = containers.length - 1; i >= 0; i--) {
      const container = containers[i] as ContainerStatus;
      restarts.add(container);
      const { terminated, waiting } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = ended(terminated);
      else if (container.ready && container.state?.running) {
        hasRunning = true;
        ready++;
      }
    }
    if (reason === 'Completed' && hasRunning) reason = isPodReady(pod) ? 'Running' : 'NotReady';
  }

  if (metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') reason = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') reason = 'Terminating';
  }
  return {
    ready,
    total: spec.containers.length + sidecars.size,
    status: reason,
    restarts: restarts.count,
    lastRestart: restarts.last,
  };
}

class Restarts {
  count = 0;
  last = '';

  add({ restartCount, lastState }: ContainerStatus): void {
    this.count += restartCount;
    const finished = lastState?.terminated?.finishedAt ?? '';
    // Times of the API compare as texts.
    if (finished > this.last) this.last = finished;
  }
}

function ended(state: { readonly reason?: string; readonly signal?: number; readonly exitCode: number }): string {
  return state.reason || (state.signal ? `Signal:${state.signal}` : `ExitCode:${state.exitCode}`);
}

function restartsText(pod: Pod, now: number): string {
  const { restarts, lastRestart } = podSummary(pod);
  return restarts && lastRestart ? `${restarts} (${timestampSince(lastRestart, now)} ago)` : String(restarts);
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => isPodConditionTrue(pod, conditionType)).length}/${gates.length}`;
}

/** The whole table, `-o wide` included. */
export const podColumns: readonly TableColumn<Pod>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    cell(pod) {
      const { ready, total } = podSummary(pod);
      return `${ready}/${total}`;
    },
  },
  { name: 'Status', type: 'string', cell: (pod) => podSummary(pod).status },
  { name: 'Restarts', type: 'string', cell: restartsText },
  ageColumn,
  { name: 'IP', type: 'string', priority: 1, cell: ({ status }) => status?.podIPs?.[0]?.ip || '<none>' },
  { name: 'Node', type: 'string', priority: 1, cell: ({ spec }) => spec.nodeName || '<none>' },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.nominatedNodeName || '<none>',
  },
  { name: 'Readiness Gates', type: 'string', priority: 1, cell: readinessGates },
];

/** A row says when its Pod is over. */
export function podRowConditions({ status }: Pod): readonly TableRowCondition[] {
  const message = { Succeeded: 'The pod has completed successfully.', Failed: 'The pod failed.' }[status?.phase ?? ''];
  return message ? [{ type: 'Completed', status: 'True', reason: status?.phase, message }] : [];
}
