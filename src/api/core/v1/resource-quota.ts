import { defineResource } from '#apimachinery/resource.ts';
import { jsonEqual } from '#apimachinery/equal.ts';
import type { ResourceQuota } from '../../generated/types.ts';
import { canonicalResources } from './resource-list.ts';

/** `cpu: 1/2, memory: 0/1Gi`, of limits or of everything else. */
function usage({ status }: ResourceQuota, limits: boolean): string {
  const { hard = {}, used = {} } = status ?? {};
  return Object.keys(hard)
    .filter((name) => name.startsWith('limits.') === limits)
    .sort()
    .map((name) => `${name}: ${used[name] ?? '0'}/${hard[name]}`)
    .join(', ');
}

/** ResourceQuotas: how much of something a namespace may use. */
export const resourceQuotas = defineResource<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.ResourceQuota',
  defaults(quota) {
    const hard = canonicalResources(quota.spec?.hard);
    return hard && hard !== quota.spec?.hard ? { ...quota, spec: { ...quota.spec, hard } } : quota;
  },
  strategy: {
    prepareForCreate: (quota) => ({ ...quota, status: {} }),
    prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
    returnsDeletedObject: true,
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) =>
        jsonEqual(next.spec, previous.spec) ? next : { ...next, spec: previous.spec },
      validateUpdate: () => [],
    },
  },
  columns: [
    { name: 'Request', type: 'string', cell: (quota) => usage(quota, false) },
    { name: 'Limit', type: 'string', cell: (quota) => usage(quota, true) },
  ],
});
