import { persistentVolumeClaims } from '#api/core/v1/persistent-volume-claim.ts';
import { pods } from '#api/core/v1/pod.ts';
import { limitRanges } from '#api/core/v1/limit-range.ts';
import { podLimits, podRequests } from '#api/core/v1/pod-resources.ts';
import type { ResourceList } from '#api/core/v1/resource-list.ts';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  LimitRangeSpec,
  PersistentVolumeClaim,
  Pod,
} from '#api/generated/types.ts';
import { compareQuantities, quantityMilliValue } from '#apimachinery/quantity.ts';
import type { AdmissionAttributes, AdmissionPlugin, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';

/**
 * Gives containers the resources that their namespace's LimitRanges have for them, and refuses Pods and claims that ask for
 * too little or too much. Follows plugin/pkg/admission/limitranger, v1.33. Differs from upstream: what is wrong is told in
 * the order of the resources' names instead of any.
 */
export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  resources: [pods, persistentVolumeClaims],
  admit(attributes, context) {
    const { object, resource } = attributes;
    if (resource !== pods || !isLimited(attributes)) return object;
    let pod = object as Pod;
    for (const range of rangesOf(attributes, context)) pod = withDefaults(pod, range);
    return pod;
  },
  validate(attributes, context) {
    if (!isLimited(attributes)) return;
    const { object, resource } = attributes;
    for (const range of rangesOf(attributes, context)) {
      const errors =
        resource === pods ? podErrors(range, object as Pod) : claimErrors(range, object as PersistentVolumeClaim);
      if (errors.length > 0) throw admissionForbidden(attributes, aggregate(errors));
    }
  },
};

function isLimited({ resource, subresource, operation, object, oldObject }: AdmissionAttributes): boolean {
  if (!object || (operation !== 'CREATE' && operation !== 'UPDATE')) return false;
  if (resource === pods) {
    if (operation === 'CREATE' ? subresource !== undefined : subresource !== 'resize') return false;
  } else if (subresource !== undefined) return false;
  return !oldObject?.metadata.deletionTimestamp;
}

const rangesOf = ({ namespace = '' }: AdmissionAttributes, context: RequestContext) =>
  context.readAll(limitRanges, namespace);

const aggregate = (errors: readonly string[]): string => {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? (unique[0] as string) : `[${unique.join(', ')}]`;
};

/** People may leave the list out. */
const limitsOf = ({ spec }: LimitRange): readonly LimitRangeItem[] =>
  (spec as Partial<LimitRangeSpec> | undefined)?.limits ?? [];

