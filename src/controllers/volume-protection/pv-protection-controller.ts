import { persistentVolumes } from '#api/core/v1/persistent-volume.ts';
import type { PersistentVolume } from '#api/generated/types.ts';
import { PV_PROTECTION } from '#api/storage-protection.ts';
import type { SpanId } from '#base/tracer.ts';
import { defineController } from '../define-controller.ts';
import { protectionOf, setFinalizer } from './protection-finalizer.ts';

/** Lets volumes that are being deleted go when they are bound no longer. Follows pkg/controller/volume/pvprotection, v1.33. */
export const pvProtectionController = defineController({
  name: 'persistentvolume-protection-controller',
  serviceAccount: 'pv-protection-controller',
  create({ queue, watch }) {
    const look = (volume: PersistentVolume, span: SpanId) => {
      if (protectionOf(volume, PV_PROTECTION)) queue.add(volume.metadata.name ?? '', span);
    };
    const volumes = watch(persistentVolumes, { add: look, update: (_, volume, span) => look(volume, span) });
    return {
      async reconcile({ client }, key) {
        const volume = volumes.get(key);
        const protection = volume && protectionOf(volume, PV_PROTECTION);
        if (!protection || (protection === 'ending' && volume.status?.phase === 'Bound')) return;
        await setFinalizer(client, persistentVolumes, volume, PV_PROTECTION, protection === 'missing');
      },
    };
  },
});
