import { addQuantities, compareQuantities } from '#apimachinery/quantity.ts';
import type { Container, Pod } from '../../generated/types.ts';
import { isRestartableInitContainer } from './pod-status.ts';
import type { ResourceList } from './resource-list.ts';

// What Pods ask for. Follows component-helpers/resource and pkg/apis/core/v1/helper/qos, v1.33, with PodLevelResources
// off, which is the default.

/** The sum of two lists. Itself where the other is empty. */
export function addResources(a: ResourceList, b: ResourceList | undefined): ResourceList {
  return merge(a, b, addQuantities);
}

/** The larger amount of each resource. */
export function maxResources(a: ResourceList, b: ResourceList | undefined): ResourceList {
  return merge(a, b, (x, y) => (compareQuantities(y, x) > 0 ? y : x));
}

function merge(a: ResourceList, b: ResourceList | undefined, join: (x: string, y: string) => string): ResourceList {
  if (!b) return a;
  let merged: Map<string, string> | undefined;
  for (const name of Object.keys(b)) {
    merged ??= new Map(Object.entries(a));
    const old = merged.get(name);
    merged.set(name, old === undefined ? (b[name] as string) : join(old, b[name] as string));
  }
  return merged ? Object.fromEntries(merged) : a;
}

function aggregate(pod: Pod, of: (container: Container) => ResourceList | undefined): ResourceList {
  const { containers, initContainers = [] } = pod.spec;
  if (containers.length === 1 && initContainers.length === 0) return of(containers[0] as Container) ?? {};
  let sum: ResourceList = {};
  for (const container of containers) sum = addResources(sum, of(container));
  let sidecars: ResourceList = {};
  let init: ResourceList = {};
  for (const container of initContainers) {
    const own = of(container);
    if (isRestartableInitContainer(container)) {
      sum = addResources(sum, own);
      sidecars = addResources(sidecars, own);
      init = maxResources(init, sidecars);
    } else {
      init = maxResources(init, addResources(sidecars, own));
    }
  }
  return maxResources(sum, init);
}

/**
 * What the scheduler counts for a Pod: the sum of its containers and sidecars, or what starting takes where that is
 * more, and the overhead.
 */
export function podRequests(pod: Pod): ResourceList {
  return addResources(
    aggregate(pod, (container) => container.resources?.requests),
    pod.spec.overhead,
  );
}

/** The limits in the same way; the overhead counts only where there is a limit. */
export function podLimits(pod: Pod): ResourceList {
  const limits = aggregate(pod, (container) => container.resources?.limits);
  const overhead = Object.entries(pod.spec.overhead ?? {}).filter(([name]) =>
    Object.hasOwn(limits, name) ? compareQuantities(limits[name] as string, '0') !== 0 : false,
  );
  return addResources(limits, Object.fromEntries(overhead));
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** The quality of service that the containers' CPU and memory amount to. */
export function computeQosClass({ spec }: Pod): QosClass {
  let any = false;
  let guaranteed = true;
  const totals = new Map<string, { request: string; limit: string }>();
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const name of ['cpu', 'memory']) {
      const request = positive(container.resources?.requests?.[name]);
      const limit = positive(container.resources?.limits?.[name]);
      if (request !== '0' || limit !== '0') any = true;
      if (limit === '0') guaranteed = false;
      const total = totals.get(name) ?? { request: '0', limit: '0' };
      totals.set(name, { request: plus(total.request, request), limit: plus(total.limit, limit) });
    }
  }
  if (!any) return 'BestEffort';
  for (const { request, limit } of totals.values()) {
    if (compareQuantities(request, limit) !== 0) guaranteed = false;
  }
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const plus = (a: string, b: string): string => (a === '0' ? b : b === '0' ? a : addQuantities(a, b));
const positive = (quantity: string | undefined): string =>
  quantity !== undefined && compareQuantities(quantity, '0') > 0 ? quantity : '0';

/** The Pod's quality of service: the recorded one, which never changes, or what it would be. */
export function qosClass(pod: Pod): QosClass {
  return (pod.status?.qosClass as QosClass | undefined) || computeQosClass(pod);
}
