import type { Pod, Taint } from '#api/generated/types.ts';
import type { ApiBackend } from '#apimachinery/api-request.ts';
import type { Latency } from '#base/latency.ts';
import type { Process } from '#base/pump.ts';
import { Client } from '#client/client.ts';
import type { Registry } from '#cri/registry.ts';
import { ContainerRuntime } from '#cri/runtime.ts';
import { Kubelet } from '#kubelet/kubelet.ts';
import type { Network, NetworkNamespace } from '#network/network.ts';

export interface MachineOptions {
  /** The machine's power: all that runs on it ends with this process. */
  readonly process: Process;
  readonly name: string;
  readonly address: string;
  readonly network: Network;
  readonly registry: Registry;
  readonly latency: Latency;
  readonly backend: ApiBackend;
  /** `v1.33.0` */
  readonly version: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly staticPods?: readonly Pod[];
}

/** What every node of the default cluster has. */
const CAPACITY = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' } as const;
const CLUSTER_DNS = '10.96.0.10';
const CLUSTER_DOMAIN = 'cluster.local';

/** A node's machine: its network, a container runtime and a kubelet. */
export class Machine {
  readonly host: NetworkNamespace;
  readonly runtime: ContainerRuntime;
  readonly kubelet: Kubelet;

  constructor(options: MachineOptions) {
    const { process, name, address, network, registry, latency, backend, version, labels, taints, staticPods } =
      options;
    this.host = network.createHost(name, address, `nodes/${name}`);
    this.runtime = new ContainerRuntime({ machine: process, network, host: this.host, registry, latency });
    this.kubelet = new Kubelet({
      process: process.child(`kubelet ${name}`),
      client: new Client(backend, {
        user: { name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] },
        userAgent: 'kubelet/v1.33.0 (linux/amd64) kubernetes/60a317e',
      }),
      runtime: this.runtime,
      images: this.runtime.images,
      network: this.host,
      config: {
        nodeName: name,
        nodeAddress: address,
        capacity: CAPACITY,
        ...(labels ? { labels } : {}),
        ...(taints ? { taints } : {}),
        version,
        clusterDns: CLUSTER_DNS,
        clusterDomain: CLUSTER_DOMAIN,
        ...(staticPods ? { staticPods } : {}),
      },
    });
    this.kubelet.start();
  }
}
