import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { PodAddresses } from '#network/ipam.ts';
import type { Network, NetworkNamespace } from '#network/network.ts';
import { Container, hexId } from './container.ts';
import type {
  ContainerConfig,
  ContainerEvent,
  ContainerStatus,
  ExecOptions,
  ExecResult,
  PodFault,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeService,
  Session,
  SessionOutput,
} from './contract.ts';
import { CriError } from './cri-error.ts';
import { ImageStore } from './image-store.ts';
import type { LogBuffer } from './log-buffer.ts';
import type { Registry } from './registry.ts';

/** What a node's container runtime is given. */
export interface RuntimeOptions {
  /** The machine: containers are children of it, and go on when the runtime itself ends. */
  readonly machine: Process;
  readonly network: Network;
  /** The node's own network. */
  readonly host: NetworkNamespace;
  readonly registry: Registry;
  readonly latency: Latency;
}

interface Sandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly createdAt: number;
  readonly network: NetworkNamespace;
  readonly address?: string;
  readonly containers: Map<string, Container>;
  ready: boolean;
}

/** containerd with a bridge network plugin, for one node: sandboxes, containers, images. */
export class ContainerRuntime implements RuntimeService {
  readonly version = { runtimeName: 'containerd', runtimeVersion: '2.1.3' };
  readonly images: ImageStore;
  readonly #options: RuntimeOptions;
  readonly #process: Process;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #byPod = new Map<string, Sandbox[]>();
  readonly #containers = new Map<string, { readonly sandbox: Sandbox; readonly container: Container }>();
  readonly #faults = new Map<string, PodFault>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  #addresses: PodAddresses | undefined;

  /**
   * `disk`: the runtime that the machine had before it was switched off. Images are still there, and so are sandboxes and
   * containers; but nothing of them runs.
   */
  constructor(options: RuntimeOptions, disk?: ContainerRuntime) {
    this.#options = options;
    this.#process = options.machine.child('containerd');
    this.images = new ImageStore(this.#process, options.registry, options.latency, disk?.images.list());
    if (disk) this.#recover(disk);
  }

  /** Follows containerd's internal/cri/server/restart.go. */
  #recover(disk: ContainerRuntime): void {
    this.#addresses = disk.#addresses;
    for (const [uid, fault] of disk.#faults) this.#faults.set(uid, fault);
    for (const [id, sandbox] of disk.#sandboxes) {
      this.#sandboxes.set(id, sandbox);
      this.#endSandbox(sandbox);
    }
    for (const [uid, sandboxes] of disk.#byPod) this.#byPod.set(uid, sandboxes);
    for (const [id, found] of disk.#containers) {
      this.#containers.set(id, found);
      found.container.lost();
    }
  }

  get networkReady(): boolean {
    return this.#addresses !== undefined;
  }

  updatePodCidr(cidr: string): void {
    if (this.#addresses?.cidr !== cidr) this.#addresses = new PodAddresses(cidr);
  }

  runPodSandbox(config: PodSandboxConfig): Promise<string> {
    return this.#call('run sandbox', async () => {
      const id = hexId(this.#process);
      const fail = (why: string) => new CriError('Unknown', `failed to setup network for sandbox "${id}": ${why}`);
      if (!config.hostNetwork && !this.#addresses) throw fail('cni plugin not initialized');
      await this.#takeTime('sandbox');
      let network = this.#options.host;
      let address: string | undefined;
      if (!config.hostNetwork) {
        const addresses = this.#addresses as PodAddresses;
        address = addresses.allocate();
        if (address === undefined)
          throw fail(
            `plugin type="ptp" failed (add): failed to allocate for range 0: no IP addresses available in range set: ${addresses.range}`,
          );
        network = this.#options.network.createNamespace(
          `${config.namespace}/${config.name}`,
          this.#options.host,
          address,
          `pods/${config.namespace}/${config.name}`,
        );
      }
      const sandbox: Sandbox = {
        id,
        config,
        createdAt: this.#process.clock.now(),
        network,
        ...(address ? { address } : {}),
        containers: new Map(),
        ready: true,
      };
      this.#sandboxes.set(id, sandbox);
      const others = this.#byPod.get(config.uid);
      if (others) others.unshift(sandbox);
      else this.#byPod.set(config.uid, [sandbox]);
      return id;
    });
  }

  stopPodSandbox(id: string): Promise<void> {
    return this.#call('stop sandbox', async () => {
      const sandbox = this.#sandboxes.get(id);
      if (sandbox) this.#stopSandbox(sandbox);
    });
  }

