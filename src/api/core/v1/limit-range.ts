import { defineResource } from '#apimachinery/resource.ts';
import { formatTime } from '#base/clock.ts';
import type { LimitRange, LimitRangeItem } from '../../generated/types.ts';
import { canonicalResources, type ResourceList } from './resource-list.ts';

/** What a container is given follows from its bounds, as far as it is not said. Follows SetDefaults_LimitRangeItem, v1.33. */
function defaultItem(item: LimitRangeItem): LimitRangeItem {
  const amounts = (list: ResourceList | undefined) => canonicalResources(list);
  const max = amounts(item.max);
  const min = amounts(item.min);
  const bounds = {
    ...item,
    ...(max ? { max } : {}),
    ...(min ? { min } : {}),
    ...(item.default ? { default: amounts(item.default) } : {}),
    ...(item.defaultRequest ? { defaultRequest: amounts(item.defaultRequest) } : {}),
    ...(item.maxLimitRequestRatio ? { maxLimitRequestRatio: amounts(item.maxLimitRequestRatio) } : {}),
  };
  if (item.type !== 'Container') return bounds;
  const limit = { ...max, ...bounds.default };
  return { ...bounds, default: limit, defaultRequest: { ...min, ...limit, ...bounds.defaultRequest } };
}

/** LimitRanges: what Pods and claims of a namespace may ask for, and what they get when they do not. */
export const limitRanges = defineResource<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.LimitRange',
  defaults: (range) => ({ ...range, spec: { ...range.spec, limits: (range.spec?.limits ?? []).map(defaultItem) } }),
  ownColumns: true,
  columns: [
    { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name ?? '' },
    {
      name: 'Created At',
      type: 'date',
      cell: ({ metadata }, now) => metadata.creationTimestamp ?? formatTime(now),
    },
  ],
});
