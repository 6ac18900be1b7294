import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';
import type { ContainerStatus, Pod } from '#api/generated/types.ts';
import { isStaticPod } from './static-pod.ts';

/**
 * The phase that the containers' statuses amount to. `terminal`: nothing will be started any more; `initialized`: a
 * container other than an init container has run. Follows getPhase of pkg/kubelet/kubelet_pods.go, v1.33.
 */
export function podPhase(
  pod: Pod,
  statuses: ReadonlyMap<string, ContainerStatus>,
  terminal: boolean,
  initialized: boolean,
): string {
  const { containers, initContainers = [], restartPolicy } = pod.spec;
  let pendingInit = 0;
  let pendingSidecars = 0;
  let failedInit = 0;
  let unknown = 0;
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const container of initContainers) {
    const status = statuses.get(container.name);
    const { state = {}, lastState } = status ?? {};
    if (isRestartableInitContainer(container)) {
      if (!status) unknown++;
      else if (state.running) {
        if (!status.started) pendingSidecars++;
        running++;
      } else if (state.waiting && !lastState?.terminated) {
        pendingSidecars++;
        waiting++;
      } else if (!state.terminated && !state.waiting) {
        pendingSidecars++;
        unknown++;
      }
    } else {
      const ended = state.terminated ?? (state.waiting && lastState?.terminated);
      if (!ended) pendingInit++;
      else if (ended.exitCode !== 0) failedInit++;
    }
  }
  for (const { name } of containers) {
    const { state = {}, lastState } = statuses.get(name) ?? {};
    if (state.running) running++;
    else if (state.terminated) {
      stopped++;
      if (state.terminated.exitCode === 0) succeeded++;
    } else if (state.waiting) {
      if (lastState?.terminated) stopped++;
      else waiting++;
    } else unknown++;
  }
  if (failedInit > 0 && restartPolicy === 'Never') return 'Failed';
  if (pendingInit > 0 || (pendingSidecars > 0 && !initialized) || waiting > 0) return 'Pending';
  if (running > 0 && unknown === 0) return 'Running';
  if (running === 0 && stopped > 0 && unknown === 0) {
    if (terminal && !isStaticPod(pod)) return stopped === succeeded ? 'Succeeded' : 'Failed';
    if (restartPolicy === 'Always') return 'Running';
    if (stopped === succeeded) return 'Succeeded';
    return restartPolicy === 'Never' ? 'Failed' : 'Running';
  }
  return 'Pending';
}
