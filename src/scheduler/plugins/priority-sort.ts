import { priorityOf } from '../pod-info.ts';
import type { Plugin } from '../framework/plugin.ts';

/** Higher priority first, then what has waited longer. */
export const prioritySort: Plugin = {
  name: 'PrioritySort',
  less(a, b) {
    const difference = priorityOf(a.info.pod) - priorityOf(b.info.pod);
    if (difference !== 0) return difference > 0;
    return a.timestamp === b.timestamp ? a.sequence < b.sequence : a.timestamp < b.timestamp;
  },
};
