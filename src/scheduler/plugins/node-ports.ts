import type { Pod } from '#api/generated/types.ts';
import { NodeInfo } from '../node-info.ts';
import { PodInfo } from '../pod-info.ts';
import type { Plugin } from '../framework/plugin.ts';
import { SKIP, type Status } from '../framework/status.ts';

const NAME = 'NodePorts';
const TAKEN: Status = {
  code: 'Unschedulable',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  plugin: NAME,
};

/** Turns down Nodes on which a host port of the Pod is taken. */
export const nodePorts: Plugin = {
  name: NAME,
  events: [
    { on: ['Node/Add'] },
    {
      on: ['AssignedPod/Delete', 'UnscheduledPod/Delete'],
      helps(pod, previous) {
        const gone = new PodInfo(previous as Pod);
        if (!gone.pod.spec.nodeName && !gone.pod.status?.nominatedNodeName) return false;
        const only = new NodeInfo('');
        only.add(gone);
        return pod.hostPorts.some((port) => only.ports.conflicts(port));
      },
    },
  ],
  preFilter: (_, { hostPorts }) => (hostPorts.length === 0 ? { status: SKIP } : undefined),
  filter: (_, { hostPorts }, { ports }) => (hostPorts.some((port) => ports.conflicts(port)) ? TAKEN : undefined),
};
