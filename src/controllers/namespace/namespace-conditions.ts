import type { NamespaceCondition } from '#api/generated/types.ts';

/** What deleting the content of a namespace came to. */
export interface ContentOutcome {
  /** Resource (`pods.`, with its group) → how many are left. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Finalizer → how many objects wait for it. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** What could not be deleted, and why. */
  readonly errors: readonly string[];
}

interface Stated {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

const FINE: readonly Stated[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    reason: 'ResourcesDiscovered',
    message: 'All resources successfully discovered',
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    reason: 'ParsedGroupVersions',
    message: 'All legacy kube types successfully parsed',
  },
  {
    type: 'NamespaceDeletionContentFailure',
    reason: 'ContentDeleted',
    message: 'All content successfully deleted, may be waiting on finalization',
  },
  { type: 'NamespaceContentRemaining', reason: 'ContentRemoved', message: 'All content successfully removed' },
  {
    type: 'NamespaceFinalizersRemaining',
    reason: 'ContentHasNoFinalizers',
    message: 'All content-preserving finalizers finished',
  },
];

/**
 * The conditions of a namespace that is being deleted; undefined when they say so already. `now` is RFC 3339. Follows
 * pkg/controller/namespace/deletion/status_condition_utils.go, v1.33.
 */
export function planNamespaceConditions(
  current: readonly NamespaceCondition[],
  { remaining, finalizers, errors }: ContentOutcome,
  now: string,
): NamespaceCondition[] | undefined {
  const problems: Stated[] = [];
  if (errors.length > 0) {
    problems.push({
      type: 'NamespaceDeletionContentFailure',
      reason: 'ContentDeletionFailed',
      message: `Failed to delete all resource types, ${errors.length} remaining: ${[...errors].sort().join(', ')}`,
    });
  }
  if (remaining.size > 0) {
    const list = [...remaining].map(([resource, count]) => `${resource} has ${count} resource instances`);
    problems.push({
      type: 'NamespaceContentRemaining',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${list.sort().join(', ')}`,
    });
  }
  if (finalizers.size > 0) {
    const list = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
    problems.push({
      type: 'NamespaceFinalizersRemaining',
      reason: 'SomeFinalizersRemain',
      message: `Some content in the namespace has finalizers remaining: ${list.sort().join(', ')}`,
    });
  }

  let changed = false;
  const next = [...current];
  for (const fine of FINE) {
    const problem = problems.find(({ type }) => type === fine.type);
    const wanted = { ...(problem ?? fine), status: problem ? 'True' : 'False' };
    const at = next.findIndex(({ type }) => type === fine.type);
    const old = next[at];
    if (old && old.status === wanted.status && old.reason === wanted.reason && old.message === wanted.message) continue;
    changed = true;
    const lastTransitionTime = old?.status === wanted.status ? old.lastTransitionTime : now;
    const { type, status, reason, message } = wanted;
    const condition: NamespaceCondition = { type, status, lastTransitionTime, reason, message };
    if (at < 0) next.push(condition);
    else next[at] = condition;
  }
  return changed ? next : undefined;
}
