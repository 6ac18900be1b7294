import type { JsonObject } from '#apimachinery/json.ts';
import { attachToPod } from '../attaching.ts';
import type { Command, Invocation } from '../command.ts';
import { text } from '../fields.ts';
import { container, podRunningTimeout } from '../flag-groups.ts';
import { attachablePod } from '../pods.ts';
import { buildResources } from '../resource-builder.ts';

export const attach: Command = {
  name: 'attach',
  short: 'Attach to a running container',
  long: 'Connect to the process that a container already runs, and show what it writes from now on.',
  examples: `
# What the process of a Pod writes
kubectl attach web

# Of one of its containers
kubectl attach web -c ruby

# With our keyboard as its stdin
kubectl attach web -c ruby -i -t

# Of the first Pod of a ReplicaSet
kubectl attach rs/web`,
  usage: 'attach (POD | TYPE/NAME) -c CONTAINER',
  flags: [
    container(
      'The container; without it the one of the annotation kubectl.kubernetes.io/default-container, or the first.',
    ),
    podRunningTimeout('1m0s'),
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only what the process writes.' },
    { name: 'stdin', short: 'i', type: 'bool', usage: 'Pass stdin to the process.' },
    { name: 'tty', short: 't', type: 'bool', usage: 'Stdin is a terminal.' },
  ],
  completion: 'pods',
  run: runAttach,
};

async function runAttach(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  if (flags.duration('pod-running-timeout') <= 0)
    throw invocation.usageError('--pod-running-timeout must be higher than zero');
  if (args.length === 0) throw new Error('at least 1 argument is required for attach');
  if (args.length > 2)
    throw new Error(
      `expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(' ')}]`,
    );
  const [type, names] = args.length === 1 ? ['pods', args] : [args[0] as string, args.slice(1)];
  const result = await buildResources(invocation, {
    namespace: await invocation.namespace(),
    defaultNamespace: true,
    resourceNames: { type, names },
  });
  const found = (await result.all())[0]?.object as JsonObject;
  const pod = await attachablePod(invocation, found);
  const phase = text(pod, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new Error(`cannot attach a container in a completed pod; current phase is ${phase}`);
  await attachToPod(invocation, pod, {
    container: flags.string('container'),
    stdin: flags.bool('stdin'),
    tty: flags.bool('tty'),
    quiet: flags.bool('quiet'),
  });
}
