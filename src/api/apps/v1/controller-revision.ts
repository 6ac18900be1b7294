import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { GoValue, invalidField, required } from '#apimachinery/validation.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type { ControllerRevision } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';

function validateRevision({ revision }: ControllerRevision): FieldError[] {
  const errors: FieldError[] = [];
  validateNonnegative(revision, 'revision', errors);
  return errors;
}

/** Follows ValidateControllerRevisionCreate of pkg/apis/apps/validation, v1.33. */
function validate(object: ControllerRevision): FieldError[] {
  const errors = validateRevision(object);
  const data: unknown = object.data;
  if (data === undefined || data === null) errors.push(required('data', 'data is mandatory'));
  else if (typeof data !== 'object' || Array.isArray(data)) {
    errors.push(required('data', 'data must be a valid JSON object'));
  }
  return errors;
}

function validateUpdate(next: ControllerRevision, previous: ControllerRevision): FieldError[] {
  const errors = validateRevision(next);
  if (!semanticEqual(next.data, previous.data)) {
    const bytes = next.data === undefined ? [] : [...encodeUtf8(JSON.stringify(next.data))];
    const raw = bytes.length ? `[]uint8{${bytes.map((byte) => `0x${byte.toString(16)}`).join(', ')}}` : '[]uint8(nil)';
    const go = new GoValue(`runtime.RawExtension{Raw:${raw}, Object:runtime.Object(nil)}`);
    errors.push(invalidField('data', go, 'field is immutable'));
  }
  return errors;
}

/** What controls an object, as `daemonset.apps/agent`. */
function controllerName({ metadata }: ControllerRevision): string {
  const ref = metadata.ownerReferences?.find(({ controller }) => controller);
  if (!ref) return '<none>';
  const slash = ref.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : `.${ref.apiVersion.slice(0, slash)}`;
  return `${ref.kind.toLowerCase()}${group}/${ref.name}`;
}

/** ControllerRevisions. Follows pkg/registry/apps/controllerrevision/strategy.go, v1.33. */
export const controllerRevisions = defineResource<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  scope: 'Namespaced',
  schema: 'io.k8s.api.apps.v1.ControllerRevision',
  validate,
  validateUpdate,
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Controller', type: 'string', cell: controllerName },
    { name: 'Revision', type: 'string', cell: ({ revision }) => revision },
    ageColumn,
  ],
});
