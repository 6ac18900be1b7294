import type { Strategy } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { isDNS1123Label } from '#apimachinery/validation.ts';
import { mapShared, replace } from '../../fill.ts';
import type {
  AppArmorProfile,
  Container,
  ContainerStatus,
  Pod,
  PodAffinityTerm,
  PodCondition,
  PodSpec,
  PodStatus,
  WeightedPodAffinityTerm,
} from '../../generated/types.ts';
import { qosClass } from './pod-resources.ts';
import { allContainers, withPodCondition } from './pod-status.ts';
import { podWarnings } from './pod-warnings.ts';

// Follows pkg/registry/core/pod/strategy.go and pkg/api/pod/util.go, v1.33.

/** How Pods are created, updated and deleted. */
export const podStrategy: Strategy<Pod> = {
  prepareForCreate(pod, { now }) {
    let status: PodStatus = { phase: 'Pending', qosClass: qosClass(pod) };
    if (pod.spec.schedulingGates?.length) {
      const condition = {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      };
      status = withPodCondition(status, condition, now);
    }
    const created = {
      ...pod,
      metadata: { ...pod.metadata, generation: 1 },
      spec: withLabelKeys(withoutDisabledFields(pod.spec, undefined), pod.metadata.labels ?? {}),
      status,
    };
    return withAppArmorInStep(created);
  },
  prepareForUpdate: (next, previous) =>
    withGeneration(
      { ...next, spec: withoutDisabledFields(next.spec, previous.spec), status: previous.status },
      previous,
    ),
  warnings: (pod, previous) => (previous ? [] : [...nameWarnings(pod), ...podWarnings('', pod.spec, pod.metadata)]),
  gracefulDeletion: true,
  returnsDeletedObject: true,
  gracePeriodSeconds({ spec, status }, requested) {
    if (!spec.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
    const period = requested ?? spec.terminationGracePeriodSeconds ?? 0;
    return period < 0 ? 1 : period;
  },
};

function nameWarnings({ metadata }: Pod): string[] {
  const messages = isDNS1123Label(metadata.name ?? '');
  return messages.length
    ? [
        `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${messages.join(' ')}]`,
      ]
    : [];
}

function withGeneration(next: Pod, previous: Pod): Pod {
  const before = previous.metadata.generation ?? 0;
  const generation = semanticEqual(next.spec, previous.spec) ? before : before + 1;
  return replace(next, 'metadata', replace(next.metadata, 'generation', generation));
}

/** PUT …/status: only the status, and metadata that is not about the Pod's life. */
export function prepareStatusUpdate(next: Pod, previous: Pod): Pod {
  const { deletionTimestamp, ownerReferences } = previous.metadata;
  const metadata = replace(
    replace(next.metadata, 'deletionTimestamp', deletionTimestamp),
    'ownerReferences',
    ownerReferences,
  );
  const status = { ...next.status, qosClass: next.status?.qosClass || previous.status?.qosClass };
  return { ...next, metadata, spec: previous.spec, status: withoutDisabledStatus(status, previous.status) };
}

/** Fields of a Pod's metadata that the narrow subresources leave alone. */
function keptMetadata(next: Pod, previous: Pod): Pod['metadata'] {
  const { deletionTimestamp, generation, labels, annotations, finalizers, ownerReferences } = previous.metadata;
  return { ...next.metadata, deletionTimestamp, generation, labels, annotations, finalizers, ownerReferences };
}

/** PUT …/ephemeralcontainers: these containers and nothing else. */
export function prepareEphemeralContainersUpdate(next: Pod, previous: Pod): Pod {
  const spec = { ...previous.spec, ephemeralContainers: next.spec.ephemeralContainers };
  return withGeneration(
    {
      ...next,
      metadata: keptMetadata(next, previous),
      spec: withoutDisabledFields(spec, previous.spec),
      status: previous.status,
    },
    previous,
  );
}

/** PUT …/resize: resources and resize policies of containers, and nothing else. */
export function prepareResizeUpdate(next: Pod, previous: Pod): Pod {
  const { containers, initContainers = [] } = next.spec;
  const sameShape =
    containers.length === previous.spec.containers.length &&
    initContainers.length === (previous.spec.initContainers?.length ?? 0);
  if (!sameShape) return withGeneration(next, previous);
  const spec: PodSpec = {
    ...previous.spec,
    containers: onlyResized(containers, previous.spec.containers),
    ...(previous.spec.initContainers
      ? { initContainers: onlyResized(initContainers, previous.spec.initContainers) }
      : {}),
  };
  return withGeneration({ ...next, metadata: keptMetadata(next, previous), spec, status: previous.status }, previous);
}

/** Renamed or reordered containers go on as they are: validation refuses them. */
function onlyResized(next: readonly Container[], previous: readonly Container[]): readonly Container[] {
  if (next.some(({ name }, i) => name !== previous[i]?.name)) return next;
  return previous.map((container, i) => ({
    ...container,
    resources: next[i]?.resources,
    resizePolicy: next[i]?.resizePolicy,
  }));
}

/**
 * The specification without the fields of features that are off in v1.33 by default, except where the Pod has them
 * already: pod-level resources, resource claims, trust bundles, stop signals, image volumes.
 */
export function withoutDisabledFields(given: PodSpec, previous: PodSpec | undefined): PodSpec {
  let spec = given;
  if (spec.resources && !previous?.resources) spec = replace(spec, 'resources', undefined);
  const hasTrustBundle = (of: PodSpec | undefined) =>
    of?.volumes?.some(({ projected }) => projected?.sources?.some(({ clusterTrustBundle }) => clusterTrustBundle));
  if (hasTrustBundle(spec) && !hasTrustBundle(previous)) {
    spec = { ...spec, volumes: spec.volumes?.map(withoutTrustBundles) };
  }
  if (!previous?.resourceClaims?.length) {
    spec = replace(spec, 'resourceClaims', undefined);
    spec = mapContainers(spec, (container) =>
      container.resources?.claims
        ? { ...container, resources: replace(container.resources, 'claims', undefined) }
        : container,
    );
  }
  const images = new Set(spec.volumes?.filter(({ image }) => image).map(({ name }) => name));
  if (images.size > 0 && !previous?.volumes?.some(({ image }) => image)) {
    spec = { ...spec, volumes: spec.volumes?.filter(({ image }) => !image) };
    spec = mapContainers(spec, (container) =>
      container.volumeMounts?.some(({ name }) => images.has(name))
        ? { ...container, volumeMounts: container.volumeMounts.filter(({ name }) => !images.has(name)) }
        : container,
    );
  }
  const hasStopSignal = ({ lifecycle }: Container) => lifecycle?.stopSignal !== undefined;
  if (!previous || !allContainers({ spec: previous } as Pod).some(hasStopSignal)) {
    spec = mapContainers(spec, (container) => (hasStopSignal(container) ? withoutStopSignal(container) : container));
  }
  return spec;
}

function mapContainers(given: PodSpec, change: <C extends Container>(container: C) => C): PodSpec {
  let spec = replace(given, 'containers', mapShared(given.containers, change));
  if (spec.initContainers) spec = replace(spec, 'initContainers', mapShared(spec.initContainers, change));
  if (spec.ephemeralContainers) {
    spec = replace(spec, 'ephemeralContainers', mapShared(spec.ephemeralContainers, change));
  }
  return spec;
}

function withoutTrustBundles(volume: NonNullable<PodSpec['volumes']>[number]): typeof volume {
  if (!volume.projected?.sources) return volume;
  const sources = mapShared(volume.projected.sources, (source) => replace(source, 'clusterTrustBundle', undefined));
  return { ...volume, projected: replace(volume.projected, 'sources', sources) };
}

function withoutStopSignal<C extends Container>({ lifecycle, ...container }: C): C {
  const { stopSignal: _, ...rest } = lifecycle ?? {};
  return { ...container, ...(Object.keys(rest).length ? { lifecycle: rest } : {}) } as C;
}

/** PodObservedGenerationTracking and ResourceHealthStatus are off: what is not there already is not recorded. */
function withoutDisabledStatus(given: PodStatus, previous: PodStatus | undefined): PodStatus {
  let status = given;
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    const statuses = status[list];
    if (!statuses?.some((container) => container.allocatedResourcesStatus)) continue;
    const without = (container: ContainerStatus) => replace(container, 'allocatedResourcesStatus', undefined);
    status = replace(status, list, mapShared(statuses, without));
  }
  const inUse =
    previous?.observedGeneration || previous?.conditions?.some(({ observedGeneration }) => observedGeneration);
  if (!inUse) {
    status = replace(status, 'observedGeneration', undefined);
    const without = (condition: PodCondition) => replace(condition, 'observedGeneration', undefined);
    return status.conditions ? replace(status, 'conditions', mapShared(status.conditions, without)) : status;
  }
  const kept = (condition: PodCondition) =>
    replace(
      condition,
      'observedGeneration',
      condition.observedGeneration ||
        previous?.conditions?.find(({ type }) => type === condition.type)?.observedGeneration,
    );
  return {
    ...status,
    observedGeneration: status.observedGeneration || previous?.observedGeneration,
    ...(status.conditions ? { conditions: mapShared(status.conditions, kept) } : {}),
  };
}

