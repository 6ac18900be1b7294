import type { Command } from '../../command.ts';
import { commandHelp } from '../../help.ts';
import type { Section } from '../../kubeconfig.ts';

/** `delete-cluster`, `delete-context` and `delete-user`. */
function deleteStanza(section: Section, what: 'cluster' | 'context' | 'user'): Command {
  const command: Command = {
    name: `delete-${what}`,
    short: `Delete the specified ${what} from the kubeconfig`,
    examples: `
# One of them
kubectl config delete-${what} my-${what}`,
    usage: `delete-${what} NAME`,
    flags: [],
    completion: section,
    run: async (invocation) => {
      const [name] = invocation.args;
      if (name === undefined || invocation.args.length !== 1) {
        if (what === 'user') throw invocation.usageError('user to delete is required');
        invocation.print(commandHelp(command, invocation.path, []));
        return;
      }
      const files = invocation.kubeconfig();
      const config = await files.load();
      const shown = files.paths[0] ?? '';
      if (!config[section].has(name)) throw new Error(`cannot delete ${what} ${name}, not in ${shown}`);
      if (what === 'context' && config.currentContext === name) {
        invocation.complain(
          'warning: this removed your active context, use "kubectl config use-context" to select a different one',
        );
      }
      await files.setStanza(section, name, undefined);
      invocation.println(`deleted ${what} ${name} from ${shown}`);
    },
  };
  return command;
}

export const deleteCluster = deleteStanza('clusters', 'cluster');
export const deleteContext = deleteStanza('contexts', 'context');
export const deleteUser = deleteStanza('users', 'user');
