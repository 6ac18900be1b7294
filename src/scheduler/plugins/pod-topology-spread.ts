import { jsonEqual } from '#apimachinery/equal.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import {
  type LabelSelectorLike,
  type LabelSelectorTerms,
  labelSelectorTerms,
  matchesLabels,
} from '#apimachinery/selectors.ts';
import type { Node, Pod, TopologySpreadConstraint } from '#api/generated/types.ts';
import { matchesNodeAffinity } from '#api/core/v1/node-affinity.ts';
import { findUntoleratedTaint } from '#api/core/v1/toleration.ts';
import type { Lister } from '#client/indexer.ts';
import { controllerOf } from '#client/key.ts';
import type { PodCounts } from '../cache.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { Handle } from '../framework/handle.ts';
import { MAX_NODE_SCORE, type Plugin } from '../framework/plugin.ts';
import { SKIP, type Status } from '../framework/status.ts';
import type { ReadyNodeInfo } from '../node-info.ts';
import { naturalLog } from './natural-log.ts';
import { DO_NOT_SCHEDULE } from './taint-toleration.ts';
import { labelOf } from './topology-counts.ts';

const NAME = 'PodTopologySpread';
const HOSTNAME = 'kubernetes.io/hostname';
const MISMATCH: Status = {
  code: 'Unschedulable',
  reasons: ["node(s) didn't match pod topology spread constraints"],
  plugin: NAME,
};
const MISSING_LABEL: Status = {
  code: 'UnschedulableAndUnresolvable',
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  plugin: NAME,
};

/** What Pods of a Service or a controller get that say nothing themselves. */
const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
];

interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  /** Undefined selects no Pod. */
  readonly selector: LabelSelectorTerms | undefined;
  readonly minDomains: number;
  readonly honorAffinity: boolean;
  readonly honorTaints: boolean;
}

interface Filtering {
  readonly constraints: readonly Constraint[];
  /** By constraint: topology value → matching Pods. */
  readonly counts: readonly Map<string, number>[];
  /** By constraint: the smallest of the counts. */
  readonly least: number[];
}

interface Scoring {
  readonly constraints: readonly Constraint[];
  /** By constraint; undefined for host names, which are counted Node by Node. */
  readonly counts: readonly (Map<string, number> | undefined)[];
  readonly perNode: readonly PodCounts[];
  readonly weights: readonly number[];
  readonly ignored: ReadonlySet<string>;
}

const FILTERING = new StateKey<Filtering>('PodTopologySpread filter', ({ constraints, counts, least }) => ({
  constraints,
  counts: counts.map((values) => new Map(values)),
  least: [...least],
}));
const SCORING = new StateKey<Scoring>('PodTopologySpread score');

const NOBODY: PodCounts = { on: () => 0 };

/**
 * Spreads like Pods over zones, hosts, or whatever a label tells apart. Follows plugins/podtopologyspread, v1.33, with
 * the system's default constraints; Pods are counted by selectors that the cache keeps up.
 */
