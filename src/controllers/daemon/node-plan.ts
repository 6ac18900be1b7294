import { isPodReady } from '#api/core/v1/pod-status.ts';
import type { Pod } from '#api/generated/types.ts';
import { isPodAvailable } from '../pod-control.ts';
import { type NodeFit, REVISION_HASH } from './daemon-pod.ts';

/** A Node as one DaemonSet sees it. */
export interface DaemonNode {
  readonly name: string;
  /** Undefined: there is no such Node. */
  readonly fit: NodeFit | undefined;
  /** Sorted by `byNodeAndAge`; without those that have ended and are being deleted. */
  readonly pods: readonly Pod[];
}

/** What a DaemonSet's Pods are measured by. */
export interface DaemonTerms {
  /** Of the newest revision. */
  readonly hash: string;
  /** See `templateGeneration`. */
  readonly generation: number | undefined;
  readonly minReadySeconds: number;
  /** How many Pods there may be beyond one for each Node, for a single Node. */
  readonly surge: boolean;
  /** Milliseconds. */
  readonly now: number;
}

/** What is to be done on one Node. */
export interface NodePlan {
  readonly create: boolean;
  readonly delete: readonly Pod[];
  /** Have ended, and are to be deleted: the failed ones not too soon after each other. */
  readonly failed: readonly Pod[];
  readonly succeeded: readonly Pod[];
}

const NOTHING: NodePlan = { create: false, delete: [], failed: [], succeeded: [] };

const isLive = ({ metadata }: Pod): boolean => !metadata.deletionTimestamp;

/** Follows podsShouldBeOnNode and getUnscheduledPodsWithoutNode, v1.33. */
export function planNode({ fit, pods }: DaemonNode, terms: DaemonTerms): NodePlan {
  // What is bound to a Node that is gone, is the Pod garbage collector's.
  if (!fit) return { ...NOTHING, delete: pods.filter(({ spec }) => !spec.nodeName) };
  if (pods.length === 0) return fit.run ? { ...NOTHING, create: true } : NOTHING;
  const live = pods.filter(isLive);
  if (!fit.stay) return { ...NOTHING, delete: live };
  const failed = live.filter(({ status }) => status?.phase === 'Failed');
  const succeeded = live.filter(({ status }) => status?.phase === 'Succeeded');
  const running = live.filter(({ status }) => status?.phase !== 'Failed' && status?.phase !== 'Succeeded');
  if (!terms.surge) return { create: false, failed, succeeded, delete: running.slice(1) };
  return { create: running.length === 0 && fit.run, failed, succeeded, delete: surplus(running, terms) };
}

/** Two may be there while the newer one is not available yet and the older one is ready. */
function surplus(running: readonly Pod[], { hash, minReadySeconds, now }: DaemonTerms): readonly Pod[] {
  if (running.length <= 1) return [];
  const isNew = ({ metadata }: Pod) => metadata.labels?.[REVISION_HASH] === hash;
  const newest = running.find(isNew);
  const oldest = running.find((pod) => !isNew(pod));
  const doomed = running.filter((pod) => pod !== newest && pod !== oldest);
  if (newest && oldest && (!isPodReady(oldest) || isPodAvailable(newest, minReadySeconds, now))) doomed.push(oldest);
  return doomed;
}
