import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities, quantityValue } from '#apimachinery/quantity.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  forbiddenField,
  GoValue,
  goQuote,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { formatTime } from '#base/clock.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, fillZero, replace } from '../../fill.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type {
  CSIPersistentVolumeSource,
  PersistentVolume,
  PersistentVolumeSpec,
  SecretReference,
  Volume,
} from '../../generated/types.ts';
import { accessModesText, storageClassOf } from './persistent-volume-claim.ts';
import { validateNodeSelectorTerm } from './pod-validation-scheduling.ts';
import { validateCSIDriverName, validatePathNoBacksteps, validateSourceOf } from './pod-validation-volumes.ts';
import { canonicalResources } from './resource-list.ts';
import { specDiff } from './spec-diff.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];
const VOLUME_MODES = ['Block', 'Filesystem'];

type Validate = (spec: PersistentVolumeSpec, path: string, errors: FieldError[]) => void;

function validateSecret(secret: SecretReference | undefined, path: string, errors: FieldError[]): void {
  if (!secret) return;
  const { name, namespace } = secret;
  if (!name) errors.push(required(`${path}.name`));
  else for (const message of isDNS1123Subdomain(name)) errors.push(invalidField(`${path}.name`, name, message));
  if (!namespace) errors.push(required(`${path}.namespace`));
  else
    for (const message of isDNS1123Label(namespace)) errors.push(invalidField(`${path}.namespace`, namespace, message));
}

const SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function validateCSI(csi: CSIPersistentVolumeSource, path: string, errors: FieldError[]): void {
  validateCSIDriverName(csi.driver, `${path}.driver`, errors);
  if (!csi.volumeHandle) errors.push(required(`${path}.volumeHandle`));
  for (const field of SECRETS) validateSecret(csi[field], `${path}.${field}`, errors);
}

/** Like the source of the same name in a Pod's volume. */
const asInPods =
  (field: keyof Volume & keyof PersistentVolumeSpec): Validate =>
  (spec, path, errors) =>
    validateSourceOf(field, spec as unknown as Volume, path, errors);

/** Sources in upstream's order: the field, its name where a second source is forbidden, rules. */
const SOURCES: readonly (readonly [field: keyof PersistentVolumeSpec, name: string, validate: Validate])[] = [
  ['hostPath', 'hostPath', asInPods('hostPath')],
  ['gcePersistentDisk', 'gcePersistentDisk', asInPods('gcePersistentDisk')],
  ['awsElasticBlockStore', 'awsElasticBlockStore', asInPods('awsElasticBlockStore')],
  ['glusterfs', 'glusterfs', asInPods('glusterfs')],
  ['flocker', 'flocker', asInPods('flocker')],
  ['nfs', 'nfs', asInPods('nfs')],
  ['rbd', 'rbd', asInPods('rbd')],
  ['quobyte', 'quobyte', asInPods('quobyte')],
  ['cephfs', 'cephFS', asInPods('cephfs')],
  ['iscsi', 'iscsi', asInPods('iscsi')],
  ['cinder', 'cinder', asInPods('cinder')],
  ['fc', 'fc', asInPods('fc')],
  ['flexVolume', 'flexVolume', asInPods('flexVolume')],
  [
    'azureFile',
    'azureFile',
    ({ azureFile }, path, errors) => {
      if (!azureFile?.secretName) errors.push(required(`${path}.azureFile.secretName`));
      if (!azureFile?.shareName) errors.push(required(`${path}.azureFile.shareName`));
      if (azureFile?.secretNamespace === '') errors.push(required(`${path}.azureFile.secretNamespace`));
    },
  ],
  ['vsphereVolume', 'vsphereVolume', asInPods('vsphereVolume')],
  ['photonPersistentDisk', 'photonPersistentDisk', asInPods('photonPersistentDisk')],
  ['portworxVolume', 'portworxVolume', asInPods('portworxVolume')],
  ['azureDisk', 'azureDisk', asInPods('azureDisk')],
  ['scaleIO', 'scaleIO', asInPods('scaleIO')],
  [
    'local',
    'local',
    ({ local, nodeAffinity }, path, errors) => {
      if (!local?.path) errors.push(required(`${path}.local.path`));
      else validatePathNoBacksteps(local.path, `${path}.local.path`, errors);
      if (!nodeAffinity) errors.push(required(`${path}.nodeAffinity`, 'Local volume requires node affinity'));
    },
  ],
  ['storageos', 'storageos', asInPods('storageos')],
  [
    'csi',
    'csi',
    ({ csi }, path, errors) => {
      if (csi) validateCSI(csi, `${path}.csi`, errors);
    },
  ],
];

