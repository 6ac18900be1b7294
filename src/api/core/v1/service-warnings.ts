import { warningsForCIDR, warningsForIP } from '#apimachinery/ip-validation.ts';
import type { Service } from '../../generated/types.ts';
import { TOPOLOGY_HINTS } from './service-validation.ts';

/** Follows pkg/api/service/warnings.go, v1.33. */
export function serviceWarnings({ metadata, spec }: Service): string[] {
  const warnings: string[] = [];
  const { type, clusterIPs = [], externalIPs = [], loadBalancerIP, loadBalancerSourceRanges = [] } = spec;
  if (Object.hasOwn(metadata.annotations ?? {}, TOPOLOGY_HINTS)) {
    const mode = 'service.kubernetes.io/topology-mode';
    warnings.push(`annotation ${TOPOLOGY_HINTS} is deprecated, please use ${mode} instead`);
  }
  clusterIPs.forEach((address, i) => warnings.push(...warningsForIP(address, `spec.clusterIPs[${i}]`)));
  externalIPs.forEach((address, i) => warnings.push(...warningsForIP(address, `spec.externalIPs[${i}]`)));
  if (loadBalancerIP) warnings.push(...warningsForIP(loadBalancerIP, 'spec.loadBalancerIP'));
  loadBalancerSourceRanges.forEach((range, i) =>
    warnings.push(...warningsForCIDR(range, `spec.loadBalancerSourceRanges[${i}]`)),
  );
  if (type === 'ExternalName' && externalIPs.length > 0)
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (type !== 'ExternalName' && spec.externalName)
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  return warnings;
}

/** Of addresses that a load balancer was given. */
export const serviceStatusWarnings = ({ status }: Service): string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, i) =>
    ip ? warningsForIP(ip, `status.loadBalancer.ingress[${i}]`) : [],
  );
