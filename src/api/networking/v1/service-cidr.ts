import type { FieldError } from '#apimachinery/field-error.ts';
import { isValidCIDR } from '#apimachinery/ip-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { GoValue, goStrings, invalidField, required } from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type { ServiceCIDR } from '../../generated/types.ts';
import { metadataForStatus } from '../../spec-generation.ts';

const IMMUTABLE = 'field is immutable';

/** Follows ValidateServiceCIDR of pkg/apis/networking/validation, v1.33. */
function validate({ spec }: ServiceCIDR): FieldError[] {
  const path = 'spec.cidrs';
  const { cidrs = [] } = spec ?? {};
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')];
  if (cidrs.length > 2) {
    const go = new GoValue(`networking.ServiceCIDRSpec{CIDRs:${goStrings(cidrs).text}}`);
    return [invalidField(path, go, 'may only hold up to 2 values')];
  }
  const errors = cidrs.flatMap((cidr, i) =>
    isValidCIDR(cidr).map((message) => invalidField(`${path}[${i}]`, cidr, message)),
  );
  const [first = '', second] = cidrs;
  if (second !== undefined && errors.length === 0 && first.includes(':') === second.includes(':')) {
    const message = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(invalidField(path, goStrings(cidrs), message));
  }
  return errors;
}

/** A second family may be added. */
function validateUpdate(next: ServiceCIDR, previous: ServiceCIDR): FieldError[] {
  const old = previous.spec.cidrs ?? [];
  const cidrs = next.spec?.cidrs ?? [];
  if (old.length === 1 && cidrs.length === 2) {
    const first = cidrs[0] === old[0] ? [] : [invalidField('spec.cidrs[0]', cidrs[0], IMMUTABLE)];
    return [...first, ...validate(next)];
  }
  if (old.length !== cidrs.length) return [invalidField('spec.cidrs', goStrings(cidrs), IMMUTABLE)];
  return cidrs.flatMap((cidr, i) => (cidr === old[i] ? [] : [invalidField(`spec.cidrs[${i}]`, cidr, IMMUTABLE)]));
}

/** ServiceCIDRs. Follows pkg/registry/networking/servicecidr/strategy.go, v1.33. */
export const serviceCIDRs = defineResource<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  scope: 'Cluster',
  schema: 'io.k8s.api.networking.v1.ServiceCIDR',
  validate,
  validateUpdate,
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
  ownColumns: true,
  columns: [nameColumn, { name: 'CIDRs', type: 'string', cell: ({ spec }) => (spec.cidrs ?? []).join(',') }, ageColumn],
});
