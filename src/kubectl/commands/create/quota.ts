import { canonicalQuantity } from '#apimachinery/quantity.ts';
import type { Command } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';

export const createQuota: Command = {
  name: 'quota',
  aliases: ['resourcequota'],
  short: 'Create a quota with the specified name',
  examples: `
# A quota of CPU, memory and Pods
kubectl create quota small --hard=cpu=1,memory=1G,pods=2

# A quota of Pods without requests
kubectl create quota best-effort --hard=pods=100 --scopes=BestEffort`,
  usage: 'quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    { name: 'hard', type: 'string', usage: 'The limits: resource=quantity, with commas between them.' },
    { name: 'scopes', type: 'string', usage: 'What the quota counts, with commas between them.' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    if (name === '') throw new Error('name must be specified');
    const split = (text: string) => (text === '' ? [] : text.split(','));
    const hard = split(flags.string('hard')).map((statement): readonly [string, string] => {
      const parts = statement.split('=');
      if (parts.length !== 2) throw new Error(`Invalid argument syntax ${statement}, expected <resource>=<value>`);
      return [parts[0] as string, canonicalQuantity(parts[1] as string)];
    });
    const scopes = split(flags.string('scopes'));
    if (scopes.includes('')) throw new Error('invalid resource quota scope ""');
    await createObject(
      invocation,
      knownResource('', 'v1', 'resourcequotas', 'ResourceQuota'),
      {
        kind: 'ResourceQuota',
        apiVersion: 'v1',
        metadata: await newMetadata(invocation, name),
        spec: {
          ...(hard.length > 0 ? { hard: Object.fromEntries(hard) } : {}),
          ...(scopes.length > 0 ? { scopes } : {}),
        },
        status: {},
      },
      'failed to create quota: ',
    );
  },
};
