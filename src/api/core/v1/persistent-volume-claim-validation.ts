import type { FieldError } from '#apimachinery/field-error.ts';
import { validateAnnotations, validateLabelSelector, validateLabels } from '#apimachinery/label-validation.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import {
  forbiddenField,
  GoValue,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from '../../generated/types.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const VOLUME_MODES = ['Block', 'Filesystem'];

/** The claim that a Pod's ephemeral volume is made from. Follows pkg/apis/core/validation, v1.33. */
export function validatePersistentVolumeClaimTemplate(
  template: PersistentVolumeClaimTemplate,
  path: string,
  errors: FieldError[],
): void {
  validateAnnotations(template.metadata?.annotations, `${path}.metadata.annotations`, errors);
  validateLabels(template.metadata?.labels, `${path}.metadata.labels`, errors);
  validatePersistentVolumeClaimSpec(template.spec, `${path}.spec`, errors);
}

/** What a claim asks for. */
export function validatePersistentVolumeClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: string,
  errors: FieldError[],
): void {
  const { accessModes = [], resources, storageClassName, volumeMode, dataSource, dataSourceRef } = spec;
  if (accessModes.length === 0) {
    errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'));
  }
  validateLabelSelector(spec.selector, `${path}.selector`, errors);
  for (const mode of accessModes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(`${path}.accessModes`, mode, ACCESS_MODES));
  }
  if (
    accessModes.includes('ReadWriteOncePod') &&
    accessModes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode))
  ) {
    errors.push(forbiddenField(`${path}.accessModes`, 'may not use ReadWriteOncePod with other access modes'));
  }
  const storage = resources?.requests?.storage;
  if (storage === undefined) errors.push(required(`${path}.resources[storage]`));
  else if (compareQuantities(storage, '0') <= 0) {
    errors.push(invalidField(`${path}.resources[storage]`, storage, 'must be greater than zero'));
  }
  if (storageClassName) {
    for (const message of isDNS1123Subdomain(storageClassName)) {
      errors.push(invalidField(`${path}.storageClassName`, storageClassName, message));
    }
  }
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, VOLUME_MODES));
  }
  if (dataSource) validateDataSource(dataSource, `${path}.dataSource`, errors);
  if (dataSourceRef) validateDataSource(dataSourceRef, `${path}.dataSourceRef`, errors);
  const disagreement = (why: string) => errors.push(invalidField(path, new GoValue(`${path}.dataSource`), why));
  if (dataSource && dataSourceRef?.namespace) {
    disagreement('may not be specified when dataSourceRef.namespace is specified');
  } else if (
    dataSource &&
    dataSourceRef &&
    (dataSource.apiGroup !== dataSourceRef.apiGroup ||
      dataSource.kind !== dataSourceRef.kind ||
      dataSource.name !== dataSourceRef.name)
  ) {
    disagreement('must match dataSourceRef');
  }
}

function validateDataSource(source: TypedObjectReference, path: string, errors: FieldError[]): void {
  const { name, kind, apiGroup, namespace } = source;
  if (!name) errors.push(required(`${path}.name`));
  if (!kind) errors.push(required(`${path}.kind`));
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    errors.push(invalidField(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (apiGroup) {
    for (const message of isDNS1123Subdomain(apiGroup))
      errors.push(invalidField(`${path}.apiGroup`, apiGroup, message));
  }
  if (namespace) {
    for (const message of isDNS1123Label(namespace)) errors.push(invalidField(`${path}.namespace`, namespace, message));
  }
}
