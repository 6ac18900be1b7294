import type { Pod, Taint } from '#api/generated/types.ts';

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
  /** `cluster.local` */
  readonly clusterDomain: string;
  /** Pods that run here without the API server's asking; it shows them as mirror Pods. */
  readonly staticPods?: readonly Pod[];
}

/** The port of the kubelet's own HTTP server. */
export const KUBELET_PORT = 10250;
