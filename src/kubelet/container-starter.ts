import type { Container, Pod } from '#api/generated/types.ts';
import type { SpanId } from '#base/tracer.ts';
import { decodeUtf8 } from '#base/utf8.ts';
import type { ContainerConfig, ContainerStatus, RuntimeService } from '#cri/contract.ts';
import { CriError } from '#cri/cri-error.ts';
import { contentOf, type FileNode, newFile } from '#cri/os/file-node.ts';
import type { Mount } from '#cri/os/file-system.ts';
import type { Image } from '#cri/registry.ts';
import type { KubeletConfig } from './config.ts';
import { containerHash, HASH_ANNOTATION } from './container-hash.ts';
import { containerEnvironment, type EnvironmentSources } from './environment.ts';
import { expand } from './expansion.ts';
import { ImageError, type ImagePuller } from './images.ts';
import { containerFieldPath, type KubeletContext } from './kubelet-context.ts';
import { HookError, type LifecycleHooks, podName } from './lifecycle-hooks.ts';
import { podFileMounts } from './pod-files.ts';
import { findContainer, type PodRuntimeStatus } from './pod-runtime-status.ts';
import type { StartFailure } from './pod-status.ts';
import type { PodVolumes } from './pod-volumes.ts';

const MAX_MESSAGE_BYTES = 4096;
const FALLBACK_BYTES = 2048;
const FALLBACK_LINES = 80;

/** What starting containers takes. */
export interface StarterOptions {
  readonly context: KubeletContext;
  readonly config: KubeletConfig;
  readonly runtime: RuntimeService;
  readonly images: ImagePuller;
  readonly hooks: LifecycleHooks;
}

/** What is known of the Pod whose container starts. */
export interface StartTarget {
  readonly pod: Pod;
  readonly sandboxId: string;
  readonly address: string | undefined;
  readonly runtime: PodRuntimeStatus;
  readonly volumes: PodVolumes;
  readonly sources: EnvironmentSources;
  /** Ends the container after its postStart hook failed. */
  readonly kill: (container: Container, containerId: string) => Promise<void>;
}

