import type { Command, Invocation } from '../command.ts';
import type { ApiGroup, ApiResource } from '../discovery.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import { apiVersionOf, qualifiedName } from '../rest-mapper.ts';

export const apiResources: Command = {
  name: 'api-resources',
  short: 'Print the supported API resources on the server',
  examples: `
# All types
kubectl api-resources

# With their verbs and categories
kubectl api-resources -o wide

# By kind
kubectl api-resources --sort-by=kind

# Types that live in namespaces, and types that do not
kubectl api-resources --namespaced=true
kubectl api-resources --namespaced=false

# Types of one API group
kubectl api-resources --api-group=rbac.authorization.k8s.io`,
  usage: 'api-resources [flags]',
  flags: [
    { name: 'api-group', type: 'string', usage: 'Only types of this API group.' },
    { name: 'cached', type: 'bool', usage: 'What is known of the server will do.' },
    { name: 'categories', type: 'stringSlice', usage: 'Only types that belong to all of these categories.' },
    {
      name: 'namespaced',
      type: 'bool',
      default: 'true',
      usage: 'Only types whose objects live in a namespace; if false, only those that do not.',
    },
    { name: 'no-headers', type: 'bool', usage: 'Print the table without its headings.' },
    { name: 'output', short: 'o', type: 'string', usage: 'One of (wide, name).', values: ['wide', 'name'] },
    { name: 'sort-by', type: 'string', usage: "Sort by 'name' or by 'kind'.", values: ['name', 'kind'] },
    { name: 'verbs', type: 'stringSlice', usage: 'Only types that know all of these verbs.' },
  ],
  completion: 'none',
  run: runApiResources,
};

async function runApiResources(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  if (args.length > 0) throw invocation.usageError(`unexpected arguments: [${args.join(' ')}]`);
  const output = flags.string('output');
  if (!['', 'wide', 'name'].includes(output)) throw new Error(`--output ${output} is not available`);
  const sortBy = flags.string('sort-by');
  if (!['', 'name', 'kind'].includes(sortBy)) throw new Error('--sort-by accepts only name or kind');
  const discovery = await invocation.discovery();
  if (!flags.bool('cached')) discovery.reset();

  const has = (all: readonly string[], wanted: readonly string[]) => wanted.every((each) => all.includes(each));
  const resources = (await discovery.groups())
    .flatMap(preferred)
    .filter(
      (each) =>
        each.verbs.length > 0 &&
        (!flags.changed('api-group') || each.group === flags.string('api-group')) &&
        (!flags.changed('namespaced') || each.namespaced === flags.bool('namespaced')) &&
        has(each.verbs, flags.strings('verbs')) &&
        has(each.categories, flags.strings('categories')),
    );
  const keyOf = (each: ApiResource) => (sortBy === 'name' ? each.name : sortBy === 'kind' ? each.kind : each.group);
  resources.sort((a, b) => byCodeUnit(keyOf(a), keyOf(b)) || byCodeUnit(a.name, b.name));

  const writer = new TabWriter((text) => invocation.print(text));
  const wide = output === 'wide';
  if (!flags.bool('no-headers') && output !== 'name') {
    writer.write(`NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND${wide ? '\tVERBS\tCATEGORIES' : ''}\n`);
  }
  for (const each of resources) {
    if (output === 'name') {
      writer.write(`${qualifiedName(each)}\n`);
      continue;
    }
    const cells = [each.name, each.shortNames.join(','), apiVersionOf(each), String(each.namespaced), each.kind];
    if (wide) cells.push(each.verbs.join(','), each.categories.join(','));
    writer.write(`${cells.join('\t')}\n`);
  }
  writer.flush();
}

/** The types of a group, each in the version that the server prefers. */
function preferred(group: ApiGroup): ApiResource[] {
  const found = new Map<string, ApiResource>();
  for (const { resources } of group.versions) {
    for (const resource of resources) if (!found.has(resource.name)) found.set(resource.name, resource);
  }
  return [...found.values()];
}
