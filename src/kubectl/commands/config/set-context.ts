import { goQuote } from '#apimachinery/validation.ts';
import type { Command } from '../../command.ts';
import { commandHelp } from '../../help.ts';

export const setContext: Command = {
  name: 'set-context',
  short: 'Set a context entry in kubeconfig',
  long: 'Set fields of a context, a new one or one that is there. Other fields stay as they are.',
  examples: `
# Work in another namespace from now on
kubectl config set-context --current --namespace=demo

# Another user for a context
kubectl config set-context dev --user=me`,
  usage: 'set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]',
  flags: [
    { name: 'cluster', type: 'string', usage: 'The cluster of the context.', values: 'clusters' },
    { name: 'current', type: 'bool', usage: 'Change the current context.' },
    { name: 'namespace', short: 'n', type: 'string', usage: 'The namespace of the context.', values: 'namespaces' },
    { name: 'user', type: 'string', usage: 'The user of the context.', values: 'users' },
  ],
  completion: 'contexts',
  run: async (invocation) => {
    const { args, flags } = invocation;
    if (args.length > 1) {
      invocation.print(commandHelp(setContext, invocation.path, []));
      throw new Error(`Unexpected args: [${args.join(' ')}]`);
    }
    const given = args[0] ?? '';
    if (given === '' && !flags.bool('current'))
      throw new Error('you must specify a non-empty context name or --current');
    if (given !== '' && flags.bool('current')) throw new Error('you cannot specify both a context name and --current');
    const files = invocation.kubeconfig();
    const config = await files.load();
    if (flags.bool('current') && config.currentContext === '') throw new Error('no current context is set');
    const name = given || config.currentContext;
    const before = config.contexts.get(name);
    const changes = ['cluster', 'user', 'namespace']
      .filter((flag) => flags.changed(flag))
      .map((flag) => [flag, flags.string(flag)] as const);
    await files.setStanza('contexts', name, { cluster: '', user: '', ...before, ...Object.fromEntries(changes) });
    invocation.println(`Context ${goQuote(name)} ${before ? 'modified' : 'created'}.`);
  },
};