export function podTopologySpread({
  cache,
  informers,
  resources,
}: Pick<Handle, 'cache' | 'informers' | 'resources'>): Plugin {
  const owners = new Owners(resources, informers);

  const countsFor = ({ selector }: Constraint, { metadata }: Pod): PodCounts =>
    // An empty selector counts nobody here, as upstream.
    selector && selector.length > 0 ? cache.counts(metadata.namespace ?? '', selector) : NOBODY;

  const constraintsOf = (pod: Pod, action: string): readonly Constraint[] => {
    const own = pod.spec.topologySpreadConstraints;
    if (own?.length)
      return own.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action).map((given) => parse(given, pod));
    const defaults = SYSTEM_DEFAULTS.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action);
    const selector = defaults.length > 0 ? owners.selectorOf(pod) : [];
    return selector.length > 0 ? defaults.map((given) => ({ ...parse(given, pod), selector })) : [];
  };

  return {
    name: NAME,
    events: [
      {
        on: [
          'AssignedPod/Add',
          'AssignedPod/UpdateLabel',
          'AssignedPod/UpdateToleration',
          'AssignedPod/Delete',
          'UnscheduledPod/Add',
          'UnscheduledPod/UpdateLabel',
          'UnscheduledPod/UpdateToleration',
          'UnscheduledPod/Delete',
        ],
        helps: ({ pod }, previous, next) =>
          podChangeHelps(
            pod,
            constraintsOf(pod, 'DoNotSchedule'),
            previous as Pod | undefined,
            next as Pod | undefined,
          ),
      },
      {
        on: ['Node/Add', 'Node/Delete', 'Node/UpdateLabel', 'Node/UpdateTaint'],
        helps: ({ pod }, previous, next) =>
          nodeChangeHelps(constraintsOf(pod, 'DoNotSchedule'), previous as Node | undefined, next as Node | undefined),
      },
    ],

    preFilter(state, { pod }) {
      const constraints = constraintsOf(pod, 'DoNotSchedule');
      if (constraints.length === 0) return { status: SKIP };
      const counts = constraints.map(() => new Map<string, number>());
      const perNode = constraints.map((constraint) => countsFor(constraint, pod));
      for (const { node, name } of cache.nodes) {
        if (!hasKeys(node, constraints)) continue;
        for (const [i, constraint] of constraints.entries()) {
          if (!isIncluded(constraint, pod, node)) continue;
          const values = counts[i] as Map<string, number>;
          const value = labelOf(node, constraint.topologyKey) ?? '';
          values.set(value, (values.get(value) ?? 0) + (perNode[i] as PodCounts).on(name));
        }
      }
      state.write(FILTERING, { constraints, counts, least: counts.map(smallest) });
      return undefined;
    },

    podAdded: (state, pod, { pod: added }, { node }) => recount(state.read(FILTERING), pod.pod, added, node, 1),
    podRemoved: (state, pod, { pod: removed }, { node }) => recount(state.read(FILTERING), pod.pod, removed, node, -1),

    filter(state, { pod }, { node }) {
      const data = state.read(FILTERING);
      if (!data) return undefined;
      for (const [i, { topologyKey, maxSkew, minDomains, selector }] of data.constraints.entries()) {
        const value = labelOf(node, topologyKey);
        if (value === undefined) return MISSING_LABEL;
        const values = data.counts[i] as Map<string, number>;
        const least = values.size < minDomains ? 0 : (data.least[i] as number);
        const self = selector && matchesLabels(selector, pod.metadata.labels) ? 1 : 0;
        if ((values.get(value) ?? 0) + self - least > maxSkew) return MISMATCH;
      }
      return undefined;
    },

    preScore(state, { pod }, nodes) {
      const constraints = constraintsOf(pod, 'ScheduleAnyway');
      if (constraints.length === 0) return SKIP;
      const requireAll = !!pod.spec.topologySpreadConstraints?.length;
      const ignored = new Set<string>();
      const counts = constraints.map(({ topologyKey }) =>
        topologyKey === HOSTNAME ? undefined : new Map<string, number>(),
      );
      // Nodes without the label are one more domain, whose count nobody asks for.
      let isLabelled = false;
      for (const { node, name } of nodes) {
        if (requireAll && !hasKeys(node, constraints)) {
          ignored.add(name);
          continue;
        }
        for (let i = 0; i < constraints.length; i++) {
          const values = counts[i];
          if (!values) continue;
          const value = labelOf(node, (constraints[i] as Constraint).topologyKey);
          isLabelled ||= value !== undefined;
          values.set(value ?? '', 0);
        }
      }
      const perNode = constraints.map((constraint) => countsFor(constraint, pod));
      for (const { node, name } of isLabelled ? cache.nodes : []) {
        if (requireAll && !hasKeys(node, constraints)) continue;
        for (const [i, constraint] of constraints.entries()) {
          const values = counts[i];
          const value = labelOf(node, constraint.topologyKey);
          const sum = value === undefined ? undefined : values?.get(value);
          if (value !== undefined && sum !== undefined && isIncluded(constraint, pod, node))
            values?.set(value, sum + (perNode[i] as PodCounts).on(name));
        }
      }
      const weights = counts.map((values) => naturalLog((values?.size ?? nodes.length - ignored.size) + 2));
      state.write(SCORING, { constraints, counts, perNode, weights, ignored });
      return undefined;
    },

    score(state, _, { node, name }) {
      const data = state.read(SCORING);
      if (!data || data.ignored.has(name)) return 0;
      const { constraints } = data;
      let score = 0;
      for (let i = 0; i < constraints.length; i++) {
        const { topologyKey, maxSkew } = constraints[i] as Constraint;
        const value = labelOf(node, topologyKey);
        if (value === undefined) continue;
        const values = data.counts[i];
        const count = values ? (values.get(value) ?? 0) : (data.perNode[i] as PodCounts).on(name);
        score += count * (data.weights[i] as number) + maxSkew - 1;
      }
      return Math.round(score);
    },

    normalize(state, scores, nodes) {
      const ignored = state.read(SCORING)?.ignored;
      const counts = (i: number) => !ignored?.size || !ignored.has((nodes[i] as ReadyNodeInfo).name);
      let least = Number.POSITIVE_INFINITY;
      let most = 0;
      for (let i = 0; i < scores.length; i++) {
        const score = scores[i] as number;
        if (!counts(i)) continue;
        if (score < least) least = score;
        if (score > most) most = score;
      }
      for (let i = 0; i < scores.length; i++) {
        const score = scores[i] as number;
        if (!counts(i)) scores[i] = 0;
        else scores[i] = most === 0 ? MAX_NODE_SCORE : Math.floor((MAX_NODE_SCORE * (most + least - score)) / most);
      }
    },
  };
}

