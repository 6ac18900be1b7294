import type { JsonObject } from '#apimachinery/json.ts';
import { createTwoWayMergePatch } from '#apimachinery/patch-create.ts';
import type { Pod, PodStatus } from '../../generated/types.ts';
import { schemas } from '../../schemas.ts';

/**
 * The strategic merge patch that brings a Pod's status to `status`, whoever else writes it at the same time, and that
 * fails when the Pod is another one by now; undefined when there is nothing to change. Follows
 * pkg/util/pod.PatchPodStatus, v1.33.
 */
export function podStatusPatch(
  { metadata: { uid }, status: before = {} }: Pod,
  status: PodStatus,
): JsonObject | undefined {
  if (status === before) return undefined;
  const schema = schemas.lookup('io.k8s.api.core.v1.Pod');
  const { status: patch } = createTwoWayMergePatch(
    { status: before as JsonObject },
    { status: status as JsonObject },
    schema,
  );
  return patch === undefined ? undefined : { metadata: { uid }, status: patch };
}
