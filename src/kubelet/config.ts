import type { Pod, Taint } from '#api/generated/types.ts';

/** What does not change while the machine runs. */
export interface MachineIds {
  readonly machineID: string;
  readonly systemUUID: string;
  /** A new one at each boot. */
  readonly bootID: string;
}

/** What a node's kubelet is told about itself. */
export interface KubeletConfig {
  readonly nodeName: string;
  /** The node's address in the virtual network. */
  readonly nodeAddress: string;
  /** Quantities, as the Node reports them. */
  readonly capacity: {
    readonly cpu: string;
    readonly memory: string;
    readonly pods: string;
    readonly 'ephemeral-storage': string;
  };
  /** Added to the labels that every Node has. */
  readonly labels?: Readonly<Record<string, string>>;
  /** With which the Node registers. */
  readonly taints?: readonly Taint[];
  /** `v1.33.0` */
  readonly version: string;
  /** Where Pods look names up. */
  readonly clusterDns: string;
  /** The name server of the node itself, in its /etc/resolv.conf. */
  readonly nodeDns?: string;
  /** `cluster.local` */
  readonly clusterDomain: string;
  /** Who the machine is, and which boot of it this is; drawn by chance where it is not said. */
  readonly ids?: MachineIds;
  /** Pods that run here without the API server's asking; it shows them as mirror Pods. */
  readonly staticPods?: readonly Pod[];
}

/** The port of the kubelet's own HTTP server. */
export const KUBELET_PORT = 10250;
