import { warningsForIP } from '#apimachinery/ip-validation.ts';
import { quantityMilliValue } from '#apimachinery/quantity.ts';
import { child, goQuote, isValidLabelValue, keyed } from '#apimachinery/validation.ts';
import type {
  Container,
  ContainerPort,
  NodeSelectorTerm,
  ObjectMeta,
  PodAffinity,
  PodSpec,
  Volume,
} from '../../generated/types.ts';
import type { ResourceList } from './resource-list.ts';

// Follows pkg/api/pod/warnings.go and pkg/api/node/util.go, v1.33.

const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

const DEPRECATED_VOLUMES: readonly (readonly [keyof Volume, string, string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

const deprecatedLabel = (key: string): string | undefined =>
  Object.hasOwn(DEPRECATED_NODE_LABELS, key) ? DEPRECATED_NODE_LABELS[key] : undefined;

/** Warnings for a Pod (`path` is empty) or for a Pod template (`path` is where it stands). */
export function podWarnings(path: string, spec: PodSpec, metadata: ObjectMeta | undefined): string[] {
  const warnings: string[] = [];
  const at = child(path, 'spec');
  const annotations = metadata?.annotations ?? {};
  for (const key of Object.keys(spec.nodeSelector ?? {}).sort()) {
    const message = deprecatedLabel(key);
    if (message) warnings.push(`${keyed(`${at}.nodeSelector`, key)}: ${message}`);
  }
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {};
  nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.forEach((term, i) => {
    const where = `${at}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`;
    warnings.push(...termWarnings(term, false, where));
  });
  nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ preference }, i) => {
    const where = `${at}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`;
    warnings.push(...termWarnings(preference, true, where));
  });
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const where = `${at}.topologySpreadConstraints[${i}]`;
    const message = deprecatedLabel(topologyKey);
    if (message) warnings.push(`${where}.topologyKey: ${topologyKey} is ${message}`);
    if (!labelSelector) warnings.push(`${where}.labelSelector: a null labelSelector results in matching no pod`);
  });
  for (const [key, message] of Object.entries(DEPRECATED_ANNOTATIONS)) {
    if (Object.hasOwn(annotations, key)) {
      warnings.push(`${keyed(child(path, 'metadata', 'annotations'), key)}: ${message}`);
    }
  }
  spec.volumes?.forEach((volume, i) => {
    for (const [field, name, message] of DEPRECATED_VOLUMES) {
      if (volume[field]) warnings.push(`${at}.volumes[${i}].${name}: ${message}`);
    }
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec.resources;
    for (const list of ['requests', 'limits'] as const) {
      fractionWarning(
        claim?.[list],
        'storage',
        `${at}.volumes[${i}].ephemeral.volumeClaimTemplate.spec.resources.${list}`,
        warnings,
      );
    }
  });
  warnings.push(...overlapWarnings(spec.volumes ?? []));
  duplicates(spec.hostAliases, ({ ip }) => ip, `${at}.hostAliases`, 'ip', warnings);
  duplicates(spec.imagePullSecrets, ({ name = '' }) => name, `${at}.imagePullSecrets`, 'name', warnings);
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    if (!name) warnings.push(`${at}.imagePullSecrets[${i}].name: invalid empty name ""`);
  });
  for (const name of ['memory', 'ephemeral-storage']) {
    fractionWarning(spec.overhead, name, `${at}.overhead`, warnings);
  }
  const seccomp = (key: string) => {
    if (Object.hasOwn(annotations, key)) {
      warnings.push(
        `${keyed(child(path, 'metadata', 'annotations'), key)}: non-functional in v1.27+; use the "seccompProfile" field instead`,
      );
    }
  };
  if (!spec.securityContext?.seccompProfile) seccomp('seccomp.security.alpha.kubernetes.io/pod');

  const containers = containersWithPath(spec, at);
  for (const [container, where] of containers) {
    if (!container.securityContext?.seccompProfile) {
      seccomp(`container.seccomp.security.alpha.kubernetes.io/${container.name}`);
    }
    for (const name of ['memory', 'ephemeral-storage']) {
      fractionWarning(container.resources?.limits, name, `${where}.resources.limits`, warnings);
      fractionWarning(container.resources?.requests, name, `${where}.resources.requests`, warnings);
    }
    warnings.push(...envWarnings(container, where));
  }
  warnings.push(...portWarnings(containers));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  warnings.push(...affinityWarnings(podAffinity, `${at}.affinity.podAffinity`));
  warnings.push(...affinityWarnings(podAntiAffinity, `${at}.affinity.podAntiAffinity`));
  spec.dnsConfig?.nameservers?.forEach((ip, i) => {
    warnings.push(...warningsForIP(ip, `${at}.dnsConfig.nameservers[${i}]`));
  });
  spec.hostAliases?.forEach(({ ip }, i) => {
    warnings.push(...warningsForIP(ip, `${at}.hostAliases[${i}].ip`));
  });
  return warnings;
}

