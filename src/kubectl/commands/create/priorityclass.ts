import type { Command } from '../../command.ts';
import { checkInt32 } from '../../flags.ts';
import { createFlags, createObject, knownResource, nameArgument } from '../../creating.ts';

export const createPriorityClass: Command = {
  name: 'priorityclass',
  aliases: ['pc'],
  short: 'Create a priority class with the specified name',
  examples: `
# A priority class
kubectl create priorityclass high --value=1000 --description="important"

# The one that Pods without a class get
kubectl create priorityclass normal --value=100 --global-default=true

# One that does not push others aside
kubectl create priorityclass polite --value=1000 --preemption-policy="Never"`,
  usage: 'priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    { name: 'description', type: 'string', usage: 'When the class should be used.' },
    { name: 'global-default', type: 'bool', usage: 'Pods without a class get this one.' },
    {
      name: 'preemption-policy',
      type: 'string',
      default: 'PreemptLowerPriority',
      values: ['PreemptLowerPriority', 'Never'],
      usage: 'Whether Pods of the class push others aside.',
    },
    { name: 'value', type: 'int', check: checkInt32, usage: 'The priority.' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    const description = flags.string('description');
    await createObject(
      invocation,
      knownResource('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', false),
      {
        kind: 'PriorityClass',
        apiVersion: 'scheduling.k8s.io/v1',
        metadata: { name, creationTimestamp: null },
        value: flags.int('value'),
        ...(flags.bool('global-default') ? { globalDefault: true } : {}),
        ...(description === '' ? {} : { description }),
        preemptionPolicy: flags.string('preemption-policy'),
      },
      'failed to create priorityclass: ',
    );
  },
};
