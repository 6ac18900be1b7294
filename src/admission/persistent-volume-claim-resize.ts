import { persistentVolumeClaims, storageClassOf } from '#api/core/v1/persistent-volume-claim.ts';
import type { PersistentVolumeClaim } from '#api/generated/types.ts';
import { storageClasses } from '#api/storage/v1/storage-class.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import type { AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

/** Lets claims grow only where their class allows it. Follows plugin/pkg/admission/storage/persistentvolume/resize, v1.33. */
export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  resources: [persistentVolumeClaims],
  validate(attributes, context) {
    const { subresource, operation, object, oldObject } = attributes;
    if (subresource || operation !== 'UPDATE') return;
    const [claim, old] = [object as PersistentVolumeClaim, oldObject as PersistentVolumeClaim];
    if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
    if (old.status?.phase !== 'Bound')
      throw admissionForbidden(attributes, 'Only bound persistent volume claims can be expanded');
    if (!allowsResize(claim, old, context)) {
      const why =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      throw admissionForbidden(attributes, why);
    }
  },
};

const sizeOf = ({ spec }: PersistentVolumeClaim): string | number => spec?.resources?.requests?.['storage'] ?? '0';

function allowsResize(claim: PersistentVolumeClaim, old: PersistentVolumeClaim, context: RequestContext): boolean {
  const name = storageClassOf(claim);
  if (name === '' || name !== storageClassOf(old)) return false;
  return context.read(storageClasses, undefined, name)?.allowVolumeExpansion === true;
}
