import { MAX_NODE_SCORE, type Plugin } from '../framework/plugin.ts';
import { SKIP } from '../framework/status.ts';

/** Prefers Nodes on which CPU and memory would be used in equal measure. Pods that ask for neither are not scored. */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  preScore: (_, { requests }) => (requests.milliCPU === 0 && requests.memory === 0 ? SKIP : undefined),
  score(_, { requests }, { allocatable, requested }) {
    const fractions: number[] = [];
    if (allocatable.milliCPU > 0)
      fractions.push(Math.min(1, (requested.milliCPU + requests.milliCPU) / allocatable.milliCPU));
    if (allocatable.memory > 0) fractions.push(Math.min(1, (requested.memory + requests.memory) / allocatable.memory));
    const [first, second] = fractions;
    const deviation = first !== undefined && second !== undefined ? Math.abs((first - second) / 2) : 0;
    return Math.floor((1 - deviation) * MAX_NODE_SCORE);
  },
};
