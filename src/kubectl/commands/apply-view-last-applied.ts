import type { JsonObject } from '#apimachinery/json.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import type { Command, Invocation } from '../command.ts';
import { withSource } from '../errors.ts';
import { filenameFlags, selector } from '../flag-groups.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { lastApplied } from '../last-applied.ts';
import { buildResources } from '../resource-builder.ts';

export const viewLastApplied: Command = {
  name: 'view-last-applied',
  short: 'View the latest last-applied-configuration annotations of a resource/object',
  long: 'Show what was applied last, as the objects keep it in an annotation.',
  examples: `
# By type and name
kubectl apply view-last-applied deployment/web

# As JSON
kubectl apply view-last-applied -f deploy.yaml -o json`,
  usage: 'view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)',
  flags: [
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    ...filenameFlags('that name what to show.'),
    { name: 'output', short: 'o', type: 'string', default: 'yaml', usage: 'yaml or json.', values: ['yaml', 'json'] },
    selector,
  ],
  completion: 'resources',
  run: runView,
};

async function runView(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    files: true,
    args: invocation.args,
    allowEmptySelector: config.explicitNamespace,
    all: flags.bool('all'),
    labelSelector: flags.string('selector'),
    latest: true,
    flatten: true,
  });
  const found: JsonObject[] = [];
  await result.visit((info) => {
    const configuration = lastApplied(info.object as JsonObject);
    if (!configuration) {
      throw withSource(
        `no last-applied-configuration annotation found on resource: ${info.name}\n`,
        info.source,
        new Error(`no last-applied-configuration annotation found on resource: ${info.name}\n`),
      );
    }
    found.push(configuration);
  });
  const output = flags.string('output');
  for (const configuration of found) {
    if (output === 'json') invocation.println(encodeJson(configuration, { indent: '  ' }));
    else if (output === 'yaml') invocation.print(encodeYaml(configuration));
    else
      throw invocation.usageError(`Unexpected -o output mode: ${output}, the flag 'output' must be one of yaml|json`);
  }
}
