import type { Command } from '../command.ts';
import { currentContext } from './config/current-context.ts';
import { deleteCluster, deleteContext, deleteUser } from './config/delete.ts';
import { getContexts } from './config/get-contexts.ts';
import { getClusters, getUsers } from './config/get-names.ts';
import { renameContext } from './config/rename-context.ts';
import { setCluster } from './config/set-cluster.ts';
import { setContext } from './config/set-context.ts';
import { setCredentials } from './config/set-credentials.ts';
import { set, unset } from './config/set.ts';
import { useContext } from './config/use-context.ts';
import { view } from './config/view.ts';

export const config: Command = {
  name: 'config',
  short: 'Modify kubeconfig files',
  long: `Show and change the kubeconfig, which says which clusters there are, who you are, and which of both is used.

 It is read from the file of the --kubeconfig flag; or from the files that $KUBECONFIG lists, merged, the first one
winning; or from ~/.kube/config. A change goes to the file that has what is changed.`,
  usage: 'config SUBCOMMAND',
  flags: [],
  subcommands: [
    currentContext,
    deleteCluster,
    deleteContext,
    deleteUser,
    getClusters,
    getContexts,
    getUsers,
    renameContext,
    set,
    setCluster,
    setContext,
    setCredentials,
    unset,
    useContext,
    view,
  ],
};
