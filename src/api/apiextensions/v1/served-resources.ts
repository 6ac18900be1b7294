import type { ResourceDefinition, Scope } from '#apimachinery/resource.ts';
import type { CustomResourceDefinition } from '../../generated/types.ts';
import { isConditionTrue } from './crd-conditions.ts';

/** The name of a custom kind's definition in OpenAPI: `com.example.stable.v1.CronTab`. */
export function definitionName(group: string, version: string, kind: string): string {
  return [...group.split('.').reverse(), version, kind].join('.');
}

/** Whether a definition's resources are served: its names are its own. */
export const isServed = (crd: CustomResourceDefinition): boolean =>
  isConditionTrue(crd, 'NamesAccepted') || isConditionTrue(crd, 'Established');

/**
 * What a client needs to know of the resources of a CustomResourceDefinition, one for each version that is served, the
 * storage version first. None while they are not served.
 */
export function servedResources(crd: CustomResourceDefinition): readonly ResourceDefinition[] {
  const { spec, status } = crd;
  const { kind = '', plural = '', singular = '', shortNames, categories } = status?.acceptedNames ?? {};
  if (!isServed(crd)) return [];
  return spec.versions
    .filter(({ served }) => served)
    .sort((a, b) => Number(b.storage) - Number(a.storage))
    .map(({ name: version }) => ({
      group: spec.group,
      version,
      kind,
      plural,
      singular,
      scope: spec.scope as Scope,
      schema: definitionName(spec.group, version, kind),
      ...(shortNames ? { shortNames } : {}),
      ...(categories ? { categories } : {}),
    }));
}
