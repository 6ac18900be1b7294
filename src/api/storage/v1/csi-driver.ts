import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { duplicate, GoValue, goStrings, invalidField, notSupported } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, replace } from '../../fill.ts';
import type { CSIDriver, CSIDriverSpec, StorageV1TokenRequest } from '../../generated/types.ts';
import { withSpecGeneration } from '../../spec-generation.ts';

const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;

function defaults(driver: CSIDriver): CSIDriver {
  let spec: CSIDriverSpec = fill(driver.spec ?? {}, {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    requiresRepublish: false,
    seLinuxMount: false,
  });
  if (!spec.volumeLifecycleModes?.length) spec = { ...spec, volumeLifecycleModes: ['Persistent'] };
  return replace(driver, 'spec', spec);
}

function validateTokenRequests(requests: readonly StorageV1TokenRequest[], errors: FieldError[]): void {
  const audiences = new Set<string>();
  requests.forEach(({ audience = '', expirationSeconds }, i) => {
    const path = `spec.tokenRequests[${i}]`;
    if (audiences.has(audience)) {
      errors.push(duplicate(`${path}.audience`, audience));
      return;
    }
    audiences.add(audience);
    if (expirationSeconds === undefined) return;
    const limit =
      expirationSeconds < MIN_TOKEN_SECONDS
        ? 'less than 10 minutes'
        : expirationSeconds > MAX_TOKEN_SECONDS
          ? 'larger than 2^32 seconds'
          : undefined;
    if (limit !== undefined) {
      errors.push(invalidField(`${path}.expirationSeconds`, expirationSeconds, `may not specify a duration ${limit}`));
    }
  });
}

/** Follows ValidateCSIDriver of pkg/apis/storage/validation, v1.33; defaults fill what is required. */
function validate({ spec }: CSIDriver): FieldError[] {
  const errors: FieldError[] = [];
  const { fsGroupPolicy = '', tokenRequests = [], volumeLifecycleModes = [] } = spec;
  const policies = ['File', 'None', 'ReadWriteOnceWithFSType'];
  if (!policies.includes(fsGroupPolicy)) errors.push(notSupported('spec.fsGroupPolicy', fsGroupPolicy, policies));
  validateTokenRequests(tokenRequests, errors);
  const modes = ['Persistent', 'Ephemeral'];
  for (const mode of volumeLifecycleModes) {
    if (!modes.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, modes));
  }
  return errors;
}

function validateUpdate(next: CSIDriver, previous: CSIDriver): FieldError[] {
  const errors = validate(next);
  const { attachRequired, volumeLifecycleModes = [] } = next.spec;
  if (attachRequired !== previous.spec.attachRequired) {
    errors.push(invalidField('spec.attachedRequired', attachRequired, 'field is immutable'));
  }
  if (!semanticEqual(volumeLifecycleModes, previous.spec.volumeLifecycleModes)) {
    const go = new GoValue(goStrings(volumeLifecycleModes).text.replace('string', 'storage.VolumeLifecycleMode'));
    errors.push(invalidField('spec.volumeLifecycleModes', go, 'field is immutable'));
  }
  return errors;
}

/** A field whose feature is off is dropped. */
function withoutDisabled(driver: CSIDriver, previous?: CSIDriver): CSIDriver {
  if (previous?.spec.nodeAllocatableUpdatePeriodSeconds !== undefined) return driver;
  return replace(driver, 'spec', replace(driver.spec, 'nodeAllocatableUpdatePeriodSeconds', undefined));
}

/** CSIDrivers. Follows pkg/registry/storage/csidriver/strategy.go, v1.33. */
export const csiDrivers = defineResource<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  scope: 'Cluster',
  schema: 'io.k8s.api.storage.v1.CSIDriver',
  defaults,
  validate,
  validateUpdate,
  notModelled: () => ['spec: no CSI driver is modelled'],
  strategy: {
    prepareForCreate: (driver) => withoutDisabled(driver),
    prepareForUpdate: (next, previous) => withSpecGeneration(withoutDisabled(next, previous), previous),
    allowUnconditionalUpdate: false,
    returnsDeletedObject: true,
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'AttachRequired', type: 'boolean', cell: ({ spec }) => spec.attachRequired ?? true },
    { name: 'PodInfoOnMount', type: 'boolean', cell: ({ spec }) => spec.podInfoOnMount ?? false },
    { name: 'StorageCapacity', type: 'boolean', cell: ({ spec }) => spec.storageCapacity ?? false },
    {
      name: 'TokenRequests',
      type: 'string',
      cell: ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
    },
    { name: 'RequiresRepublish', type: 'boolean', cell: ({ spec }) => spec.requiresRepublish ?? false },
    { name: 'Modes', type: 'string', cell: ({ spec }) => spec.volumeLifecycleModes?.join(',') || '<none>' },
    ageColumn,
  ],
});
