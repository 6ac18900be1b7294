import { compareQuantities } from '#apimachinery/quantity.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { parseTime } from '#base/clock.ts';
import type {
  Container,
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
  Service,
} from '../../generated/types.ts';
import { addResources, computeQosClass, podLimits, podRequests, qosClass } from './pod-resources.ts';
import type { ResourceList } from './resource-list.ts';
import { isExtendedResource, isHugePageResource, isNativeResource } from './resource-names.ts';

// What objects use of a quota. Follows pkg/quota/v1, v1.33.

/** How objects of one resource count. */
export interface QuotaEvaluator {
  /** Those of a quota's resources that objects of this resource use. */
  matching(hard: readonly string[]): readonly string[];
  /** Whether a write may use more than before. */
  handles(operation: string, subresource: string | undefined, object: ApiObject, oldObject?: ApiObject): boolean;
  /** Undefined: no object is in that scope. */
  inScope?(scope: ScopedResourceSelectorRequirement, object: ApiObject): boolean;
  /** What the object does not say, though a quota for these resources wants it said. */
  missing?(required: readonly string[], object: ApiObject): string | undefined;
  /** At `now`, ms. */
  usage(object: ApiObject, now: number): ResourceList;
  /** Whether an update gives something back. */
  replenishes?(previous: ApiObject, object: ApiObject, now: number): boolean;
}

interface GroupResource {
  readonly group: string;
  readonly plural: string;
}

const UNCOUNTED: readonly string[] = ['events', 'events.events.k8s.io', 'bindings', 'componentstatuses'];
const REVIEWS: readonly string[] = ['authentication.k8s.io', 'authorization.k8s.io'];
/** What had a name of its own before there was `count/`. */
const ALIASED: readonly string[] = ['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'];

/** How a resource counts; undefined for those that never do. */
export function quotaEvaluator({ group, plural }: GroupResource): QuotaEvaluator | undefined {
  const name = group === '' ? plural : `${plural}.${group}`;
  let evaluator = evaluators.get(name);
  if (!evaluator && !UNCOUNTED.includes(name) && !REVIEWS.includes(group)) {
    evaluators.set(name, (evaluator = counted(name)));
  }
  return evaluator;
}

function counted(name: string): QuotaEvaluator {
  const names = [`count/${name}`, ...(ALIASED.includes(name) ? [name] : [])];
  const one: ResourceList = Object.fromEntries(names.map((resource) => [resource, '1']));
  return {
    matching: (hard) => hard.filter((resource) => names.includes(resource)),
    handles: (operation, subresource) => operation === 'CREATE' && subresource === undefined,
    usage: () => one,
  };
}

const REQUESTED: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];
const POD_RESOURCES: readonly string[] = [
  ...['count/pods', 'pods', ...REQUESTED],
  ...REQUESTED.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
];
/** What every container must say when a quota limits it. */
const SAID: readonly string[] = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

const podEvaluator: QuotaEvaluator = {
  matching: (hard) =>
    hard.filter(
      (name) =>
        POD_RESOURCES.includes(name) ||
        isHugePageResource(name.replace(/^requests\./, '')) ||
        (!isNativeResource(name) && name.startsWith('requests.')),
    ),
  handles(operation, subresource, object, oldObject) {
    if (subresource === 'resize') return operation === 'UPDATE';
    if (subresource !== undefined) return false;
    return operation === 'CREATE' || (operation === 'UPDATE' && isTerminating(object) !== isTerminating(oldObject));
  },
  inScope({ scopeName, operator, values = [] }, object) {
    const pod = object as Pod;
    switch (scopeName) {
      case 'Terminating':
        return isTerminating(pod);
      case 'NotTerminating':
        return !isTerminating(pod);
      case 'BestEffort':
        return isBestEffort(pod);
      case 'NotBestEffort':
        return !isBestEffort(pod);
      case 'CrossNamespacePodAffinity':
        return affinityTerms(pod).some(({ namespaces, namespaceSelector }) => namespaces?.length || namespaceSelector);
      case 'PriorityClass': {
        const { priorityClassName } = pod.spec;
        if (operator === 'Exists') return !!priorityClassName;
        if (operator === 'DoesNotExist') return !priorityClassName;
        const isIn = !!priorityClassName && values.includes(priorityClassName);
        return operator === 'In' ? isIn : !isIn;
      }
      default:
        return false;
    }
  },
  missing(required, object) {
    const { containers, initContainers = [] } = (object as Pod).spec;
    const said = (container: Container, name: string) => {
      const [, kind, resource = name] = /^(requests|limits)\.(.*)$/.exec(name) ?? [];
      const { requests = {}, limits = {} } = container.resources ?? {};
      return Object.hasOwn(kind === 'limits' ? limits : requests, resource);
    };
    const lines = SAID.filter((name) => required.includes(name)).flatMap((name) => {
      const silent = [...containers, ...initContainers].filter((container) => !said(container, name));
      return silent.length === 0
        ? []
        : [`${name} for: ${[...new Set(silent.map((one) => one.name))].sort().join(',')}`];
    });
    return lines.length === 0 ? undefined : `must specify ${lines.sort().join('; ')}`;
  },
  usage(object, now) {
    const pod = object as Pod;
    if (!isCharged(pod, now)) return { 'count/pods': '1' };
    const used: [string, string][] = [
      ['count/pods', '1'],
      ['pods', '1'],
    ];
    for (const [name, amount] of Object.entries(podRequests(pod))) {
      const isPlain = REQUESTED.includes(name) || isHugePageResource(name);
      if (isPlain) used.push([name, amount]);
      if (isPlain || isExtendedResource(name)) used.push([`requests.${name}`, amount]);
    }
    for (const [name, amount] of Object.entries(podLimits(pod))) {
      if (REQUESTED.includes(name)) used.push([`limits.${name}`, amount]);
    }
    return Object.fromEntries(used);
  },
  replenishes(previous, object, now) {
    const next = object as Pod;
    return isCharged(previous as Pod, now) && (!isCharged(next, now) || !sameResources(previous as Pod, next));
  },
};

