import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  byteLength,
  forbiddenField,
  GoValue,
  goQuote,
  inclusiveRangeError,
  invalidField,
  isDNS1123Subdomain,
  required,
  tooLong,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { validateInlineVolumeSpec } from '../../core/v1/persistent-volume.ts';
import { validateCSIDriverName } from '../../core/v1/pod-validation-volumes.ts';
import { replace } from '../../fill.ts';
import type {
  VolumeAttachment,
  VolumeAttachmentSource,
  VolumeAttachmentSpec,
  VolumeAttachmentStatus,
  VolumeError,
} from '../../generated/types.ts';
import { metadataForStatus } from '../../spec-generation.ts';

// Follows pkg/apis/storage/validation and pkg/registry/storage/volumeattachment, v1.33.

const MAX_METADATA = 256 * 1024;
const MAX_MESSAGE = 1024;
const MAX_INT32 = 2 ** 31 - 1;
const NOT_ATTACHED: VolumeAttachmentStatus = { attached: false };

function validateSource(source: VolumeAttachmentSource, path: string, errors: FieldError[]): void {
  const { inlineVolumeSpec, persistentVolumeName } = source;
  const message = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (!inlineVolumeSpec && persistentVolumeName === undefined) errors.push(required(path, message));
  else if (inlineVolumeSpec && persistentVolumeName !== undefined) errors.push(forbiddenField(path, message));
  else if (inlineVolumeSpec) validateInlineVolumeSpec(inlineVolumeSpec, `${path}.inlineVolumeSpec`, errors);
  else if (persistentVolumeName === '') {
    errors.push(required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
  }
}

function validateError(error: VolumeError | undefined, path: string, errors: FieldError[]): void {
  if (!error) return;
  // Upstream compares with one limit and names the other.
  if (byteLength(error.message ?? '') > MAX_MESSAGE) errors.push(tooLong(`${path}.message`, MAX_METADATA));
  if (error.errorCode !== undefined && error.errorCode < 0) {
    errors.push(invalidField(`${path}.errorCode`, error.errorCode, inclusiveRangeError(0, MAX_INT32)));
  }
}

function validate({ spec, status = NOT_ATTACHED }: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = [];
  const { attacher = '', source = {}, nodeName = '' } = spec ?? ({} as Partial<VolumeAttachmentSpec>);
  if (attacher === '') errors.push(required('spec.attacher', ''));
  validateSource(source, 'spec.source', errors);
  for (const message of isDNS1123Subdomain(nodeName)) errors.push(invalidField('spec.nodeName', nodeName, message));
  const { attachmentMetadata = {}, attachError, detachError } = status;
  const size = Object.entries(attachmentMetadata).reduce((sum, [k, v]) => sum + byteLength(k) + byteLength(v), 0);
  if (size > MAX_METADATA) errors.push(tooLong('status.attachmentMetadata', MAX_METADATA));
  validateError(attachError, 'status.attachError', errors);
  validateError(detachError, 'status.detachError', errors);
  return errors;
}

function validateNew(attachment: VolumeAttachment): FieldError[] {
  const errors = validate(attachment);
  const { attacher = '', source } = attachment.spec;
  validateCSIDriverName(attacher, 'spec.attacher', errors);
  const name = source?.persistentVolumeName;
  if (name !== undefined) {
    const path = 'spec.source.persistentVolumeName';
    for (const message of isDNS1123Subdomain(name)) errors.push(invalidField(path, name, message));
  }
  return errors;
}

/** Upstream prints addresses of its memory. */
function goSpec({ attacher, source, nodeName }: VolumeAttachmentSpec): GoValue {
  const pointer = (value: unknown) => (value === undefined ? 'nil' : '0xc000000000');
  const go = `storage.VolumeAttachmentSource{PersistentVolumeName:(*string)(${pointer(source.persistentVolumeName)}), InlineVolumeSpec:(*core.PersistentVolumeSpec)(${pointer(source.inlineVolumeSpec)})}`;
  return new GoValue(
    `storage.VolumeAttachmentSpec{Attacher:${goQuote(attacher)}, Source:${go}, NodeName:${goQuote(nodeName)}}`,
  );
}

/** Upstream says everything twice. */
function validateUpdate(next: VolumeAttachment, previous: VolumeAttachment): FieldError[] {
  const errors = validate(next);
  errors.push(...errors);
  if (!semanticEqual(next.spec, previous.spec))
    errors.push(invalidField('spec', goSpec(next.spec), 'field is immutable'));
  return errors;
}

/** A field whose feature is off is dropped. */
function withoutErrorCode(error: VolumeError | undefined, previous: VolumeError | undefined): VolumeError | undefined {
  return error && previous?.errorCode === undefined ? replace(error, 'errorCode', undefined) : error;
}

/** VolumeAttachments. */
export const volumeAttachments = defineResource<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  scope: 'Cluster',
  schema: 'io.k8s.api.storage.v1.VolumeAttachment',
  validate: validateNew,
  validateUpdate,
  notModelled: () => ['spec: no volume is attached, since no CSI driver is modelled'],
  resetFields: { object: ['status'], status: ['metadata', 'spec'] },
  strategy: {
    prepareForCreate: (attachment) => ({ ...attachment, status: NOT_ATTACHED }),
    prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
    allowUnconditionalUpdate: false,
    returnsDeletedObject: true,
  },
  subresources: {
    status: {
      prepareForUpdate(next, previous) {
        const { status = NOT_ATTACHED } = next;
        const attachError = withoutErrorCode(status.attachError, previous.status?.attachError);
        const detachError = withoutErrorCode(status.detachError, previous.status?.detachError);
        return {
          ...next,
          metadata: metadataForStatus(previous.metadata, next.metadata),
          spec: previous.spec,
          status: replace(replace(status, 'attachError', attachError), 'detachError', detachError),
        };
      },
      validateUpdate,
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Attacher', type: 'string', format: 'name', cell: ({ spec }) => spec.attacher },
    { name: 'PV', type: 'string', cell: ({ spec }) => spec.source.persistentVolumeName ?? '' },
    { name: 'Node', type: 'string', cell: ({ spec }) => spec.nodeName },
    { name: 'Attached', type: 'boolean', cell: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
});
