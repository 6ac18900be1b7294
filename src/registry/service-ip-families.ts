import { services } from '#api/core/v1/service.ts';
import { HEADLESS, needsClusterIP, sameStrings } from '#api/core/v1/service-fields.ts';
import { familyOf, goAddresses, validateServiceAddresses } from '#api/core/v1/service-validation-addresses.ts';
import type { Service } from '#api/generated/types.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import { invalid } from '#apimachinery/status-error.ts';
import { invalidField } from '#apimachinery/validation.ts';

/** The only family that the cluster is configured for. */
const FAMILY = 'IPv4';

const POLICY = 'spec.ipFamilyPolicy';

/**
 * Fills in the families of a Service and their policy. Throws 422 for what a cluster with one family cannot give.
 * Follows initIPFamilyFields of pkg/registry/core/service/storage/alloc.go, v1.33.
 */
export function withFamilies(given: Service, previous: Service | undefined): Service {
  if (!needsClusterIP(given) || keepsPreference(given, previous)) return given;
  const hasNoSelector = given.spec.clusterIP === HEADLESS && Object.keys(given.spec.selector ?? {}).length === 0;
  const ipFamilyPolicy =
    given.spec.ipFamilyPolicy ?? previous?.spec.ipFamilyPolicy ?? (hasNoSelector ? 'RequireDualStack' : 'SingleStack');
  let spec = { ...given.spec, ipFamilyPolicy };
  const errors: FieldError[] = [];
  const check = () => {
    if (errors.length > 0) throw invalid(services, given.metadata.name ?? '', errors);
  };
  validateServiceAddresses({ ...given, spec }, previous, errors);
  check();

  if (previous) {
    const { clusterIPs, ipFamilies } = previous.spec;
    if (ipFamilyPolicy === 'SingleStack') {
      if (clusterIPs?.[1] && sameStrings(clusterIPs, spec.clusterIPs))
        spec = { ...spec, clusterIPs: clusterIPs.slice(0, 1) };
      if (ipFamilies?.[1] && sameStrings(ipFamilies, spec.ipFamilies))
        spec = { ...spec, ipFamilies: ipFamilies.slice(0, 1) };
    } else {
      if (isReduced(clusterIPs, spec.clusterIPs))
        errors.push(invalidField(POLICY, ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"));
      if (isReduced(ipFamilies, spec.ipFamilies))
        errors.push(invalidField(POLICY, ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"));
    }
  }
  if (ipFamilyPolicy === 'SingleStack') {
    const message = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
    if (spec.clusterIPs?.length === 2)
      errors.push(invalidField(POLICY, ipFamilyPolicy, `${message} cluster IPs are specified`));
    if (spec.ipFamilies?.length === 2)
      errors.push(invalidField(POLICY, ipFamilyPolicy, `${message} IP families are specified`));
  }
  const families = [...(spec.ipFamilies ?? [])];
  const { clusterIPs = [] } = spec;
  for (let i = 0; i < clusterIPs.length && clusterIPs[i] !== HEADLESS; i++) {
    if (i < families.length) continue;
    const family = familyOf(clusterIPs[i] as string);
    if (family === FAMILY) families.push(family);
    else {
      const message = `${family} is not configured on this cluster`;
      errors.push(invalidField(`spec.clusterIPs[${i}]`, goAddresses(clusterIPs), message));
    }
  }
  check();

  if (hasNoSelector) {
    // Whoever writes the endpoints decides about their families.
    if (families.length === 0) families.push(FAMILY);
    if (families.length < 2 && ipFamilyPolicy !== 'SingleStack')
      families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
    return { ...given, spec: { ...spec, ipFamilies: families } };
  }
  if (ipFamilyPolicy === 'RequireDualStack')
    errors.push(invalidField(POLICY, ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  families.forEach((family, i) => {
    if (family !== FAMILY) errors.push(invalidField(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  });
  check();
  return { ...given, spec: { ...spec, ipFamilies: families.length ? families : [FAMILY] } };
}

/** Less than before, but not left out. */
const isReduced = (before: readonly string[] = [], now: readonly string[] = []): boolean =>
  now.length > 0 && now.length < before.length;

/** A preference that was not touched is not acted upon again. */
function keepsPreference({ spec }: Service, previous: Service | undefined): boolean {
  if (!previous) return false;
  const old = previous.spec;
  return (
    old.type === spec.type &&
    (spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer') &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    (old.ipFamilyPolicy ?? 'PreferDualStack') === 'PreferDualStack' &&
    sameStrings(old.clusterIPs, spec.clusterIPs) &&
    sameStrings(old.ipFamilies, spec.ipFamilies)
  );
}
