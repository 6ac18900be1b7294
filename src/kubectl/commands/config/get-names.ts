import type { Command } from '../../command.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';

/** `get-clusters` and `get-users`: the names in a section. */
function getNames(section: 'clusters' | 'users'): Command {
  return {
    name: `get-${section}`,
    short: `Display ${section} defined in the kubeconfig`,
    examples: `
# All of them
kubectl config get-${section}`,
    usage: `get-${section} [flags]`,
    flags: [],
    completion: 'none',
    run: async (invocation) => {
      const config = await invocation.kubeconfig().load();
      invocation.println('NAME');
      for (const name of [...config[section].keys()].sort(byCodeUnit)) invocation.println(name);
    },
  };
}

export const getClusters = getNames('clusters');
export const getUsers = getNames('users');
