import type { Pod, Taint } from '#api/generated/types.ts';
import type { ApiBackend } from '#apimachinery/api-request.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import { Client } from '#client/client.ts';
import type { ExecOptions, Session, SessionOutput } from '#cri/contract.ts';
import { NodeSystem } from '#cri/node-system.ts';
import type { Registry } from '#cri/registry.ts';
import { ContainerRuntime } from '#cri/runtime.ts';
import { HostFiles } from '#kubelet/host-files.ts';
import { Kubelet } from '#kubelet/kubelet.ts';
import type { Network, NetworkNamespace } from '#network/network.ts';
import type { HttpResponse, HttpServer, Upgraded } from '#transport/http.ts';
import { Component } from './component.ts';
import { cutBy } from './cut-by.ts';
import { NodeLink } from './node-link.ts';

export interface MachineOptions {
  /** The machine's process, which is its power, is a child of this one. */
  readonly parent: Process;
  /** Times what waits for the network. */
  readonly links: Process;
  readonly name: string;
  readonly address: string;
  readonly network: Network;
  readonly registry: Registry;
  readonly latency: Latency;
  /** The API server's address. */
  readonly backend: ApiBackend;
  /** `v1.33.0` */
  readonly version: string;
  /** The address of the Service of the cluster's DNS. */
  readonly clusterDns: string;
  readonly taints?: readonly Taint[];
  readonly staticPods?: readonly Pod[];
  /** Lines of the nodes' /etc/hosts. */
  readonly hosts: () => string;
}

/** What every node of the default cluster has. */
const CAPACITY = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' } as const;
/** The router between the nodes. */
export const GATEWAY = '192.168.0.1';
export const CLUSTER_DOMAIN = 'cluster.local';

/** One time between power on and power off. */
interface Boot {
  /** All that runs on the machine ends with it. */
  readonly process: Process;
  readonly runtime: ContainerRuntime;
  readonly kubelet: Component;
  /** Made when somebody logs in. */
  system?: NodeSystem;
}

/** A node's machine: its network, a container runtime and a kubelet. Its disk outlives its power. */
export class Machine {
  readonly name: string;
  readonly host: NetworkNamespace;
  /** The machine's way to the API server. */
  readonly link: NodeLink;
  readonly #options: MachineOptions;
  readonly #ids: { readonly machineID: string; readonly systemUUID: string };
  #boots = 0;
  #cables = 0;
  #cable: Process | undefined;
  #boot: Boot | undefined;
  readonly #files: HostFiles;
  /** The latest one; it still knows what lies on the disk when the power is off. */
  #runtime: ContainerRuntime | undefined;
  #kubelet: { readonly process: Process; readonly server: HttpServer } | undefined;
  /** Called when a Pod that has a fault may be gone. */
  onPodGone: () => void = () => {};

  constructor(options: MachineOptions) {
    const { parent, links, name, address, network, backend } = options;
    this.#options = options;
    this.name = name;
    this.host = network.createHost(name, address, `nodes/${name}`);
    this.link = new NodeLink(links, backend);
    this.#files = new HostFiles(name, () => parent.clock.now());
    const rng = parent.rng.fork(`hardware ${name}`);
    this.#ids = { machineID: rng.uuid().replaceAll('-', ''), systemUUID: rng.uuid() };
  }

  /** Whether its power is on. */
  get on(): boolean {
    return this.#boot !== undefined;
  }

  /** What the machine runs; undefined without power. */
  get process(): Process | undefined {
    return this.#boot?.process;
  }

  get runtime(): ContainerRuntime | undefined {
    return this.#runtime;
  }

  get kubeletRuns(): boolean {
    return this.#boot?.kubelet.running === true;
  }

  /**
   * The kubelet's own HTTP API, whose answers break off when it ends, as one finds it who dials from `from`; undefined
   * when nobody listens, or why the machine cannot be reached.
   */
  kubeletServer(from: Machine | undefined): HttpServer | string | undefined {
    if (!this.#boot) return 'connect: no route to host';
    if (this !== from && (this.host.unplugged || from?.host.unplugged)) return 'i/o timeout';
    const life = this.#kubelet;
    if (!this.kubeletRuns || !life) return undefined;
    const { process, server } = life;
    const cut = <R extends HttpResponse | Upgraded>(answer: R) => this.overCable(cutBy(process, answer));
    return {
      handle: async (request) => cut(await server.handle(request)),
      upgrade: async (request) => cut(await server.upgrade(request)),
    };
  }

  /** An answer that goes over the machine's cable, and breaks off with it. */
  overCable<R extends HttpResponse | Upgraded>(answer: R): R {
    this.#cable ??= this.#options.links.child(`cable of ${this.name}`, ++this.#cables);
    return cutBy(this.#cable, answer);
  }

  /** Cuts the machine off from the API server, and breaks what goes over its cable. */
  cut(): void {
    this.link.cut();
    this.#cable?.exit();
    this.#cable = undefined;
  }

  /** Runs a command on the machine itself, in a task of its process. Throws CriError. */
  exec(options: ExecOptions, output: SessionOutput): Session {
    const boot = this.#boot as Boot;
    boot.system ??= new NodeSystem({
      process: boot.process.child('login'),
      registry: this.#options.registry,
      network: this.host,
      hostname: this.name,
      hosts: this.#options.hosts(),
    });
    return boot.system.exec(options, output);
  }

  /** Power on: the machine boots. What ran before lies exited on its disk; the kubelet starts. */
  start(): void {
    if (this.#boot) return;
    const { parent, name, network, registry, latency } = this.#options;
    const process = parent.child(name, ++this.#boots);
    const runtime = new ContainerRuntime(
      { machine: process, network, host: this.host, registry, latency },
      this.#runtime,
    );
    this.#runtime = runtime;
    runtime.onEvent(({ type }) => {
      if (type === 'Deleted' && runtime.podFaults.size > 0) process.post('a Pod is gone', () => this.onPodGone());
    });
    const bootID = process.rng.uuid();
    const kubelet = new Component(process, `kubelet ${name}`, (life) => this.#runKubelet(life, runtime, bootID));
    this.#boot = { process, runtime, kubelet };
    kubelet.start();
  }

  /** Power off: all that runs ends where it is, and says nothing to anybody. The host must be out of reach by then. */
  stop(): void {
    const boot = this.#boot;
    this.#boot = undefined;
    boot?.process.exit();
    // The kernel's rules are in its memory.
    this.host.translation = undefined;
  }

  startKubelet(): void {
    this.#boot?.kubelet.start();
  }

  stopKubelet(): void {
    this.#boot?.kubelet.stop();
  }

  #runKubelet(process: Process, runtime: ContainerRuntime, bootID: string): void {
    const { name, address, version, clusterDns, taints, staticPods } = this.#options;
    const kubelet = new Kubelet({
      process,
      client: new Client(this.link, {
        user: { name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] },
        userAgent: 'kubelet/v1.33.0 (linux/amd64) kubernetes/60a317e',
      }),
      runtime,
      images: runtime.images,
      network: this.host,
      hostFiles: this.#files,
      config: {
        nodeName: name,
        nodeAddress: address,
        capacity: CAPACITY,
        ...(taints ? { taints } : {}),
        version,
        clusterDns,
        nodeDns: GATEWAY,
        clusterDomain: CLUSTER_DOMAIN,
        ...(staticPods ? { staticPods } : {}),
        ids: { ...this.#ids, bootID },
      },
    });
    this.#kubelet = { process, server: kubelet.server };
    kubelet.start();
  }
}