/** Pods that have ended, or have been ending for longer than they may, use nothing. */
function isCharged({ metadata, status }: Pod, now: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return now <= parseTime(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function sameResources({ spec }: Pod, { spec: next }: Pod): boolean {
  return (
    spec.containers === next.containers ||
    spec.containers.every(({ resources }, i) => resources === next.containers[i]?.resources)
  );
}

const isTerminating = (object: ApiObject | undefined): boolean => {
  const { activeDeadlineSeconds } = (object as Pod | undefined)?.spec ?? {};
  return activeDeadlineSeconds !== undefined && activeDeadlineSeconds >= 0;
};

const isBestEffort = (pod: Pod): boolean => (pod.status ? qosClass(pod) : computeQosClass(pod)) === 'BestEffort';

function affinityTerms({ spec: { affinity } }: Pod): readonly PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((kind) => [
    ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
}

const SERVICE_RESOURCES = ['count/services', 'services', 'services.nodeports', 'services.loadbalancers'];

const serviceEvaluator: QuotaEvaluator = {
  matching: (hard) => hard.filter((name) => SERVICE_RESOURCES.includes(name)),
  handles: (operation, subresource) => subresource === undefined && (operation === 'CREATE' || operation === 'UPDATE'),
  usage(object) {
    const { type, ports = [], allocateLoadBalancerNodePorts } = (object as Service).spec ?? {};
    const isBalanced = type === 'LoadBalancer';
    const withPort = ports.filter(({ nodePort }) => nodePort).length;
    const nodePorts = isBalanced && allocateLoadBalancerNodePorts === false ? withPort : ports.length;
    return {
      'count/services': '1',
      services: '1',
      'services.loadbalancers': isBalanced ? '1' : '0',
      'services.nodeports': isBalanced || type === 'NodePort' ? String(nodePorts) : '0',
    };
  },
  replenishes: (previous, object) =>
    serviceType(previous as Service) !== serviceType(object as Service) ||
    (previous as Service).spec?.ports?.length !== (object as Service).spec?.ports?.length,
};

const serviceType = ({ spec }: Service): string =>
  spec?.type === 'NodePort' || spec?.type === 'LoadBalancer' ? spec.type : '';

const OF_CLASS = '.storageclass.storage.k8s.io/';
const CLAIM_RESOURCES = ['persistentvolumeclaims', 'requests.storage'];

const claimEvaluator: QuotaEvaluator = {
  matching: (hard) =>
    hard.filter(
      (name) =>
        name === 'count/persistentvolumeclaims' ||
        CLAIM_RESOURCES.includes(name) ||
        CLAIM_RESOURCES.some((resource) => name.endsWith(OF_CLASS + resource)),
    ),
  handles: (operation, subresource, object, oldObject) =>
    subresource === undefined
      ? operation === 'CREATE' || operation === 'UPDATE'
      : subresource === 'status' && storageOf(object) !== storageOf(oldObject as ApiObject),
  usage(object) {
    const storage = storageOf(object);
    const used: ResourceList = { persistentvolumeclaims: '1', ...(storage ? { 'requests.storage': storage } : {}) };
    const { metadata, spec } = object as PersistentVolumeClaim;
    const className = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName;
    const ofClass = className
      ? Object.fromEntries(Object.entries(used).map(([name, amount]) => [className + OF_CLASS + name, amount]))
      : {};
    return { 'count/persistentvolumeclaims': '1', ...used, ...ofClass };
  },
  replenishes: (previous, object) => storageOf(previous) !== storageOf(object),
};

/** What a claim asks for, or what it is being given where that is more. */
function storageOf(object: ApiObject): string | undefined {
  const { spec, status } = object as PersistentVolumeClaim;
  const asked = spec?.resources?.requests?.storage;
  const given = status?.allocatedResources?.storage;
  return given !== undefined && asked !== undefined && compareQuantities(given, asked) > 0 ? given : asked;
}

const evaluators = new Map<string, QuotaEvaluator>([
  ['pods', podEvaluator],
  ['services', serviceEvaluator],
  ['persistentvolumeclaims', claimEvaluator],
]);

/** All scopes of a quota, in one form. */
export function quotaScopes({ spec }: ResourceQuota): readonly ScopedResourceSelectorRequirement[] {
  return [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
}

/** Whether the object is in all of the quota's scopes. */
export function matchesScopes(evaluator: QuotaEvaluator, quota: ResourceQuota, object: ApiObject): boolean {
  return quotaScopes(quota).every((scope) => evaluator.inScope?.(scope, object) ?? false);
}

/** Only the amounts of these resources. */
export function maskResources(list: ResourceList, names: readonly string[]): ResourceList {
  return Object.fromEntries(Object.entries(list).filter(([name]) => names.includes(name)));
}

/** What the objects of one resource use of a quota: an amount, perhaps zero, for each of its resources that they use. */
export function usageOf(
  evaluator: QuotaEvaluator,
  quota: ResourceQuota,
  objects: readonly ApiObject[],
  now: number,
): ResourceList {
  const names = evaluator.matching(Object.keys(quota.spec?.hard ?? {}));
  let sum: ResourceList = Object.fromEntries(names.map((name) => [name, '0']));
  if (names.length === 0) return sum;
  for (const object of objects) {
    if (!matchesScopes(evaluator, quota, object)) continue;
    sum = addResources(sum, maskResources(evaluator.usage(object, now), names));
  }
  return sum;
}
