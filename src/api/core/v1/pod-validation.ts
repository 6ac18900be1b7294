import type { FieldError } from '#apimachinery/field-error.ts';
import { validateLegacyIP } from '#apimachinery/ip-validation.ts';
import { validateLabels } from '#apimachinery/label-validation.ts';
import {
  forbiddenField,
  goStrings,
  inclusiveRangeError,
  invalidField,
  isDNS1123Label,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isQualifiedName,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import { validateStandardFinalizers } from '../../finalizers.ts';
import type { ObjectMeta, Pod, PodDNSConfig, PodSpec } from '../../generated/types.ts';
import { validatePodAnnotations } from './pod-validation-annotations.ts';
import { validateAllContainers, validateImageWhitespace, validateResources } from './pod-validation-containers.ts';
import {
  validateAffinity,
  validatePreemptionPolicy,
  validateSchedulingGates,
  validateTolerations,
  validateTopologySpreadConstraints,
} from './pod-validation-scheduling.ts';
import {
  validateHostUsers,
  validateOS,
  validatePodSecurityContext,
  validateProfileAnnotations,
  validateWindowsHostProcess,
} from './pod-validation-security.ts';
import { validateVolumes } from './pod-validation-volumes.ts';
import { containersWithPath } from './pod-warnings.ts';

// Follows pkg/apis/core/validation, v1.33.

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
export const MAX_INT32 = 2147483647;

/** A specification, in a Pod (then `metadata` is the Pod's) or in a template. */
export function validatePodSpec(
  spec: PodSpec,
  metadata: ObjectMeta | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`));
  const volumes = validateVolumes(spec.volumes, metadata, `${path}.volumes`, errors);
  validateAllContainers(spec, volumes, path, errors);
  validateHostNetworkPorts(spec, metadata !== undefined, path, errors);
  const oneOf = (field: 'restartPolicy' | 'dnsPolicy', supported: readonly string[]) => {
    const value = spec[field];
    if (!value) errors.push(required(`${path}.${field}`));
    else if (!supported.includes(value)) errors.push(notSupported(`${path}.${field}`, value, supported));
  };
  oneOf('restartPolicy', RESTART_POLICIES);
  oneOf('dnsPolicy', DNS_POLICIES);
  validateLabels(spec.nodeSelector, `${path}.nodeSelector`, errors);
  validatePodSecurityContext(spec, path, errors);
  validateAffinity(spec.affinity, `${path}.affinity`, errors);
  validateDNSConfig(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`, errors);
  spec.readinessGates?.forEach(({ conditionType }, i) => {
    for (const message of isQualifiedName(conditionType)) {
      errors.push(invalidField(`${path}.readinessGates[${i}].conditionType`, conditionType, message));
    }
  });
  validateSchedulingGates(spec.schedulingGates, `${path}.schedulingGates`, errors);
  validateTopologySpreadConstraints(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, errors);
  const containers = containersWithPath(spec, path);
  validateWindowsHostProcess(spec, containers, path, errors);
  validateHostUsers(spec, path, errors);
  const subdomain = (field: 'serviceAccountName' | 'nodeName' | 'priorityClassName') => {
    const value = spec[field];
    if (!value) return;
    for (const message of isDNS1123Subdomain(value)) errors.push(invalidField(`${path}.${field}`, value, message));
  };
  subdomain('serviceAccountName');
  subdomain('nodeName');
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > MAX_INT32)) {
    errors.push(invalidField(`${path}.activeDeadlineSeconds`, deadline, inclusiveRangeError(1, MAX_INT32)));
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const value = spec[field];
    if (!value) continue;
    for (const message of isDNS1123Label(value)) errors.push(invalidField(`${path}.${field}`, value, message));
  }
  validateTolerations(spec.tolerations, `${path}.tolerations`, errors);
  spec.hostAliases?.forEach(({ ip, hostnames }, i) => {
    const at = `${path}.hostAliases[${i}]`;
    validateLegacyIP(ip, `${at}.ip`, errors);
    hostnames?.forEach((name, j) => {
      for (const message of isDNS1123Subdomain(name)) errors.push(invalidField(`${at}.hostnames[${j}]`, name, message));
    });
  });
  subdomain('priorityClassName');
  if (spec.runtimeClassName !== undefined) {
    for (const message of isDNS1123Subdomain(spec.runtimeClassName)) {
      errors.push(invalidField(`${path}.runtimeClassName`, spec.runtimeClassName, message));
    }
  }
  if (spec.preemptionPolicy !== undefined) {
    validatePreemptionPolicy(spec.preemptionPolicy, `${path}.preemptionPolicy`, errors);
  }
  if (spec.overhead) validateResources({ limits: spec.overhead }, `${path}.overhead`, errors);
  validateOS(spec, containers, path, errors);
}

