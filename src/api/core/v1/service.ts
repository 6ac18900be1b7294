import { defineResource } from '#apimachinery/resource.ts';
import { isDNS1035Label, nameValidator } from '#apimachinery/validation.ts';
import type { Service } from '../../generated/types.ts';
import { serviceColumns } from './service-columns.ts';
import { defaultService } from './service-defaults.ts';
import { serviceNotModelled } from './service-not-modelled.ts';
import { canonicalService, prepareServiceForCreate, prepareServiceForUpdate } from './service-strategy.ts';
import { validateService, validateServiceStatusUpdate, validateServiceUpdate } from './service-validation.ts';
import { serviceStatusWarnings, serviceWarnings } from './service-warnings.ts';

/** Services. Follows pkg/registry/core/service/strategy.go, v1.33. */
export const services = defineResource<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Service',
  storagePrefix: 'services/specs',
  validateName: nameValidator(isDNS1035Label),
  defaults: defaultService,
  validate: (service) => validateService(service),
  validateUpdate: validateServiceUpdate,
  notModelled: serviceNotModelled,
  strategy: {
    prepareForCreate: prepareServiceForCreate,
    prepareForUpdate: prepareServiceForUpdate,
    canonicalize: canonicalService,
    warnings: serviceWarnings,
    allowCreateOnUpdate: true,
    returnsDeletedObject: true,
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: validateServiceStatusUpdate,
      warnings: serviceStatusWarnings,
    },
  },
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
  ownColumns: true,
  columns: serviceColumns,
});