function goCapacity(capacity: PersistentVolumeSpec['capacity']): GoValue {
  const names = Object.keys(capacity ?? {});
  if (!capacity) return new GoValue('core.ResourceList(nil)');
  return new GoValue(`core.ResourceList{${names.map((name) => `${goQuote(name)}:resource.Quantity{}`).join(', ')}}`);
}

function validateAccessModes(accessModes: readonly string[], path: string, errors: FieldError[]): void {
  if (!accessModes.length) errors.push(required(`${path}.accessModes`));
  for (const mode of accessModes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(`${path}.accessModes`, mode, ACCESS_MODES));
  }
  const others = accessModes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode));
  if (accessModes.includes('ReadWriteOncePod') && others) {
    errors.push(forbiddenField(`${path}.accessModes`, 'may not use ReadWriteOncePod with other access modes'));
  }
}

function validateSources(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const sources = SOURCES.filter(([field]) => spec[field] !== undefined && spec[field] !== null);
  sources.forEach(([field, name, validateSource], i) => {
    if (i > 0 && field !== 'flexVolume') {
      errors.push(forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type'));
    } else validateSource(spec, path, errors);
  });
  if (!sources.length) errors.push(required(path, 'must specify a volume type'));
}

/** Follows ValidatePersistentVolumeSpec of pkg/apis/core/validation, v1.33. */
function validateSpec(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const { accessModes = [], capacity, persistentVolumeReclaimPolicy: policy, nodeAffinity } = spec;
  const { storageClassName, volumeMode, hostPath } = spec;
  validateAccessModes(accessModes, path, errors);
  const amounts = Object.entries(capacity ?? {});
  if (!amounts.length) errors.push(required(`${path}.capacity`));
  if (capacity?.storage === undefined || amounts.length > 1) {
    errors.push(notSupported(`${path}.capacity`, goCapacity(capacity), ['storage']));
  }
  for (const [name, amount] of amounts) {
    const at = `${path}.capacity[${name}]`;
    const value = quantityValue(amount);
    if (value < 0) errors.push(invalidField(at, value, 'must be a valid resource quantity'));
    if (compareQuantities(amount, '0') <= 0) errors.push(invalidField(at, amount, 'must be greater than zero'));
  }
  if (policy && !RECLAIM_POLICIES.includes(policy)) {
    errors.push(notSupported(`${path}.persistentVolumeReclaimPolicy`, policy, RECLAIM_POLICIES));
  }
  if (nodeAffinity && !nodeAffinity.required) {
    errors.push(required(`${path}.nodeAffinity.required`, 'must specify required node constraints'));
  } else if (nodeAffinity?.required) {
    const at = `${path}.nodeAffinity.required.nodeSelectorTerms`;
    const { nodeSelectorTerms } = nodeAffinity.required;
    if (!nodeSelectorTerms?.length) errors.push(required(at, 'must have at least one node selector term'));
    nodeSelectorTerms?.forEach((term, i) => validateNodeSelectorTerm(term, `${at}[${i}]`, errors, false));
  }
  validateSources(spec, path, errors);
  if (hostPath && /^\/[./]*$/.test(hostPath.path) && policy === 'Recycle') {
    const message = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbiddenField(`${path}.persistentVolumeReclaimPolicy`, message));
  }
  if (storageClassName) {
    for (const message of isDNS1123Subdomain(storageClassName)) {
      errors.push(invalidField(`${path}.storageClassName`, storageClassName, message));
    }
  }
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, VOLUME_MODES));
  }
}

const INLINE_FORBIDS = ['claimRef', 'capacity'] as const;

