import type { Plugin } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

/** Keeps Pods with `spec.schedulingGates` out of the queue until all are removed. */
export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  events: [
    {
      on: ['UnscheduledPod/UpdateSchedulingGatesEliminated', 'AssignedPod/UpdateSchedulingGatesEliminated'],
      helps: (pod, _, next) => next?.metadata.uid === pod.uid,
    },
  ],
  preEnqueue({ spec: { schedulingGates: gates } }) {
    if (!gates?.length) return undefined;
    return unresolvable(`waiting for scheduling gates: [${gates.map(({ name }) => name).join(' ')}]`);
  },
};
