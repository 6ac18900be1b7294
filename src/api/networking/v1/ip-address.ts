import type { FieldError } from '#apimachinery/field-error.ts';
import { isValidIP } from '#apimachinery/ip-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import {
  GoValue,
  goQuote,
  invalidField,
  isDNS1123Subdomain,
  isValidPathSegmentName,
  required,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type { IPAddress, ParentReference } from '../../generated/types.ts';

/** Who an address belongs to as a part of names: `services/default/kubernetes`. */
function parentText(parent: ParentReference | undefined): string {
  if (!parent) return '<none>';
  const { group, resource, namespace, name } = parent;
  const qualified = (group ? `${resource}.${group}` : resource).toLowerCase();
  return namespace ? `${qualified}/${namespace}/${name}` : `${qualified}/${name}`;
}

function goParent({ group = '', resource = '', namespace = '', name = '' }: ParentReference): GoValue {
  const fields = `Group:${goQuote(group)}, Resource:${goQuote(resource)}, Namespace:${goQuote(namespace)}, Name:${goQuote(name)}`;
  return new GoValue(`networking.ParentReference{${fields}}`);
}

/** Follows ValidateIPAddress of pkg/apis/networking/validation, v1.33. */
function validate({ spec }: IPAddress): FieldError[] {
  const parent: ParentReference | undefined = spec?.parentRef;
  if (!parent) return [required('spec.parentRef', '')];
  const errors: FieldError[] = [];
  if (parent.group) {
    for (const message of isDNS1123Subdomain(parent.group)) {
      errors.push(invalidField('spec.parentRef.group', parent.group, message));
    }
  }
  for (const field of ['resource', 'name', 'namespace'] as const) {
    const value = parent[field];
    if (value) {
      for (const message of isValidPathSegmentName(value)) {
        errors.push(invalidField(`spec.parentRef.${field}`, value, message));
      }
    } else if (field !== 'namespace') errors.push(required(`spec.parentRef.${field}`, ''));
  }
  return errors;
}

/** IPAddresses. Follows pkg/registry/networking/ipaddress/strategy.go, v1.33. */
export const ipAddresses = defineResource<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  scope: 'Cluster',
  schema: 'io.k8s.api.networking.v1.IPAddress',
  validateName: (name) => isValidIP(name),
  validate,
  validateUpdate(next, previous) {
    const errors = validate(next);
    const parent: ParentReference | undefined = next.spec?.parentRef;
    if (!semanticEqual(parent, previous.spec.parentRef)) {
      errors.push(invalidField('spec.parentRef', parent && goParent(parent), 'field is immutable'));
    }
    return errors;
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'ParentRef', type: 'string', cell: ({ spec }) => parentText(spec?.parentRef) },
    ageColumn,
  ],
});
