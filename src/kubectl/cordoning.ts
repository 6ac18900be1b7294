import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Invocation } from './command.ts';
import { dryRunStrategy, withDryRun } from './dry-run.ts';
import { asError } from './errors.ts';
import { at } from './fields.ts';
import { namePrinter } from './printers/object-printer.ts';
import type { ResourceInfo } from './resource-builder.ts';
import { buildResources, clientFor } from './resource-builder.ts';

/** The Nodes that cordon, uncordon and drain are about: by name, or by --selector. */
export async function nodesOf(invocation: Invocation): Promise<readonly ResourceInfo[]> {
  const { args, command, flags } = invocation;
  const labelSelector = flags.string('selector');
  if (args.length === 0 && !flags.changed('selector')) throw invocation.usageError(`USAGE: ${command.usage} [flags]`);
  if (args.length > 0 && labelSelector !== '')
    throw invocation.usageError('error: cannot specify both a node name and a --selector option');
  const result = await buildResources(invocation, {
    namespace: await invocation.namespace(),
    defaultNamespace: true,
    singleResourceType: true,
    flatten: true,
    ...(labelSelector === ''
      ? { resourceNames: { type: 'nodes', names: args } }
      : { args: ['nodes'], labelSelector, allowEmptySelector: true }),
  });
  const infos = await result.all();
  for (const { resource } of infos) {
    if (resource?.name !== 'nodes' || resource.group !== '') {
      const { group = '', version = '', name = '' } = resource ?? {};
      throw new Error(`error: expected resource of type node, got "${group}/${version}, Resource=${name}"`);
    }
  }
  return infos;
}

/** Marks Nodes as schedulable or not. Errors are printed, and leave the other Nodes alone. */
export async function setUnschedulable(
  invocation: Invocation,
  nodes: readonly ResourceInfo[],
  wanted: boolean,
): Promise<void> {
  const strategy = dryRunStrategy(invocation);
  const printer = namePrinter(invocation, false);
  const [verb, done] = wanted ? ['cordon', 'cordoned'] : ['uncordon', 'uncordoned'];
  for (const info of nodes) {
    const node = info.object as JsonObject;
    if ((at(node, 'spec', 'unschedulable') === true) === wanted) {
      printer.print(node, withDryRun(`already ${done}`, strategy));
      continue;
    }
    try {
      if (strategy !== 'client') {
        const client = await clientFor(invocation, info);
        const patch = { spec: { unschedulable: wanted ? true : null } };
        await client.patch(info.name, 'strategic', patch, { dryRun: strategy === 'server' });
      }
    } catch (error) {
      invocation.complain(`error: unable to ${verb} node ${goQuote(info.name)}: ${asError(error).message}`);
      continue;
    }
    printer.print(node, withDryRun(done, strategy));
  }
}