type Labels = Readonly<Record<string, string>>;

/** matchLabelKeys and mismatchLabelKeys of Pod affinities become requirements with the Pod's own labels. */
function withLabelKeys(spec: PodSpec, labels: Labels): PodSpec {
  const { affinity } = spec;
  if (!affinity?.podAffinity && !affinity?.podAntiAffinity) return spec;
  const term = (value: PodAffinityTerm) => expandLabelKeys(value, labels);
  const weighted = (value: WeightedPodAffinityTerm) => replace(value, 'podAffinityTerm', term(value.podAffinityTerm));
  let next = affinity;
  for (const side of ['podAffinity', 'podAntiAffinity'] as const) {
    let terms = next[side];
    if (!terms) continue;
    const {
      requiredDuringSchedulingIgnoredDuringExecution: required,
      preferredDuringSchedulingIgnoredDuringExecution: preferred,
    } = terms;
    if (required) terms = replace(terms, 'requiredDuringSchedulingIgnoredDuringExecution', mapShared(required, term));
    if (preferred) {
      terms = replace(terms, 'preferredDuringSchedulingIgnoredDuringExecution', mapShared(preferred, weighted));
    }
    next = replace(next, side, terms);
  }
  return replace(spec, 'affinity', next);
}

function expandLabelKeys(term: PodAffinityTerm, labels: Labels): PodAffinityTerm {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return term;
  const requirement = (operator: string) => (key: string) =>
    Object.hasOwn(labels, key) ? [{ key, operator, values: [labels[key] as string] }] : [];
  const added = [...matchLabelKeys.flatMap(requirement('In')), ...mismatchLabelKeys.flatMap(requirement('NotIn'))];
  if (added.length === 0) return term;
  const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
  return { ...term, labelSelector: { ...labelSelector, matchExpressions } };
}

