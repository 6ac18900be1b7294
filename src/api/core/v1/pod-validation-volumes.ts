import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import {
  duplicate,
  forbiddenField,
  goQuote,
  goStrings,
  inclusiveRangeError,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  notSupported,
  required,
  tooLong,
} from '#apimachinery/validation.ts';
import type {
  AzureDiskVolumeSource,
  DownwardAPIVolumeFile,
  ISCSIVolumeSource,
  KeyToPath,
  ObjectMeta,
  ProjectedVolumeSource,
  QuobyteVolumeSource,
  Volume,
} from '../../generated/types.ts';
import { validatePersistentVolumeClaimTemplate } from './persistent-volume-claim-validation.ts';
import { FIELD_PATHS_OF_VOLUMES, validateFieldRef, validateResourceFieldRef } from './pod-validation-environment.ts';

// Volumes of Pods. Follows pkg/apis/core/validation, v1.33, without the sources of features that are off by default
// (trust bundles, images): the strategy has dropped them before.

type Volumes = ReadonlyMap<string, Volume>;

/** All volumes of a Pod; returns those that are valid by name, for the mounts. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  metadata: ObjectMeta | undefined,
  path: string,
  errors: FieldError[],
): Volumes {
  const valid = new Map<string, Volume>();
  if (!volumes) return valid;
  const podName = metadata?.name;
  const createdClaims = new Set(
    podName ? volumes.filter(({ ephemeral }) => ephemeral).map(({ name }) => `${podName}-${name}`) : [],
  );
  volumes.forEach((volume, i) => {
    const at = `${path}[${i}]`;
    const own: FieldError[] = [];
    validateVolumeSource(volume, at, podName, own);
    if (!volume.name) own.push(required(`${at}.name`));
    else for (const message of isDNS1123Label(volume.name)) own.push(invalidField(`${at}.name`, volume.name, message));
    if (valid.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name));
    if (own.length === 0) valid.set(volume.name, volume);
    errors.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && createdClaims.has(claim)) {
      errors.push(
        invalidField(
          `${at}.persistentVolumeClaim.claimName`,
          claim,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      );
    }
  });
  return valid;
}

type SourceValidator = (volume: Volume, path: string, errors: FieldError[]) => void;

const check =
  <K extends keyof Volume>(
    key: K,
    validate: (source: NonNullable<Volume[K]>, path: string, errors: FieldError[]) => void,
  ): SourceValidator =>
  (volume, path, errors) =>
    validate(volume[key] as NonNullable<Volume[K]>, path, errors);

/** A source whose only rule is that some fields are there. */
const needs =
  <K extends keyof Volume>(key: K, ...fields: readonly (keyof NonNullable<Volume[K]> & string)[]): SourceValidator =>
  (volume, path, errors) => {
    const source = volume[key] as Readonly<Record<string, unknown>>;
    for (const field of fields) if (!source[field]) errors.push(required(`${path}.${field}`));
  };

