import type { Container, LifecycleHandler, Pod } from '#api/generated/types.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import type { RuntimeService } from '#cri/contract.ts';
import type { NetworkNamespace } from '#network/network.ts';
import type { KubeletContext } from './kubelet-context.ts';
import { httpGet } from './network-probe.ts';

/** A hook that failed; the message is upstream's. */
export class HookError extends Error {
  override readonly name = 'HookError';
}

const HTTP_TIMEOUT_MS = 30_000;

/** Runs postStart and preStop hooks. Follows pkg/kubelet/lifecycle/handlers.go, v1.33. */
export class LifecycleHooks {
  readonly #context: KubeletContext;
  readonly #runtime: RuntimeService;
  readonly #network: NetworkNamespace;

  constructor(context: KubeletContext, runtime: RuntimeService, network: NetworkNamespace) {
    this.#context = context;
    this.#runtime = runtime;
    this.#network = network;
  }

  /** Parks the calling task until the hook is done. Throws {@link HookError}. */
  async run(
    pod: Pod,
    container: Container,
    containerId: string,
    podAddress: string,
    handler: LifecycleHandler,
  ): Promise<void> {
    const where = `for Container "${container.name}" in Pod "${podName(pod)}" failed - error:`;
    const { exec, httpGet: http, sleep, tcpSocket } = handler;
    if (exec) {
      const command = exec.command ?? [];
      const fail = (why: string, output: string) =>
        new HookError(
          `Exec lifecycle hook ([${command.join(' ')}]) ${where} ${why}, message: ${JSON.stringify(output)}`,
        );
      try {
        const { stdout, stderr, exitCode } = await this.#runtime.execSync(containerId, command);
        if (exitCode !== 0)
          throw fail(
            `command '${command.join(' ')}' exited with ${exitCode}: ${decodeUtf8(stderr)}`,
            decodeUtf8(stdout) + decodeUtf8(stderr),
          );
      } catch (error) {
        throw error instanceof HookError ? error : fail((error as Error).message, '');
      }
      return;
    }
    if (http) {
      let failure: string | undefined;
      try {
        const answer = await httpGet(
          this.#context.process,
          this.#network,
          http,
          container,
          podAddress,
          'kube-lifecycle/1.33',
          HTTP_TIMEOUT_MS,
        );
        if (typeof answer === 'string') failure = answer;
      } catch (error) {
        failure = (error as Error).message;
      }
      if (failure !== undefined) throw new HookError(`HTTP lifecycle hook (${http.path}) ${where} ${failure}`);
      return;
    }
    if (sleep) {
      await this.#context.process.clock.sleep(sleep.seconds * 1000);
      return;
    }
    throw new HookError(`Cannot run handler: invalid handler: ${JSON.stringify(tcpSocket ? { tcpSocket } : {})}`);
  }
}

/** As upstream's messages name a Pod. */
export function podName({ metadata: { name, namespace, uid } }: Pod): string {
  return `${name}_${namespace}(${uid})`;
}
