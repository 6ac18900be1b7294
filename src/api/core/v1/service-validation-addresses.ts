import type { FieldError } from '#apimachinery/field-error.ts';
import { parseAddress, validateLegacyIP } from '#apimachinery/ip-validation.ts';
import {
  type BadValue,
  duplicate,
  GoValue,
  goStrings,
  invalidField,
  notSupported,
  required,
} from '#apimachinery/validation.ts';
import type { Service } from '../../generated/types.ts';
import { HEADLESS, isHeadless, needsClusterIP } from './service-fields.ts';

// The cluster's addresses of a Service, their families and the policy. Follows pkg/apis/core/validation, v1.33.

const FAMILIES = ['IPv4', 'IPv6'] as const;
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'] as const;
const CLUSTER_IPS = 'spec.clusterIPs';

/** `IPv4` or `IPv6`. */
export const familyOf = (address: string): string => (parseAddress(address)?.bytes.length === 16 ? 'IPv6' : 'IPv4');

/** Addresses as messages show them. */
export const goAddresses = (addresses: readonly string[] | undefined): BadValue =>
  addresses ? goStrings(addresses) : new GoValue('[]string(nil)');

const goFamilies = (families: readonly string[] | undefined): BadValue =>
  new GoValue(families ? goStrings(families).text.replace('[]string', '[]core.IPFamily') : '[]core.IPFamily(nil)');

/** Follows ValidateServiceClusterIPsRelatedFields; the allocators ask it too, before they read these fields. */
export function validateServiceAddresses(service: Service, previous: Service | undefined, errors: FieldError[]): void {
  if (!needsClusterIP(service)) return;
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = service.spec;
  if (clusterIP) {
    if (clusterIPs.length === 0) errors.push(required(CLUSTER_IPS));
    else if (clusterIPs[0] !== clusterIP)
      errors.push(invalidField(CLUSTER_IPS, goAddresses(clusterIPs), 'first value must match `clusterIP`'));
  } else if (clusterIPs.length > 0) {
    errors.push(invalidField(CLUSTER_IPS, goAddresses(clusterIPs), 'must be empty when `clusterIP` is not specified'));
  }
  ipFamilies.forEach((family, i) => {
    const path = `spec.ipFamilies[${i}]`;
    if (!FAMILIES.includes(family as 'IPv4')) errors.push(notSupported(path, family, FAMILIES));
    if (ipFamilies.indexOf(family) < i) errors.push(duplicate(path, family));
  });
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy as 'SingleStack'))
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES));
  if (!validateAddresses(clusterIPs, previous?.spec.clusterIPs, errors)) return;
  if (clusterIPs.length > 1 && new Set(clusterIPs.map(familyOf)).size < 2) {
    const message = 'may specify no more than one IP for each IP family';
    errors.push(invalidField(CLUSTER_IPS, goAddresses(clusterIPs), message));
  }
  if (isHeadless(service.spec)) return;
  clusterIPs.forEach((address, i) => {
    const family = ipFamilies[i];
    if ((family === 'IPv4' || family === 'IPv6') && family !== familyOf(address)) {
      const message = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
      errors.push(invalidField(`${CLUSTER_IPS}[${i}]`, address, message));
    }
  });
}

/** Returns whether each is an address, or the only one `None`. */
function validateAddresses(
  addresses: readonly string[],
  known: readonly string[] | undefined,
  errors: FieldError[],
): boolean {
  const before = errors.length;
  addresses.forEach((address, i) => {
    if (i > 0 || address !== HEADLESS) validateLegacyIP(address, `${CLUSTER_IPS}[${i}]`, errors, known);
    else if (addresses.length > 1)
      errors.push(invalidField(CLUSTER_IPS, goAddresses(addresses), "'None' must be the first and only value"));
  });
  const valid = errors.length === before;
  if (addresses.length > 2)
    errors.push(invalidField(CLUSTER_IPS, goAddresses(addresses), 'may only hold up to 2 values'));
  return valid;
}

const CHANGED = 'may not change once set';

/** An address stays; a second one may come, and go when the policy says so. */
export function validateAddressesUpdate({ spec }: Service, previous: Service, errors: FieldError[]): void {
  const old = previous.spec;
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if (!(isHeadless(spec) && isHeadless(old))) {
    const now = spec.clusterIPs ?? [];
    const before = old.clusterIPs ?? [];
    const at = (i: number, message: string) =>
      errors.push(invalidField(`${CLUSTER_IPS}[${i}]`, goAddresses(spec.clusterIPs), message));
    if (now.length === before.length) {
      before.forEach((address, i) => {
        if (address !== now[i]) at(i, CHANGED);
      });
    } else {
      if (now.length === 0) at(0, 'primary clusterIP can not be unset');
      if (before.length > 0 && now.length > 0 && now[0] !== before[0]) at(0, CHANGED);
      if (before.length > now.length && now.length === 1) validateRelease(spec.ipFamilyPolicy, 'clusterIP', errors);
    }
  }
  if (isHeadless(spec) || isHeadless(old)) return;
  const now = spec.ipFamilies ?? [];
  const before = old.ipFamilies ?? [];
  const first = (value: BadValue, message: string) => errors.push(invalidField('spec.ipFamilies[0]', value, message));
  if (now.length === before.length) {
    before.forEach((family, i) => {
      if (family !== now[i]) first(goFamilies(spec.ipFamilies), CHANGED);
    });
    return;
  }
  const isLess = before.length > now.length;
  if (isLess && !spec.clusterIPs?.length) first(goFamilies(spec.ipFamilies), 'primary ipFamily can not be unset');
  if (before.length > 0 && now.length > 0 && now[0] !== before[0]) first(goAddresses(spec.clusterIPs), CHANGED);
  if (isLess && now.length === 1) validateRelease(spec.ipFamilyPolicy, 'ipFamily', errors);
}

function validateRelease(policy: string | undefined, what: string, errors: FieldError[]): void {
  if (policy !== 'SingleStack') {
    const message = `must be set to 'SingleStack' when releasing the secondary ${what}`;
    errors.push(invalidField('spec.ipFamilyPolicy', policy, message));
  }
}
