import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { BETA_STORAGE_CLASS } from '#api/core/v1/persistent-volume-claim.ts';
import type { PersistentVolumeClaim } from '#api/generated/types.ts';
import { isDefaultStorageClass, storageClasses } from '#api/storage/v1/storage-class.ts';
import type { AdmissionPlugin } from '#apiserver/contract.ts';
import { newestOf } from './default-class.ts';

/** Gives claims that name no class the default one. Follows plugin/pkg/admission/storage/storageclass/setdefault, v1.33. */
export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  resources: [persistentVolumeClaims],
  admit({ subresource, operation, object }, context) {
    if (subresource || operation !== 'CREATE') return object;
    const claim = object as PersistentVolumeClaim;
    const named = claim.metadata.annotations?.[BETA_STORAGE_CLASS] ?? claim.spec?.storageClassName;
    if (named !== undefined) return claim;
    const { name } = newestOf(context.readAll(storageClasses).filter(isDefaultStorageClass))?.metadata ?? {};
    return name ? ({ ...claim, spec: { ...claim.spec, storageClassName: name } } as PersistentVolumeClaim) : claim;
  },
};