/** Annotations that named a container's AppArmor profile before there was a field. */
export const APP_ARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/';

/** Field and annotation of AppArmor profiles each follow the other where only one is given. */
function withAppArmorInStep(pod: Pod): Pod {
  const { os, securityContext } = pod.spec;
  if (os?.name === 'windows') return pod;
  const podProfile = securityContext?.appArmorProfile;
  const annotations = pod.metadata.annotations ?? {};
  const added: [string, string][] = [];
  const spec = mapContainers(pod.spec, (container) => {
    const key = `${APP_ARMOR_PREFIX}${container.name}`;
    const profile = container.securityContext?.appArmorProfile;
    if (!Object.hasOwn(annotations, key)) {
      const text = appArmorAnnotation(profile ?? podProfile);
      if (text) added.push([key, text]);
      return container;
    }
    if (profile) return container;
    const fromAnnotation = appArmorProfile(annotations[key] as string);
    if (!fromAnnotation || semanticEqual(fromAnnotation, podProfile)) return container;
    return { ...container, securityContext: { ...container.securityContext, appArmorProfile: fromAnnotation } };
  });
  if (added.length === 0) return replace(pod, 'spec', spec);
  const all = Object.fromEntries([...Object.entries(annotations), ...added]);
  return { ...pod, spec, metadata: { ...pod.metadata, annotations: all } };
}

function appArmorAnnotation(profile: AppArmorProfile | undefined): string {
  if (profile?.type === 'Unconfined') return 'unconfined';
  if (profile?.type === 'RuntimeDefault') return 'runtime/default';
  return profile?.type === 'Localhost' && profile.localhostProfile ? `localhost/${profile.localhostProfile}` : '';
}

function appArmorProfile(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  const name = annotation.startsWith('localhost/') ? annotation.slice('localhost/'.length) : '';
  return name && name === name.trim() ? { type: 'Localhost', localhostProfile: name } : undefined;
}
