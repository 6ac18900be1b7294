import type { FieldError } from '#apimachinery/field-error.ts';
import { parseAddress, validateLegacyIP, warningsForIP } from '#apimachinery/ip-validation.ts';
import {
  byteLength,
  GoValue,
  invalidField,
  isDNS1035Label,
  isDNS1123Subdomain,
  isValidPathSegmentName,
  isValidPortName,
  isValidPortNum,
  maxLengthError,
  notSupported,
  regexError,
  required,
} from '#apimachinery/validation.ts';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressTLS,
  TypedLocalObjectReference,
} from '../../generated/types.ts';

// Follows pkg/apis/networking/validation, v1.33.

export const INGRESS_CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const WILDCARD = `\\*\\.${SUBDOMAIN}`;
const wildcard = new RegExp(`^${WILDCARD}$`);

function isWildcard(value: string): string[] {
  const errors = byteLength(value) > 253 ? [maxLengthError(253)] : [];
  if (!wildcard.test(value)) {
    const text =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
    errors.push(regexError(text, WILDCARD, '*.example.com'));
  }
  return errors;
}

function validateHost(host: string, path: string, errors: FieldError[]): void {
  const messages = host.includes('*') ? isWildcard(host) : isDNS1123Subdomain(host);
  for (const message of messages) errors.push(invalidField(path, host, message));
}

/** A reference to an object in the same namespace, or of an ingress class to its parameters. */
export function validateTypedReference(
  { apiGroup, kind, name }: TypedLocalObjectReference,
  path: string,
  errors: FieldError[],
): void {
  if (apiGroup !== undefined) {
    for (const message of isDNS1123Subdomain(apiGroup))
      errors.push(invalidField(`${path}.apiGroup`, apiGroup, message));
  }
  for (const [field, value = ''] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (value === '') errors.push(required(`${path}.${field}`, `${field} is required`));
    else
      for (const message of isValidPathSegmentName(value))
        errors.push(invalidField(`${path}.${field}`, value, message));
  }
}

