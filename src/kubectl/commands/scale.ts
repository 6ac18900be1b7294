import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../command.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { number, object, text } from '../fields.ts';
import { dryRun, filenameFlags, printFlags, selector } from '../flag-groups.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources, clientFor } from '../resource-builder.ts';
import type { ResourceClient } from '../resource-client.ts';

export const scale: Command = {
  name: 'scale',
  short: 'Set a new size for a deployment, replica set, or replication controller',
  long: `Change how many Pods a workload shall have.

 With --current-replicas or --resource-version that only happens if it still is as expected.`,
  examples: `
# Three Pods for a ReplicaSet
kubectl scale --replicas=3 rs/web

# What a file names
kubectl scale --replicas=3 -f web.yaml

# From two to three
kubectl scale --current-replicas=2 --replicas=3 deployment/web

# Several at once
kubectl scale --replicas=5 rs/one rs/two rs/three

# And wait until they are there
kubectl scale --replicas=3 --timeout=1m deployment/web`,
  usage: 'scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    {
      name: 'current-replicas',
      type: 'int',
      default: '-1',
      usage: 'How many there must be now for the change to happen; -1 for no condition.',
    },
    dryRun,
    ...filenameFlags('that name what to scale.'),
    { name: 'replicas', type: 'int', required: true, usage: 'How many there shall be.' },
    {
      name: 'resource-version',
      type: 'string',
      usage: 'The version that the object must have for the change to happen.',
    },
    selector,
    {
      name: 'timeout',
      type: 'duration',
      default: '0s',
      usage: 'How long to wait until they are there; 0 does not wait.',
    },
  ],
  completion: ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'],
  run: runScale,
};

async function runScale(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation);
  const replicas = flags.int('replicas');
  if (replicas < 0)
    throw new Error('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
  if (flags.int('current-replicas') < -1)
    throw new Error('The --current-replicas must specify an integer of -1 or greater');
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    args,
    continueOnError: true,
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace,
    defaultNamespace: true,
    files: true,
    allowEmptySelector: flags.bool('all'),
    labelSelector: flags.string('selector'),
    flatten: true,
  });
  const { infos, error } = await result.infos();
  if (flags.string('resource-version') !== '' && infos.length > 1)
    throw new Error('cannot use --resource-version with multiple resources');
  if (infos.length === 0) throw new Error(`no objects passed to scale${error ? ` ${error.message}` : ''}`);
  for (const info of infos) {
    if (strategy !== 'client') {
      const client = await clientFor(invocation, info);
      await scaleTo(invocation, client, info.name, replicas, strategy === 'server');
      const timeout = flags.duration('timeout');
      if (timeout !== 0 && strategy === 'none') await waitUntilScaled(invocation, client, info.name, replicas, timeout);
    }
    printer.print(info.object as JsonObject, withDryRun('scaled', strategy));
  }
  if (error) throw error;
}

/** How long conflicts with other writers are tried again, ms. */
const RETRY_MS = 300_000;

async function scaleTo(
  invocation: Invocation,
  client: ResourceClient,
  name: string,
  replicas: number,
  dryRun: boolean,
): Promise<void> {
  const { flags } = invocation;
  const expected = { replicas: flags.int('current-replicas'), version: flags.string('resource-version') };
  const options = { subresource: 'scale', dryRun };
  const deadline = invocation.now() + RETRY_MS;
  for (;;) {
    try {
      if (expected.replicas === -1 && expected.version === '') {
        await client.patch(name, 'merge', { spec: { replicas } }, options);
      } else {
        const current = await client.get(name, { subresource: 'scale' });
        check(current, expected);
        await client.replace(name, { ...current, spec: { ...object(current, 'spec'), replicas } }, options);
      }
      return;
    } catch (error) {
      if (!isStatus(error, 'Conflict') || invocation.now() > deadline) throw error;
      await invocation.sleep(1000);
    }
  }
}

function check(current: JsonObject, expected: { readonly replicas: number; readonly version: string }): void {
  const replicas = number(current, 'spec', 'replicas');
  const version = text(current, 'metadata', 'resourceVersion');
  if (expected.replicas !== -1 && replicas !== expected.replicas)
    throw new Error(`Expected replicas to be ${expected.replicas}, was ${replicas}`);
  if (expected.version !== '' && version !== expected.version)
    throw new Error(`Expected resource version to be ${expected.version}, was ${version}`);
}

async function waitUntilScaled(
  invocation: Invocation,
  client: ResourceClient,
  name: string,
  replicas: number,
  timeoutMs: number,
): Promise<void> {
  const deadline = invocation.now() + timeoutMs;
  for (;;) {
    const current = await client.get(name, { subresource: 'scale' });
    // Somebody else has another idea: that is none of ours.
    if (number(current, 'spec', 'replicas') !== replicas || number(current, 'status', 'replicas') === replicas) return;
    if (invocation.now() + 1000 > deadline) throw new Error(`timed out waiting for ${goQuote(name)} to be synced`);
    await invocation.sleep(1000);
  }
}
