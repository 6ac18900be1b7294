import type { JsonObject } from '#apimachinery/json.ts';
import { canonicalQuantity } from '#apimachinery/quantity.ts';
import type { Command, Invocation } from '../../command.ts';
import { object } from '../../fields.ts';
import { dryRun, fieldManager, filenameFlags, printFlags, selector } from '../../flag-groups.ts';
import { changedObjects, changeTemplates, selectedContainers, withContainers } from './template-change.ts';
import { checkLocal, LOCAL_RESOURCES } from './local.ts';

export const resources: Command = {
  name: 'resources',
  short: 'Update resource requests/limits on objects with pod templates',
  long: `Change what containers ask for of a node, and what they may use of it.

What has a limit and no request asks for its limit.`,
  examples: `
# One container of a Deployment
kubectl set resources deployment web -c=nginx --limits=cpu=200m,memory=512Mi

# All containers
kubectl set resources deployment web --limits=cpu=200m,memory=512Mi --requests=cpu=100m,memory=256Mi`,
  usage: 'resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    {
      name: 'containers',
      short: 'c',
      type: 'string',
      default: '*',
      usage: 'The containers, by name; * stands for any.',
    },
    dryRun,
    fieldManager('kubectl-set'),
    ...filenameFlags('that name what to change.'),
    { name: 'limits', type: 'string', usage: 'The most that a container may use, such as cpu=100m,memory=256Mi.' },
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
    { name: 'requests', type: 'string', usage: 'What a container asks for, such as cpu=100m,memory=256Mi.' },
    selector,
  ],
  completion: 'resources',
  run: runSetResources,
};

async function runSetResources(invocation: Invocation): Promise<void> {
  const { flags, args } = invocation;
  if (flags.bool('local') && args.length > 0) throw new Error(LOCAL_RESOURCES);
  const infos = await changedObjects(invocation, args);
  checkLocal(invocation);
  if (flags.bool('all') && flags.string('selector') !== '') {
    throw new Error('cannot set --all and --selector at the same time');
  }
  if (flags.string('limits') === '' && flags.string('requests') === '') {
    throw new Error('you must specify an update to requests or limits (in the form of --requests/--limits)');
  }
  const given = { limits: quantities(flags.string('limits')), requests: quantities(flags.string('requests')) };
  const pattern = flags.string('containers');
  let missing = false;
  const change = (spec: JsonObject) => {
    missing ||= selectedContainers(spec, pattern).length === 0;
    return withContainers(spec, pattern, (container) => {
      const before = object(container, 'resources');
      const merged = (field: 'limits' | 'requests'): JsonObject =>
        given[field] ? { [field]: { ...object(before, field), ...given[field] } } : {};
      return { ...container, resources: { ...before, ...merged('limits'), ...merged('requests') } };
    });
  };
  await changeTemplates(invocation, infos, {
    operation: 'resource requirements updated',
    failure: 'failed to patch resources update to pod template',
    change,
  });
  if (missing) throw new Error(`error: unable to find container named ${pattern}`);
}

/** `cpu=100m,memory=256Mi`; undefined for nothing. */
function quantities(text: string): JsonObject | undefined {
  if (text === '') return undefined;
  return Object.fromEntries(
    text.split(',').map((statement) => {
      const [name = '', value, ...rest] = statement.split('=');
      if (value === undefined || rest.length > 0) {
        throw new Error(`Invalid argument syntax ${statement}, expected <resource>=<value>`);
      }
      return [name, canonicalQuantity(value)];
    }),
  );
}
