import type { FieldError } from '#apimachinery/field-error.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import {
  duplicate,
  invalidField,
  isConfigMapKey,
  isDNS1123Subdomain,
  isQualifiedName,
  isRelaxedEnvVarName,
  isValidPortName,
  isValidPortNum,
  maskTrailingDash,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import type {
  ContainerPort,
  EnvFromSource,
  EnvVar,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../generated/types.ts';

// Ports and environment of containers. Follows pkg/apis/core/validation, v1.33.

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export function validateContainerPorts(
  ports: readonly ContainerPort[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (!ports) return;
  const names = new Set<string>();
  ports.forEach(({ name, containerPort, hostPort, protocol }, i) => {
    const at = `${path}[${i}]`;
    if (name) {
      const messages = isValidPortName(name);
      for (const message of messages) errors.push(invalidField(`${at}.name`, name, message));
      if (messages.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      if (messages.length === 0) names.add(name);
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`));
    else {
      for (const message of isValidPortNum(containerPort)) {
        errors.push(invalidField(`${at}.containerPort`, containerPort, message));
      }
    }
    if (hostPort) {
      for (const message of isValidPortNum(hostPort)) errors.push(invalidField(`${at}.hostPort`, hostPort, message));
    }
    if (!protocol) errors.push(required(`${at}.protocol`));
    else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS));
  });
}

/** The port of a probe or a Service: a number or a name. */
export function validatePortNumOrName(port: number | string, path: string, errors: FieldError[]): void {
  const messages = typeof port === 'number' ? isValidPortNum(port) : isValidPortName(port);
  for (const message of messages) errors.push(invalidField(path, port, message));
}

export function validateEnv(variables: readonly EnvVar[] | undefined, path: string, errors: FieldError[]): void {
  variables?.forEach((variable, i) => {
    const at = `${path}[${i}]`;
    const { name } = variable;
    if (!name) errors.push(required(`${at}.name`));
    else for (const message of isRelaxedEnvVarName(name)) errors.push(invalidField(`${at}.name`, name, message));
    if (variable.valueFrom) validateValueFrom(variable, `${at}.valueFrom`, errors);
  });
}

function validateValueFrom({ value, valueFrom = {} }: EnvVar, path: string, errors: FieldError[]): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) validateFieldRef(fieldRef, FIELD_PATHS_OF_VARIABLES, `${path}.fieldRef`, errors);
  if (resourceFieldRef) validateResourceFieldRef(resourceFieldRef, false, `${path}.resourceFieldRef`, errors);
  if (configMapKeyRef) validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`, errors);
  if (secretKeyRef) validateKeyRef(secretKeyRef, `${path}.secretKeyRef`, errors);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef].filter(Boolean).length;
  if (sources === 0) {
    errors.push(
      invalidField(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ),
    );
  } else if (value) errors.push(invalidField(path, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) errors.push(invalidField(path, '', 'may not have more than one field specified at a time'));
}

function validateKeyRef(
  { name = '', key }: { readonly name?: string; readonly key: string },
  path: string,
  errors: FieldError[],
): void {
  for (const message of isDNS1123Subdomain(name)) errors.push(invalidField(`${path}.name`, name, message));
  if (!key) errors.push(required(`${path}.key`));
  else for (const message of isConfigMapKey(key)) errors.push(invalidField(`${path}.key`, key, message));
}

export function validateEnvFrom(
  sources: readonly EnvFromSource[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  sources?.forEach((source, i) => {
    const at = `${path}[${i}]`;
    const { prefix, configMapRef, secretRef } = source;
    if (prefix) {
      for (const message of isRelaxedEnvVarName(prefix)) errors.push(invalidField(`${at}.prefix`, prefix, message));
    }
    for (const key of ['configMapRef', 'secretRef'] as const) {
      const reference = source[key];
      if (!reference) continue;
      const { name } = reference;
      if (!name) errors.push(required(`${at}.${key}.name`));
      else {
        for (const message of isDNS1123Subdomain(maskTrailingDash(name))) {
          errors.push(invalidField(`${at}.${key}.name`, name, message));
        }
      }
    }
    if (!configMapRef && !secretRef) {
      errors.push(invalidField(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef && secretRef) {
      errors.push(invalidField(path, '', 'may not have more than one field specified at a time'));
    }
  });
}

/** Fields of a Pod that a variable may take, sorted. */
const FIELD_PATHS_OF_VARIABLES: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** Fields of a Pod that a file may take, sorted. */
export const FIELD_PATHS_OF_VOLUMES: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

const FIELD_LABELS: readonly string[] = [
  ...FIELD_PATHS_OF_VOLUMES,
  ...FIELD_PATHS_OF_VARIABLES,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
];

/** Takes `metadata.labels['a']` apart; undefined where there is no subscript. */
export function splitSubscript(fieldPath: string): { readonly path: string; readonly subscript: string } | undefined {
  const match = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  return match ? { path: match[1] as string, subscript: match[2] as string } : undefined;
}

/** A reference to a field of the Pod itself. */
export function validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  if (!apiVersion) {
    errors.push(required(`${path}.apiVersion`));
    return;
  }
  if (!fieldPath) {
    errors.push(required(`${path}.fieldPath`));
    return;
  }
  const split = splitSubscript(fieldPath);
  const isMap = split?.path === 'metadata.annotations' || split?.path === 'metadata.labels';
  const problem =
    apiVersion !== 'v1'
      ? `unsupported pod version: ${apiVersion}`
      : split && !isMap
        ? `field label does not support subscript: ${fieldPath}`
        : !split && fieldPath !== 'spec.host' && !FIELD_LABELS.includes(fieldPath)
          ? `field label not supported: ${fieldPath}`
          : undefined;
  if (problem) {
    errors.push(invalidField(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${problem}`));
  } else if (split) {
    const key = split.path === 'metadata.annotations' ? split.subscript.toLowerCase() : split.subscript;
    for (const message of isQualifiedName(key)) errors.push(invalidField(path, key, message));
  } else {
    const field = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
    if (!allowed.includes(field)) errors.push(notSupported(`${path}.fieldPath`, field, allowed));
  }
}

const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
/** What is divided, how messages call it, and by what. */
const DIVISORS: readonly (readonly [RegExp, string, readonly string[]])[] = [
  [/^(?:limits|requests)\.cpu$/, 'cpu', ['1m', '1']],
  [/^(?:limits|requests)\.memory$/, 'memory', BYTE_DIVISORS],
  [/^(?:limits|requests)\.ephemeral-storage$/, 'local ephemeral storage', BYTE_DIVISORS],
  [/^(?:limits|requests)\.hugepages-/, 'hugepages', BYTE_DIVISORS],
];

/** A reference to a container's request or limit; files name the container. */
export function validateResourceFieldRef(
  { containerName, resource, divisor = '0' }: ResourceFieldSelector,
  needsContainer: boolean,
  path: string,
  errors: FieldError[],
): void {
  if (needsContainer && !containerName) errors.push(required(`${path}.containerName`));
  else if (!resource) errors.push(required(`${path}.resource`));
  else if (!RESOURCE_FIELDS.includes(resource) && !/^(?:limits|requests)\.hugepages-/.test(resource)) {
    errors.push(notSupported(`${path}.resource`, resource, RESOURCE_FIELDS));
  }
  if (compareQuantities(divisor, '0') === 0) return;
  for (const [pattern, name, divisors] of DIVISORS) {
    if (!pattern.test(resource) || divisors.includes(divisor)) continue;
    const list = divisors.length === 2 ? divisors.join(' and ') : divisors.join(', ');
    const message = `only divisor's values ${list} are supported with the ${name} resource`;
    errors.push(invalidField(`${path}.divisor`, resource, message));
  }
}