/** The Pod with the defaults that its containers lack, and a note of what they were. */
export function withDefaults(pod: Pod, range: LimitRange): Pod {
  const items = limitsOf(range).filter(({ type }) => type === 'Container');
  const requests: ResourceList = Object.fromEntries(items.flatMap((item) => Object.entries(item.defaultRequest ?? {})));
  const maxima: ResourceList = Object.fromEntries(items.flatMap((item) => Object.entries(item.default ?? {})));
  const notes: string[] = [];
  const lacking = (own: ResourceList | undefined, defaults: ResourceList) =>
    Object.keys(defaults)
      .filter((name) => !own || !Object.hasOwn(own, name))
      .sort();
  const filled = (container: Container, what: string): Container => {
    const { resources = {} } = container;
    const request = lacking(resources.requests, requests);
    const limit = lacking(resources.limits, maxima);
    if (request.length > 0) notes.push(`${request.join(', ')} request for ${what} ${container.name}`);
    if (limit.length > 0) notes.push(`${limit.join(', ')} limit for ${what} ${container.name}`);
    if (request.length + limit.length === 0) return container;
    const withMissing = (own: ResourceList | undefined, names: readonly string[], defaults: ResourceList) =>
      names.length === 0
        ? own
        : { ...own, ...Object.fromEntries(names.map((name) => [name, defaults[name] as string])) };
    return {
      ...container,
      resources: {
        ...resources,
        ...(resources.limits || limit.length ? { limits: withMissing(resources.limits, limit, maxima) } : {}),
        ...(resources.requests || request.length
          ? { requests: withMissing(resources.requests, request, requests) }
          : {}),
      },
    };
  };
  const containers = pod.spec.containers.map((container) => filled(container, 'container'));
  const initContainers = pod.spec.initContainers?.map((container) => filled(container, 'init container'));
  if (notes.length === 0) return pod;
  const annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` };
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: { ...pod.spec, containers, ...(initContainers ? { initContainers } : {}) },
  };
}

/** What of a Pod is outside of the range. */
export function podErrors(range: LimitRange, pod: Pod): readonly string[] {
  const { overhead: _overhead, ...spec } = pod.spec;
  const bare = { ...pod, spec };
  return limitsOf(range).flatMap((item) => {
    if (item.type === 'Container') {
      return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
        outside(item, resources?.requests, resources?.limits),
      );
    }
    return item.type === 'Pod' ? outside(item, podRequests(bare), podLimits(bare)) : [];
  });
}

/** What of a claim is outside of the range; only what it requests counts. */
export function claimErrors(range: LimitRange, claim: PersistentVolumeClaim): readonly string[] {
  const { requests } = claim.spec?.resources ?? {};
  return limitsOf(range).flatMap((item) => {
    if (item.type !== 'PersistentVolumeClaim') return [];
    const { min, max } = item;
    return [
      ...each(min, (name, bound) => tooLittle(item.type, name, bound, requests?.[name], undefined)),
      ...each(max, (name, bound) => {
        const request = requests?.[name];
        const head = `maximum ${name} usage per ${item.type} is ${bound}`;
        if (request === undefined) return `${head}.  No request is specified`;
        return compareQuantities(request, bound) > 0 ? `${head}, but request is ${request}` : undefined;
      }),
    ];
  });
}

function outside(item: LimitRangeItem, requests: ResourceList = {}, limits: ResourceList = {}): string[] {
  const { type, min, max, maxLimitRequestRatio } = item;
  return [
    ...each(min, (name, bound) => tooLittle(type, name, bound, requests[name], limits[name])),
    ...each(max, (name, bound) => tooMuch(type, name, bound, requests[name], limits[name])),
    ...each(maxLimitRequestRatio, (name, bound) => tooFarApart(type, name, bound, requests[name], limits[name])),
  ];
}

function each(
  bounds: ResourceList | undefined,
  check: (name: string, bound: string) => string | undefined,
): readonly string[] {
  return Object.keys(bounds ?? {})
    .sort()
    .flatMap((name) => check(name, (bounds as ResourceList)[name] as string) ?? []);
}

type Amount = string | undefined;

function tooLittle(type: string, name: string, bound: string, request: Amount, limit: Amount): Amount {
  const head = `minimum ${name} usage per ${type} is ${bound}`;
  if (request === undefined) return `${head}.  No request is specified`;
  if (compareQuantities(request, bound) < 0) return `${head}, but request is ${request}`;
  return limit !== undefined && compareQuantities(limit, bound) < 0 ? `${head}, but limit is ${limit}` : undefined;
}

function tooMuch(type: string, name: string, bound: string, request: Amount, limit: Amount): Amount {
  const head = `maximum ${name} usage per ${type} is ${bound}`;
  if (limit === undefined) return `${head}.  No limit is specified`;
  if (compareQuantities(limit, bound) > 0) return `${head}, but limit is ${limit}`;
  return request !== undefined && compareQuantities(request, bound) > 0
    ? `${head}, but request is ${request}`
    : undefined;
}

function tooFarApart(type: string, name: string, bound: string, request: Amount, limit: Amount): Amount {
  const head = `${name} max limit to request ratio per ${type} is ${bound}`;
  const least = quantityMilliValue(request ?? '0');
  const most = quantityMilliValue(limit ?? '0');
  if (least === 0) return `${head}, but no request is specified or request is 0`;
  if (most === 0) return `${head}, but no limit is specified or limit is 0`;
  const ratio = most / least;
  return ratio * 1000 > quantityMilliValue(bound) ? `${head}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
