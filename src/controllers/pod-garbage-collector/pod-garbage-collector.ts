import { isStatus } from '#apimachinery/status-error.ts';
import type { Node, Pod } from '#api/generated/types.ts';
import { isNodeReady, nodes } from '#api/core/v1/node.ts';
import { pods } from '#api/core/v1/pod.ts';
import { withPodCondition } from '#api/core/v1/pod-status.ts';
import { podStatusPatch } from '#api/core/v1/pod-status-patch.ts';
import type { Client } from '#client/client.ts';
import { byNodeName, type Index } from '#client/indexer.ts';
import { keyOf, nameOf } from '#client/key.ts';
import { defineController } from '../define-controller.ts';

const PERIOD_MS = 20_000;
/** How long a Node may be unknown before the server is asked whether it is gone. */
const QUARANTINE_MS = 40_000;

/** Pods that may have to go, so that nobody looks through all. */
const byStanding: Index<Pod> = {
  name: 'podGarbage',
  values({ metadata, status }) {
    const terminated = isTerminated(status?.phase);
    if (!metadata.deletionTimestamp) return terminated ? 'terminated' : undefined;
    return terminated ? ['terminated', 'terminating'] : 'terminating';
  },
};

/**
 * The terminated Pods beyond the threshold, those that were evicted first, then the oldest. Follows
 * pkg/controller/podgc.gcTerminated, v1.33.
 */
export function planTerminated(terminated: readonly Pod[], threshold: number): readonly Pod[] {
  const surplus = terminated.length - threshold;
  return threshold > 0 && surplus > 0 ? terminated.toSorted(byEvictionAndAge).slice(0, surplus) : [];
}

/** Whether a Pod that is being deleted will find nobody to end it: it has no Node, or one that is out of service. */
export function isStuckTerminating(pod: Pod, node: Node | undefined): boolean {
  if (!pod.metadata.deletionTimestamp) return false;
  if (!pod.spec.nodeName) return true;
  return (
    node !== undefined &&
    !isNodeReady(node) &&
    node.spec.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') === true
  );
}

/**
 * Deletes Pods that nobody else will: the oldest of too many that have ended, those of Nodes that are gone, and those
 * that are being deleted without a Node. Looks every 20 seconds. Follows pkg/controller/podgc, v1.33.
 */
export const podGarbageCollector = defineController({
  name: 'pod-garbage-collector-controller',
  serviceAccount: 'pod-garbage-collector',
  create({ process, config, queue, watch, addQueue, every }) {
    const podLister = watch(pods, {}, byNodeName, byStanding);
    const nodeLister = watch(nodes);
    const missingNodes = new Map<string, number>();

    const goneNodes = addQueue('orphaned_pods_nodes', {}, async ({ client }, node) => {
      if (nodeLister.getByKey(node) || (await exists(client, node))) return;
      for (const pod of podLister.byIndex(byNodeName, node)) {
        await failAndDelete(client, pod, process.clock.now(), true);
      }
    });

    every(PERIOD_MS, 'look for Pods to collect', (cause) => {
      const now = process.clock.now();
      for (const pod of planTerminated(podLister.byIndex(byStanding, 'terminated'), config.terminatedPodGCThreshold)) {
        queue.add(keyOf(pod), cause());
      }
      for (const pod of podLister.byIndex(byStanding, 'terminating')) {
        if (isStuckTerminating(pod, nodeLister.getByKey(pod.spec.nodeName ?? ''))) queue.add(keyOf(pod), cause());
      }
      const missing = podLister.indexValues(byNodeName).filter((name) => name && !nodeLister.getByKey(name));
      for (const name of missingNodes.keys()) if (!missing.includes(name)) missingNodes.delete(name);
      for (const name of missing) {
        const since = missingNodes.get(name);
        if (since === undefined) missingNodes.set(name, now);
        else if (now - since >= QUARANTINE_MS) goneNodes.add(name, cause());
      }
    });

    return {
      async reconcile({ client }, key) {
        const pod = podLister.get(key);
        if (!pod) return;
        const stuck = isStuckTerminating(pod, nodeLister.getByKey(pod.spec.nodeName ?? ''));
        if (stuck || isTerminated(pod.status?.phase)) await failAndDelete(client, pod, process.clock.now(), false);
      },
    };
  },
});

function isTerminated(phase = ''): boolean {
  return phase !== 'Pending' && phase !== 'Running' && phase !== 'Unknown';
}

async function exists(client: Client, node: string): Promise<boolean> {
  try {
    await client.get(nodes, { name: node });
    return true;
  } catch (error) {
    if (isStatus(error, 'NotFound')) return false;
    throw error;
  }
}

const NODE_GONE = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
};

async function failAndDelete(client: Client, pod: Pod, now: number, orphaned: boolean): Promise<void> {
  const { status = {} } = pod;
  try {
    if (status.phase !== 'Succeeded' && status.phase !== 'Failed') {
      const next = orphaned ? withPodCondition(status, NODE_GONE, now) : status;
      await client.patchStatus(pods, pod, podStatusPatch(pod, { ...next, phase: 'Failed' }));
    }
    await client.delete(pods, nameOf(pod), { gracePeriodSeconds: 0 });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}

function byEvictionAndAge(a: Pod, b: Pod): number {
  const evicted = (pod: Pod) => pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted';
  if (evicted(a) !== evicted(b)) return evicted(a) ? -1 : 1;
  const { creationTimestamp: createdA = '', name: nameA = '' } = a.metadata;
  const { creationTimestamp: createdB = '', name: nameB = '' } = b.metadata;
  if (createdA !== createdB) return createdA < createdB ? -1 : 1;
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}
