import { matchesLabels } from '#apimachinery/selectors.ts';
import type { Node, Pod } from '#api/generated/types.ts';
import { type AffinityTerm, termMatches } from '../affinity-term.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { Handle } from '../framework/handle.ts';
import { MAX_NODE_SCORE, type Plugin } from '../framework/plugin.ts';
import { SKIP, type Status } from '../framework/status.ts';
import type { PodInfo } from '../pod-info.ts';
import { labelOf, TopologyCounts } from './topology-counts.ts';

const NAME = 'InterPodAffinity';
/** What an existing Pod's required affinity to the Pod counts in scores. */
const HARD_AFFINITY_WEIGHT = 1;

const NO_AFFINITY: Status = {
  code: 'UnschedulableAndUnresolvable',
  reasons: ["node(s) didn't match pod affinity rules"],
  plugin: NAME,
};
const ANTI_AFFINITY: Status = {
  code: 'Unschedulable',
  reasons: ["node(s) didn't match pod anti-affinity rules"],
  plugin: NAME,
};
const EXISTING_ANTI_AFFINITY: Status = {
  code: 'Unschedulable',
  reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"],
  plugin: NAME,
};

type Labels = Readonly<Record<string, string>> | undefined;

/** Terms of the incoming Pod, with the namespaces that their selectors mean filled in. */
interface OwnTerms {
  readonly affinity: readonly AffinityTerm[];
  readonly antiAffinity: readonly AffinityTerm[];
}

interface Filtering {
  readonly own: OwnTerms;
  readonly namespaceLabels: Labels;
  /** Existing Pods that do not want this one, by topology. */
  readonly existingAntiAffinity: TopologyCounts;
  /** Existing Pods that this one wants all of its terms to meet. */
  readonly affinity: TopologyCounts;
  /** Existing Pods that this one does not want. */
  readonly antiAffinity: TopologyCounts;
}

const FILTERING = new StateKey<Filtering>('InterPodAffinity filter', (data) => ({
  ...data,
  existingAntiAffinity: data.existingAntiAffinity.clone(),
  affinity: data.affinity.clone(),
  antiAffinity: data.antiAffinity.clone(),
}));
const SCORING = new StateKey<TopologyCounts>('InterPodAffinity score');

/**
 * Pods that want to be near others, or far from them. Only Pods with such terms cost more than a look at two (mostly
 * empty) sets of Nodes. Follows plugins/interpodaffinity, v1.33.
 */
