import { goQuote } from '#apimachinery/validation.ts';
import type { Command } from '../../command.ts';
import { commandHelp } from '../../help.ts';

export const renameContext: Command = {
  name: 'rename-context',
  short: 'Rename a context from the kubeconfig file',
  long: 'Give a context another name. If it is the current one, it stays so under its new name.',
  examples: `
# From old to new
kubectl config rename-context old-name new-name`,
  usage: 'rename-context CONTEXT_NAME NEW_NAME',
  flags: [],
  completion: 'contexts',
  run: async (invocation) => {
    const [name, next, ...rest] = invocation.args;
    if (name === undefined || next === undefined || rest.length > 0) {
      invocation.print(commandHelp(renameContext, invocation.path, []));
      throw new Error(`Unexpected args: [${invocation.args.join(' ')}]`);
    }
    if (next === '') throw new Error('You must specify a new non-empty context name');
    const files = invocation.kubeconfig();
    const config = await files.load();
    const shown = files.paths[0] ?? '';
    const context = config.contexts.get(name);
    if (!context) throw new Error(`cannot rename the context ${goQuote(name)}, it's not in ${shown}`);
    if (config.contexts.has(next)) {
      throw new Error(
        `cannot rename the context ${goQuote(name)}, the context ${goQuote(next)} already exists in ${shown}`,
      );
    }
    await files.setStanza('contexts', name, undefined);
    await files.setStanza('contexts', next, context);
    if (config.currentContext === name) await files.setCurrentContext(next);
    invocation.println(`Context ${goQuote(name)} renamed to ${goQuote(next)}.`);
  },
};
