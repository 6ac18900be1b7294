import type { Node, NodeCondition, NodeStatus } from '#api/generated/types.ts';
import { formatTime } from '#base/clock.ts';
import type { ImageService, RuntimeService } from '#cri/contract.ts';
import { KERNEL_VERSION } from '#cri/os/kernel.ts';
import { type KubeletConfig, KUBELET_PORT, type MachineIds } from './config.ts';

/** At most so many images are reported. */
const MAX_IMAGES = 50;

/** What the kubelet says of its node, and the events that go with it. */
export interface NodeReport {
  readonly status: NodeStatus;
  /** Reasons such as `NodeReady`, for Events. */
  readonly events: readonly string[];
  /** The machine was switched off since the status was last told. */
  readonly rebooted: boolean;
}

/** The whole status of a Node. Follows pkg/kubelet/nodestatus/setters.go, v1.33. Pure. */
export function nodeStatus(
  config: KubeletConfig,
  ids: MachineIds,
  runtime: RuntimeService,
  images: ImageService,
  before: NodeStatus,
  now: number,
): NodeReport {
  const { capacity } = config;
  const events: string[] = [];
  const time = formatTime(now);
  const old = new Map((before.conditions ?? []).map((condition) => [condition.type, condition]));
  const condition = (type: string, status: string, reason: string, message: string, event: string): NodeCondition => {
    const previous = old.get(type);
    const same = previous?.status === status;
    if (!same && (previous || type !== 'Ready')) events.push(event);
    return {
      type,
      status,
      lastHeartbeatTime: time,
      lastTransitionTime: same ? previous?.lastTransitionTime : time,
      reason,
      message,
    };
  };
  const conditions = [
    condition(
      'MemoryPressure',
      'False',
      'KubeletHasSufficientMemory',
      'kubelet has sufficient memory available',
      'NodeHasSufficientMemory',
    ),
    condition(
      'DiskPressure',
      'False',
      'KubeletHasNoDiskPressure',
      'kubelet has no disk pressure',
      'NodeHasNoDiskPressure',
    ),
    condition(
      'PIDPressure',
      'False',
      'KubeletHasSufficientPID',
      'kubelet has sufficient PID available',
      'NodeHasSufficientPID',
    ),
    runtime.networkReady
      ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status', 'NodeReady')
      : condition(
          'Ready',
          'False',
          'KubeletNotReady',
          'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
          'NodeNotReady',
        ),
  ];
  const others = (before.conditions ?? []).filter(({ type }) => !conditions.some((own) => own.type === type));
  const lastBoot = before.nodeInfo?.bootID;
  return {
    events,
    rebooted: lastBoot !== undefined && lastBoot !== ids.bootID,
    status: {
      ...before,
      capacity,
      allocatable: capacity,
      conditions: [...others, ...conditions],
      addresses: [
        { type: 'InternalIP', address: config.nodeAddress },
        { type: 'Hostname', address: config.nodeName },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
      nodeInfo: {
        ...ids,
        kernelVersion: KERNEL_VERSION,
        osImage: 'Tabernetes',
        containerRuntimeVersion: `${runtime.version.runtimeName}://${runtime.version.runtimeVersion}`,
        kubeletVersion: config.version,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
      images: [...images.list()]
        .sort((a, b) => b.sizeBytes - a.sizeBytes)
        .slice(0, MAX_IMAGES)
        .map(({ name, repoDigest, sizeBytes }) => ({
          names: name === repoDigest ? [name] : [repoDigest, name],
          sizeBytes,
        })),
      runtimeHandlers: [
        { name: '', features: { recursiveReadOnlyMounts: true, userNamespaces: false } },
        { name: 'runc', features: { recursiveReadOnlyMounts: true, userNamespaces: false } },
      ],
      features: { supplementalGroupsPolicy: true },
    },
  };
}

/** The Node that a kubelet registers. Follows initialNode of pkg/kubelet/kubelet_node_status.go, v1.33. */
export function initialNode(config: KubeletConfig, status: NodeStatus): Node {
  return {
    metadata: {
      name: config.nodeName,
      labels: {
        ...config.labels,
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': config.nodeName,
        'kubernetes.io/os': 'linux',
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: config.taints?.length ? { taints: config.taints } : {},
    status,
  };
}
