import type { Command } from '../../command.ts';
import { knownResource, nameArgument } from '../../creating.ts';
import { asError } from '../../errors.ts';
import { text } from '../../fields.ts';
import { printFlags } from '../../flag-groups.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { ResourceClient } from '../../resource-client.ts';

const KINDS = ['Node', 'Pod', 'Secret'];

export const createToken: Command = {
  name: 'token',
  short: 'Request a service account token',
  examples: `
# A token for the API server
kubectl create token robot

# One that lives ten minutes
kubectl create token robot --duration 10m

# One for somebody else
kubectl create token robot --audience https://example.com

# One that ends with a Pod
kubectl create token robot --bound-object-kind Pod --bound-object-name web`,
  usage: 'token SERVICE_ACCOUNT_NAME',
  flags: [
    ...printFlags,
    { name: 'audience', type: 'stringArray', usage: 'For whom the token is; may be repeated.' },
    { name: 'bound-object-kind', type: 'string', values: KINDS, usage: 'Kind of the object that the token ends with.' },
    { name: 'bound-object-name', type: 'string', usage: 'Name of the object that the token ends with.' },
    { name: 'bound-object-uid', type: 'string', usage: 'UID of the object that the token ends with.' },
    {
      name: 'duration',
      type: 'duration',
      default: '0s',
      usage: 'How long the token lives; 0 leaves it to the server.',
    },
  ],
  completion: ['serviceaccounts'],
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    const duration = flags.duration('duration');
    const audiences = flags.strings('audience');
    const bound = {
      kind: flags.string('bound-object-kind'),
      name: flags.string('bound-object-name'),
      uid: flags.string('bound-object-uid'),
    };
    const printer = flags.string('output') === '' ? undefined : await objectPrinter(invocation, { declared: true });
    if (name === '') throw new Error('service account name is required');
    if (duration < 0) throw new Error('--duration must be greater than or equal to 0');
    if (duration % 1000 !== 0) throw new Error('--duration cannot be expressed in units less than seconds');
    if (audiences.includes('')) throw new Error('--audience must not be an empty string');
    if (bound.kind === '') {
      for (const field of ['name', 'uid'] as const)
        if (bound[field] !== '')
          throw new Error(`--bound-object-${field} can only be set if --bound-object-kind is provided`);
    } else if (!KINDS.includes(bound.kind)) {
      throw new Error(`supported --bound-object-kind values are ${KINDS.join(', ')}`);
    } else if (bound.name === '') throw new Error('--bound-object-name is required if --bound-object-kind is provided');

    const client = new ResourceClient(
      await invocation.client(),
      knownResource('', 'v1', 'serviceaccounts', 'ServiceAccount'),
      await invocation.namespace(),
    );
    const request = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { creationTimestamp: null },
      spec: {
        audiences: audiences.length > 0 ? audiences : null,
        expirationSeconds: duration > 0 ? duration / 1000 : null,
        boundObjectRef:
          bound.kind === ''
            ? null
            : {
                kind: bound.kind,
                apiVersion: 'v1',
                name: bound.name,
                ...(bound.uid === '' ? {} : { uid: bound.uid }),
              },
      },
      status: { token: '', expirationTimestamp: null },
    };
    const answer = await client.createSubresource(name, 'token', request).catch((error: unknown) => {
      throw new Error(`failed to create token: ${asError(error).message}`);
    });
    const token = text(answer, 'status', 'token');
    if (token === '') throw new Error('failed to create token: no token in server response');
    if (printer) return printer.print(answer, 'created');
    invocation.print(invocation.context.stdout.isTerminal ? `${token}\n` : token);
  },
};
