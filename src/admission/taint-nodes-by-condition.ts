import { nodes } from '#api/core/v1/node.ts';
import type { Node } from '#api/generated/types.ts';
import type { AdmissionPlugin } from '#apiserver/contract.ts';

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const;

/** A new node is not ready, so that nothing is scheduled on it before it says that it is. Follows plugin/pkg/admission/nodetaint, v1.33. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  resources: [nodes],
  admit({ subresource, operation, object }) {
    if (subresource || operation !== 'CREATE') return object;
    const node = object as Node;
    const { taints = [] } = node.spec;
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return node;
    return { ...node, spec: { ...node.spec, taints: [...taints, NOT_READY] } } as Node;
  },
};