export function interPodAffinity({ cache, namespaces }: Pick<Handle, 'cache' | 'namespaces'>): Plugin {
  const labelsOf = (namespace = ''): Labels => namespaces.get({ name: namespace })?.metadata.labels;

  const withNamespaces = (terms: readonly AffinityTerm[]): readonly AffinityTerm[] =>
    terms.map((term) => {
      const { namespaceSelector } = term;
      if (!namespaceSelector?.length) return term;
      const selected = namespaces.list().filter(({ metadata }) => matchesLabels(namespaceSelector, metadata.labels));
      const names = selected.map(({ metadata }) => metadata.name ?? '');
      return { ...term, namespaces: new Set([...term.namespaces, ...names]), namespaceSelector: undefined };
    });

  const count = (data: Filtering, incoming: PodInfo, existing: PodInfo, node: Node, times: 1 | -1) => {
    for (const term of existing.terms.requiredAntiAffinity) {
      if (termMatches(term, incoming.pod, data.namespaceLabels))
        data.existingAntiAffinity.add(node, term.topologyKey, times);
    }
    if (matchesAll(data.own.affinity, existing.pod)) {
      for (const { topologyKey } of data.own.affinity) data.affinity.add(node, topologyKey, times);
    }
    for (const term of data.own.antiAffinity) {
      if (termMatches(term, existing.pod, undefined)) data.antiAffinity.add(node, term.topologyKey, times);
    }
  };

  return {
    name: NAME,
    events: [
      {
        on: [
          'AssignedPod/Add',
          'AssignedPod/UpdateLabel',
          'AssignedPod/Delete',
          'UnscheduledPod/Add',
          'UnscheduledPod/UpdateLabel',
          'UnscheduledPod/Delete',
        ],
        helps: (pod, previous, next) => podChangeHelps(pod, previous as Pod | undefined, next as Pod | undefined),
      },
      {
        on: ['Node/Add', 'Node/UpdateLabel'],
        helps: (pod, previous, next) => nodeChangeHelps(pod, previous as Node | undefined, next as Node),
      },
    ],

    preFilter(state, pod) {
      const { requiredAffinity, requiredAntiAffinity } = pod.terms;
      const wants = requiredAffinity.length + requiredAntiAffinity.length > 0;
      if (!wants && cache.withRequiredAntiAffinity.size === 0) return { status: SKIP };
      const data: Filtering = {
        own: { affinity: withNamespaces(requiredAffinity), antiAffinity: withNamespaces(requiredAntiAffinity) },
        namespaceLabels: labelsOf(pod.pod.metadata.namespace),
        existingAntiAffinity: new TopologyCounts(),
        affinity: new TopologyCounts(),
        antiAffinity: new TopologyCounts(),
      };
      const relevant = wants ? cache.nodes : cache.withRequiredAntiAffinity;
      for (const { node, pods, withRequiredAntiAffinity } of relevant) {
        if (!node) continue;
        for (const existing of wants ? pods.values() : withRequiredAntiAffinity) count(data, pod, existing, node, 1);
      }
      if (!wants && data.existingAntiAffinity.empty) return { status: SKIP };
      state.write(FILTERING, data);
      return undefined;
    },

    podAdded(state, pod, added, { node }) {
      const data = state.read(FILTERING);
      if (data) count(data, pod, added, node, 1);
    },

    podRemoved(state, pod, removed, { node }) {
      const data = state.read(FILTERING);
      if (data) count(data, pod, removed, node, -1);
    },

    filter(state, { pod }, { node }) {
      const data = state.read(FILTERING);
      if (!data) return undefined;
      const { own } = data;
      if (own.affinity.some(({ topologyKey }) => labelOf(node, topologyKey) === undefined)) return NO_AFFINITY;
      if (own.affinity.some(({ topologyKey }) => data.affinity.at(node, topologyKey) <= 0)) {
        // The first of Pods that want each other may start anywhere.
        if (!data.affinity.empty || !matchesAll(own.affinity, pod)) return NO_AFFINITY;
      }
      if (own.antiAffinity.some(({ topologyKey }) => data.antiAffinity.at(node, topologyKey) > 0)) return ANTI_AFFINITY;
      return data.existingAntiAffinity.anyPositive(node) ? EXISTING_ANTI_AFFINITY : undefined;
    },

    preScore(state, pod) {
      const { preferredAffinity, preferredAntiAffinity } = pod.terms;
      const prefers = preferredAffinity.length + preferredAntiAffinity.length > 0;
      if (!prefers && cache.withAffinity.size === 0) return SKIP;
      const wanted = withNamespaces(preferredAffinity);
      const unwanted = withNamespaces(preferredAntiAffinity);
      const namespaceLabels = labelsOf(pod.pod.metadata.namespace);
      const scores = new TopologyCounts();
      for (const { node, pods, withAffinity } of prefers ? cache.nodes : cache.withAffinity) {
        if (!node) continue;
        const add = (terms: readonly AffinityTerm[], other: Pod, labels: Labels, sign: 1 | -1, weight?: number) => {
          for (const term of terms) {
            if (termMatches(term, other, labels)) scores.add(node, term.topologyKey, sign * (weight ?? term.weight));
          }
        };
        for (const existing of prefers ? pods.values() : withAffinity) {
          add(wanted, existing.pod, undefined, 1);
          add(unwanted, existing.pod, undefined, -1);
          add(existing.terms.requiredAffinity, pod.pod, namespaceLabels, 1, HARD_AFFINITY_WEIGHT);
          add(existing.terms.preferredAffinity, pod.pod, namespaceLabels, 1);
          add(existing.terms.preferredAntiAffinity, pod.pod, namespaceLabels, -1);
        }
      }
      if (scores.empty) return SKIP;
      state.write(SCORING, scores);
      return undefined;
    },

    score: (state, _, { node }) => state.read(SCORING)?.sum(node) ?? 0,

    normalize(_, scores) {
      const least = scores.reduce((min, score) => Math.min(min, score), Number.POSITIVE_INFINITY);
      const most = scores.reduce((max, score) => Math.max(max, score), Number.NEGATIVE_INFINITY);
      for (const [i, score] of scores.entries()) {
        scores[i] = most > least ? Math.floor(MAX_NODE_SCORE * ((score - least) / (most - least))) : 0;
      }
    },
  };
}

/** Whether a Pod meets all terms; none are met by nobody. */
function matchesAll(terms: readonly AffinityTerm[], pod: Pod): boolean {
  return terms.length > 0 && terms.every((term) => termMatches(term, pod, undefined));
}

function podChangeHelps({ terms }: PodInfo, previous: Pod | undefined, next: Pod | undefined): boolean {
  if ((next && !next.spec.nodeName) || (previous && !previous.spec.nodeName)) return false;
  const { requiredAffinity: wanted, requiredAntiAffinity: unwanted } = terms;
  if (previous && next) {
    return (
      (!matchesAll(wanted, previous) && matchesAll(wanted, next)) ||
      (matchesAll(unwanted, previous) && !matchesAll(unwanted, next))
    );
  }
  if (next) return matchesAll(wanted, next);
  return previous !== undefined && matchesAll(unwanted, previous);
}

function nodeChangeHelps({ terms }: PodInfo, previous: Node | undefined, next: Node): boolean {
  const differs = ({ topologyKey }: AffinityTerm) =>
    previous && labelOf(previous, topologyKey) !== labelOf(next, topologyKey);
  const wanted = terms.requiredAffinity.some(
    (term) => labelOf(next, term.topologyKey) !== undefined && (!previous || differs(term)),
  );
  if (wanted) return true;
  if (!previous) return terms.requiredAntiAffinity.length > 0;
  return terms.requiredAntiAffinity.some((term) => labelOf(previous, term.topologyKey) !== undefined && differs(term));
}
