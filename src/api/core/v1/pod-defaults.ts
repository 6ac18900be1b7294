import type {
  Container,
  ContainerPort,
  EnvVar,
  Lifecycle,
  LifecycleHandler,
  ObjectFieldSelector,
  Pod,
  PodSpec,
  PodStatus,
  Probe,
  ResourceFieldSelector,
  ResourceRequirements,
  Volume,
} from '../../generated/types.ts';
import { fill, fillZero, mapShared, replace } from '../../fill.ts';
import { parseImageName } from './image-name.ts';
import { canonicalResources } from './resource-list.ts';

// Follows pkg/apis/core/v1/defaults.go and conversion.go, v1.33. What has all its defaults is returned as it is, so that
// defaulting an object again (every write does) makes nothing new.

/** Specifications that lack nothing. Objects are values, and every write of a status brings the same one. */
const complete = new WeakSet<PodSpec>();

/** What a Pod gets that a Pod template does not: requests from limits, host ports of the host's network, service links. */
export function defaultPod(pod: Pod): Pod {
  const spec = pod.spec && complete.has(pod.spec) ? pod.spec : defaultOwnSpec(pod.spec ?? { containers: [] });
  if (spec === pod.spec && Object.isFrozen(spec)) complete.add(spec);
  const status = defaultStatus(pod.status ?? {});
  return spec === pod.spec && status === pod.status ? pod : { ...pod, spec, status };
}

function defaultOwnSpec(given: PodSpec): PodSpec {
  let spec = replace(given, 'containers', mapShared(given.containers ?? [], withRequestsFromLimits));
  if (spec.initContainers) {
    spec = replace(spec, 'initContainers', mapShared(spec.initContainers, withRequestsFromLimits));
  }
  if (spec.hostNetwork) spec = withHostPorts(spec);
  spec = fill(spec, { enableServiceLinks: true });
  // A negative grace period is taken for the shortest one.
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec = { ...spec, terminationGracePeriodSeconds: 1 };
  return defaultPodSpec(spec);
}

function withRequestsFromLimits(container: Container): Container {
  const { limits, requests = {} } = container.resources ?? {};
  if (!limits) return container;
  const missing = Object.entries(limits).filter(([name]) => !Object.hasOwn(requests, name));
  if (missing.length === 0) return container;
  const all = Object.fromEntries([...Object.entries(requests), ...missing]);
  return { ...container, resources: { ...container.resources, requests: all } };
}

function withHostPorts(spec: PodSpec): PodSpec {
  const onHost = (container: Container): Container =>
    container.ports
      ? replace(
          container,
          'ports',
          mapShared(container.ports, (port) => fillZero(port, { hostPort: port.containerPort })),
        )
      : container;
  const next = replace(spec, 'containers', mapShared(spec.containers, onHost));
  return next.initContainers ? replace(next, 'initContainers', mapShared(next.initContainers, onHost)) : next;
}

/** The one address and the list of addresses say the same; conditions and containers have all that upstream writes. */
function defaultStatus(given: PodStatus): PodStatus {
  let status = given;
  const first = status.podIP || status.podIPs?.[0]?.ip;
  if (first && (status.podIP !== first || status.podIPs?.[0]?.ip !== first)) {
    status = { ...status, podIP: first, podIPs: status.podIPs?.[0]?.ip === first ? status.podIPs : [{ ip: first }] };
  }
  if (status.conditions) {
    const conditions = mapShared(status.conditions, (condition) =>
      fill(condition, { lastProbeTime: null, lastTransitionTime: null }),
    );
    status = replace(status, 'conditions', conditions);
  }
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    const statuses = status[list];
    if (statuses) {
      status = replace(
        status,
        list,
        mapShared(statuses, (container) => fill(container, { state: {}, lastState: {} })),
      );
    }
  }
  return status;
}

/** The defaults of a Pod's specification, wherever it stands. */
export function defaultPodSpec(given: PodSpec): PodSpec {
  let spec = fillZero(given, {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
  });
  spec = fill(spec, { securityContext: {}, terminationGracePeriodSeconds: 30 });
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account && (spec.serviceAccountName !== account || spec.serviceAccount !== account)) {
    spec = { ...spec, serviceAccountName: account, serviceAccount: account };
  }
  if (spec.volumes) spec = replace(spec, 'volumes', mapShared(spec.volumes, defaultVolume));
  if (spec.initContainers) {
    spec = replace(spec, 'initContainers', mapShared(spec.initContainers, defaultContainer));
  }
  spec = replace(spec, 'containers', mapShared(spec.containers ?? [], defaultContainer));
  if (spec.ephemeralContainers) {
    spec = replace(spec, 'ephemeralContainers', mapShared(spec.ephemeralContainers, defaultContainer));
  }
  return replace(spec, 'overhead', canonicalResources(spec.overhead));
}

function defaultContainer<C extends Container>(given: C): C {
  let container: Container = given;
  if (!container.imagePullPolicy) container = { ...container, imagePullPolicy: pullPolicy(container.image ?? '') };
  container = fillZero(container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  container = replace(container, 'resources', defaultResources(container.resources));
  if (container.ports) container = replace(container, 'ports', mapShared(container.ports, defaultPort));
  if (container.env) container = replace(container, 'env', mapShared(container.env, defaultEnv));
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const value = container[probe];
    if (value) container = replace(container, probe, defaultProbe(value));
  }
  if (container.lifecycle) container = replace(container, 'lifecycle', defaultLifecycle(container.lifecycle));
  return container as C;
}