function parse(given: TopologySpreadConstraint, { metadata: { labels = {} } }: Pod): Constraint {
  const { maxSkew, topologyKey, labelSelector, matchLabelKeys = [], minDomains = 1 } = given;
  const selector = labelSelectorTerms(labelSelector);
  const same = matchLabelKeys
    .filter((key) => Object.hasOwn(labels, key))
    .map((key) => ({ key, operator: '=' as const, values: [labels[key] as string] }));
  return {
    maxSkew,
    topologyKey,
    selector: selector && [...selector, ...same],
    minDomains,
    honorAffinity: (given.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorTaints: given.nodeTaintsPolicy === 'Honor',
  };
}

function hasKeys(node: Node, constraints: readonly Constraint[]): boolean {
  return constraints.every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined);
}

/** Whether a Node counts for a constraint. */
function isIncluded({ honorAffinity, honorTaints }: Constraint, pod: Pod, node: Node): boolean {
  if (honorAffinity && !matchesNodeAffinity(pod, node)) return false;
  return !honorTaints || !findUntoleratedTaint(node.spec.taints, pod.spec.tolerations, DO_NOT_SCHEDULE);
}

function recount(data: Filtering | undefined, pod: Pod, other: Pod, node: Node, by: 1 | -1): void {
  if (!data || other.metadata.namespace !== pod.metadata.namespace || !hasKeys(node, data.constraints)) return;
  for (const [i, constraint] of data.constraints.entries()) {
    const { selector, topologyKey } = constraint;
    if (!selector || !matchesLabels(selector, other.metadata.labels) || !isIncluded(constraint, pod, node)) continue;
    const value = labelOf(node, topologyKey) ?? '';
    const values = data.counts[i] as Map<string, number>;
    values.set(value, (values.get(value) ?? 0) + by);
    data.least[i] = smallest(values);
  }
}

/** Of no counts at all it is infinite, which lets every Node pass, as upstream. */
function smallest(counts: ReadonlyMap<string, number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const count of counts.values()) least = Math.min(least, count);
  return least;
}

