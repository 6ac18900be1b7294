import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { pods } from '#api/core/v1/pod.ts';
import type { PersistentVolumeClaim, Pod, Volume } from '#api/generated/types.ts';
import { PVC_PROTECTION } from '#api/storage-protection.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Index } from '#client/indexer.ts';
import { controllerOf, keyOf } from '#client/key.ts';
import { defineController } from '../define-controller.ts';
import { protectionOf, setFinalizer } from './protection-finalizer.ts';

/** The claim that a volume of the Pod is; undefined if it is none. */
const claimOf = ({ metadata }: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined =>
  persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name ?? ''}-${name}` : undefined);

function claimKeys(pod: Pod): readonly string[] | undefined {
  let keys: string[] | undefined;
  for (const volume of pod.spec.volumes ?? []) {
    const name = claimOf(pod, volume);
    if (name !== undefined) (keys ??= []).push(`${pod.metadata.namespace}/${name}`);
  }
  return keys;
}

/** Pods by the keys of the claims that they name. */
const byClaim: Index<Pod> = { name: 'claims', values: claimKeys };

/**
 * Lets claims that are being deleted go when no Pod that has a node uses them. Follows
 * pkg/controller/volume/pvcprotection, v1.33.
 */
export const pvcProtectionController = defineController({
  name: 'persistentvolumeclaim-protection-controller',
  serviceAccount: 'pvc-protection-controller',
  create({ queue, watch }) {
    const look = (claim: PersistentVolumeClaim, span: SpanId) => {
      if (protectionOf(claim, PVC_PROTECTION)) queue.add(keyOf(claim), span);
    };
    const claims = watch(persistentVolumeClaims, { add: look, update: (_, claim, span) => look(claim, span) });
    const lookAtClaims = (pod: Pod, span: SpanId) => {
      for (const key of claimKeys(pod) ?? []) queue.add(key, span);
    };
    const podLister = watch(
      pods,
      {
        add: (pod, span) => {
          if (!mayUse(pod)) lookAtClaims(pod, span);
        },
        update(previous, pod, span) {
          if (!mayUse(pod)) lookAtClaims(pod, span);
          if (previous.metadata.uid !== pod.metadata.uid) lookAtClaims(previous, span);
        },
        delete: lookAtClaims,
      },
      byClaim,
    );
    return {
      async reconcile({ client }, key) {
        const claim = claims.get(key);
        const protection = claim && protectionOf(claim, PVC_PROTECTION);
        if (!protection) return;
        if (protection === 'ending') {
          if (podLister.byIndex(byClaim, keyOf(claim)).some((pod) => uses(pod, claim))) return;
          // The informer may not have seen yet what the scheduler has just done.
          const { items } = await client.list(pods, { namespace: key.namespace });
          if (items.some((pod) => uses(pod, claim))) return;
        }
        await setFinalizer(client, persistentVolumeClaims, claim, PVC_PROTECTION, protection === 'missing');
      },
    };
  },
});

/** Whether a Pod has something to do with its claims still: it has a node and has not ended. */
function mayUse({ metadata, spec, status }: Pod): boolean {
  if (!spec.nodeName) return false;
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false;
  const runs = status?.containerStatuses?.some(({ state }) => !state?.terminated && !state?.waiting) ?? false;
  return !metadata.deletionTimestamp || runs;
}

function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  const { metadata, spec } = pod;
  if (!spec.nodeName) return false;
  const isShutDown = metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
  return (spec.volumes ?? []).some((volume) => {
    if (claimOf(pod, volume) !== claim.metadata.name) return false;
    return volume.persistentVolumeClaim !== undefined || (!isShutDown && controllerOf(claim)?.uid === metadata.uid);
  });
}