/** Source, the path under which it is validated, the path that a second source is forbidden at, rules. In upstream's order. */
const SOURCES: readonly (readonly [keyof Volume, string, string, SourceValidator])[] = [
  ['hostPath', 'hostPath', 'hostPath', check('hostPath', validateHostPath)],
  [
    'gitRepo',
    'gitRepo',
    'gitRepo',
    check('gitRepo', ({ repository, directory = '' }, path, errors) => {
      if (!repository) errors.push(required(`${path}.repository`));
      validateLocalDescendingPath(directory, `${path}.directory`, errors);
    }),
  ],
  [
    'gcePersistentDisk',
    'persistentDisk',
    'gcePersistentDisk',
    check('gcePersistentDisk', ({ pdName, partition = 0 }, path, errors) => {
      if (!pdName) errors.push(required(`${path}.pdName`));
      validatePartition(partition, path, errors);
    }),
  ],
  [
    'awsElasticBlockStore',
    'awsElasticBlockStore',
    'awsElasticBlockStore',
    check('awsElasticBlockStore', ({ volumeID, partition = 0 }, path, errors) => {
      if (!volumeID) errors.push(required(`${path}.volumeID`));
      validatePartition(partition, path, errors);
    }),
  ],
  [
    'secret',
    'secret',
    'secret',
    check('secret', ({ secretName, defaultMode, items }, path, errors) => {
      if (!secretName) errors.push(required(`${path}.secretName`));
      validateMode(defaultMode, `${path}.defaultMode`, errors);
      items?.forEach((item, i) => validateKeyToPath(item, `${path}.items[${i}]`, errors));
    }),
  ],
  [
    'nfs',
    'nfs',
    'nfs',
    check('nfs', ({ server, path: directory }, path, errors) => {
      if (!server) errors.push(required(`${path}.server`));
      if (!directory) errors.push(required(`${path}.path`));
      if (!directory.startsWith('/')) errors.push(invalidField(`${path}.path`, directory, 'must be an absolute path'));
    }),
  ],
  ['iscsi', 'iscsi', 'iscsi', check('iscsi', validateISCSI)],
  ['glusterfs', 'glusterfs', 'glusterfs', needs('glusterfs', 'endpoints', 'path')],
  [
    'flocker',
    'flocker',
    'flocker',
    check('flocker', ({ datasetName = '', datasetUUID = '' }, path, errors) => {
      if (!datasetName && !datasetUUID) {
        errors.push(required(path, 'one of datasetName and datasetUUID is required'));
      }
      if (datasetName && datasetUUID) {
        errors.push(invalidField(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
      }
      if (datasetName.includes('/')) {
        errors.push(invalidField(`${path}.datasetName`, datasetName, "must not contain '/'"));
      }
    }),
  ],
  [
    'persistentVolumeClaim',
    'persistentVolumeClaim',
    'persistentVolumeClaim',
    needs('persistentVolumeClaim', 'claimName'),
  ],
  [
    'rbd',
    'rbd',
    'rbd',
    check('rbd', ({ monitors, image }, path, errors) => {
      if (!monitors?.length) errors.push(required(`${path}.monitors`));
      if (!image) errors.push(required(`${path}.image`));
    }),
  ],
  [
    'cinder',
    'cinder',
    'cinder',
    check('cinder', ({ volumeID, secretRef }, path, errors) => {
      if (!volumeID) errors.push(required(`${path}.volumeID`));
      if (secretRef && !secretRef.name) errors.push(required(`${path}.secretRef.name`));
    }),
  ],
  [
    'cephfs',
    'cephfs',
    'cephFS',
    check('cephfs', ({ monitors }, path, errors) => {
      if (!monitors?.length) errors.push(required(`${path}.monitors`));
    }),
  ],
  ['quobyte', 'quobyte', 'quobyte', check('quobyte', validateQuobyte)],
  // The missing letter is upstream's.
  [
    'downwardAPI',
    'downwardAPI',
    'downwarAPI',
    check('downwardAPI', ({ defaultMode, items }, path, errors) => {
      validateMode(defaultMode, `${path}.defaultMode`, errors);
      for (const file of items ?? []) validateDownwardFile(file, path, errors);
    }),
  ],
  [
    'fc',
    'fc',
    'fc',
    check('fc', ({ targetWWNs = [], wwids = [], lun }, path, errors) => {
      if (!targetWWNs.length && !wwids.length) {
        errors.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
      }
      if (!targetWWNs.length) return;
      if (wwids.length) {
        const message = 'targetWWNs and wwids can not be specified simultaneously';
        errors.push(invalidField(`${path}.targetWWNs`, goStrings(targetWWNs), message));
      }
      if (lun === undefined) errors.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
      else if (lun < 0 || lun > 255) errors.push(invalidField(`${path}.lun`, lun, inclusiveRangeError(0, 255)));
    }),
  ],
  [
    'flexVolume',
    'flexVolume',
    'flexVolume',
    check('flexVolume', ({ driver, options = {} }, path, errors) => {
      if (!driver) errors.push(required(`${path}.driver`));
      for (const key of Object.keys(options).sort()) {
        if (/\.(?:kubernetes|k8s)\.io$/.test(`.${key.split('/', 1)[0]?.toLowerCase()}`)) {
          errors.push(invalidField(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
        }
      }
    }),
  ],
  [
    'configMap',
    'configMap',
    'configMap',
    check('configMap', ({ name, defaultMode, items }, path, errors) => {
      if (!name) errors.push(required(`${path}.name`));
      validateMode(defaultMode, `${path}.defaultMode`, errors);
      items?.forEach((item, i) => validateKeyToPath(item, `${path}.items[${i}]`, errors));
    }),
  ],
  ['azureFile', 'azureFile', 'azureFile', needs('azureFile', 'secretName', 'shareName')],
  ['vsphereVolume', 'vsphereVolume', 'vsphereVolume', needs('vsphereVolume', 'volumePath')],
  ['photonPersistentDisk', 'photonPersistentDisk', 'photonPersistentDisk', needs('photonPersistentDisk', 'pdID')],
  ['portworxVolume', 'portworxVolume', 'portworxVolume', needs('portworxVolume', 'volumeID')],
  ['azureDisk', 'azureDisk', 'azureDisk', check('azureDisk', validateAzureDisk)],
  [
    'storageos',
    'storageos',
    'storageos',
    check('storageos', ({ volumeName = '', volumeNamespace = '', secretRef }, path, errors) => {
      const label = (value: string, field: string) => {
        for (const message of isDNS1123Label(value)) errors.push(invalidField(`${path}.${field}`, value, message));
      };
      if (!volumeName) errors.push(required(`${path}.volumeName`));
      else label(volumeName, 'volumeName');
      if (volumeNamespace) label(volumeNamespace, 'volumeNamespace');
      if (secretRef && !secretRef.name) errors.push(required(`${path}.secretRef.name`));
    }),
  ],
  ['projected', 'projected', 'projected', check('projected', validateProjected)],
  ['scaleIO', 'scaleIO', 'scaleIO', needs('scaleIO', 'gateway', 'system', 'volumeName')],
  [
    'csi',
    'csi',
    'csi',
    check('csi', ({ driver, nodePublishSecretRef: secret }, path, errors) => {
      validateCSIDriverName(driver, `${path}.driver`, errors);
      if (secret && !secret.name) errors.push(required(`${path}.nodePublishSecretRef.name`));
      else if (secret?.name) {
        for (const message of isDNS1123Subdomain(secret.name)) {
          errors.push(invalidField(`${path}.name`, secret.name, message));
        }
      }
    }),
  ],
  [
    'ephemeral',
    'ephemeral',
    'ephemeral',
    check('ephemeral', ({ volumeClaimTemplate }, path, errors) => {
      if (!volumeClaimTemplate) errors.push(required(`${path}.volumeClaimTemplate`));
      else validatePersistentVolumeClaimTemplate(volumeClaimTemplate, `${path}.volumeClaimTemplate`, errors);
    }),
  ],
];

function validateVolumeSource(volume: Volume, path: string, podName: string | undefined, errors: FieldError[]): void {
  let count = 0;
  const { emptyDir, iscsi, ephemeral, name } = volume;
  if (emptyDir) {
    count++;
    if (emptyDir.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, '0') < 0) {
      errors.push(forbiddenField(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
    }
  }
  const another = (field: string): boolean => {
    if (count === 0) return count++ > 0;
    errors.push(forbiddenField(`${path}.${field}`, 'may not specify more than 1 volume type'));
    return true;
  };
  for (const [key, field, forbiddenAt, validate] of SOURCES) {
    if (!volume[key]) continue;
    if (!another(forbiddenAt)) validate(volume, `${path}.${field}`, errors);
    if (key === 'iscsi' && iscsi?.initiatorName !== undefined && `${name}:${iscsi.targetPortal}`.length > 64) {
      const message =
        'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
      errors.push(invalidField(`${path}.name`, name, message));
    }
  }
  if (ephemeral && podName && name) {
    const claim = `${podName}-${name}`;
    for (const message of isDNS1123Subdomain(claim)) {
      errors.push(invalidField(`${path}.name`, name, `PVC name ${goQuote(claim)}: ${message}`));
    }
  }
  if (count === 0) errors.push(required(path, 'must specify a volume type'));
}

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** The rules of one kind of source, for those who have sources elsewhere than in a Pod's volume. */
export function validateSourceOf(field: keyof Volume, holder: Volume, path: string, errors: FieldError[]): void {
  const source = SOURCES.find(([key]) => key === field);
  if (source) source[3](holder, `${path}.${source[1]}`, errors);
}

function validateHostPath(
  source: { readonly path: string; readonly type?: string },
  path: string,
  errors: FieldError[],
): void {
  if (!source.path) {
    errors.push(required(`${path}.path`));
    return;
  }
  validatePathNoBacksteps(source.path, `${path}.path`, errors);
  if (source.type !== undefined && !HOST_PATH_TYPES.includes(source.type)) {
    errors.push(notSupported(`${path}.type`, source.type, HOST_PATH_TYPES));
  }
}

function validatePartition(partition: number, path: string, errors: FieldError[]): void {
  if (partition < 0 || partition > 255) {
    errors.push(invalidField(`${path}.partition`, partition, inclusiveRangeError(1, 255)));
  }
}

const INITIATORS: readonly (readonly [string, RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/],
  ['eui', /^eui.[a-zA-Z0-9]{16}$/],
  ['naa', /^naa.[a-zA-Z0-9]{32}$/],
];

function validateInitiator(value: string, path: string, errors: FieldError[]): void {
  const known = INITIATORS.find(([prefix]) => value.startsWith(prefix));
  if (!known) {
    errors.push(invalidField(path, value, 'must be valid format starting with iqn, eui, or naa'));
  } else if (!known[1].test(value)) {
    errors.push(invalidField(path, value, 'must be valid format'));
  }
}

function validateISCSI(source: ISCSIVolumeSource, path: string, errors: FieldError[]): void {
  const { targetPortal, iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = source;
  if (!targetPortal) errors.push(required(`${path}.targetPortal`));
  if (!iqn) errors.push(required(`${path}.iqn`));
  else validateInitiator(iqn, `${path}.iqn`, errors);
  if (lun < 0 || lun > 255) errors.push(invalidField(`${path}.lun`, lun, inclusiveRangeError(0, 255)));
  if ((chapAuthDiscovery || chapAuthSession) && !secretRef) errors.push(required(`${path}.secretRef`));
  if (initiatorName !== undefined) validateInitiator(initiatorName, `${path}.initiatorname`, errors);
}

function validateQuobyte(source: QuobyteVolumeSource, path: string, errors: FieldError[]): void {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (!source.registry) errors.push(required(`${path}.registry`, pairs));
  else if ((source.tenant ?? '').length >= 65) {
    errors.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    for (const pair of source.registry.split(',')) {
      if (!/^(?:\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair)) {
        errors.push(invalidField(`${path}.registry`, source.registry, pairs));
      }
    }
  }
  if (!source.volume) errors.push(required(`${path}.volume`));
}

function validateAzureDisk(source: AzureDiskVolumeSource, path: string, errors: FieldError[]): void {
  const { diskName, diskURI, cachingMode, kind } = source;
  const cachingModes = ['None', 'ReadOnly', 'ReadWrite'];
  const kinds = ['Dedicated', 'Managed', 'Shared'];
  if (!diskName) errors.push(required(`${path}.diskName`));
  if (!diskURI) errors.push(required(`${path}.diskURI`));
  if (cachingMode !== undefined && !cachingModes.includes(cachingMode)) {
    errors.push(notSupported(`${path}.cachingMode`, cachingMode, cachingModes));
  }
  if (kind === undefined) return;
  if (!kinds.includes(kind)) errors.push(notSupported(`${path}.kind`, kind, kinds));
  const [prefix, form] =
    kind === 'Managed'
      ? [
          '/subscriptions/',
          '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
        ]
      : ['https://', 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'];
  if (!diskURI.startsWith(prefix)) errors.push(notSupported(`${path}.diskURI`, diskURI, [form]));
}

/** The name of a CSI driver. */
export function validateCSIDriverName(name: string, path: string, errors: FieldError[]): void {
  if (!name) errors.push(required(path));
  if (name.length > 63) errors.push(tooLong(path, 63));
  for (const message of isDNS1123Subdomain(name.toLowerCase())) errors.push(invalidField(path, name, message));
}

/** Permission bits of a file. */
function validateMode(mode: number | undefined, path: string, errors: FieldError[]): void {
  if (mode !== undefined && (mode > 0o777 || mode < 0)) {
    errors.push(invalidField(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
}

function validateKeyToPath(item: KeyToPath, path: string, errors: FieldError[]): void {
  if (!item.key) errors.push(required(`${path}.key`));
  if (!item.path) errors.push(required(`${path}.path`));
  validateLocalNonReservedPath(item.path ?? '', `${path}.path`, errors);
  validateMode(item.mode, `${path}.mode`, errors);
}

function validateDownwardFile(file: DownwardAPIVolumeFile, path: string, errors: FieldError[]): void {
  if (!file.path) errors.push(required(`${path}.path`));
  validateLocalNonReservedPath(file.path ?? '', `${path}.path`, errors);
  if (file.fieldRef) {
    validateFieldRef(file.fieldRef, FIELD_PATHS_OF_VOLUMES, `${path}.fieldRef`, errors);
    if (file.resourceFieldRef) {
      errors.push(invalidField(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    }
  } else if (file.resourceFieldRef) {
    validateResourceFieldRef(file.resourceFieldRef, true, `${path}.resourceFieldRef`, errors);
  } else {
    errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  validateMode(file.mode, `${path}.mode`, errors);
}

function validateProjected(projected: ProjectedVolumeSource, path: string, errors: FieldError[]): void {
  validateMode(projected.defaultMode, `${path}.defaultMode`, errors);
  const paths = new Set<string>();
  const claim = (file: string, value: string) => {
    if (!file) return;
    if (paths.has(file)) errors.push(invalidField(path, value, 'conflicting duplicate paths'));
    paths.add(file);
  };
  projected.sources?.forEach((source, i) => {
    const at = `${path}.sources[${i}]`;
    for (const key of ['secret', 'configMap'] as const) {
      const { name = '', items = [] } = source[key] ?? {};
      if (source[key] && !name) errors.push(required(`${at}.${key}.name`));
      items.forEach((item, j) => {
        validateKeyToPath(item, `${at}.${key}.items[${j}]`, errors);
        claim(item.path, name);
      });
    }
    for (const file of source.downwardAPI?.items ?? []) {
      validateDownwardFile(file, `${at}.downwardAPI`, errors);
      claim(file.path, file.path);
    }
    const token = source.serviceAccountToken;
    if (token) {
      const seconds = token.expirationSeconds ?? 3600;
      const expiration = `${at}.serviceAccountToken.expirationSeconds`;
      if (seconds < 600)
        errors.push(invalidField(expiration, seconds, 'may not specify a duration less than 10 minutes'));
      if (seconds > 2 ** 32) {
        errors.push(invalidField(expiration, seconds, 'may not specify a duration larger than 2^32 seconds'));
      }
      if (!token.path) errors.push(required(`${path}.path`));
      else validateLocalNonReservedPath(token.path, `${path}.path`, errors);
    }
    if (Object.values(source).filter(Boolean).length > 1) {
      errors.push(forbiddenField(at, 'may not specify more than 1 volume type per source'));
    }
  });
}

/** A path that stays below where it begins. */
export function validateLocalDescendingPath(target: string, path: string, errors: FieldError[]): void {
  if (target.startsWith('/')) errors.push(invalidField(path, target, 'must be a relative path'));
  validatePathNoBacksteps(target, path, errors);
}

/** A path without `..`; returns whether it is one. */
export function validatePathNoBacksteps(target: string, path: string, errors: FieldError[]): boolean {
  if (!target.split('/').includes('..')) return true;
  errors.push(invalidField(path, target, "must not contain '..'"));
  return false;
}

function validateLocalNonReservedPath(target: string, path: string, errors: FieldError[]): void {
  validateLocalDescendingPath(target, path, errors);
  if (target.startsWith('..') && !target.startsWith('../')) {
    errors.push(invalidField(path, target, "must not start with '..'"));
  }
}
