import type { NetworkNamespace } from '#network/network.ts';
import type { LogBuffer } from './log-buffer.ts';
import type { FileUser, Mount } from './os/file-system.ts';
import type { Image } from './registry.ts';

/**
 * The container runtime as the kubelet sees it, after cri-api's RuntimeService and ImageService, v1. Calls that change
 * something are made in a task, which they park; they throw CriError. Reads are answered at once. Times are milliseconds.
 */
export interface RuntimeService {
  readonly version: { readonly runtimeName: string; readonly runtimeVersion: string };
  /** Whether the network is there to make sandboxes. */
  readonly networkReady: boolean;
  /** Tells the range of Pod addresses of this node. */
  updatePodCidr(cidr: string): void;
  /** Makes a Pod's sandbox: its namespaces, its address. */
  runPodSandbox(config: PodSandboxConfig): Promise<string>;
  /** Ends what runs in it at once and gives its address back. */
  stopPodSandbox(id: string): Promise<void>;
  /** Takes away a sandbox and its containers, with their logs. */
  removePodSandbox(id: string): Promise<void>;
  /** Newest first; of one Pod if a uid is given. */
  listPodSandboxes(podUid?: string): readonly PodSandboxStatus[];
  createContainer(sandboxId: string, config: ContainerConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Sends the stop signal, and KILL after the grace; resolves when the container has ended. */
  stopContainer(id: string, graceMs: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  containerStatus(id: string): ContainerStatus | undefined;
  /** The containers of a sandbox, oldest first. */
  listContainers(sandboxId: string): readonly ContainerStatus[];
  /** Throws nothing when the container is gone: undefined. */
  logs(id: string): LogBuffer | undefined;
  /** Runs a command to its end. Throws CriError `DeadlineExceeded` after `timeoutMs`. */
  execSync(id: string, command: readonly string[], timeoutMs?: number): Promise<ExecResult>;
  /** Starts a command with streams. */
  exec(id: string, options: ExecOptions, output: SessionOutput): Promise<Session>;
  /** Joins the streams of the container's first process. */
  attach(id: string, options: { readonly stdin: boolean }, output: SessionOutput): Promise<Session>;
  /** Makes a Pod behave badly, or well again: what runs in its sandboxes now and what will, until taken back. */
  setPodFault(podUid: string, fault: PodFault | undefined): void;
  /** Called in the runtime's turns. Returns what takes it back. */
  onEvent(listener: (event: ContainerEvent) => void): () => void;
}

/**
 * What can be wrong with a Pod.
 * - `hang`: its processes are stopped (SIGSTOP): connections are accepted, nobody answers; SIGTERM waits, SIGKILL works.
 * - `crash`: its processes die of a segmentation fault, whenever they are started.
 * - `slow`: what its servers answer comes 5 s late.
 * - `unready`: its HTTP servers answer 503, and the commands of probes and hooks fail.
 */
export type PodFault = 'hang' | 'crash' | 'slow' | 'unready';

/** The images of a node. */
export interface ImageService {
  status(name: string): Image | undefined;
  list(): readonly Image[];
  pull(name: string): Promise<Image>;
  remove(name: string): void;
}

/** What a sandbox is made for. */
export interface PodSandboxConfig {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** How many sandboxes this Pod has had before. */
  readonly attempt: number;
  readonly hostname: string;
  /** The Pod uses the node's own network. */
  readonly hostNetwork: boolean;
}

/** A sandbox as it is now. */
export interface PodSandboxStatus {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly state: 'Ready' | 'NotReady';
  readonly createdAt: number;
  /** Absent with the node's own network. */
  readonly address?: string;
  readonly network: NetworkNamespace;
}

/** What a container is made from. */
export interface ContainerConfig {
  readonly name: string;
  /** How many containers of this name the sandbox' Pod has had before. */
  readonly attempt: number;
  /** The image as it was asked for. */
  readonly image: string;
  /** Replace the image's entry point and arguments where they are not empty. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly (readonly [string, string])[];
  readonly mounts: readonly Mount[];
  readonly user?: { readonly uid?: number; readonly gid?: number; readonly groups: readonly number[] };
  readonly readOnlyRoot: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  /** TCP ports that the container declares. */
  readonly ports: readonly number[];
  /** Whatever the kubelet wants to find again. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** A container as it is now. */
export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly image: Image;
  readonly state: 'Created' | 'Running' | 'Exited';
  readonly createdAt: number;
  /** 0 before it started, and when it never did. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  /** Of an ended container: Completed, Error, StartError, OOMKilled. */
  readonly reason: string;
  readonly message: string;
  /** As whom it runs. */
  readonly user: FileUser;
}

/** Something happened to a container. */
export interface ContainerEvent {
  readonly type: 'Created' | 'Started' | 'Stopped' | 'Deleted';
  readonly containerId: string;
  readonly sandboxId: string;
  readonly podUid: string;
}

/** How a command went. */
export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

/** A command, and whether it has input and a terminal. */
export interface ExecOptions {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** Where a session's output goes, as it comes, in turns of the container. */
export interface SessionOutput {
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
  /** The process has ended (or, attached, its container has). Called once, last. */
  exited(exitCode: number): void;
}

/** The user's side of exec and attach; to be called in turns of the engine. */
export interface Session {
  /** Input; ignored when none was asked for. */
  write(bytes: Uint8Array): void;
  closeInput(): void;
  resize(columns: number, rows: number): void;
  /** The user has gone: an exec'd process loses its terminal or its input, its output goes nowhere. */
  hangUp(): void;
}
