import type { FieldError } from '#apimachinery/field-error.ts';
import { defineResource } from '#apimachinery/resource.ts';
import {
  byteLength,
  forbiddenField,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  notSupported,
  regexError,
  required,
  tooLong,
} from '#apimachinery/validation.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fill, replace } from '../../fill.ts';
import type { IngressClass, IngressClassParametersReference } from '../../generated/types.ts';
import { specGeneration } from '../../spec-generation.ts';
import { validateTypedReference } from './ingress-validation.ts';

const MAX_CONTROLLER = 250;
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPath = new RegExp(`^${HTTP_PATH}$`);

/** A path that begins with a domain, such as `acme.io/foo`. Follows IsDomainPrefixedPath of apimachinery, v1.33. */
export function validateDomainPrefixedPath(value: string, path: string, errors: FieldError[]): void {
  if (value === '') {
    errors.push(required(path, ''));
    return;
  }
  const slash = value.indexOf('/');
  if (slash <= 0 || slash === value.length - 1) {
    errors.push(invalidField(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    return;
  }
  const host = value.slice(0, slash);
  const rest = value.slice(slash + 1);
  for (const message of isDNS1123Subdomain(host)) errors.push(invalidField(path, host, message));
  if (!httpPath.test(rest)) errors.push(invalidField(path, rest, regexError('Invalid path', HTTP_PATH)));
}

function validateParameters(parameters: IngressClassParametersReference, path: string, errors: FieldError[]): void {
  validateTypedReference(parameters, path, errors);
  const { scope, namespace } = parameters;
  if (scope === undefined) {
    errors.push(required(`${path}.scope`, ''));
  } else if (scope !== 'Cluster' && scope !== 'Namespace') {
    errors.push(notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace']));
  } else if (scope === 'Cluster') {
    if (namespace !== undefined) {
      errors.push(forbiddenField(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
    }
  } else if (namespace === undefined) {
    errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  } else {
    for (const message of isDNS1123Label(namespace)) errors.push(invalidField(`${path}.namespace`, namespace, message));
  }
}

function validate({ spec }: IngressClass): FieldError[] {
  const errors: FieldError[] = [];
  const { controller = '', parameters } = spec ?? {};
  if (byteLength(controller) > MAX_CONTROLLER) errors.push(tooLong('spec.controller', MAX_CONTROLLER));
  validateDomainPrefixedPath(controller, 'spec.controller', errors);
  if (parameters) validateParameters(parameters, 'spec.parameters', errors);
  return errors;
}

function parametersText({ spec: { parameters } }: IngressClass): string {
  if (!parameters) return '<none>';
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

/** Whether Ingresses without a class get this one. */
export const isDefaultIngressClass = ({ metadata: { annotations } }: IngressClass): boolean =>
  annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';

/** IngressClasses. Follows pkg/registry/networking/ingressclass/strategy.go, v1.33. */
export const ingressClasses = defineResource<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  scope: 'Cluster',
  schema: 'io.k8s.api.networking.v1.IngressClass',
  defaults(ingressClass) {
    const { spec } = ingressClass;
    if (!spec?.parameters) return ingressClass;
    return replace(ingressClass, 'spec', replace(spec, 'parameters', fill(spec.parameters, { scope: 'Cluster' })));
  },
  validate,
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    const { controller = '' } = next.spec;
    if (controller !== (previous.spec.controller ?? '')) {
      errors.push(invalidField('spec.controller', controller, 'field is immutable'));
    }
    return [...errors, ...validate(next)];
  },
  notModelled: () => ['spec.controller: no ingress controller is modelled'],
  strategy: specGeneration(),
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Controller', type: 'string', cell: ({ spec }) => spec.controller ?? '' },
    { name: 'Parameters', type: 'string', cell: parametersText },
    ageColumn,
  ],
});
