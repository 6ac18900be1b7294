import type { Node, Pod, Toleration } from '#api/generated/types.ts';
import { findUntoleratedTaint, tolerates } from '#api/core/v1/toleration.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { Plugin } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';
import { normalizeScores } from './normalize.ts';

/** Effects that keep new Pods away. */
export const DO_NOT_SCHEDULE: readonly string[] = ['NoSchedule', 'NoExecute'];
const PREFERRED = new StateKey<readonly Toleration[]>('TaintToleration');

/** Turns down Nodes with taints that the Pod does not tolerate, and prefers those with few taints of PreferNoSchedule. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  events: [
    {
      on: ['Node/Add', 'Node/UpdateTaint'],
      helps: ({ pod }, previous, next) =>
        (!previous || isTainted(previous as Node, pod)) && !isTainted(next as Node, pod),
    },
    {
      on: ['UnscheduledPod/UpdateToleration', 'AssignedPod/UpdateToleration'],
      helps: (pod, _, next) => next?.metadata.uid === pod.uid,
    },
  ],
  filter(_, { pod }, { node }) {
    const { taints } = node.spec;
    if (!taints?.length) return undefined;
    const taint = findUntoleratedTaint(taints, pod.spec.tolerations, DO_NOT_SCHEDULE);
    return taint && unresolvable(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
  },
  preScore(state, { pod }) {
    const tolerations = pod.spec.tolerations ?? [];
    state.write(
      PREFERRED,
      tolerations.filter(({ effect }) => !effect || effect === 'PreferNoSchedule'),
    );
    return undefined;
  },
  score(state, _, { node }) {
    const { taints } = node.spec;
    if (!taints?.length) return 0;
    const tolerations = state.read(PREFERRED) ?? [];
    const intolerable = taints.filter(
      (taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
    );
    return intolerable.length;
  },
  normalize: (_, scores) => normalizeScores(scores, true),
};

function isTainted({ spec: { taints } }: Node, { spec: { tolerations } }: Pod): boolean {
  return findUntoleratedTaint(taints, tolerations, DO_NOT_SCHEDULE) !== undefined;
}
