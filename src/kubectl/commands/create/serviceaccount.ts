import type { Command } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';

export const createServiceAccount: Command = {
  name: 'serviceaccount',
  aliases: ['sa'],
  short: 'Create a service account with the specified name',
  examples: `
# A service account
kubectl create serviceaccount robot`,
  usage: 'serviceaccount NAME [--dry-run=server|client|none]',
  flags: createFlags,
  completion: 'none',
  run: async (invocation) => {
    const name = nameArgument(invocation);
    if (name === '') throw new Error('name must be specified');
    await createObject(
      invocation,
      knownResource('', 'v1', 'serviceaccounts', 'ServiceAccount'),
      { kind: 'ServiceAccount', apiVersion: 'v1', metadata: await newMetadata(invocation, name) },
      'failed to create serviceaccount: ',
    );
  },
};