function validateBackend({ resource, service }: IngressBackend, path: string, errors: FieldError[]): void {
  if (resource && service) {
    errors.push(invalidField(path, '', 'cannot set both resource and service backends'));
  } else if (resource) {
    validateTypedReference(resource, `${path}.resource`, errors);
  } else if (service) {
    const { name = '', port: { name: portName = '', number = 0 } = {} } = service;
    const at = `${path}.service`;
    if (name === '') errors.push(required(`${at}.name`, ''));
    else for (const message of isDNS1035Label(name)) errors.push(invalidField(`${at}.name`, name, message));
    if (portName && number) {
      errors.push(invalidField(path, '', 'cannot set both port name & port number'));
    } else if (portName) {
      for (const message of isValidPortName(portName)) errors.push(invalidField(`${at}.port.name`, portName, message));
    } else if (number) {
      for (const message of isValidPortNum(number)) errors.push(invalidField(`${at}.port.number`, number, message));
    } else {
      errors.push(required(path, 'port name or number is required'));
    }
  } else {
    errors.push(invalidField(path, '', 'resource or service backend is required'));
  }
}

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, at: string, errors: FieldError[]): void {
  if (pathType === undefined || pathType === null) {
    errors.push(required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  const invalidPath = (message: string) => errors.push(invalidField(`${at}.path`, path, message));
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) invalidPath('must be an absolute path');
    for (const sequence of ['//', '/./', '/../', '%2f', '%2F']) {
      if (path.includes(sequence)) invalidPath(`must not contain '${sequence}'`);
    }
    for (const suffix of ['/..', '/.']) if (path.endsWith(suffix)) invalidPath(`cannot end with '${suffix}'`);
  } else if (pathType === 'ImplementationSpecific') {
    if (path && !path.startsWith('/')) invalidPath('must be an absolute path');
  } else {
    errors.push(notSupported(`${at}.pathType`, pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
  }
  validateBackend(backend ?? {}, `${at}.backend`, errors);
}

function validateRuleValue({ http }: IngressRule, path: string, errors: FieldError[]): void {
  if (!http) return;
  const at = `${path}.http.paths`;
  if (!http.paths?.length) errors.push(required(at, ''));
  http.paths?.forEach((item, i) => validatePath(item, `${at}[${i}]`, errors));
}

/** What old objects have wrong stays allowed in them. */
interface Tolerated {
  readonly secretNames: boolean;
  readonly wildcardRules: boolean;
}

function validateRule(rule: IngressRule, path: string, tolerated: Tolerated, errors: FieldError[]): void {
  const { host = '' } = rule;
  if (host) {
    if (parseAddress(host)) errors.push(invalidField(`${path}.host`, host, 'must be a DNS name, not an IP address'));
    validateHost(host, `${path}.host`, errors);
  }
  if (!host.includes('*') || !tolerated.wildcardRules) validateRuleValue(rule, path, errors);
}

function validateTLS(
  { hosts, secretName }: IngressTLS,
  path: string,
  tolerated: Tolerated,
  errors: FieldError[],
): void {
  hosts?.forEach((host, i) => validateHost(host, `${path}.hosts[${i}]`, errors));
  if (!secretName || tolerated.secretNames) return;
  for (const message of isDNS1123Subdomain(secretName)) {
    errors.push(invalidField(`${path}.secretName`, secretName, message));
  }
}

function validateSpec({ spec }: Ingress, tolerated: Tolerated): FieldError[] {
  const errors: FieldError[] = [];
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec ?? {};
  if (rules.length === 0 && !defaultBackend) {
    const none = new GoValue(spec?.rules ? '[]networking.IngressRule{}' : '[]networking.IngressRule(nil)');
    errors.push(invalidField('spec', none, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend) validateBackend(defaultBackend, 'spec.defaultBackend', errors);
  rules.forEach((rule, i) => validateRule(rule, `spec.rules[${i}]`, tolerated, errors));
  tls.forEach((item, i) => validateTLS(item, `spec.tls[${i}]`, tolerated, errors));
  if (ingressClassName !== undefined) {
    for (const message of isDNS1123Subdomain(ingressClassName)) {
      errors.push(invalidField('spec.ingressClassName', ingressClassName, message));
    }
  }
  return errors;
}

export function validateIngress(ingress: Ingress): FieldError[] {
  const errors = validateSpec(ingress, { secretNames: false, wildcardRules: false });
  const annotation = ingress.metadata.annotations?.[INGRESS_CLASS_ANNOTATION];
  const { ingressClassName } = ingress.spec;
  if (annotation !== undefined && ingressClassName !== undefined && annotation !== ingressClassName) {
    const message = 'must match `ingressClassName` when both are specified';
    errors.push(invalidField(`annotations.${INGRESS_CLASS_ANNOTATION}`, annotation, message));
  }
  return errors;
}

export function validateIngressUpdate(next: Ingress, { spec }: Ingress): FieldError[] {
  return validateSpec(next, {
    secretNames: (spec.tls ?? []).some(({ secretName }) => secretName && isDNS1123Subdomain(secretName).length > 0),
    wildcardRules: (spec.rules ?? []).some((rule) => {
      const errors: FieldError[] = [];
      validateRuleValue(rule, '', errors);
      return rule.host?.includes('*') && errors.length > 0;
    }),
  });
}

export function validateIngressStatus({ status }: Ingress, previous: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  const known = (previous.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  status?.loadBalancer?.ingress?.forEach(({ ip, hostname }, i) => {
    const path = `status.loadBalancer.ingress[${i}]`;
    if (ip) validateLegacyIP(ip, `${path}.ip`, errors, known);
    if (!hostname) return;
    for (const message of isDNS1123Subdomain(hostname))
      errors.push(invalidField(`${path}.hostname`, hostname, message));
    if (parseAddress(hostname)) {
      errors.push(invalidField(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
  });
  return errors;
}

export function ingressStatusWarnings({ status }: Ingress): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, i) =>
    ip ? warningsForIP(ip, `status.loadBalancer.ingress[${i}]`) : [],
  );
}
