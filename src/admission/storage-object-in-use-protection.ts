import { persistentVolumes } from '#api/core/v1/persistent-volume.ts';
import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { PV_PROTECTION, PVC_PROTECTION } from '#api/storage-protection.ts';
import type { AdmissionPlugin } from '#apiserver/contract.ts';

/**
 * Puts the finalizer on volumes and claims that keeps them while they are in use. Follows
 * plugin/pkg/admission/storage/storageobjectinuseprotection, v1.33.
 */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  resources: [persistentVolumes, persistentVolumeClaims],
  admit({ resource, subresource, operation, object }) {
    if (subresource || operation !== 'CREATE' || !object) return object;
    const finalizer = resource === persistentVolumes ? PV_PROTECTION : PVC_PROTECTION;
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  },
};
