import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';
import type { Container, Pod } from '#api/generated/types.ts';
import type { SpanId } from '#base/tracer.ts';
import type { ContainerStatus, RuntimeService } from '#cri/contract.ts';
import { containerFieldPath, type KubeletContext } from './kubelet-context.ts';
import { HookError, type LifecycleHooks } from './lifecycle-hooks.ts';
import type { PodRuntimeStatus } from './pod-runtime-status.ts';

/** No container gets less than this to end by itself, ms. */
const MINIMUM_GRACE_MS = 2_000;

/** How and why a container is ended. */
export interface KillOptions {
  /** Default: `Stopping container <name>`. */
  readonly message?: string;
  readonly reason?: 'LivenessProbe' | 'StartupProbe';
  /** Instead of the Pod's grace period. */
  readonly graceSeconds?: number;
}

/** Ends containers in good order. Follows killContainer of pkg/kubelet/kuberuntime/kuberuntime_container.go, v1.33. */
export class PodKiller {
  readonly #context: KubeletContext;
  readonly #runtime: RuntimeService;
  readonly #hooks: LifecycleHooks;

  constructor(context: KubeletContext, runtime: RuntimeService, hooks: LifecycleHooks) {
    this.#context = context;
    this.#runtime = runtime;
    this.#hooks = hooks;
  }

  /** Ends all containers of a Pod, sidecars after the others and in reverse order, then its sandboxes. */
  async killPod(pod: Pod, status: PodRuntimeStatus, cause: SpanId, graceSeconds?: number): Promise<void> {
    const running = status.containers.filter(({ state }) => state === 'Running');
    const sidecars = (pod.spec.initContainers ?? []).filter(isRestartableInitContainer).map(({ name }) => name);
    const [first, later] = partition(running, ({ config }) => !sidecars.includes(config.name));
    const kill = (container: ContainerStatus, grace: number | undefined) => {
      const spec = containerOf(pod, container.config.name);
      return this.kill(
        pod,
        spec,
        container.id,
        status.address ?? '',
        cause,
        grace === undefined ? {} : { graceSeconds: grace },
      );
    };
    const start = this.#context.now;
    const tasks = first.map((container) =>
      this.#context.process.spawn(`kill ${container.config.name}`, () => kill(container, graceSeconds)),
    );
    for (const task of tasks) await task.join();
    later.sort((a, b) => sidecars.indexOf(b.config.name) - sidecars.indexOf(a.config.name));
    for (const container of later) {
      const spent = Math.floor((this.#context.now - start) / 1000);
      await kill(container, Math.max(0, (graceSeconds ?? gracePeriod(pod, undefined, undefined)) - spent));
    }
    for (const { id, state } of status.sandboxes) if (state === 'Ready') await this.#runtime.stopPodSandbox(id);
  }

  /** Ends one container: its preStop hook, its stop signal, and KILL when its time is over. */
  async kill(
    pod: Pod,
    container: Container,
    containerId: string,
    podAddress: string,
    cause: SpanId,
    options: KillOptions = {},
  ): Promise<void> {
    const path = containerFieldPath(pod, container.name);
    this.#context.podEvent(
      pod,
      'Normal',
      'Killing',
      options.message ?? `Stopping container ${container.name}`,
      cause,
      path,
    );
    let grace = options.graceSeconds ?? gracePeriod(pod, container, options.reason);
    await this.#context.step(
      pod,
      `stop container ${container.name}`,
      cause,
      async () => {
        const preStop = container.lifecycle?.preStop;
        if (preStop && grace > 0) {
          const start = this.#context.now;
          await this.#runBefore(grace * 1000, `preStop of ${container.name}`, async () => {
            try {
              await this.#hooks.run(pod, container, containerId, podAddress, preStop);
            } catch (error) {
              if (!(error instanceof HookError)) throw error;
              this.#context.podEvent(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', cause, path);
            }
          });
          grace -= Math.floor((this.#context.now - start) / 1000);
        }
        await this.#runtime.stopContainer(containerId, Math.max(MINIMUM_GRACE_MS, grace * 1000));
      },
      { container: container.name },
    );
  }

  /** Parks until `run` is done or so much time has passed; it then goes on by itself. */
  async #runBefore(ms: number, name: string, run: () => Promise<void>): Promise<void> {
    const { process } = this.#context;
    await process.park<void>((wake) => {
      const timer = process.clock.afterFunc(ms, `${name} is late`, () => wake());
      process.spawn(name, async () => {
        await run();
        wake();
      });
      return () => {
        timer.stop();
      };
    });
  }
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

/** A container of the Pod by name; what is left of one that the Pod does not have any more. */
function containerOf(pod: Pod, name: string): Container {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  return (
    [...containers, ...initContainers, ...(ephemeralContainers as readonly Container[])].find(
      (container) => container.name === name,
    ) ?? { name }
  );
}

/** Seconds that a container gets to end. Follows setTerminationGracePeriod, v1.33. */
export function gracePeriod(pod: Pod, container: Container | undefined, reason: KillOptions['reason']): number {
  const { deletionGracePeriodSeconds } = pod.metadata;
  if (deletionGracePeriodSeconds !== undefined) return deletionGracePeriodSeconds;
  const probe =
    reason === 'LivenessProbe'
      ? container?.livenessProbe
      : reason === 'StartupProbe'
        ? container?.startupProbe
        : undefined;
  return probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? MINIMUM_GRACE_MS / 1000;
}
