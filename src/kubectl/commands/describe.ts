import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Command, Invocation } from '../command.ts';
import { DescribeContext } from '../describe/context.ts';
import { Description } from '../describe/writer.ts';
import { describerFor } from '../describers.ts';
import type { ApiResource } from '../discovery.ts';
import { asError, findingError, throwCollected } from '../errors.ts';
import { allNamespaces, chunkSize, filenameFlags, selector } from '../flag-groups.ts';
import { buildResources } from '../resource-builder.ts';
import { ResourceClient } from '../resource-client.ts';

export const describe: Command = {
  name: 'describe',
  short: 'Show details of a specific resource or group of resources',
  long: `Show what there is to know about objects: their fields in words, what belongs to them, and events about them.

A name that no object has is taken for the beginning of names: every object whose name begins with it is shown.

Use "kubectl api-resources" for a complete list of supported resources.`,
  examples: `
# A Node
kubectl describe node worker-1

# A Pod
kubectl describe pods/web

# The Pod that a file names
kubectl describe -f pod.yaml

# All Pods of the namespace
kubectl describe pods

# Pods by label
kubectl describe pods -l app=web

# All Pods whose name begins with "web"
kubectl describe pods web`,
  usage: 'describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)',
  flags: [
    allNamespaces,
    chunkSize,
    ...filenameFlags('that name what to describe.'),
    selector,
    { name: 'show-events', type: 'bool', default: 'true', usage: 'Show events about each object.' },
  ],
  completion: 'resources',
  run: runDescribe,
};

async function runDescribe(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const everywhere = flags.bool('all-namespaces');
  if (args.length === 0 && flags.strings('filename').length === 0 && flags.string('kustomize') === '') {
    throw new Error(
      'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.\n',
    );
  }
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    args,
    allowEmptySelector: true,
    files: true,
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace && !everywhere,
    defaultNamespace: true,
    allNamespaces: everywhere,
    labelSelector: flags.string('selector'),
    chunkSize: flags.int('chunk-size'),
    continueOnError: true,
    flatten: true,
  });
  const { infos, error } = await result.infos();
  if (error && isStatus(error, 'NotFound') && args.length === 2) return describeMatching(invocation, error);
  const errors: Error[] = error ? [findingError(error)] : [];
  let first = true;
  for (const { resource, namespace, name } of infos) {
    if (!resource) continue;
    try {
      const description = await describeOne(invocation, resource, namespace, name);
      invocation.print(first ? description : `\n\n${description}`);
      first = false;
    } catch (thrown) {
      const failure = asError(thrown);
      if (!errors.some(({ message }) => message === failure.message)) errors.push(failure);
    }
  }
  if (infos.length === 0 && errors.length === 0)
    invocation.complain(everywhere ? 'No resources found' : `No resources found in ${config.namespace} namespace.`);
  throwCollected(errors);
}

/** Describes what has a name that begins with the argument; fails with the error when nothing does. */
async function describeMatching(invocation: Invocation, notFound: Error): Promise<void> {
  const [type = '', prefix = ''] = invocation.args;
  const result = await buildResources(invocation, {
    args: [type],
    allowEmptySelector: true,
    namespace: await invocation.namespace(),
    defaultNamespace: true,
    singleResourceType: true,
    chunkSize: invocation.flags.int('chunk-size'),
    flatten: true,
  });
  const infos = (await result.all()).filter(({ name }) => name.startsWith(prefix));
  if (infos.length === 0) throw notFound;
  for (const { resource, namespace, name } of infos)
    if (resource) invocation.println(await describeOne(invocation, resource, namespace, name));
}

async function describeOne(
  invocation: Invocation,
  resource: ApiResource,
  namespace: string,
  name: string,
): Promise<string> {
  const describer = describerFor(resource);
  const version = describer.version ?? resource.version;
  const client = new ResourceClient(await invocation.client(), { ...resource, version }, namespace);
  const context = new DescribeContext(invocation);
  const w = Description.inColumns();
  let object: JsonObject;
  try {
    object = await client.get(name);
  } catch (thrown) {
    const error = asError(thrown);
    if (await describer.missing?.(w, name, namespace, error, context)) return w.toString();
    throw error;
  }
  await describer.describe(w, object, context);
  return w.toString();
}
