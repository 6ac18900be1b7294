import { defineResource } from '#apimachinery/resource.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../generated/types.ts';
import { defaultMatchResources } from './webhook-defaults.ts';

/** ValidatingAdmissionPolicyBindings: where a policy holds, with what parameters, and what happens then. */
export const validatingAdmissionPolicyBindings = defineResource<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  singular: 'validatingadmissionpolicybinding',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  defaults({ spec, ...object }) {
    const matchResources = defaultMatchResources(spec?.matchResources);
    return { ...object, spec: { ...spec, ...(matchResources ? { matchResources } : {}) } };
  },
  columns: [
    { name: 'PolicyName', type: 'string', cell: ({ spec }) => spec?.policyName ?? '' },
    {
      name: 'ParamRef',
      type: 'string',
      cell: ({ spec }) => {
        const { name, namespace } = spec?.paramRef ?? {};
        return name ? (namespace ? `${namespace}/${name}` : `*/${name}`) : '<unset>';
      },
    },
  ],
});
