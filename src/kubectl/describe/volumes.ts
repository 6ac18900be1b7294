import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import { at, isObject, list, object, objects, strings, text } from '../fields.ts';
import { byCodeUnit, formatValue } from '#apimachinery/go-format.ts';
import type { Description } from './writer.ts';
import { formatQuantityAt, shorten, writeAnnotations, writeLabels } from './writer.ts';

/** One row: a heading, and how to get the value from the source. */
type Row = readonly [heading: string, value: string | ((source: JsonObject) => string)];

interface SourceKind {
  /** What comes after `Type:`. */
  readonly title: string;
  readonly rows: readonly Row[];
}

const flag = (field: string) => (source: JsonObject) => String(at(source, field) === true);
const integer = (field: string) => (source: JsonObject) => text(source, field) || '0';
const withDefault = (field: string, missing: string) => (source: JsonObject) => {
  const value = at(source, field);
  return value === undefined || value === null ? missing : text(source, field);
};
const readOnly: Row = ['ReadOnly', flag('readOnly')];
const optional: Row = ['Optional', flag('optional')];
const fsType: Row = ['FSType', 'fsType'];

/** By the field that holds the source, in the order in which upstream looks. Types with secret references of their own are missing. */
const KINDS: Readonly<Record<string, SourceKind>> = {
  hostPath: {
    title: 'HostPath (bare host directory volume)',
    rows: [
      ['Path', 'path'],
      ['HostPathType', withDefault('type', '<none>')],
    ],
  },
  emptyDir: {
    title: "EmptyDir (a temporary directory that shares a pod's lifetime)",
    rows: [
      ['Medium', 'medium'],
      [
        'SizeLimit',
        (source) =>
          compareQuantities(text(source, 'sizeLimit') || '0', '0') > 0
            ? formatQuantityAt(source, 'sizeLimit')
            : '<unset>',
      ],
    ],
  },
  gcePersistentDisk: {
    title: 'GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)',
    rows: [['PDName', 'pdName'], fsType, ['Partition', integer('partition')], readOnly],
  },
  awsElasticBlockStore: {
    title: 'AWSElasticBlockStore (a Persistent Disk resource in AWS)',
    rows: [['VolumeID', 'volumeID'], fsType, ['Partition', integer('partition')], readOnly],
  },
  gitRepo: {
    title: 'GitRepo (a volume that is pulled from git when the pod is created)',
    rows: [
      ['Repository', 'repository'],
      ['Revision', 'revision'],
    ],
  },
  secret: { title: 'Secret (a volume populated by a Secret)', rows: [['SecretName', 'secretName'], optional] },
  configMap: { title: 'ConfigMap (a volume populated by a ConfigMap)', rows: [['Name', 'name'], optional] },
  nfs: {
    title: 'NFS (an NFS mount that lasts the lifetime of a pod)',
    rows: [['Server', 'server'], ['Path', 'path'], readOnly],
  },
  glusterfs: {
    title: "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
    rows: [['EndpointsName', 'endpoints'], ['Path', 'path'], readOnly],
  },
  persistentVolumeClaim: {
    title: 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)',
    rows: [['ClaimName', 'claimName'], readOnly],
  },
  vsphereVolume: {
    title: 'vSphereVolume (a Persistent Disk resource in vSphere)',
    rows: [['VolumePath', 'volumePath'], fsType, ['StoragePolicyName', 'storagePolicyName']],
  },
  portworxVolume: { title: 'PortworxVolume (a Portworx Volume resource)', rows: [['VolumeID', 'volumeID']] },
  local: {
    title: 'LocalVolume (a persistent volume backed by local storage on a node)',
    rows: [['Path', 'path']],
  },
  fc: {
    title: 'FC (a Fibre Channel disk)',
    rows: [
      ['TargetWWNs', (source) => list(source, 'targetWWNs').map(String).join(', ')],
      ['LUN', withDefault('lun', '<none>')],
      fsType,
      readOnly,
    ],
  },
  azureFile: {
    title: 'AzureFile (an Azure File Service mount on the host and bind mount to the pod)',
    rows: [['SecretName', 'secretName'], ['ShareName', 'shareName'], readOnly],
  },
  image: {
    title: 'Image (a container image or OCI artifact)',
    rows: [
      ['Reference', 'reference'],
      ['PullPolicy', 'pullPolicy'],
    ],
  },
};

/** The source of a Pod's volume or of a PersistentVolume. */
export function writeVolumeSource(w: Description, volume: JsonObject): void {
  for (const [field, { title, rows }] of Object.entries(KINDS)) {
    const source = at(volume, field);
    if (!isObject(source)) continue;
    return writeRows(w, title, rows, source);
  }
  const csi = at(volume, 'csi');
  if (isObject(csi)) return writeCsi(w, csi, text(volume, 'csi', 'volumeHandle') !== '');
  const downward = at(volume, 'downwardAPI');
  if (isObject(downward)) return writeDownward(w, downward);
  const projected = at(volume, 'projected');
  if (isObject(projected)) return writeProjected(w, projected);
  const ephemeral = at(volume, 'ephemeral');
  if (isObject(ephemeral)) return writeEphemeral(w, ephemeral);
  w.line(1, '<unknown>');
}

