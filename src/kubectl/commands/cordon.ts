import type { Command } from '../command.ts';
import { nodesOf, setUnschedulable } from '../cordoning.ts';
import { dryRun, selector } from '../flag-groups.ts';

export const cordon: Command = {
  name: 'cordon',
  short: 'Mark node as unschedulable',
  long: 'No new Pods for a Node. Those that it has stay.',
  examples: `
kubectl cordon worker-1`,
  usage: 'cordon NODE',
  flags: [dryRun, selector],
  completion: 'nodes',
  run: async (invocation) => setUnschedulable(invocation, await nodesOf(invocation), true),
};

export const uncordon: Command = {
  name: 'uncordon',
  short: 'Mark node as schedulable',
  long: 'New Pods for a Node again.',
  examples: `
kubectl uncordon worker-1`,
  usage: 'uncordon NODE',
  flags: [dryRun, selector],
  completion: 'nodes',
  run: async (invocation) => setUnschedulable(invocation, await nodesOf(invocation), false),
};
