import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabelName } from '#apimachinery/label-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  byteLength,
  duplicate,
  forbiddenField,
  invalidField,
  isQualifiedName,
  notSupported,
  required,
  tooLong,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { deprecatedNodeLabel } from '../../core/v1/node-labels.ts';
import { fill } from '../../fill.ts';
import type { StorageClass, TopologySelectorTerm } from '../../generated/types.ts';

// Follows pkg/apis/storage/validation, v1.33.

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_SIZE = 256 * 1024;
/** The annotations that make a class the one for claims that name none. */
const DEFAULT_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** Whether claims without a class get this one. */
export function isDefaultStorageClass({ metadata: { annotations } }: StorageClass): boolean {
  return DEFAULT_ANNOTATIONS.some((key) => annotations?.[key] === 'true');
}

function validateParameters(parameters: Readonly<Record<string, string>>, errors: FieldError[]): void {
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) {
    errors.push(tooLong('parameters', MAX_PARAMETERS));
    return;
  }
  let size = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(invalidField('parameters', key, 'field can not be empty.'));
    size += byteLength(key) + byteLength(value);
  }
  if (size > MAX_PARAMETERS_SIZE) errors.push(tooLong('parameters', MAX_PARAMETERS_SIZE));
}

function validateTopology(
  { matchLabelExpressions = [] }: TopologySelectorTerm,
  path: string,
  errors: FieldError[],
): void {
  const keys = new Set<string>();
  matchLabelExpressions.forEach(({ key, values = [] }, i) => {
    const at = `${path}.matchLabelExpressions[${i}]`;
    if (values.length === 0) errors.push(required(`${at}.values`, ''));
    values.forEach((value, j) => {
      if (values.indexOf(value) < j) errors.push(duplicate(`${at}.values[${j}]`, value));
    });
    validateLabelName(key, `${at}.key`, errors);
    if (keys.has(key)) errors.push(duplicate(`${at}.key`, key));
    keys.add(key);
  });
}

/** What a term means: values by key, whatever their order. */
const meaning = ({ matchLabelExpressions = [] }: TopologySelectorTerm) =>
  Object.fromEntries(matchLabelExpressions.map(({ key, values }) => [key, [...new Set(values)].sort()]));

function validate(storageClass: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  const { provisioner = '', parameters, reclaimPolicy, volumeBindingMode, allowedTopologies = [] } = storageClass;
  if (provisioner === '') errors.push(required('provisioner', ''));
  else {
    const name = provisioner.toLowerCase();
    for (const message of isQualifiedName(name)) errors.push(invalidField('provisioner', name, message));
  }
  if (parameters) validateParameters(parameters, errors);
  if (reclaimPolicy && reclaimPolicy !== 'Delete' && reclaimPolicy !== 'Retain') {
    errors.push(notSupported('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']));
  }
  if (volumeBindingMode !== 'Immediate' && volumeBindingMode !== 'WaitForFirstConsumer') {
    errors.push(notSupported('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']));
  }
  const meanings = allowedTopologies.map(meaning);
  allowedTopologies.forEach((term, i) => {
    const path = `allowedTopologies[${i}]`;
    validateTopology(term, path, errors);
    meanings.slice(0, i).forEach((other) => {
      if (semanticEqual(meanings[i], other)) errors.push(duplicate(`${path}.matchLabelExpressions`, ''));
    });
  });
  return errors;
}

function validateUpdate(next: StorageClass, previous: StorageClass): FieldError[] {
  const errors = validate(next);
  for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
    if (!semanticEqual(next[field], previous[field])) {
      errors.push(forbiddenField(field, `updates to ${field} are forbidden.`));
    }
  }
  if (next.volumeBindingMode !== previous.volumeBindingMode) {
    errors.push(invalidField('volumeBindingMode', next.volumeBindingMode, 'field is immutable'));
  }
  return errors;
}

function warnings({ allowedTopologies = [] }: StorageClass): string[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) =>
    matchLabelExpressions.flatMap(({ key }, j) => {
      const why = deprecatedNodeLabel(key);
      return why === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${why}`];
    }),
  );
}

/** StorageClasses. Follows pkg/registry/storage/storageclass/strategy.go, v1.33. */
export const storageClasses = defineResource<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  scope: 'Cluster',
  schema: 'io.k8s.api.storage.v1.StorageClass',
  defaults: (storageClass) => fill(storageClass, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate,
  validateUpdate,
  notModelled: () => ['provisioner: nothing provisions volumes here'],
  strategy: { warnings, returnsDeletedObject: true },
  ownColumns: true,
  columns: [
    {
      ...nameColumn,
      cell: (storageClass) =>
        `${storageClass.metadata.name ?? ''}${isDefaultStorageClass(storageClass) ? ' (default)' : ''}`,
    },
    { name: 'Provisioner', type: 'string', cell: ({ provisioner }) => provisioner },
    { name: 'ReclaimPolicy', type: 'string', cell: ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete' },
    { name: 'VolumeBindingMode', type: 'string', cell: ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate' },
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
});
