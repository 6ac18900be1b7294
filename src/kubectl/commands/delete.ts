import type { Command, Invocation } from '../command.ts';
import { cascadeOf, checkForce, deleteResult, gracePeriodOf } from '../deleting.ts';
import { dryRunStrategy } from '../dry-run.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { allNamespaces, deleteFlags, dryRun, fieldSelector, filenameFlags, selector } from '../flag-groups.ts';
import type { BuilderOptions, ResourceInfo } from '../resource-builder.ts';
import { buildResources } from '../resource-builder.ts';
import { kindName } from '../rest-mapper.ts';

export const deleteCommand: Command = {
  name: 'delete',
  suggestFor: ['rm'],
  short: 'Delete resources by file names, stdin, resources and names, or by resources and label selector',
  long: `Delete objects by name, by label, or as files name them.

 Some objects, such as Pods, end gracefully: they get a time to stop their work, which --grace-period changes and --now
shortens to a second. With --force and a grace period of 0 the object is removed at once, whether or not its containers
still run somewhere. Deletion does not ask whether the object has changed meanwhile.`,
  examples: `
# What a file names
kubectl delete -f ./pod.yaml

# By type and name
kubectl delete pod,service web

# By label
kubectl delete pods,services -l app=web

# Soon
kubectl delete pod web --now

# At once, for a Pod of a node that is gone
kubectl delete pod web --force

# All Pods of the namespace
kubectl delete pods --all`,
  usage: 'delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])',
  flags: [
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    allNamespaces,
    ...deleteFlags({ wait: true }),
    dryRun,
    fieldSelector,
    ...filenameFlags('that name what to delete.'),
    {
      name: 'ignore-not-found',
      type: 'bool',
      usage: 'An object that does not exist is no error; so it is with --all.',
    },
    { name: 'interactive', short: 'i', type: 'bool', usage: 'Ask before deleting.' },
    { name: 'now', type: 'bool', usage: 'As --grace-period=1.' },
    { name: 'output', short: 'o', type: 'string', usage: '"name" prints only the names.', values: ['name'] },
    { name: 'raw', type: 'string', usage: 'Send DELETE to this path.' },
    selector,
  ],
  completion: 'resources',
  run: runDelete,
};

async function runDelete(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const config = await invocation.config();
  const all = flags.bool('all');
  const output = flags.string('output');
  const raw = flags.string('raw');
  const selecting = all || flags.string('selector') !== '' || flags.string('field-selector') !== '';
  const ignoreNotFound = flags.bool('ignore-not-found') || (selecting && !flags.changed('ignore-not-found'));
  const gracePeriod = gracePeriodOf(invocation);
  const strategy = dryRunStrategy(invocation);
  const options: BuilderOptions = {
    continueOnError: true,
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    files: true,
    labelSelector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    all,
    allNamespaces: flags.bool('all-namespaces'),
    args: invocation.args,
    requireObject: false,
    flatten: true,
  };
  const result = raw === '' ? await buildResources(invocation, options) : undefined;
  const cascade = cascadeOf(invocation);
  if (output !== '' && output !== 'name')
    throw new Error(`unexpected -o output mode: ${output}. We only support '-o name'`);
  if (all && flags.string('selector') !== '') throw new Error('cannot set --all and --selector at the same time');
  if (all && flags.string('field-selector') !== '')
    throw new Error('cannot set --all and --field-selector at the same time');
  checkForce(invocation, { gracePeriod, force: flags.bool('force') });
  if (!result) {
    if (!raw.startsWith('/'))
      throw new Error(`--raw must be a valid URL path: parse "${raw}": invalid URI for request`);
    const [file] = flags.strings('filename');
    const body =
      file === undefined ? undefined : file === '-' ? await invocation.stdin() : await invocation.readFile(file);
    const client = await invocation.client();
    invocation.context.stdout.write(await client.bytes('DELETE', raw, body === undefined ? {} : { body }));
    return;
  }

  let chosen: Set<string> | undefined;
  const keyOf = (info: ResourceInfo) => `${info.resource?.group}/${info.resource?.name}/${info.namespace}/${info.name}`;
  if (flags.bool('interactive')) {
    const preview: ResourceInfo[] = [];
    await (await buildResources(invocation, options)).visit(
      (info) => {
        preview.push(info);
      },
      (error) => ignoreNotFound && isStatus(error, 'NotFound'),
    );
    if (preview.length === 0) return invocation.println('No resources found');
    invocation.println(`You are about to delete the following ${preview.length} resource(s):`);
    for (const info of preview) if (info.resource) invocation.println(`${kindName(info.resource)}/${info.name}`);
    invocation.print('Do you want to continue? (y/n): ');
    if (!/^\s*y(\s|$)/i.test(await invocation.stdinLine())) return invocation.println('deletion is cancelled');
    chosen = new Set(preview.map(keyOf));
  }
  await deleteResult(
    invocation,
    result,
    {
      cascade,
      gracePeriod,
      force: flags.bool('force'),
      wait: flags.bool('wait'),
      timeoutMs: flags.duration('timeout'),
      ignoreNotFound,
      quiet: false,
      short: output === 'name',
      dryRun: strategy,
    },
    {
      warnClusterScope: config.explicitNamespace && !flags.bool('all-namespaces'),
      ...(chosen ? { chosen: (info) => chosen.has(keyOf(info)) } : {}),
    },
  );
}