function validateHostNetworkPorts(spec: PodSpec, isPod: boolean, path: string, errors: FieldError[]): void {
  if (!spec.hostNetwork) return;
  spec.containers.forEach(({ ports }, i) => {
    ports?.forEach(({ hostPort = 0, containerPort }, j) => {
      if ((!isPod && hostPort === 0) || hostPort === containerPort) return;
      const at = `${path}.containers[${i}].ports[${j}].hostPort`;
      errors.push(invalidField(at, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
    });
  });
}

function validateDNSConfig(
  config: PodDNSConfig | undefined,
  policy: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (policy === 'None' && !config) {
    errors.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    return;
  }
  if (policy === 'None' && nameservers.length === 0) {
    const message = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    errors.push(required(`${path}.nameservers`, message));
    return;
  }
  if (nameservers.length > 3) {
    errors.push(invalidField(`${path}.nameservers`, goStrings(nameservers), 'must not have more than 3 nameservers'));
  }
  nameservers.forEach((ip, i) => validateLegacyIP(ip, `${path}.nameservers[${i}]`, errors));
  if (searches.length > 32) {
    errors.push(invalidField(`${path}.searches`, goStrings(searches), 'must not have more than 32 search paths'));
  }
  if (searches.join(' ').length > 2048) {
    const message = 'must not have more than 2048 characters (including spaces) in the search list';
    errors.push(invalidField(`${path}.searches`, goStrings(searches), message));
  }
  searches.forEach((search, i) => {
    if (search === '.') return;
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    for (const message of isDNS1123SubdomainWithUnderscore(name)) {
      errors.push(invalidField(`${path}.searches[${i}]`, name, message));
    }
  });
  options.forEach(({ name }, i) => {
    if (!name) errors.push(required(`${path}.options[${i}]`, 'must not be empty'));
  });
}

/** What holds for a Pod whenever it is written. */
export function validateMetadataAndSpec(pod: Pod, errors: FieldError[]): void {
  const { metadata, spec } = pod;
  validateStandardFinalizers(metadata, errors);
  validatePodAnnotations(metadata.annotations, spec, errors);
  validatePodSpec(spec, metadata, 'spec', errors);
  if (!spec.serviceAccountName) {
    spec.volumes?.forEach(({ projected }, i) => {
      projected?.sources?.forEach(({ serviceAccountToken }, j) => {
        if (!serviceAccountToken) return;
        const at = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
        errors.push(forbiddenField(at, 'must not be specified when serviceAccountName is not set'));
      });
    });
  }
  spec.containers.forEach((container, i) => validateImageWhitespace(container, `spec.containers[${i}]`, errors));
  spec.initContainers?.forEach((container, i) => {
    validateImageWhitespace(container, `spec.initContainers[${i}]`, errors);
  });
}

/** A new Pod. */
export function validatePod(pod: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, spec } = pod;
  validateMetadataAndSpec(pod, errors);
  if (spec.ephemeralContainers?.length) {
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  validateProfileAnnotations(spec, containersWithPath(spec, 'spec'), metadata.annotations, 'spec', errors);
  return errors;
}