/** Always for the tag `latest`, written or meant; else what is there is good enough. */
function pullPolicy(image: string): string {
  const name = parseImageName(image);
  return 'tag' in name && name.tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const NO_RESOURCES: ResourceRequirements = Object.freeze({});

function defaultResources(resources: ResourceRequirements | undefined): ResourceRequirements {
  if (!resources) return NO_RESOURCES;
  const limits = canonicalResources(resources.limits);
  const requests = canonicalResources(resources.requests);
  return limits === resources.limits && requests === resources.requests
    ? resources
    : { ...resources, ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) };
}

const defaultPort = (port: ContainerPort): ContainerPort => fillZero(port, { protocol: 'TCP' });
const defaultFieldRef = (ref: ObjectFieldSelector): ObjectFieldSelector => fillZero(ref, { apiVersion: 'v1' });
const defaultResourceRef = (ref: ResourceFieldSelector): ResourceFieldSelector => fillZero(ref, { divisor: '0' });

function defaultEnv(variable: EnvVar): EnvVar {
  const { valueFrom } = variable;
  return valueFrom ? replace(variable, 'valueFrom', defaultRefs(valueFrom)) : variable;
}

interface Refs {
  readonly fieldRef?: ObjectFieldSelector;
  readonly resourceFieldRef?: ResourceFieldSelector;
}

function defaultRefs<R extends Refs>(given: R): R {
  let refs: Refs = given;
  if (refs.fieldRef) refs = replace(refs, 'fieldRef', defaultFieldRef(refs.fieldRef));
  if (refs.resourceFieldRef) refs = replace(refs, 'resourceFieldRef', defaultResourceRef(refs.resourceFieldRef));
  return refs as R;
}

function defaultProbe(given: Probe): Probe {
  const probe = fillZero(given, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  if (probe.httpGet) return replace(probe, 'httpGet', defaultHttpGet(probe.httpGet));
  return probe.grpc ? replace(probe, 'grpc', fill(probe.grpc, { service: '' })) : probe;
}

const defaultHttpGet = (action: NonNullable<Probe['httpGet']>) => fillZero(action, { path: '/', scheme: 'HTTP' });

function defaultLifecycle(given: Lifecycle): Lifecycle {
  const handler = (value: LifecycleHandler): LifecycleHandler =>
    value.httpGet ? replace(value, 'httpGet', defaultHttpGet(value.httpGet)) : value;
  let lifecycle = given;
  if (lifecycle.postStart) lifecycle = replace(lifecycle, 'postStart', handler(lifecycle.postStart));
  if (lifecycle.preStop) lifecycle = replace(lifecycle, 'preStop', handler(lifecycle.preStop));
  return lifecycle;
}

/** 0644. */
const DEFAULT_MODE = 0o644;

function defaultVolume(volume: Volume): Volume {
  const source = Object.keys(volume).find((key) => key !== 'name' && volume[key as keyof Volume]);
  switch (source) {
    case undefined:
      return { ...volume, emptyDir: {} };
    case 'secret':
    case 'configMap':
      return replace(volume, source, fill(volume[source] ?? {}, { defaultMode: DEFAULT_MODE }));
    case 'hostPath':
      return replace(volume, 'hostPath', fill(volume.hostPath ?? { path: '' }, { type: '' }));
    case 'downwardAPI': {
      const { downwardAPI = {} } = volume;
      return replace(volume, 'downwardAPI', fill(withDefaultItems(downwardAPI), { defaultMode: DEFAULT_MODE }));
    }
    case 'projected':
      return replace(volume, 'projected', defaultProjected(volume.projected ?? {}));
    default:
      return defaultOtherVolume(volume);
  }
}

function withDefaultItems<S extends { readonly items?: readonly (Refs & { readonly path: string })[] }>(source: S): S {
  return source.items ? replace(source, 'items', mapShared(source.items, defaultRefs)) : source;
}

function defaultProjected(given: NonNullable<Volume['projected']>): NonNullable<Volume['projected']> {
  const projected = fill(given, { defaultMode: DEFAULT_MODE });
  if (!projected.sources) return projected;
  const sources = mapShared(projected.sources, (source) => {
    if (source.serviceAccountToken) {
      return replace(source, 'serviceAccountToken', fill(source.serviceAccountToken, { expirationSeconds: 3600 }));
    }
    return source.downwardAPI ? replace(source, 'downwardAPI', withDefaultItems(source.downwardAPI)) : source;
  });
  return replace(projected, 'sources', sources);
}

/** Volumes of storage systems that this cluster does not have; their defaults are the API's all the same. */
function defaultOtherVolume(volume: Volume): Volume {
  if (volume.iscsi) return replace(volume, 'iscsi', fillZero(volume.iscsi, { iscsiInterface: 'default' }));
  if (volume.rbd) {
    const defaults = { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' };
    return replace(volume, 'rbd', fillZero(volume.rbd, defaults));
  }
  if (volume.azureDisk) {
    const defaults = { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' };
    return replace(volume, 'azureDisk', fill(volume.azureDisk, defaults));
  }
  if (volume.scaleIO) {
    return replace(volume, 'scaleIO', fillZero(volume.scaleIO, { storageMode: 'ThinProvisioned', fsType: 'xfs' }));
  }
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (!volume.ephemeral || !template) return volume;
  const spec = fill(template.spec, { volumeMode: 'Filesystem' });
  if (spec === template.spec) return volume;
  return { ...volume, ephemeral: { ...volume.ephemeral, volumeClaimTemplate: { ...template, spec } } };
}
