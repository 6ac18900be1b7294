import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities, quantityMilliValue, quantityValue } from '#apimachinery/quantity.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { forbiddenField, goQuote, invalidField, notSupported, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, fillZero, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
} from '../../generated/types.ts';
import { validatePersistentVolumeClaimSpec } from './persistent-volume-claim-validation.ts';
import { canonicalResources } from './resource-list.ts';
import { specDiff } from './spec-diff.ts';

/** An annotation that may have the name of the class instead. */
export const BETA_STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** Access modes as tables show them: `RWO,ROX`. */
export function accessModesText(modes: readonly string[] | undefined): string {
  const short = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
  return Object.entries(short)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, text]) => text)
    .join(',');
}

/** The name of the StorageClass: an old annotation has it, or the specification. */
export const storageClassOf = ({
  metadata,
  spec,
}: {
  readonly metadata: PersistentVolumeClaim['metadata'];
  readonly spec?: { readonly storageClassName?: string };
}): string => metadata.annotations?.[BETA_STORAGE_CLASS] ?? spec?.storageClassName ?? '';

/** Follows SetDefaults_PersistentVolumeClaim, v1.33; also for the templates of StatefulSets. */
export function defaultClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  let spec: PersistentVolumeClaimSpec = fill(claim.spec ?? {}, { volumeMode: 'Filesystem' });
  if (spec.resources) {
    const { limits, requests } = spec.resources;
    const resources = replace(spec.resources, 'limits', canonicalResources(limits));
    spec = replace(spec, 'resources', replace(resources, 'requests', canonicalResources(requests)));
  }
  const status: PersistentVolumeClaimStatus = fillZero(claim.status ?? {}, { phase: 'Pending' });
  return replace(replace(claim, 'spec', spec), 'status', status);
}

