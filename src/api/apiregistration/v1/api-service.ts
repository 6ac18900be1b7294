import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import {
  index,
  invalidField,
  isDNS1035Label,
  isDNS1123Subdomain,
  isValidPathSegmentName,
  isValidPortNum,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { decodeBase64 } from '#base/base64.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type { APIService } from '../../generated/types.ts';

function bytesOf(text: string): number {
  const bytes = decodeBase64(text);
  return typeof bytes === 'number' ? 0 : bytes.length;
}

/** Follows ValidateAPIService of kube-aggregator/pkg/apis/apiregistration/validation, v1.33. */
function validate({ metadata, spec }: APIService): FieldError[] {
  const errors: FieldError[] = [];
  const { group = '', version = '', groupPriorityMinimum, versionPriority, service, caBundle } = spec;
  const wanted = `${version}.${group}`;
  const { name = '' } = metadata;
  if (isValidPathSegmentName(name).length === 0 && name !== wanted)
    errors.push(invalidField('metadata.name', name, `must be \`spec.version+"."+spec.group\`: "${wanted}"`));
  if (group === '' && version !== 'v1')
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '')
    for (const message of isDNS1123Subdomain(group)) errors.push(invalidField('spec.group', group, message));
  for (const message of isDNS1035Label(version)) errors.push(invalidField('spec.version', version, message));
  if (!(groupPriorityMinimum > 0 && groupPriorityMinimum <= 20_000))
    errors.push(
      invalidField('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'),
    );
  if (!(versionPriority > 0 && versionPriority <= 1000))
    errors.push(invalidField('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  const insecure = (message: string) => errors.push(invalidField('spec.insecureSkipTLSVerify', true, message));
  if (!service) {
    if (caBundle)
      errors.push(
        invalidField('spec.caBundle', `${bytesOf(caBundle)} bytes`, 'local APIServices may not have a caBundle'),
      );
    if (spec.insecureSkipTLSVerify) insecure('local APIServices may not have insecureSkipTLSVerify');
    return errors;
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'));
  if (!service.name) errors.push(required('spec.service.name'));
  const portErrors = isValidPortNum(service.port ?? 443);
  if (portErrors.length > 0)
    errors.push(invalidField('spec.service.port', service.port, `port is not valid: ${portErrors.join(', ')}`));
  if (spec.insecureSkipTLSVerify && caBundle) insecure('may not be true if caBundle is present');
  return errors;
}

function validateStatus({ status }: APIService): FieldError[] {
  const known = ['True', 'False', 'Unknown'];
  return (status?.conditions ?? []).flatMap((condition, i) =>
    known.includes(condition.status)
      ? []
      : [notSupported(`${index('status.conditions', i)}.status`, condition.status, known)],
  );
}

function available({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === 'Available');
  if (!condition) return 'Unknown';
  return condition.status === 'True' || !condition.reason
    ? condition.status
    : `${condition.status} (${condition.reason})`;
}

/** Which server answers for a version of a group. Follows kube-aggregator/pkg/registry/apiservice, v1.33. */
export const apiServices = defineResource<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  singular: 'apiservice',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  validateName: isValidPathSegmentName,
  defaults: (apiService) => {
    const { service } = apiService.spec ?? {};
    if (!service || service.port !== undefined) return apiService;
    return { ...apiService, spec: { ...apiService.spec, service: { ...service, port: 443 } } };
  },
  validate,
  validateUpdate: validate,
  notModelled: ({ spec }) => (spec.service ? ['spec.service: requests are not handed on to other API servers'] : []),
  resetFields: { object: ['status'], status: ['metadata', 'spec'] },
  strategy: {
    allowUnconditionalUpdate: false,
    prepareForCreate: (apiService) => {
      const condition = {
        type: 'Available',
        status: 'True',
        lastTransitionTime: apiService.metadata.creationTimestamp,
        reason: 'Local',
        message: 'Local APIServices are always available',
      };
      return { ...apiService, status: apiService.spec.service ? {} : { conditions: [condition] } };
    },
    prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({
        ...next,
        spec: previous.spec,
        metadata: {
          ...next.metadata,
          labels: previous.metadata.labels,
          annotations: previous.metadata.annotations,
          finalizers: previous.metadata.finalizers,
          ownerReferences: previous.metadata.ownerReferences,
        },
      }),
      validateUpdate: validateStatus,
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    {
      name: 'Service',
      type: 'string',
      description: 'The reference to the service that hosts this API endpoint.',
      cell: ({ spec: { service } }) => (service ? `${service.namespace}/${service.name}` : 'Local'),
    },
    { name: 'Available', type: 'string', description: 'Whether this service is available.', cell: available },
    ageColumn,
  ],
});
