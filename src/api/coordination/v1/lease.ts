import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { invalidField } from '#apimachinery/validation.ts';
import type { Lease } from '../../generated/types.ts';

/** Follows ValidateLeaseSpec of pkg/apis/coordination/validation, v1.33. */
function validate({ spec }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  const { leaseDurationSeconds, leaseTransitions } = spec;
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalidField('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(invalidField('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  }
  return errors;
}

/** CoordinatedLeaderElection is off by default: its fields stay only where they are already. */
function withoutDisabled(next: Lease, previous?: Lease): Lease {
  const { strategy, preferredHolder, ...spec } = next.spec;
  if (strategy === undefined && preferredHolder === undefined) return next;
  return {
    ...next,
    spec: {
      ...spec,
      ...(previous?.spec.strategy === undefined ? {} : { strategy }),
      ...(previous?.spec.preferredHolder === undefined ? {} : { preferredHolder }),
    },
  };
}

/** Leases: heartbeats of nodes, and who leads. Follows pkg/registry/coordination/lease/strategy.go, v1.33. */
export const leases = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  scope: 'Namespaced',
  schema: 'io.k8s.api.coordination.v1.Lease',
  defaults: (lease) => (lease.spec ? lease : { ...lease, spec: {} }),
  validate,
  validateUpdate: validate,
  strategy: {
    prepareForCreate: (lease) => withoutDisabled(lease),
    prepareForUpdate: withoutDisabled,
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
  },
  columns: [{ name: 'Holder', type: 'string', cell: ({ spec }) => spec.holderIdentity ?? '' }],
});