/** Both ways to name a source say the same; sources of other kinds in the older one are dropped, as ever. */
function withDataSources(
  given: PersistentVolumeClaimSpec,
  previous?: PersistentVolumeClaimSpec,
): PersistentVolumeClaimSpec {
  let spec = given;
  // VolumeAttributesClass and CrossNamespaceVolumeDataSource are off.
  if (spec.volumeAttributesClassName !== undefined && previous?.volumeAttributesClassName === undefined) {
    const { volumeAttributesClassName: _, ...rest } = spec;
    spec = rest;
  }
  if (spec.dataSourceRef?.namespace && !previous?.dataSourceRef) {
    const { dataSourceRef: _, ...rest } = spec;
    spec = rest;
  }
  const { dataSource, dataSourceRef } = spec;
  if (!previous?.dataSource && !previous?.dataSourceRef && !dataSourceRef && dataSource) {
    const { kind, apiGroup = '' } = dataSource;
    const isKnown =
      (kind === 'PersistentVolumeClaim' && apiGroup === '') ||
      (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io');
    if (!isKnown) {
      const { dataSource: _, ...rest } = spec;
      return rest;
    }
  }
  if (dataSource && !dataSourceRef) return { ...spec, dataSourceRef: dataSource };
  if (dataSourceRef && !dataSource && !dataSourceRef.namespace) return { ...spec, dataSource: dataSourceRef };
  return spec;
}

function validate({ metadata, spec = {} }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validatePersistentVolumeClaimSpec(spec, 'spec', errors);
  return errors;
}

/** What the claim would be if it had only changed what may change. Follows ValidatePersistentVolumeClaimUpdate, v1.33. */
function validateUpdate(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): FieldError[] {
  const errors = validate(next);
  errors.push(...validate(next));
  const { spec: before = {} } = previous;
  const { spec = {} } = next;
  const classes = [
    next.metadata.annotations?.[BETA_STORAGE_CLASS] ?? '',
    previous.metadata.annotations?.[BETA_STORAGE_CLASS] ?? '',
  ] as const;
  const expected = before.volumeName ? before : { ...before, volumeName: spec.volumeName };
  let changed: PersistentVolumeClaimSpec = spec;
  // A class may move from the annotation to the field, and be chosen by an administrator later on.
  const moves = classes[1] !== '' && before.storageClassName === undefined && spec.storageClassName === classes[1];
  if (moves) changed = { ...changed, storageClassName: before.storageClassName };
  else {
    if (classes[0] !== classes[1]) {
      const path = `metadata.annotations[${BETA_STORAGE_CLASS}]`;
      errors.push(invalidField(path, classes[0], 'field is immutable'));
    }
    const isChosen = classes[0] === '' && before.storageClassName === undefined && spec.storageClassName;
    if (isChosen) changed = { ...changed, storageClassName: before.storageClassName };
  }
  const oldSize = before.resources?.requests?.storage;
  const size = spec.resources?.requests?.storage;
  if (next.status?.phase === 'Bound' && changed.resources?.requests) {
    const requests = { ...changed.resources.requests, ...(oldSize === undefined ? {} : { storage: oldSize }) };
    changed = { ...changed, resources: { ...changed.resources, requests } };
    if (changed.volumeAttributesClassName !== undefined) {
      changed = { ...changed, volumeAttributesClassName: before.volumeAttributesClassName };
    }
  }
  if (!semanticEqual(changed, expected)) {
    const diff = specDiff('core.PersistentVolumeClaimSpec', expected, changed);
    const message =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbiddenField('spec', `${message}\n${diff}`));
  }
  const shrinks = compareQuantities(size ?? '0', oldSize ?? '0') < 0;
  if (shrinks && compareQuantities(size ?? '0', previous.status?.capacity?.storage ?? '0') <= 0) {
    errors.push(forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  if (spec.volumeMode !== before.volumeMode) {
    errors.push(invalidField('volumeMode', spec.volumeMode, 'field is immutable'));
  }
  if (spec.volumeAttributesClassName !== before.volumeAttributesClassName) {
    const message = 'update is forbidden when the VolumeAttributesClass feature gate is disabled';
    errors.push(forbiddenField('spec.volumeAttributesClassName', message));
  }
  return errors;
}

const RESIZE_STATUSES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort();

function validateStatusUpdate({ metadata, spec = {}, status = {} }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  if (!spec.accessModes?.length) errors.push(required('Spec.accessModes'));
  const negative = (amounts: Readonly<Record<string, string>> | undefined, path: string) => {
    for (const [name, amount] of Object.entries(amounts ?? {})) {
      const value = quantityValue(amount);
      if (value < 0) errors.push(invalidField(`${path}[${name}]`, value, 'must be a valid resource quantity'));
    }
  };
  negative(status.capacity, 'status.capacity');
  for (const [name, value] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    if (!RESIZE_STATUSES.includes(value)) {
      errors.push(notSupported('status.allocatedResourceStatus', name, RESIZE_STATUSES));
    }
  }
  negative(status.allocatedResources, 'status.allocatedResources');
  return errors;
}

/** Warnings for what a claim asks for. */
export function claimSpecWarnings({ resources }: PersistentVolumeClaimSpec, path: string): string[] {
  return (['requests', 'limits'] as const).flatMap((list) => {
    const amount = resources?.[list]?.storage;
    if (amount === undefined || quantityMilliValue(amount) % 1000 === 0) return [];
    return [
      `${path}.resources.${list}[storage]: fractional byte value ${goQuote(amount)} is invalid, must be an integer`,
    ];
  });
}

/** PersistentVolumeClaims. Follows pkg/registry/core/persistentvolumeclaim/strategy.go, v1.33. */
export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  defaults: defaultClaim,
  validate,
  validateUpdate,
  notModelled: () => ['spec: no controller binds or provisions volumes here; the claim stays Pending'],
  strategy: {
    prepareForCreate: (claim) => ({
      ...claim,
      spec: withDataSources(claim.spec ?? {}),
      status: { phase: 'Pending' },
    }),
    prepareForUpdate: (next, previous) => ({
      ...next,
      spec: withDataSources(next.spec ?? {}, previous.spec),
      status: previous.status,
    }),
    warnings({ metadata, spec = {} }) {
      const warnings = claimSpecWarnings(spec, 'spec');
      if (metadata.annotations?.[BETA_STORAGE_CLASS] === undefined) return warnings;
      const text = 'deprecated since v1.8; use "storageClassName" attribute instead';
      return [`metadata.annotations[${BETA_STORAGE_CLASS}]: ${text}`, ...warnings];
    },
    returnsDeletedObject: true,
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: validateStatusUpdate,
    },
  },
  selectableFields: { name: ({ metadata }) => metadata.name ?? '' },
  ownColumns: true,
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      cell: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    },
    { name: 'Volume', type: 'string', cell: ({ spec }) => spec?.volumeName ?? '' },
    {
      name: 'Capacity',
      type: 'string',
      cell: ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.storage ?? '0') : ''),
    },
    {
      name: 'Access Modes',
      type: 'string',
      cell: ({ spec, status }) => (spec?.volumeName ? accessModesText(status?.accessModes) : ''),
    },
    { name: 'StorageClass', type: 'string', cell: storageClassOf },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      cell: ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>',
    },
    ageColumn,
    { name: 'VolumeMode', type: 'string', priority: 1, cell: ({ spec }) => spec?.volumeMode ?? '<unset>' },
  ],
});
