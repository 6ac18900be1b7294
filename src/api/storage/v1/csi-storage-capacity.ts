import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLabelSelector } from '#apimachinery/label-validation.ts';
import { canonicalQuantity, compareQuantities } from '#apimachinery/quantity.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { invalidField, isDNS1123Subdomain } from '#apimachinery/validation.ts';
import { nameColumn } from '../../columns.ts';
import { deprecatedNodeLabel } from '../../core/v1/node-labels.ts';
import type { CSIStorageCapacity } from '../../generated/types.ts';
import { goLabelSelector } from '../../go-text.ts';

/** Follows ValidateCSIStorageCapacity of pkg/apis/storage/validation, v1.33. */
function validate({ nodeTopology, storageClassName = '', capacity }: CSIStorageCapacity): FieldError[] {
  const errors: FieldError[] = [];
  validateLabelSelector(nodeTopology, 'nodeTopology', errors);
  for (const message of isDNS1123Subdomain(storageClassName)) {
    errors.push(invalidField('storageClassName', storageClassName, message));
  }
  if (capacity !== undefined && compareQuantities(capacity, '0') < 0) {
    errors.push(invalidField('capacity', canonicalQuantity(capacity), 'must be greater than or equal to 0'));
  }
  return errors;
}

function validateUpdate(next: CSIStorageCapacity, previous: CSIStorageCapacity): FieldError[] {
  const errors = validate(next);
  if (!semanticEqual(next.nodeTopology, previous.nodeTopology)) {
    errors.push(invalidField('nodeTopology', goLabelSelector(next.nodeTopology), 'field is immutable'));
  }
  if (next.storageClassName !== previous.storageClassName) {
    errors.push(invalidField('storageClassName', next.storageClassName, 'field is immutable'));
  }
  return errors;
}

function warnings({ nodeTopology }: CSIStorageCapacity): string[] {
  const { matchExpressions = [], matchLabels = {} } = nodeTopology ?? {};
  const ofExpressions = matchExpressions.flatMap(({ key }, i) => {
    const why = deprecatedNodeLabel(key);
    return why === undefined ? [] : [`nodeTopology.matchExpressions[${i}].key: ${key} is ${why}`];
  });
  const ofLabels = Object.keys(matchLabels).flatMap((key) => {
    const why = deprecatedNodeLabel(key);
    return why === undefined ? [] : [`nodeTopology.matchLabels.${key}: ${why}`];
  });
  return [...ofExpressions, ...ofLabels];
}

/** CSIStorageCapacities. Follows pkg/registry/storage/csistoragecapacity/strategy.go, v1.33. */
export const csiStorageCapacities = defineResource<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  scope: 'Namespaced',
  schema: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  validate,
  validateUpdate,
  notModelled: () => ['capacity: the scheduler does not look at the capacity of storage'],
  strategy: { warnings, allowUnconditionalUpdate: false },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'StorageClassName', type: 'string', cell: ({ storageClassName }) => storageClassName },
    { name: 'Capacity', type: 'string', cell: ({ capacity }) => capacity ?? '<unset>' },
  ],
});