  #stopSandbox(sandbox: Sandbox): void {
    if (!sandbox.ready) return;
    for (const container of sandbox.containers.values()) container.kill();
    this.#endSandbox(sandbox);
  }

  #endSandbox(sandbox: Sandbox): void {
    if (!sandbox.ready) return;
    sandbox.ready = false;
    if (sandbox.address === undefined) return;
    this.#options.network.remove(sandbox.network);
    this.#addresses?.release(sandbox.address);
  }

  removePodSandbox(id: string): Promise<void> {
    return this.#call('remove sandbox', async () => {
      const sandbox = this.#sandboxes.get(id);
      if (!sandbox) return;
      this.#stopSandbox(sandbox);
      for (const containerId of [...sandbox.containers.keys()]) this.#remove(containerId);
      this.#sandboxes.delete(id);
      const left = (this.#byPod.get(sandbox.config.uid) ?? []).filter((other) => other !== sandbox);
      if (left.length > 0) this.#byPod.set(sandbox.config.uid, left);
      else {
        this.#byPod.delete(sandbox.config.uid);
        this.#faults.delete(sandbox.config.uid);
      }
    });
  }

  listPodSandboxes(podUid?: string): readonly PodSandboxStatus[] {
    const sandboxes = podUid === undefined ? [...this.#sandboxes.values()].reverse() : (this.#byPod.get(podUid) ?? []);
    return sandboxes.map(({ id, config, createdAt, network, address, ready }) => ({
      id,
      config,
      createdAt,
      network,
      ...(address ? { address } : {}),
      state: ready ? 'Ready' : 'NotReady',
    }));
  }

  createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    return this.#call('create container', async () => {
      await this.#takeTime('container-create');
      const sandbox = this.#sandboxes.get(sandboxId);
      if (!sandbox?.ready) throw new CriError('NotFound', `failed to find sandbox id "${sandboxId}": not found`);
      const image = this.images.status(config.image);
      if (!image) throw new CriError('NotFound', `failed to resolve image "${config.image}": not found`);
      const id = hexId(this.#process);
      const { name, namespace, uid } = sandbox.config;
      const container: Container = new Container({
        id,
        sandboxId,
        config,
        image,
        hostname: sandbox.config.hostname,
        network: sandbox.network,
        process: this.#options.machine.child(`container ${namespace}/${name}/${config.name}#${id.slice(0, 8)}`),
        fault: () => this.#faults.get(uid),
        onExit: () => this.#tell('Stopped', id, sandbox),
      });
      sandbox.containers.set(id, container);
      this.#containers.set(id, { sandbox, container });
      this.#tell('Created', id, sandbox);
      return id;
    });
  }

  startContainer(id: string): Promise<void> {
    return this.#call('start container', async () => {
      await this.#takeTime('container-start');
      const { sandbox, container } = this.#find(id);
      container.start();
      this.#tell('Started', id, sandbox);
    });
  }

  stopContainer(id: string, graceMs: number): Promise<void> {
    return this.#call('stop container', async () => {
      const found = this.#containers.get(id);
      if (!found) return;
      const delay =
        graceMs > 0 ? Math.min(graceMs, this.#options.latency.sample('container-stop', this.#process.rng)) : 0;
      if (delay > 0) await this.#process.clock.sleep(delay);
      await found.container.stop(this.#process, graceMs - delay);
    });
  }

  removeContainer(id: string): Promise<void> {
    return this.#call('remove container', async () => this.#remove(id));
  }

  #remove(id: string): void {
    const found = this.#containers.get(id);
    if (!found) return;
    found.container.kill();
    found.sandbox.containers.delete(id);
    this.#containers.delete(id);
    this.#tell('Deleted', id, found.sandbox);
  }

  containerStatus(id: string): ContainerStatus | undefined {
    return this.#containers.get(id)?.container.status;
  }

  listContainers(sandboxId: string): readonly ContainerStatus[] {
    return [...(this.#sandboxes.get(sandboxId)?.containers.values() ?? [])].map((container) => container.status);
  }

  logs(id: string): LogBuffer | undefined {
    return this.#containers.get(id)?.container.log;
  }

  execSync(id: string, command: readonly string[], timeoutMs?: number): Promise<ExecResult> {
    return this.#call('exec', async () => {
      const { container, sandbox } = this.#find(id);
      if (this.#faults.get(sandbox.config.uid) === 'unready')
        return { stdout: EMPTY, stderr: encodeUtf8('the Pod was made to fail its readiness\n'), exitCode: 1 };
      const out: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
      const { process } = container.exec(
        { command, stdin: false, tty: false },
        { write: (stream, bytes) => out[stream].push(bytes), exited: () => {} },
      );
      let late = false;
      const timer =
        timeoutMs === undefined
          ? undefined
          : this.#process.clock.afterFunc(timeoutMs, 'exec times out', () => {
              late = true;
              process.signal('KILL');
            });
      const { code } = await process.wait(this.#process);
      timer?.stop();
      if (late)
        throw new CriError(
          'DeadlineExceeded',
          `failed to exec in container: timeout ${seconds(timeoutMs as number)} exceeded: context deadline exceeded`,
        );
      return { stdout: join(out.stdout), stderr: join(out.stderr), exitCode: code };
    });
  }

  exec(id: string, options: ExecOptions, output: SessionOutput): Promise<Session> {
    return this.#call('exec', async () => this.#find(id).container.exec(options, output).session);
  }

  attach(id: string, options: { readonly stdin: boolean }, output: SessionOutput): Promise<Session> {
    return this.#call('attach', async () => this.#find(id).container.attach(options, output));
  }

  setPodFault(podUid: string, fault: PodFault | undefined): void {
    if (fault) this.#faults.set(podUid, fault);
    else this.#faults.delete(podUid);
    for (const { containers } of this.#byPod.get(podUid) ?? [])
      for (const container of containers.values()) container.obeyFault();
  }

  /** The Pods that behave badly, by uid. */
  get podFaults(): ReadonlyMap<string, PodFault> {
    return this.#faults;
  }

  onEvent(listener: (event: ContainerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #call<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.#process.call(name, run);
  }

  #find(id: string): { readonly sandbox: Sandbox; readonly container: Container } {
    const found = this.#containers.get(id);
    if (!found) throw new CriError('NotFound', `an error occurred when try to find container "${id}": not found`);
    return found;
  }

  #tell(type: ContainerEvent['type'], containerId: string, sandbox: Sandbox): void {
    for (const listener of [...this.#listeners])
      listener({ type, containerId, sandboxId: sandbox.id, podUid: sandbox.config.uid });
  }

  async #takeTime(kind: 'sandbox' | 'container-create' | 'container-start'): Promise<void> {
    const ms = this.#options.latency.sample(kind, this.#process.rng);
    if (ms > 0) await this.#process.clock.sleep(ms);
  }
}

const EMPTY = new Uint8Array(0);

function seconds(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
