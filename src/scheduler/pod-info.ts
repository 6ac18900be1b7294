import type { ContainerPort, Pod } from '#api/generated/types.ts';
import { isRestartableInitContainer } from '#api/core/v1/pod-status.ts';
import { affinityTermsOf, type PodAffinityTerms } from './affinity-term.ts';
import { DEFAULT_MEMORY, DEFAULT_MILLI_CPU, podResources, type Resources } from './resources.ts';

const COUNTED = { milliCPU: DEFAULT_MILLI_CPU, memory: DEFAULT_MEMORY };

/** A Pod and what scheduling works out of its spec, once. Follows scheduler/framework/types.go (PodInfo), v1.33. */
export class PodInfo {
  /** The newest state seen. */
  pod: Pod;
  readonly uid: string;
  readonly requests: Resources;
  /** The same, but nothing counts as none: for spreading by load. */
  readonly countedRequests: Resources;
  readonly hostPorts: readonly ContainerPort[];
  readonly terms: PodAffinityTerms;

  constructor(pod: Pod) {
    this.pod = pod;
    this.uid = pod.metadata.uid ?? '';
    this.requests = podResources(pod);
    this.countedRequests = podResources(pod, COUNTED);
    this.hostPorts = hostPortsOf(pod);
    this.terms = affinityTermsOf(pod);
  }

  get hasAffinity(): boolean {
    const { requiredAffinity, requiredAntiAffinity, preferredAffinity, preferredAntiAffinity } = this.terms;
    return (
      requiredAffinity.length + requiredAntiAffinity.length + preferredAffinity.length + preferredAntiAffinity.length >
      0
    );
  }

  /** The same Pod in a newer state; itself when nothing that was worked out can differ, as when it is bound. */
  updated(pod: Pod): PodInfo {
    const { containers, initContainers, overhead, affinity } = this.pod.spec;
    const { spec } = pod;
    const same =
      spec.containers === containers &&
      spec.initContainers === initContainers &&
      spec.overhead === overhead &&
      spec.affinity === affinity;
    if (!same) return new PodInfo(pod);
    this.pod = pod;
    return this;
  }
}

/** The importance of a Pod. */
export function priorityOf({ spec }: Pod): number {
  return spec.priority ?? 0;
}

const NO_PORTS: readonly ContainerPort[] = [];

/** Ports that the Pod takes on its Node, sidecars included. */
export function hostPortsOf({ spec }: Pod): readonly ContainerPort[] {
  const lasting = [...(spec.initContainers?.filter(isRestartableInitContainer) ?? []), ...spec.containers];
  const ports = lasting.flatMap((container) => container.ports?.filter(({ hostPort = 0 }) => hostPort > 0) ?? []);
  return ports.length > 0 ? ports : NO_PORTS;
}
