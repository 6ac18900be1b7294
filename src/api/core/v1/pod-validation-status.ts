import type { FieldError } from '#apimachinery/field-error.ts';
import { isDualStack, validateLegacyIP, warningsForIP } from '#apimachinery/ip-validation.ts';
import {
  forbiddenField,
  GoValue,
  goQuote,
  invalidField,
  isDNS1123Subdomain,
  isQualifiedName,
} from '#apimachinery/validation.ts';
import type { ContainerStatus, Pod, PodCondition, PodSpec } from '../../generated/types.ts';
import { isRestartableInitContainer } from './pod-status.ts';
import { validatePodAnnotationUpdates } from './pod-validation-annotations.ts';
import { validateId } from './pod-validation-security.ts';

/** What a component may write to a Pod's status. Follows ValidatePodStatusUpdate of pkg/apis/core/validation, v1.33. */
export function validatePodStatusUpdate(next: Pod, previous: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const status = next.status ?? {};
  const before = previous.status ?? {};
  validatePodAnnotationUpdates(next, previous, errors);
  validateConditions(status.conditions, errors);
  if ((next.spec.nodeName ?? '') !== (previous.spec.nodeName ?? '')) {
    errors.push(forbiddenField('status.nodeName', 'may not be changed directly'));
  }
  if (status.nominatedNodeName && status.nominatedNodeName !== before.nominatedNodeName) {
    for (const message of isDNS1123Subdomain(status.nominatedNodeName)) {
      errors.push(invalidField('status.nominatedNodeName', status.nominatedNodeName, message));
    }
  }
  if ((status.observedGeneration ?? 0) < 0) {
    const path = 'status.observedGeneration';
    errors.push(invalidField(path, status.observedGeneration, 'must be a non-negative integer'));
  }
  if ((status.qosClass ?? '') !== (before.qosClass ?? '')) {
    errors.push(invalidField('status.qosClass', status.qosClass ?? '', 'field is immutable'));
  }
  const policy = previous.spec.restartPolicy;
  validateTransitions(status.containerStatuses, before.containerStatuses, 'containerStatuses', policy, errors);
  const sidecars = sidecarNames(previous.spec);
  const ordinary = before.initContainerStatuses?.map((old) => (sidecars.has(old.name) ? undefined : old));
  validateTransitions(status.initContainerStatuses, ordinary, 'initContainerStatuses', policy, errors);
  validateTransitions(
    status.ephemeralContainerStatuses,
    before.ephemeralContainerStatuses,
    'ephemeralContainerStatuses',
    'Never',
    errors,
  );
  validatePodIPs(next, previous, errors);
  validateHostIPs(next, previous, errors);
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    validateUsers(status[list], `status.${list}`, next.spec, errors);
  }
  return errors;
}

function validateConditions(conditions: readonly PodCondition[] = [], errors: FieldError[]): void {
  conditions.forEach(({ type, observedGeneration = 0 }, i) => {
    const path = `status.conditions[${i}]`;
    if (observedGeneration < 0) {
      errors.push(invalidField(`${path}.observedGeneration`, observedGeneration, 'must be a non-negative integer'));
    }
    if (type === 'PodScheduled' || type === 'Ready' || type === 'Initialized') return;
    for (const message of isQualifiedName(type)) errors.push(invalidField(`${path}.Type`, type, message));
  });
}

function sidecarNames(spec: PodSpec): ReadonlySet<string> {
  return new Set(spec.initContainers?.filter(isRestartableInitContainer).map(({ name }) => name));
}

/** A container that ended for good does not come back. */
function validateTransitions(
  next: readonly ContainerStatus[] | undefined,
  previous: readonly (ContainerStatus | undefined)[] | undefined,
  list: string,
  restartPolicy: string | undefined,
  errors: FieldError[],
): void {
  if (restartPolicy === 'Always') return;
  previous?.forEach((old, i) => {
    const ended = old?.state?.terminated;
    if (!ended || (ended.exitCode !== 0 && restartPolicy === 'OnFailure')) return;
    for (const status of next ?? []) {
      if (status.name === old.name && !status.state?.terminated) {
        errors.push(forbiddenField(`status.${list}[${i}].state`, 'may not be transitioned to non-terminated state'));
      }
    }
  });
}

const goIPs = (type: string, ips: readonly { readonly ip: string }[]) =>
  new GoValue(`[]core.${type}{${ips.map(({ ip }) => `core.${type}{IP:${goQuote(ip)}}`).join(', ')}}`);

function validatePodIPs(next: Pod, previous: Pod, errors: FieldError[]): void {
  const ips = next.status?.podIPs;
  if (!ips || ips === previous.status?.podIPs) return;
  const known = previous.status?.podIPs?.map(({ ip }) => ip);
  const path = 'status.podIPs';
  ips.forEach(({ ip }, i) => validateLegacyIP(ip, `${path}[${i}]`, errors, known));
  if (ips.length > 1 && (!isDualStack(ips.map(({ ip }) => ip)) || ips.length > 2)) {
    errors.push(invalidField(path, goIPs('PodIP', ips), 'may specify no more than one IP for each IP family'));
  }
}

function validateHostIPs(next: Pod, previous: Pod, errors: FieldError[]): void {
  const ips = next.status?.hostIPs;
  if (!ips?.length) return;
  const path = 'status.hostIPs';
  const first = ips[0]?.ip;
  if ((next.status?.hostIP ?? '') !== first) {
    errors.push(invalidField(`${path}[0].ip`, first, 'must be equal to `hostIP`'));
  }
  const known = previous.status?.hostIPs?.map(({ ip }) => ip);
  ips.forEach(({ ip }, i) => validateLegacyIP(ip, `${path}[${i}]`, errors, known));
  if (ips.length > 1 && (!isDualStack(ips.map(({ ip }) => ip)) || ips.length > 2)) {
    const go = goIPs('HostIP', ips);
    errors.push(invalidField(path, go, 'may specify no more than one IP for each IP family'));
  }
}

function validateUsers(
  statuses: readonly ContainerStatus[] | undefined,
  path: string,
  spec: PodSpec,
  errors: FieldError[],
): void {
  statuses?.forEach(({ user }, i) => {
    if (!user?.linux) return;
    const at = `${path}[${i}].user.linux`;
    if (spec.os?.name === 'windows') {
      errors.push(forbiddenField(at, 'cannot be set for a windows pod'));
      return;
    }
    validateId(user.linux.uid, `${at}.uid`, errors);
    validateId(user.linux.gid, `${at}.gid`, errors);
    user.linux.supplementalGroups?.forEach((gid, g) => validateId(gid, `${at}.supplementalGroups[${g}]`, errors));
  });
}

/** Warnings for addresses in odd forms. */
export function podStatusWarnings({ status }: Pod): string[] {
  return [
    ...(status?.podIPs ?? []).flatMap(({ ip }, i) => warningsForIP(ip, `status.podIPs[${i}].ip`)),
    ...(status?.hostIPs ?? []).flatMap(({ ip }, i) => warningsForIP(ip, `status.hostIPs[${i}].ip`)),
  ];
}
