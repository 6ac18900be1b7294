import type { Lease, Node, NodeCondition } from '#api/generated/types.ts';
import { nodeCondition } from '#api/core/v1/node.ts';
import { formatTime, parseTime } from '#base/clock.ts';

/** What was last seen of a Node, and when (by the controller's own clock), ms. */
export interface NodeHealth {
  /** When the kubelet last gave a sign of life. */
  readonly probeMs: number;
  /** `lastHeartbeatTime` of its Ready condition; undefined: it had none. */
  readonly heartbeat: string | undefined;
  /** `renewTime` of its lease. */
  readonly renewTime: string | undefined;
}

/** Takes in what is seen now. Follows tryUpdateNodeHealth of pkg/controller/nodelifecycle, v1.33. */
export function observeNode(
  saved: NodeHealth | undefined,
  node: Node,
  lease: Lease | undefined,
  nowMs: number,
): NodeHealth {
  const heartbeat = heartbeatOf(node);
  let probeMs: number;
  if (heartbeat === undefined) probeMs = saved?.probeMs ?? parseTime(node.metadata.creationTimestamp ?? '');
  else probeMs = saved && saved.heartbeat === heartbeat ? saved.probeMs : nowMs;
  const renewTime = lease?.spec.renewTime;
  if (renewTime === undefined) return { probeMs, heartbeat, renewTime: saved?.renewTime };
  const renewed = !saved?.renewTime || parseTime(saved.renewTime) < parseTime(renewTime);
  return { probeMs: renewed ? nowMs : probeMs, heartbeat, renewTime };
}

function heartbeatOf(node: Node): string | undefined {
  const ready = nodeCondition(node, 'Ready');
  return ready && (ready.lastHeartbeatTime ?? '');
}

/** Whether a Node has been silent for too long. */
export function isSilent(health: NodeHealth, nowMs: number, graceMs: number, startupGraceMs: number): boolean {
  return nowMs > health.probeMs + (health.heartbeat === undefined ? startupGraceMs : graceMs);
}

/** What the kubelet reports and nobody knows once it is silent; the network's condition is not the kubelet's. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/**
 * The conditions of a Node that has been silent for too long; undefined when its Ready condition says so already.
 * Follows tryUpdateNodeHealth of pkg/controller/nodelifecycle, v1.33.
 */
export function planSilentConditions(node: Node, nowMs: number): readonly NodeCondition[] | undefined {
  if (nodeCondition(node, 'Ready')?.status === 'Unknown') return undefined;
  const lastTransitionTime = formatTime(nowMs);
  const next = [...(node.status?.conditions ?? [])];
  for (const type of REPORTED) {
    const at = next.findIndex((condition) => condition.type === type);
    const old = next[at];
    if (!old) {
      next.push({
        type,
        status: 'Unknown',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime,
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
      });
    } else if (old.status !== 'Unknown') {
      next[at] = {
        ...old,
        status: 'Unknown',
        lastTransitionTime,
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      };
    }
  }
  return next;
}
