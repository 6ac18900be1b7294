import { PV_PROTECTION, PVC_PROTECTION } from '#api/storage-protection.ts';
import type { AdmissionPlugin } from '#apiserver/contract.ts';

/**
 * Puts the finalizer on volumes and claims that keeps them while they are in use. Follows
 * plugin/pkg/admission/storage/storageobjectinuseprotection, v1.33.
 */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit({ resource, subresource, operation, object }) {
    if (resource.group || subresource || operation !== 'CREATE' || !object) return object;
    const { plural } = resource;
    if (plural !== 'persistentvolumes' && plural !== 'persistentvolumeclaims') return object;
    const finalizer = plural === 'persistentvolumes' ? PV_PROTECTION : PVC_PROTECTION;
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  },
};