/** Every container with its path, in upstream's order: init, ordinary, ephemeral. */
export function containersWithPath(spec: PodSpec, at: string): (readonly [Container, string])[] {
  const list = (name: 'initContainers' | 'containers' | 'ephemeralContainers') =>
    (spec[name] ?? []).map((container: Container, i: number) => [container, `${at}.${name}[${i}]`] as const);
  return [...list('initContainers'), ...list('containers'), ...list('ephemeralContainers')];
}

function termWarnings(term: NodeSelectorTerm, checkValues: boolean, path: string): string[] {
  const warnings: string[] = [];
  term.matchExpressions?.forEach(({ key, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const message = deprecatedLabel(key);
    if (message) warnings.push(`${at}.key: ${key} is ${message}`);
    if (!checkValues) return;
    values.forEach((value, j) => {
      for (const problem of isValidLabelValue(value))
        warnings.push(`${at}.values[${j}]: ${value} is invalid, ${problem}`);
    });
  });
  return warnings;
}

function duplicates<T>(
  items: readonly T[] | undefined,
  of: (item: T) => string,
  path: string,
  field: string,
  warnings: string[],
): void {
  const seen = new Set<string>();
  items?.forEach((item, i) => {
    const value = of(item);
    if (seen.has(value)) warnings.push(`${path}[${i}].${field}: duplicate ${field} ${goQuote(value)}`);
    seen.add(value);
  });
}

function fractionWarning(list: ResourceList | undefined, name: string, path: string, warnings: string[]): void {
  const value = list?.[name];
  if (value !== undefined && quantityMilliValue(value) % 1000 !== 0) {
    warnings.push(`${keyed(path, name)}: fractional byte value ${goQuote(value)} is invalid, must be an integer`);
  }
}

function envWarnings({ env = [] }: Container, path: string): string[] {
  const warnings: string[] = [];
  const seen = new Set<string>();
  env.forEach(({ name, value = '', valueFrom }, i) => {
    const reference = `$(${name})`;
    if (seen.has(name) && (valueFrom || value === reference || !value.includes(reference))) {
      warnings.push(
        `${path}.env[${i}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`,
      );
    }
    seen.add(name);
  });
  return warnings;
}

function portWarnings(containers: readonly (readonly [Container, string])[]): string[] {
  const warnings: string[] = [];
  const ports = new Map<string, { path: string; port: ContainerPort }[]>();
  for (const [container, where] of containers) {
    container.ports?.forEach((port, i) => {
      const path = `${where}.ports[${i}]`;
      const { containerPort, hostPort = 0, hostIP = '', protocol = '', name = '' } = port;
      if (hostIP && !hostPort) {
        warnings.push(
          `${path}: hostIP set without hostPort: {Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`,
        );
      }
      const key = `${containerPort}/${protocol}`;
      const others = ports.get(key) ?? [];
      for (const other of others) {
        const { hostPort: otherPort = 0, hostIP: otherIP = '' } = other.port;
        if (hostIP === otherIP && hostPort === otherPort) {
          warnings.push(`${path}: duplicate port definition with ${other.path}`);
        } else if (!hostPort || !otherPort) {
          warnings.push(`${path}: overlapping port definition with ${other.path}`);
        } else if (hostPort === otherPort && (hostIP === '') !== (otherIP === '')) {
          warnings.push(`${path}: dangerously ambiguous port definition with ${other.path}`);
        }
      }
      ports.set(key, [...others, { path, port }]);
    });
  }
  const names = new Map<string, string>();
  for (const [container, where] of containers) {
    container.ports?.forEach(({ name }, i) => {
      if (!name) return;
      const path = `${where}.ports[${i}]`;
      const other = names.get(name);
      if (other === undefined) names.set(name, path);
      else {
        warnings.push(
          `${path}: duplicate port name ${goQuote(name)} with ${other}, services and probes that select ports by name will use ${other}`,
        );
      }
    });
  }
  return warnings;
}

function affinityWarnings(affinity: PodAffinity | undefined, path: string): string[] {
  const matchesNone = (at: string) => `${at}.labelSelector: a null labelSelector results in matching no pod`;
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...required.flatMap(({ labelSelector }, i) =>
      labelSelector ? [] : [matchesNone(`${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`)],
    ),
    ...preferred.flatMap(({ podAffinityTerm }, i) =>
      podAffinityTerm.labelSelector
        ? []
        : [matchesNone(`${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`)],
    ),
  ];
}

