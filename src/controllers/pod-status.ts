import type { Pod, PodStatus } from '#api/generated/types.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { Client } from '#client/client.ts';
import { nameOf } from '#client/key.ts';

/**
 * Writes what changed in a Pod's phase, reason, message and conditions, whoever else writes its status at the same
 * time. Throws NotFound or Conflict when it is not that Pod any more. Follows pkg/util/pod.PatchPodStatus, v1.33.
 */
export async function patchPodStatus(client: Client, pod: Pod, status: PodStatus): Promise<void> {
  const old = pod.status ?? {};
  const changed = (status.conditions ?? []).filter((condition) => !old.conditions?.includes(condition));
  const patch = {
    metadata: { uid: pod.metadata.uid },
    status: {
      ...(status.phase === old.phase ? {} : { phase: status.phase }),
      ...(status.reason === old.reason ? {} : { reason: status.reason }),
      ...(status.message === old.message ? {} : { message: status.message }),
      ...(changed.length ? { conditions: changed } : {}),
    },
  };
  await client.patch(pods, nameOf(pod), 'application/strategic-merge-patch+json', patch, { subresource: 'status' });
}