function podChangeHelps(
  pod: Pod,
  constraints: readonly Constraint[],
  previous: Pod | undefined,
  next: Pod | undefined,
): boolean {
  const involved = (other: Pod) =>
    other.metadata.uid === pod.metadata.uid ||
    (!!other.spec.nodeName && other.metadata.namespace === pod.metadata.namespace);
  if ((next && !involved(next)) || (previous && !involved(previous))) return false;
  const matches = ({ metadata }: Pod) =>
    constraints.map(({ selector }) => !!selector && matchesLabels(selector, metadata.labels));
  if (previous && next) {
    const tolerates =
      next.metadata.uid === pod.metadata.uid && !jsonEqual(previous.spec.tolerations, next.spec.tolerations);
    if (tolerates && constraints.some(({ honorTaints }) => honorTaints)) return true;
    return !jsonEqual(matches(previous), matches(next));
  }
  const only = next ?? previous;
  return only !== undefined && matches(only).includes(true);
}

function nodeChangeHelps(
  constraints: readonly Constraint[],
  previous: Node | undefined,
  next: Node | undefined,
): boolean {
  const had = previous !== undefined && hasKeys(previous, constraints);
  const has = next !== undefined && hasKeys(next, constraints);
  if (!previous || !next) return had || has;
  if (had !== has) return true;
  const moved = constraints.some(({ topologyKey }) => labelOf(previous, topologyKey) !== labelOf(next, topologyKey));
  return has && (moved || !jsonEqual(previous.spec.taints, next.spec.taints));
}

interface Selecting extends ApiObject {
  readonly spec?: { readonly selector?: LabelSelectorLike | Readonly<Record<string, string>> };
}

/** The Services and controllers that stand behind Pods, as far as this cluster serves their kinds. */
class Owners {
  readonly #services: Lister<Selecting> | undefined;
  /** `apiVersion kind` → objects, and whether their selector is a plain map. */
  readonly #controllers = new Map<string, { readonly lister: Lister<Selecting>; readonly plain: boolean }>();

  constructor(resources: readonly ResourceDefinition[], informers: Handle['informers']) {
    const listerOf = (group: string, plural: string) => {
      const found = resources.find((resource) => resource.group === group && resource.plural === plural);
      return found && (informers.informer(found).lister as Lister<Selecting>);
    };
    this.#services = listerOf('', 'services');
    for (const [group, plural, owner] of [
      ['', 'replicationcontrollers', 'v1 ReplicationController'],
      ['apps', 'replicasets', 'apps/v1 ReplicaSet'],
      ['apps', 'statefulsets', 'apps/v1 StatefulSet'],
    ] as const) {
      const lister = listerOf(group, plural);
      if (lister) this.#controllers.set(owner, { lister, plain: group === '' });
    }
  }

  /** What selects the Pod's like: the selectors of its Services and of its controller together; empty: nothing does. */
  selectorOf(pod: Pod): LabelSelectorTerms {
    const { namespace, labels } = pod.metadata;
    const matchLabels = new Map<string, string>();
    for (const { spec } of this.#services?.list(namespace) ?? []) {
      const selector = spec?.selector as Readonly<Record<string, string>> | undefined;
      if (!selector || !hasAll(selector, labels)) continue;
      for (const [key, value] of Object.entries(selector)) matchLabels.set(key, value);
    }
    const owner = controllerOf(pod);
    const controllers = owner && this.#controllers.get(`${owner.apiVersion} ${owner.kind}`);
    const selector = controllers?.lister.get({ namespace, name: owner?.name ?? '' })?.spec?.selector;
    let terms: LabelSelectorTerms = [];
    if (selector && controllers?.plain) {
      for (const [key, value] of Object.entries(selector as Readonly<Record<string, string>>))
        matchLabels.set(key, value);
    } else if (selector) terms = labelSelectorTerms(selector as LabelSelectorLike) ?? [];
    if (matchLabels.size === 0) return terms;
    return [...(labelSelectorTerms({ matchLabels: Object.fromEntries(matchLabels) }) ?? []), ...terms];
  }
}

function hasAll(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}): boolean {
  for (const key in selector) if (!Object.hasOwn(labels, key) || labels[key] !== selector[key]) return false;
  return true;
}
