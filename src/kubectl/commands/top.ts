import type { Command, Invocation } from '../command.ts';
import { allNamespaces, selector } from '../flag-groups.ts';

const METRICS_GROUP = 'metrics.k8s.io';

async function runTop(invocation: Invocation): Promise<void> {
  if (invocation.args.length > 1)
    throw invocation.usageError(`unexpected arguments: [${invocation.args.slice(1).join(' ')}]`);
  const groups = await (await invocation.discovery()).groups();
  if (!groups.some(({ name }) => name === METRICS_GROUP)) throw new Error('Metrics API not available');
  throw new Error('the Metrics API of this cluster cannot be asked from here');
}

const node: Command = {
  name: 'node',
  aliases: ['nodes', 'no'],
  short: 'Display resource (CPU/memory) usage of nodes',
  usage: 'node [NAME | -l label]',
  flags: [selector],
  completion: 'nodes',
  run: runTop,
};

const pod: Command = {
  name: 'pod',
  aliases: ['pods', 'po'],
  short: 'Display resource (CPU/memory) usage of pods',
  usage: 'pod [NAME | -l label]',
  flags: [allNamespaces, selector, { name: 'containers', type: 'bool', usage: 'Each container of its own.' }],
  completion: 'pods',
  run: runTop,
};

export const top: Command = {
  name: 'top',
  short: 'Display resource (CPU/memory) usage',
  long: 'What nodes and Pods use, as the Metrics API has measured it. No cluster has that by itself.',
  usage: 'top',
  flags: [],
  subcommands: [node, pod],
};
