import { defineResource } from '#apimachinery/resource.ts';
import type { ValidatingAdmissionPolicy } from '../../generated/types.ts';
import { metadataForStatus, withSpecGeneration } from '../../spec-generation.ts';
import { defaultMatchResources } from './webhook-defaults.ts';

/** ValidatingAdmissionPolicies: expressions that requests must satisfy, where a binding says so. */
export const validatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  singular: 'validatingadmissionpolicy',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  defaults({ spec, ...object }) {
    const matchConstraints = defaultMatchResources(spec?.matchConstraints);
    return {
      ...object,
      spec: { failurePolicy: 'Fail', ...spec, ...(matchConstraints ? { matchConstraints } : {}) },
    };
  },
  resetFields: { object: ['status'], status: ['metadata', 'spec'] },
  strategy: {
    prepareForCreate: ({ status: _status, ...object }) => ({
      ...object,
      metadata: { ...object.metadata, generation: 1 },
    }),
    prepareForUpdate: (next, previous) => withSpecGeneration({ ...next, status: previous.status }, previous),
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({
        ...next,
        metadata: metadataForStatus(previous.metadata, next.metadata),
        spec: previous.spec,
      }),
      validateUpdate: () => [],
    },
  },
  columns: [
    { name: 'Validations', type: 'integer', cell: ({ spec }) => spec?.validations?.length ?? 0 },
    {
      name: 'ParamKind',
      type: 'string',
      cell: ({ spec }) => (spec?.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : '<unset>'),
    },
  ],
});
