import type { Command, Invocation } from '../command.ts';
import { fieldManager, filenameFlags, printFlags, saveConfig, subresource, validate } from '../flag-groups.ts';
import { EditSession } from '../editing.ts';
import { buildResources } from '../resource-builder.ts';

export const edit: Command = {
  name: 'edit',
  short: 'Edit a resource on the server',
  long: `Open objects in an editor and send what was changed when it is closed.

 The editor is the one that KUBE_EDITOR or EDITOR names, or vi. When the server refuses a change, the editor is opened
again with the reasons on top. Several objects are edited as one list; their changes are sent one after the other.`,
  examples: `
# Edit a service
kubectl edit svc/web

# With another editor
KUBE_EDITOR="nano" kubectl edit svc/web

# As JSON
kubectl edit deployment/web -o json

# Keep the configuration for a later kubectl apply
kubectl edit deployment/web --save-config`,
  usage: 'edit (RESOURCE/NAME | -f FILENAME)',
  flags: [
    ...printFlags,
    fieldManager('kubectl-edit'),
    ...filenameFlags('that name what to edit.'),
    { name: 'output-patch', type: 'bool', usage: 'Print the patch that is sent.' },
    saveConfig,
    subresource('Edit this subresource of the object.'),
    validate,
    { name: 'windows-line-endings', type: 'bool', usage: 'End lines as Windows does.' },
  ],
  completion: 'resources',
  run: runEdit,
};

async function runEdit(invocation: Invocation): Promise<void> {
  const { namespace, explicitNamespace } = await invocation.config();
  const result = await buildResources(invocation, {
    args: invocation.args,
    files: true,
    allowEmptySelector: true,
    latest: true,
    namespace,
    defaultNamespace: true,
    enforceNamespace: explicitNamespace,
    subresource: invocation.flags.string('subresource'),
    continueOnError: true,
    flatten: true,
  });
  const infos = await result.all();
  if (infos.length === 0) throw new Error('edit cancelled, no objects found');
  await new EditSession(invocation, infos).run();
}
