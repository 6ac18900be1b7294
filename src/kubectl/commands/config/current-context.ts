import type { Command } from '../../command.ts';

export const currentContext: Command = {
  name: 'current-context',
  short: 'Display the current-context',
  examples: `
# Which context is used
kubectl config current-context`,
  usage: 'current-context [flags]',
  flags: [],
  completion: 'none',
  run: async (invocation) => {
    const config = await invocation.kubeconfig().load();
    if (config.currentContext === '') throw new Error('current-context is not set');
    invocation.println(config.currentContext);
  },
};