/** Starts containers. Follows startContainer of pkg/kubelet/kuberuntime/kuberuntime_container.go, v1.33. */
export class ContainerStarter {
  readonly #options: StarterOptions;
  /** Termination message files by container id. */
  readonly #messages = new Map<string, FileNode>();

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /** Pulls, creates and starts; the reason why not, if it fails. Parks the calling task. */
  async start(target: StartTarget, container: Container, cause: SpanId): Promise<StartFailure | undefined> {
    const { context, runtime, images, hooks } = this.#options;
    const { pod } = target;
    const path = containerFieldPath(pod, container.name);
    const fail = (reason: string, message: string, say = message): StartFailure => {
      context.podEvent(pod, 'Warning', 'Failed', `Error: ${say}`, cause, path);
      return { reason, message };
    };
    let image: Image;
    try {
      image = await images.ensure(pod, container, cause);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      return fail(error.reason, error.message, error.reason);
    }
    let config: ContainerConfig;
    const message = newFile({ container: container.name }, new Uint8Array(0), context.now, 0o666);
    try {
      config = await this.#configure(target, container, image, message);
    } catch (error) {
      return fail('CreateContainerConfigError', (error as Error).message);
    }
    let id: string;
    try {
      id = await context.step(
        pod,
        `create container ${container.name}`,
        cause,
        () => runtime.createContainer(target.sandboxId, config),
        { container: container.name },
      );
    } catch (error) {
      if (!(error instanceof CriError)) throw error;
      return fail('CreateContainerError', error.description);
    }
    this.#messages.set(id, message);
    context.podEvent(pod, 'Normal', 'Created', `Created container: ${container.name}`, cause, path);
    try {
      await context.step(pod, `start container ${container.name}`, cause, () => runtime.startContainer(id), {
        container: container.name,
      });
    } catch (error) {
      if (!(error instanceof CriError)) throw error;
      return fail('RunContainerError', error.description);
    }
    context.podEvent(pod, 'Normal', 'Started', `Started container ${container.name}`, cause, path);
    const postStart = container.lifecycle?.postStart;
    if (!postStart) return undefined;
    try {
      await hooks.run(pod, container, id, target.address ?? '', postStart);
    } catch (error) {
      if (!(error instanceof HookError)) throw error;
      context.podEvent(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', cause, path);
      await target.kill(container, id);
      return { reason: 'PostStartHookError', message: error.message };
    }
    return undefined;
  }

  /** What an ended container left to say. Follows getTerminationMessage of pkg/kubelet/kuberuntime, v1.33. */
  terminationMessage(container: ContainerStatus, spec: Container | undefined): string {
    if (container.message) return container.message;
    const file = this.#messages.get(container.id);
    const text = file ? decodeUtf8(contentOf(file).subarray(0, MAX_MESSAGE_BYTES)) : '';
    if (text !== '' || container.exitCode === 0 || spec?.terminationMessagePolicy !== 'FallbackToLogsOnError')
      return text;
    const log = (this.#options.runtime.logs(container.id)?.entries ?? [])
      .map(({ bytes }) => decodeUtf8(bytes))
      .join('');
    return log
      .split('\n')
      .slice(-FALLBACK_LINES - 1)
      .join('\n')
      .slice(-FALLBACK_BYTES);
  }

  /** The container is gone. */
  forget(containerId: string): void {
    this.#messages.delete(containerId);
  }

  async #configure(
    target: StartTarget,
    container: Container,
    image: Image,
    message: FileNode,
  ): Promise<ContainerConfig> {
    const { context, config } = this.#options;
    const { pod, volumes } = target;
    const user = containerUser(pod, container, image);
    const env = await containerEnvironment(pod, container, target.sources);
    const values = new Map(env);
    const expanded = (words: readonly string[] | undefined) =>
      (words ?? []).map((word) => expand(word, (name) => values.get(name)));
    const mounts: Mount[] = (container.volumeMounts ?? []).map((mount) => volumes.mountFor(mount, container.name, env));
    const taken = new Set(mounts.map(({ path }) => path));
    for (const mount of podFileMounts(pod, target.address, config, context.now))
      if (!taken.has(mount.path)) mounts.push(mount);
    const messagePath = container.terminationMessagePath;
    if (messagePath && !taken.has(messagePath))
      mounts.push({ path: messagePath, node: () => message, readOnly: false });
    const previous = findContainer(target.runtime, container.name);
    return {
      name: container.name,
      attempt: previous ? previous.config.attempt + 1 : 0,
      image: image.name,
      command: expanded(container.command),
      args: expanded(container.args),
      ...(container.workingDir ? { workingDir: container.workingDir } : {}),
      env,
      mounts,
      ...(user ? { user } : {}),
      readOnlyRoot: container.securityContext?.readOnlyRootFilesystem === true,
      stdin: container.stdin === true,
      stdinOnce: container.stdinOnce === true,
      tty: container.tty === true,
      ports: (container.ports ?? [])
        .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
        .map(({ containerPort }) => containerPort),
      annotations: { [HASH_ANNOTATION]: containerHash(container) },
    };
  }
}

/** As whom a container is to run. Throws an Error when it must not be root and is. Follows pkg/kubelet/kuberuntime/security_context.go, v1.33. */
function containerUser(pod: Pod, container: Container, image: Image): ContainerConfig['user'] {
  const ofPod = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  const uid = own.runAsUser ?? ofPod.runAsUser;
  const gid = own.runAsGroup ?? ofPod.runAsGroup;
  if (own.runAsNonRoot ?? ofPod.runAsNonRoot) {
    const where = `(pod: "${podName(pod)}", container: ${container.name})`;
    const imageUser = (image.config.user ?? '').split(':')[0] ?? '';
    if (uid === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`);
    if (uid === undefined && (imageUser === '' || imageUser === '0'))
      throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
    if (uid === undefined && !/^\d+$/.test(imageUser)) {
      throw new Error(
        `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root ${where}`,
      );
    }
  }
  const groups = [...(ofPod.supplementalGroups ?? []), ...(ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup])];
  if (uid === undefined && gid === undefined && groups.length === 0) return undefined;
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }), groups };
}
