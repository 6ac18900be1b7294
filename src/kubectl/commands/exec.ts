import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../command.ts';
import { isList, text } from '../fields.ts';
import { container, podRunningTimeout } from '../flag-groups.ts';
import { attachablePod, defaultContainer, podPath } from '../pods.ts';
import { runRemoteCommand, terminalFor } from '../remote-command.ts';
import { buildResources } from '../resource-builder.ts';

export const exec: Command = {
  name: 'exec',
  short: 'Execute a command in a container',
  examples: `
# The date, as the first container of a Pod has it
kubectl exec web -- date

# In another container of it
kubectl exec web -c ruby -- date

# A shell
kubectl exec -it web -- sh

# In the first Pod of a Deployment, or of a Service
kubectl exec deploy/web -- date
kubectl exec svc/web -- date`,
  usage: 'exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]',
  flags: [
    container(
      'The container; without it the one of the annotation kubectl.kubernetes.io/default-container, or the first.',
    ),
    { name: 'filename', short: 'f', type: 'stringSlice', usage: 'File that names what to exec into.', values: 'files' },
    podRunningTimeout('1m0s'),
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only what the command writes.' },
    { name: 'stdin', short: 'i', type: 'bool', usage: 'Pass stdin to the command.' },
    { name: 'tty', short: 't', type: 'bool', usage: 'Stdin is a terminal; give the command one.' },
  ],
  completion: 'pods',
  run: runExec,
};

async function runExec(invocation: Invocation): Promise<void> {
  const { args, dash, flags } = invocation;
  const files = flags.strings('filename');
  const target = args.length > 0 && dash !== 0 ? (args[0] as string) : '';
  if (dash < 0 && (args.length > 1 || (args.length > 0 && files.length > 0))) {
    throw invocation.usageError('exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead');
  }
  const command = dash < 0 ? [] : args.slice(dash);
  const config = await invocation.config();
  if (target === '' && files.length === 0) throw new Error('pod, type/name or --filename must be specified');
  if (command.length === 0) throw new Error('you must specify at least one command for the container');

  const result = await buildResources(invocation, {
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace,
    defaultNamespace: true,
    files: true,
    ...(target === '' ? {} : { resourceNames: { type: 'pods', names: [target] } }),
  });
  const infos = await result.all();
  const value = infos[0]?.object as JsonObject;
  if (infos.length > 1 || isList(value)) throw new Error('cannot exec into multiple objects at a time');
  const pod = await attachablePod(invocation, value);
  const phase = text(pod, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new Error(`cannot exec into a container in a completed pod; current phase is ${phase}`);

  const quiet = flags.bool('quiet');
  const name = flags.string('container') || defaultContainer(invocation, pod, quiet);
  const stdin = flags.bool('stdin');
  const tty = terminalFor(invocation, { stdin, tty: flags.bool('tty'), quiet });
  const query = {
    command,
    container: name,
    stdin: stdin ? 'true' : '',
    stdout: 'true',
    stderr: tty ? '' : 'true',
    tty: tty ? 'true' : '',
  };
  await runRemoteCommand(invocation, podPath(pod, 'exec'), query, { stdin, tty });
}
