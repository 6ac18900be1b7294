import { templateGeneration } from '#api/apps/v1/daemon-set.ts';
import { matchesNodeAffinity } from '#api/core/v1/node-affinity.ts';
import { templateSpec } from '#api/core/v1/pod-template-spec.ts';
import { findUntoleratedTaint } from '#api/core/v1/toleration.ts';
import type { Affinity, DaemonSet, Node, Pod, PodSpec, PodTemplateSpec, Toleration } from '#api/generated/types.ts';

// The Pods of DaemonSets, and the Nodes that they are for. Follows pkg/controller/daemon/util, v1.33.

/** Names the revision of the template that a Pod was made from. */
export const REVISION_HASH = 'controller-revision-hash';
const TEMPLATE_GENERATION = 'pod-template-generation';

const exists = (key: string, effect: string): Toleration => ({
  key: `node.kubernetes.io/${key}`,
  operator: 'Exists',
  effect,
});
/** Nodes in trouble keep their daemons. */
const ADDED: readonly Toleration[] = [
  exists('not-ready', 'NoExecute'),
  exists('unreachable', 'NoExecute'),
  exists('disk-pressure', 'NoSchedule'),
  exists('memory-pressure', 'NoSchedule'),
  exists('pid-pressure', 'NoSchedule'),
  exists('unschedulable', 'NoSchedule'),
];
const ADDED_TO_HOST_NETWORK: readonly Toleration[] = [...ADDED, exists('network-unavailable', 'NoSchedule')];

/** Templates are shared by all revisions of a DaemonSet that have not changed it. */
const specs = new WeakMap<PodTemplateSpec, PodSpec>();

/** The specification of a template's Pods but for the Node. */
function daemonPodSpec(template: PodTemplateSpec): PodSpec {
  let spec = specs.get(template);
  if (!spec) {
    const given = templateSpec(template);
    const added = given.hostNetwork ? ADDED_TO_HOST_NETWORK : ADDED;
    spec = { ...given, tolerations: added.reduce(withToleration, given.tolerations ?? []) };
    specs.set(template, spec);
  }
  return spec;
}

/** Follows AddOrUpdateTolerationInPodSpec, v1.33: one of the same key, operator, effect and value is replaced. */
function withToleration(tolerations: readonly Toleration[], toleration: Toleration): readonly Toleration[] {
  const { key, operator, effect } = toleration;
  const isSame = (other: Toleration) =>
    other.key === key && other.operator === operator && other.effect === effect && !other.value;
  return tolerations.some(isSame)
    ? tolerations.map((other) => (isSame(other) ? toleration : other))
    : [...tolerations, toleration];
}

/** What all new Pods of a DaemonSet are made from. */
export function daemonPodTemplate(daemonSet: DaemonSet, hash: string): PodTemplateSpec {
  const { template } = daemonSet.spec;
  const generation = templateGeneration(daemonSet);
  const labels = {
    ...template.metadata?.labels,
    ...(generation === undefined ? {} : { [TEMPLATE_GENERATION]: String(generation) }),
    [REVISION_HASH]: hash,
  };
  return { ...template, metadata: { ...template.metadata, labels }, spec: daemonPodSpec(template) };
}

/** The affinity by which the scheduler binds the Pod to this Node and no other. */
export function nodeNameAffinity(affinity: Affinity | undefined, node: string): Affinity {
  const required = {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
  };
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
  };
}

/** The Node that a Pod runs on or is meant for. */
export function targetNodeName({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    for (const { key, operator, values = [] } of matchFields) {
      if (key === 'metadata.name' && operator === 'In') return values.length === 1 ? values[0] : undefined;
    }
  }
  return undefined;
}

/** Whether a Pod is of the newest template. */
export function isPodUpdated({ metadata: { labels } }: Pod, hash: string, generation: number | undefined): boolean {
  return (
    labels?.[REVISION_HASH] === hash ||
    (generation !== undefined && labels?.[TEMPLATE_GENERATION] === String(generation))
  );
}

/** What a Node is to a DaemonSet. */
export interface NodeFit {
  /** A Pod is wanted there. */
  readonly run: boolean;
  /** A Pod that is there may stay. */
  readonly stay: boolean;
}

const FITS: NodeFit = { run: true, stay: true };
const STAYS: NodeFit = { run: false, stay: true };
/** Nothing may be there. */
export const UNFIT: NodeFit = { run: false, stay: false };

/** Follows NodeShouldRunDaemonPod, v1.33. Depends on the Node's name, labels and taints only. */
export function nodeFit({ spec: { template } }: DaemonSet, node: Node): NodeFit {
  const spec = daemonPodSpec(template);
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return UNFIT;
  if (!matchesNodeAffinity({ metadata: {}, spec }, node)) return UNFIT;
  const taints = node.spec?.taints;
  if (!findUntoleratedTaint(taints, spec.tolerations, ['NoExecute', 'NoSchedule'])) return FITS;
  return findUntoleratedTaint(taints, spec.tolerations, ['NoExecute']) ? UNFIT : STAYS;
}

/** Those with a Node first, then the oldest; of the same second by name. */
export function byNodeAndAge(a: Pod, b: Pod): number {
  if (!a.spec.nodeName !== !b.spec.nodeName) return a.spec.nodeName ? -1 : 1;
  const { creationTimestamp: createdA = '', name: nameA = '' } = a.metadata;
  const { creationTimestamp: createdB = '', name: nameB = '' } = b.metadata;
  if (createdA !== createdB) return createdA < createdB ? -1 : 1;
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}
