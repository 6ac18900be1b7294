import type { Node, NodeSelectorTerm } from '#api/generated/types.ts';
import { matchesNodeAffinity, matchesNodeSelectorTerm } from '#api/core/v1/node-affinity.ts';
import type { Plugin } from '../framework/plugin.ts';
import { SKIP, type Status, unresolvable } from '../framework/status.ts';
import { normalizeScores } from './normalize.ts';

const NAME = 'NodeAffinity';
const NO_MATCH: Status = {
  code: 'UnschedulableAndUnresolvable',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  plugin: NAME,
};

/** Turns down Nodes that the node selector and required affinity do not mean; prefers those that the preferred does. */
export const nodeAffinity: Plugin = {
  name: NAME,
  events: [
    {
      on: ['Node/Add', 'Node/UpdateLabel'],
      helps: ({ pod }, previous, next) =>
        matchesNodeAffinity(pod, next as Node) && !(previous && matchesNodeAffinity(pod, previous as Node)),
    },
  ],
  preFilter(_, { pod: { spec } }) {
    const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (!required && !spec.nodeSelector) return { status: SKIP };
    const nodeNames = required && namedNodes(required.nodeSelectorTerms);
    if (!nodeNames) return undefined;
    return nodeNames.size === 0 ? { status: unresolvable('pod affinity terms conflict') } : { nodeNames };
  },
  filter: (_, { pod }, { node }) => (matchesNodeAffinity(pod, node) ? undefined : NO_MATCH),
  preScore: (_, { pod }) =>
    pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ? undefined : SKIP,
  score(_, { pod }, { node }) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return preferred.reduce(
      (sum, { preference, weight }) => sum + (matchesNodeSelectorTerm(preference, node) ? weight : 0),
      0,
    );
  },
  normalize: (_, scores) => normalizeScores(scores, false),
};

/** The Nodes that the terms name, if each of them names some. */
function namedNodes(terms: readonly NodeSelectorTerm[]): Set<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const lists = matchFields
      .filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
      .map(({ values = [] }) => values);
    const [first, ...others] = lists;
    if (!first) return undefined;
    for (const name of first) if (others.every((values) => values.includes(name))) names.add(name);
  }
  return terms.length > 0 ? names : undefined;
}
