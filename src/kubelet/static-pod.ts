import type { Pod } from '#api/generated/types.ts';

const SOURCE = 'kubernetes.io/config.source';

/** Whether the Pod comes from the node itself, not from the API. */
export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[SOURCE];
  return source !== undefined && source !== 'api';
}
