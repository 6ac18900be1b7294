import type { ContainerStatus, PodSandboxStatus, RuntimeService } from '#cri/contract.ts';

/** What the container runtime knows of a Pod. */
export interface PodRuntimeStatus {
  /** Newest first. */
  readonly sandboxes: readonly PodSandboxStatus[];
  /** Of all sandboxes, newest first: the first of a name is the current one. */
  readonly containers: readonly ContainerStatus[];
  /** Of the sandbox that is ready. */
  readonly activeContainers: readonly ContainerStatus[];
  readonly address?: string;
}

/** Asks the runtime; the answer is of this instant. */
export function podRuntimeStatus(runtime: RuntimeService, podUid: string): PodRuntimeStatus {
  const sandboxes = runtime.listPodSandboxes(podUid);
  const [latest] = sandboxes;
  const lists = sandboxes.map(({ id }) => [...runtime.listContainers(id)].reverse());
  const active = latest?.state === 'Ready';
  return {
    sandboxes,
    containers: lists.flat(),
    activeContainers: active ? (lists[0] ?? []) : [],
    ...(active && latest.address ? { address: latest.address } : {}),
  };
}

/** The current container of a name. */
export function findContainer(status: PodRuntimeStatus, name: string): ContainerStatus | undefined {
  return status.containers.find(({ config }) => config.name === name);
}

/**
 * Whether a Pod needs a new sandbox, and the number that it gets. Follows PodSandboxChanged of
 * pkg/kubelet/kuberuntime/util, v1.33.
 */
export function sandboxChanged(status: PodRuntimeStatus): {
  readonly changed: boolean;
  readonly attempt: number;
  readonly sandboxId: string;
} {
  const [latest] = status.sandboxes;
  if (!latest) return { changed: true, attempt: 0, sandboxId: '' };
  const ready = status.sandboxes.filter(({ state }) => state === 'Ready').length;
  const { attempt } = latest.config;
  if (ready > 1 || latest.state !== 'Ready') return { changed: true, attempt: attempt + 1, sandboxId: latest.id };
  return { changed: false, attempt, sandboxId: latest.id };
}
