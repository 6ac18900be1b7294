import type { Taint, Toleration } from '#api/generated/types.ts';
import { tolerates } from '#api/core/v1/toleration.ts';

/**
 * How long a Pod may stay on a Node with these NoExecute taints, ms: 0 not at all, Infinity for ever. Follows
 * processPodOnNode and getMinTolerationTime of pkg/controller/tainteviction, v1.33.
 */
export function tolerationMs(taints: readonly Taint[], tolerations: readonly Toleration[]): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const toleration = tolerations.find((candidate) => tolerates(candidate, taint));
    if (!toleration) return 0;
    if (toleration.tolerationSeconds !== undefined)
      shortest = Math.min(shortest, Math.max(0, toleration.tolerationSeconds) * 1000);
  }
  return shortest;
}

/** What is to happen to a Pod, given what was planned for it when. Times are ms. */
export type EvictionPlan =
  | { readonly do: 'nothing' | 'cancel' | 'evict' }
  | { readonly do: 'schedule'; readonly startMs: number; readonly dueMs: number };

/** Follows processPodOnNode: a planned eviction stays if it is the earlier one, and is counted from its own start. */
export function planEviction(
  stayMs: number,
  planned: { readonly startMs: number } | undefined,
  nowMs: number,
): EvictionPlan {
  if (stayMs <= 0) return { do: 'evict' };
  if (stayMs === Number.POSITIVE_INFINITY) return { do: 'cancel' };
  if (!planned) return { do: 'schedule', startMs: nowMs, dueMs: nowMs + stayMs };
  if (planned.startMs < nowMs) return { do: 'nothing' };
  return { do: 'schedule', startMs: planned.startMs, dueMs: nowMs + stayMs };
}