/** A volume's specification that a VolumeAttachment holds itself: only for what a CSI driver serves. */
export function validateInlineVolumeSpec(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const outside = 'may not be specified in the context of inline volumes';
  const { csi, accessModes = [], persistentVolumeReclaimPolicy: policy, nodeAffinity, storageClassName } = spec;
  for (const field of INLINE_FORBIDS) {
    if (Object.keys(spec[field] ?? {}).length) errors.push(forbiddenField(`${path}.${field}`, outside));
  }
  if (!csi) errors.push(required(`${path}.csi`, 'has to be specified in the context of inline volumes'));
  validateAccessModes(accessModes, path, errors);
  if (policy && policy !== 'Retain') {
    const message = 'may only be Retain in the context of inline volumes';
    errors.push(forbiddenField(`${path}.persistentVolumeReclaimPolicy`, message));
  }
  if (nodeAffinity) errors.push(forbiddenField(`${path}.nodeAffinity`, outside));
  validateSources(spec, path, errors);
  if (storageClassName) errors.push(forbiddenField(`${path}.storageClassName`, outside));
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem') {
    const message = 'may not specify volumeMode other than Filesystem in the context of inline volumes';
    errors.push(forbiddenField(`${path}.volumeMode`, message));
  }
}

function validate({ metadata, spec = {} }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  validateStandardFinalizers(metadata, errors);
  validateSpec(spec, 'spec', errors);
  return errors;
}

const sourceOf = (spec: PersistentVolumeSpec): object =>
  Object.fromEntries(SOURCES.flatMap(([field]) => (spec[field] === undefined ? [] : [[field, spec[field]]])));

function validateUpdate(next: PersistentVolume, previous: PersistentVolume): FieldError[] {
  const errors = validate(next);
  const { spec = {} } = next;
  const { spec: before = {} } = previous;
  let given = spec;
  // The secret for growing may come later.
  if (before.csi && !before.csi.controllerExpandSecretRef && spec.csi?.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...csi } = spec.csi;
    given = { ...spec, csi };
  }
  if (!semanticEqual(sourceOf(given), sourceOf(before))) {
    const diff = specDiff('core.PersistentVolumeSource', sourceOf(before), sourceOf(given));
    const message = `spec.persistentvolumesource is immutable after creation\n${diff}`;
    errors.push(forbiddenField('spec.persistentvolumesource', message));
  }
  if (spec.volumeMode !== before.volumeMode) {
    errors.push(invalidField('volumeMode', spec.volumeMode, 'field is immutable'));
  }
  if (before.nodeAffinity && !semanticEqual(spec.nodeAffinity, before.nodeAffinity)) {
    const go = spec.nodeAffinity
      ? new GoValue(
          `core.VolumeNodeAffinity{Required:(*core.NodeSelector)(${spec.nodeAffinity.required ? '0xc000000000' : 'nil'})}`,
        )
      : undefined;
    errors.push(invalidField('nodeAffinity', go, 'field is immutable, except for updating from beta label to GA'));
  }
  if (spec.volumeAttributesClassName !== before.volumeAttributesClassName) {
    const message = 'update is forbidden when the VolumeAttributesClass feature gate is disabled';
    errors.push(forbiddenField('spec.volumeAttributesClassName', message));
  }
  return errors;
}

/** Follows SetDefaults_PersistentVolume, v1.33. */
function defaults(volume: PersistentVolume): PersistentVolume {
  let spec: PersistentVolumeSpec = fillZero(volume.spec ?? {}, { persistentVolumeReclaimPolicy: 'Retain' });
  spec = fill(spec, { volumeMode: 'Filesystem' });
  spec = replace(spec, 'capacity', canonicalResources(spec.capacity));
  if (spec.hostPath) spec = replace(spec, 'hostPath', fill(spec.hostPath, { type: '' }));
  if (spec.iscsi) spec = replace(spec, 'iscsi', fillZero(spec.iscsi, { iscsiInterface: 'default' }));
  if (spec.rbd) {
    spec = replace(spec, 'rbd', fillZero(spec.rbd, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }));
  }
  if (spec.scaleIO) {
    spec = replace(spec, 'scaleIO', fillZero(spec.scaleIO, { storageMode: 'ThinProvisioned', fsType: 'xfs' }));
  }
  if (spec.azureDisk) {
    const azure = { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false };
    spec = replace(spec, 'azureDisk', fill(spec.azureDisk, azure));
  }
  return replace(replace(volume, 'spec', spec), 'status', fillZero(volume.status ?? {}, { phase: 'Pending' }));
}