function writeRows(w: Description, title: string, rows: readonly Row[], source: JsonObject): void {
  w.line(2, `Type:\t${title}`);
  for (const [heading, value] of rows)
    w.line(2, `${heading}:\t${typeof value === 'string' ? text(source, value) : value(source)}`);
}

function writeCsi(w: Description, csi: JsonObject, persistent: boolean): void {
  const handle: readonly Row[] = persistent ? [['VolumeHandle', 'volumeHandle']] : [];
  const title = 'CSI (a Container Storage Interface (CSI) volume source)';
  writeRows(w, title, [['Driver', 'driver'], fsType, ...handle, readOnly], csi);
  const attributes = [...strings(csi, 'volumeAttributes')].sort(([a], [b]) => byCodeUnit(a, b));
  w.write(2, 'VolumeAttributes:\t');
  if (attributes.length === 0) return w.write(0, '<none>\n');
  attributes.forEach(([key, value], index) => {
    // Upstream indents both the tab and the line.
    if (index > 0) {
      w.write(2, '');
      w.write(2, '\t');
    }
    w.line(2, shorten(`${key}=${value}`, 140));
  });
}

function writeDownward(w: Description, source: JsonObject): void {
  w.line(2, 'Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:');
  for (const item of objects(source, 'items')) {
    if (at(item, 'fieldRef')) w.line(3, `${text(item, 'fieldRef', 'fieldPath')} -> ${text(item, 'path')}`);
    if (at(item, 'resourceFieldRef'))
      w.line(3, `${text(item, 'resourceFieldRef', 'resource')} -> ${text(item, 'path')}`);
  }
}

function writeProjected(w: Description, projected: JsonObject): void {
  w.line(2, 'Type:\tProjected (a volume that contains injected data from multiple sources)');
  for (const source of objects(projected, 'sources')) {
    const isOptional = (field: string) => String(at(source, field, 'optional') === true);
    if (at(source, 'secret'))
      w.line(2, `SecretName:\t${text(source, 'secret', 'name')}\n    Optional:\t${isOptional('secret')}`);
    else if (at(source, 'downwardAPI')) w.line(2, 'DownwardAPI:\ttrue');
    else if (at(source, 'configMap'))
      w.line(2, `ConfigMapName:\t${text(source, 'configMap', 'name')}\n    Optional:\t${isOptional('configMap')}`);
    else if (at(source, 'serviceAccountToken'))
      w.line(2, `TokenExpirationSeconds:\t${text(source, 'serviceAccountToken', 'expirationSeconds')}`);
  }
}

function writeEphemeral(w: Description, ephemeral: JsonObject): void {
  w.line(2, 'Type:\tEphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)');
  const template = at(ephemeral, 'volumeClaimTemplate');
  if (isObject(template)) writeClaim(w.nested(2), template, false, '');
}

/** A PersistentVolumeClaim, or the template of one, which has fewer fields. */
export function writeClaim(w: Description, claim: JsonObject, whole: boolean, status: string): void {
  if (whole) {
    w.line(0, `Name:\t${text(claim, 'metadata', 'name')}`);
    w.line(0, `Namespace:\t${text(claim, 'metadata', 'namespace')}`);
  }
  w.line(0, `StorageClass:\t${claimClass(claim)}`);
  if (whole) w.line(0, `Status:\t${status}`);
  w.line(0, `Volume:\t${text(claim, 'spec', 'volumeName')}`);
  writeLabels(w, 'Labels', strings(claim, 'metadata', 'labels'));
  writeAnnotations(w, 'Annotations', strings(claim, 'metadata', 'annotations'));
  if (whole) w.line(0, `Finalizers:\t${formatValue(list(claim, 'metadata', 'finalizers'))}`);
  const bound = text(claim, 'spec', 'volumeName') !== '';
  w.line(0, `Capacity:\t${bound ? formatQuantityAt(claim, 'status', 'capacity', 'storage') : ''}`);
  w.line(0, `Access Modes:\t${bound ? accessModes(at(claim, 'status', 'accessModes')) : ''}`);
  if (text(claim, 'spec', 'volumeMode') !== '') w.line(0, `VolumeMode:\t${text(claim, 'spec', 'volumeMode')}`);
  const source = object(claim, 'spec', 'dataSource');
  if (Object.keys(source).length > 0) {
    w.line(0, 'DataSource:');
    if (text(source, 'apiGroup') !== '') w.line(1, `APIGroup:\t${text(source, 'apiGroup')}`);
    w.line(1, `Kind:\t${text(source, 'kind')}`);
    w.line(1, `Name:\t${text(source, 'name')}`);
  }
}

/** The class of a claim or volume: the old annotation comes first. */
export function claimClass(claim: JsonObject): string {
  return (
    strings(claim, 'metadata', 'annotations').get('volume.beta.kubernetes.io/storage-class') ??
    text(claim, 'spec', 'storageClassName')
  );
}

const MODES: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

/** Access modes as their usual abbreviations. */
export function accessModes(modes: JsonValue | undefined): string {
  const given = list(modes).map(String);
  return MODES.filter(([mode]) => given.includes(mode))
    .map(([, short]) => short)
    .join(',');
}
