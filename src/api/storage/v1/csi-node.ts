import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  byteLength,
  duplicate,
  GoValue,
  goQuote,
  goStrings,
  invalidField,
  isQualifiedName,
  required,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { validateCSIDriverName } from '../../core/v1/pod-validation-volumes.ts';
import type { CSINode, CSINodeDriver } from '../../generated/types.ts';
import { validateNonnegative } from '../../nonnegative.ts';

const MAX_NODE_ID = 256;

function validateDriver(driver: CSINodeDriver, path: string, errors: FieldError[]): void {
  const { name = '', nodeID = '', allocatable } = driver;
  validateCSIDriverName(name, `${path}.name`, errors);
  if (nodeID === '') errors.push(required(`${path}.nodeID`, ''));
  if (byteLength(nodeID) > MAX_NODE_ID) {
    errors.push(invalidField(`${path}.nodeID`, nodeID, `must be ${MAX_NODE_ID} characters or less`));
  }
  validateNonnegative(allocatable?.count, `${path}.allocatable.count`, errors);
}

/** Follows ValidateCSINode of pkg/apis/storage/validation, v1.33. */
function validate({ spec }: CSINode): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  spec?.drivers?.forEach((driver, i) => {
    const path = `spec.drivers[${i}]`;
    validateDriver(driver, path, errors);
    if (names.has(driver.name)) errors.push(duplicate(`${path}.name`, driver.name));
    names.add(driver.name);
    const keys = new Set<string>();
    for (const key of driver.topologyKeys ?? []) {
      if (key === '') errors.push(required(path, ''));
      if (keys.has(key)) errors.push(duplicate(path, key));
      keys.add(key);
      for (const message of isQualifiedName(key)) errors.push(invalidField(path, key, message));
    }
  });
  return errors;
}

/** Upstream prints an address of its memory for `allocatable`. */
function goDriver({ name, nodeID, topologyKeys, allocatable }: CSINodeDriver): GoValue {
  const keys = topologyKeys ? goStrings(topologyKeys).text : '[]string(nil)';
  const pointer = `(*storage.VolumeNodeResources)(${allocatable ? '0xc000000000' : 'nil'})`;
  return new GoValue(
    `storage.CSINodeDriver{Name:${goQuote(name)}, NodeID:${goQuote(nodeID)}, TopologyKeys:${keys}, Allocatable:${pointer}}`,
  );
}

/** Drivers come and go, but do not change. Upstream says everything else twice. */
function validateUpdate(next: CSINode, previous: CSINode): FieldError[] {
  const errors = validate(next);
  errors.push(...errors);
  for (const old of previous.spec.drivers ?? []) {
    for (const driver of next.spec?.drivers ?? []) {
      if (driver.name === old.name && !semanticEqual(driver, old)) {
        errors.push(invalidField('spec.drivers', goDriver(driver), 'field is immutable'));
      }
    }
  }
  return errors;
}

/** CSINodes. Follows pkg/registry/storage/csinode/strategy.go, v1.33. */
export const csiNodes = defineResource<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  singular: 'csinode',
  scope: 'Cluster',
  schema: 'io.k8s.api.storage.v1.CSINode',
  validate,
  validateUpdate,
  strategy: { allowUnconditionalUpdate: false, returnsDeletedObject: true },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Drivers', type: 'integer', cell: ({ spec }) => spec?.drivers?.length ?? 0 },
    ageColumn,
  ],
});
