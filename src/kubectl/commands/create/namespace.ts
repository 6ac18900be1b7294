import type { Command } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument } from '../../creating.ts';

export const createNamespace: Command = {
  name: 'namespace',
  aliases: ['ns'],
  short: 'Create a namespace with the specified name',
  examples: `
# A namespace
kubectl create namespace demo`,
  usage: 'namespace NAME [--dry-run=server|client|none]',
  flags: createFlags,
  completion: 'none',
  run: async (invocation) => {
    const name = nameArgument(invocation);
    if (name === '') throw new Error('name must be specified');
    await createObject(invocation, knownResource('', 'v1', 'namespaces', 'Namespace', false), {
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: { name, creationTimestamp: null },
      spec: {},
      status: {},
    });
  },
};
