import type { Node, Pod, Taint } from '#api/generated/types.ts';
import { tolerates } from '#api/core/v1/toleration.ts';
import type { Plugin } from '../framework/plugin.ts';
import type { Status } from '../framework/status.ts';

const NAME = 'NodeUnschedulable';
const TAINT: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const CORDONED: Status = {
  code: 'UnschedulableAndUnresolvable',
  reasons: ['node(s) were unschedulable'],
  plugin: NAME,
};

/** Turns down Nodes that are cordoned. */
export const nodeUnschedulable: Plugin = {
  name: NAME,
  events: [
    {
      on: ['Node/Add', 'Node/UpdateTaint'],
      helps(_, previous, next) {
        const before = previous as Node | undefined;
        const after = next as Node;
        return before ? before.spec.unschedulable === true && !after.spec.unschedulable : !after.spec.unschedulable;
      },
    },
    {
      on: ['UnscheduledPod/UpdateToleration', 'AssignedPod/UpdateToleration'],
      helps: (pod, _, next) => next?.metadata.uid === pod.uid && toleratesIt(next as Pod),
    },
  ],
  filter: (_, { pod }, { node }) => (node.spec.unschedulable && !toleratesIt(pod) ? CORDONED : undefined),
};

function toleratesIt({ spec: { tolerations } }: Pod): boolean {
  return tolerations?.some((toleration) => tolerates(toleration, TAINT)) === true;
}
