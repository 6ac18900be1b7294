import { goQuote } from '#apimachinery/validation.ts';
import type { Command } from '../../command.ts';
import { commandHelp } from '../../help.ts';

export const useContext: Command = {
  name: 'use-context',
  aliases: ['use'],
  short: 'Set the current-context in a kubeconfig file',
  examples: `
# Another context
kubectl config use-context dev`,
  usage: 'use-context CONTEXT_NAME',
  flags: [],
  completion: 'contexts',
  run: async (invocation) => {
    const [name] = invocation.args;
    if (invocation.args.length !== 1 || name === undefined) {
      invocation.print(commandHelp(useContext, invocation.path, []));
      throw new Error(`Unexpected args: [${invocation.args.join(' ')}]`);
    }
    if (name === '') throw new Error('empty context names are not allowed');
    const files = invocation.kubeconfig();
    if (!(await files.load()).contexts.has(name)) throw new Error(`no context exists with the name: ${goQuote(name)}`);
    await files.setCurrentContext(name);
    invocation.println(`Switched to context ${goQuote(name)}.`);
  },
};
