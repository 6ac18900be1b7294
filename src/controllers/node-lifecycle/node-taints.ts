import type { Node, Taint } from '#api/generated/types.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** Condition type → status → taint. */
const TAINT_OF_CONDITION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};
const OWN_TAINTS = new Set([
  UNSCHEDULABLE,
  ...Object.values(TAINT_OF_CONDITION).flatMap((taintOf) => Object.values(taintOf)),
]);

/**
 * The taints of a Node with those of effect NoSchedule that its conditions and `spec.unschedulable` ask for, and without
 * those that they no longer do; undefined when they are right. `now` is RFC 3339. Follows doNoScheduleTaintingPass of
 * pkg/controller/nodelifecycle, v1.33.
 */
export function planNoScheduleTaints(node: Node, now: string): readonly Taint[] | undefined {
  const taints = node.spec.taints ?? [];
  const wanted = (node.status?.conditions ?? []).flatMap(
    ({ type, status }) => TAINT_OF_CONDITION[type]?.[status] ?? [],
  );
  if (node.spec.unschedulable) wanted.push(UNSCHEDULABLE);
  const isOwn = ({ key, effect }: Taint) => effect === 'NoSchedule' && OWN_TAINTS.has(key);
  const kept = taints.filter((taint) => !isOwn(taint) || wanted.includes(taint.key));
  const missing = wanted.filter((key) => !taints.some((taint) => isOwn(taint) && taint.key === key));
  if (missing.length === 0 && kept.length === taints.length) return undefined;
  return [...kept, ...missing.map((key) => ({ key, effect: 'NoSchedule', timeAdded: now }))];
}

/** The NoExecute taint that a Node's Ready condition asks for; undefined when it is ready. */
export function noExecuteTaintOf(readyStatus: string): string | undefined {
  return TAINT_OF_CONDITION['Ready']?.[readyStatus];
}

export function hasNoExecuteTaint(node: Node, key: string): boolean {
  return node.spec.taints?.some((taint) => taint.key === key && taint.effect === 'NoExecute') === true;
}

/**
 * The taints of a Node with this one (`key`) of the two NoExecute taints that say that it is not ready, or with neither;
 * undefined when they are right.
 */
export function planNoExecuteTaint(node: Node, key: string | undefined, now: string): readonly Taint[] | undefined {
  const taints = node.spec.taints ?? [];
  const isOwn = (taint: Taint) =>
    taint.effect === 'NoExecute' && (taint.key === NOT_READY || taint.key === UNREACHABLE);
  const kept = taints.filter((taint) => !isOwn(taint) || taint.key === key);
  const missing = key !== undefined && !hasNoExecuteTaint(node, key);
  if (!missing && kept.length === taints.length) return undefined;
  return missing ? [...kept, { key, effect: 'NoExecute', timeAdded: now }] : kept;
}

/** Stable label → its older name, which follows it. */
const FOLLOWING_LABELS = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const;

/** The labels to set on a Node; undefined when all are right. Follows reconcileNodeLabels, v1.33. */
export function planNodeLabels(node: Node): Readonly<Record<string, string>> | undefined {
  const labels = node.metadata.labels ?? {};
  const changes = FOLLOWING_LABELS.flatMap(([primary, secondary]) => {
    const value = labels[primary];
    return value === undefined || labels[secondary] === value ? [] : [[secondary, value] as const];
  });
  return changes.length ? Object.fromEntries(changes) : undefined;
}