interface VirtualPath {
  readonly path: string;
  readonly source: string;
}

const showPath = ({ path, source }: VirtualPath) => (source ? `${goQuote(path)} (${source})` : goQuote(path));

/** Files that one volume would put in each other's place. */
function overlapWarnings(volumes: readonly Volume[]): string[] {
  const warnings: string[] = [];
  for (const { name, configMap, secret, downwardAPI, projected } of volumes) {
    const found = (description: string, paths: readonly VirtualPath[]) => {
      for (const text of overlaps(paths)) {
        warnings.push(`volume ${goQuote(name)} (${description}): overlapping paths: ${text}`);
      }
    };
    const pathsOf = (items: readonly { readonly path: string }[], source = '') =>
      items.map(({ path }) => ({ path, source }));
    if (configMap?.items) found(`ConfigMap ${goQuote(configMap.name ?? '')}`, pathsOf(configMap.items));
    if (secret?.items) found(`Secret ${goQuote(secret.secretName ?? '')}`, pathsOf(secret.items));
    if (downwardAPI?.items) found('DownwardAPI', pathsOf(downwardAPI.items));
    if (!projected) continue;
    const all: VirtualPath[] = [];
    let paths: VirtualPath[] = [];
    for (const source of projected.sources ?? []) {
      if (!Object.values(source).some(Boolean)) {
        warnings.push(`volume ${goQuote(name)} (Projected) has no sources provided`);
        continue;
      }
      // A source without items counts as the one before it: so upstream does, too.
      if (source.configMap?.items) {
        paths = pathsOf(source.configMap.items, `ConfigMap ${goQuote(source.configMap.name ?? '')}`);
      } else if (source.secret?.items) {
        paths = pathsOf(source.secret.items, `Secret ${goQuote(source.secret.name ?? '')}`);
      } else if (source.downwardAPI?.items) {
        paths = pathsOf(source.downwardAPI.items, 'DownwardAPI');
      } else if (source.serviceAccountToken) {
        paths = [{ path: source.serviceAccountToken.path, source: 'ServiceAccountToken' }];
      }
      all.push(...paths);
    }
    found('Projected', all);
  }
  return warnings;
}

function overlaps(paths: readonly VirtualPath[]): string[] {
  const found: string[] = [];
  const seen: VirtualPath[] = [];
  for (const { path, source } of paths) {
    const one = { path: path.replace(/\/+$/, ''), source };
    for (const other of seen) {
      if (
        one.path &&
        other.path &&
        (`${other.path}/`.startsWith(`${one.path}/`) || `${one.path}/`.startsWith(`${other.path}/`))
      ) {
        found.push(`${showPath(one)} with ${showPath(other)}`);
      }
    }
    seen.push(one);
  }
  return found;
}
