import type { Command, Invocation } from '../command.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { apiVersionOf } from '../rest-mapper.ts';

export const apiVersions: Command = {
  name: 'api-versions',
  short: 'Print the supported API versions on the server, in the form of "group/version"',
  examples: `
# All API versions
kubectl api-versions`,
  usage: 'api-versions',
  flags: [],
  completion: 'none',
  run: runApiVersions,
};

async function runApiVersions(invocation: Invocation): Promise<void> {
  const { args } = invocation;
  if (args.length > 0) throw invocation.usageError(`unexpected arguments: [${args.join(' ')}]`);
  const discovery = await invocation.discovery();
  discovery.reset();
  const versions = (await discovery.groups()).flatMap(({ name, versions }) =>
    versions.map(({ version }) => apiVersionOf({ group: name, version })),
  );
  for (const version of versions.sort(byCodeUnit)) invocation.println(version);
}
