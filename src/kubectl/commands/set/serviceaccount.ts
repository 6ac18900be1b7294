import type { Command, Invocation } from '../../command.ts';
import { dryRun, fieldManager, filenameFlags, printFlags } from '../../flag-groups.ts';
import { checkLocal } from './local.ts';
import { changedObjects, changeTemplates } from './template-change.ts';

export const serviceAccount: Command = {
  name: 'serviceaccount',
  aliases: ['sa'],
  short: 'Update the service account of a resource',
  long: 'Change the service account as which the Pods of an object act.',
  examples: `
# As whom a Deployment's Pods act
kubectl set serviceaccount deployment web robot`,
  usage: 'serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    dryRun,
    fieldManager('kubectl-set'),
    ...filenameFlags('that name what to change.'),
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
  ],
  completion: 'resources',
  run: runSetServiceAccount,
};

async function runSetServiceAccount(invocation: Invocation): Promise<void> {
  checkLocal(invocation);
  const { args } = invocation;
  const name = args.at(-1);
  if (name === undefined) throw new Error('serviceaccount is required');
  await changeTemplates(invocation, await changedObjects(invocation, args.slice(0, -1)), {
    operation: 'serviceaccount updated',
    failure: 'failed to patch ServiceAccountName',
    always: true,
    change: (spec) => ({ ...spec, serviceAccountName: name }),
  });
}