/** VolumeAttributesClass is off: what was not there before is not taken. */
function withoutDisabled(spec: PersistentVolumeSpec = {}, previous?: PersistentVolumeSpec): PersistentVolumeSpec {
  if (spec.volumeAttributesClassName === undefined || previous?.volumeAttributesClassName !== undefined) return spec;
  const { volumeAttributesClassName: _, ...rest } = spec;
  return rest;
}

const DEPRECATED_ANNOTATIONS = [
  ['volume.beta.kubernetes.io/storage-class', 'deprecated since v1.8; use "storageClassName" attribute instead'],
  ['volume.beta.kubernetes.io/mount-options', 'deprecated since v1.31; use "mountOptions" attribute instead'],
] as const;
const DEPRECATED_SOURCES = [
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const;

function warnings({ metadata, spec = {} }: PersistentVolume): string[] {
  const texts: string[] = [];
  for (const [key, text] of DEPRECATED_ANNOTATIONS) {
    if (metadata.annotations?.[key] !== undefined) texts.push(`metadata.annotations[${key}]: ${text}`);
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    texts.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  }
  for (const [field, text] of DEPRECATED_SOURCES) {
    if (spec[field]) texts.push(`spec.${field === 'storageos' ? 'storageOS' : field}: ${text}`);
  }
  return texts;
}

/** PersistentVolumes. Follows pkg/registry/core/persistentvolume/strategy.go, v1.33. */
export const persistentVolumes = defineResource<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  scope: 'Cluster',
  schema: 'io.k8s.api.core.v1.PersistentVolume',
  defaults,
  validate,
  validateUpdate,
  notModelled: () => ['spec: no controller binds volumes to claims here'],
  strategy: {
    prepareForCreate: (volume, { now }) => ({
      ...volume,
      spec: withoutDisabled(volume.spec),
      status: { phase: 'Pending', lastPhaseTransitionTime: formatTime(now) },
    }),
    prepareForUpdate: (next, previous) => ({
      ...next,
      spec: withoutDisabled(next.spec, previous.spec),
      status: previous.status,
    }),
    warnings,
    returnsDeletedObject: true,
  },
  subresources: {
    status: {
      prepareForUpdate(next, previous, { now }) {
        const { phase, lastPhaseTransitionTime: given } = next.status ?? {};
        const { phase: before, lastPhaseTransitionTime: time } = previous.status ?? {};
        const kept = phase === before ? (given ?? time) : given && given !== time ? given : formatTime(now);
        return { ...next, spec: previous.spec, status: { ...next.status, lastPhaseTransitionTime: kept } };
      },
      validateUpdate({ metadata }) {
        const errors: FieldError[] = [];
        validateStandardFinalizers(metadata, errors);
        return errors;
      },
    },
  },
  selectableFields: { name: ({ metadata }) => metadata.name ?? '' },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Capacity', type: 'string', cell: ({ spec }) => spec?.capacity?.storage ?? '0' },
    { name: 'Access Modes', type: 'string', cell: ({ spec }) => accessModesText(spec?.accessModes) },
    { name: 'Reclaim Policy', type: 'string', cell: ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '' },
    {
      name: 'Status',
      type: 'string',
      cell: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    },
    {
      name: 'Claim',
      type: 'string',
      cell: ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : ''),
    },
    { name: 'StorageClass', type: 'string', cell: storageClassOf },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      cell: ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>',
    },
    { name: 'Reason', type: 'string', cell: ({ status }) => status?.reason ?? '' },
    ageColumn,
    { name: 'VolumeMode', type: 'string', priority: 1, cell: ({ spec }) => spec?.volumeMode ?? '<unset>' },
  ],
});
