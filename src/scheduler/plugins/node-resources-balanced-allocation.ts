import { MAX_NODE_SCORE, type Plugin } from '../framework/plugin.ts';
import { SKIP } from '../framework/status.ts';

/** Prefers Nodes on which CPU and memory would be used in equal measure. Pods that ask for neither are not scored. */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  preScore: (_, { requests }) => (requests.milliCPU === 0 && requests.memory === 0 ? SKIP : undefined),
  score(_, { requests }, { allocatable, requested }) {
    const { milliCPU, memory } = allocatable;
    let deviation = 0;
    if (milliCPU > 0 && memory > 0) {
      const cpu = Math.min(1, (requested.milliCPU + requests.milliCPU) / milliCPU);
      deviation = Math.abs((cpu - Math.min(1, (requested.memory + requests.memory) / memory)) / 2);
    }
    return Math.floor((1 - deviation) * MAX_NODE_SCORE);
  },
};
