import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Command, Invocation } from '../command.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { asError, withSource } from '../errors.ts';
import { text } from '../fields.ts';
import { dryRun, filenameFlags, printFlags } from '../flag-groups.ts';
import { LAST_APPLIED, lastApplied, withLastApplied } from '../last-applied.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import type { ResourceInfo } from '../resource-builder.ts';
import { buildResources, clientFor, retrieve } from '../resource-builder.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';

export const setLastApplied: Command = {
  name: 'set-last-applied',
  short: 'Set the last-applied-configuration annotation on a live object to match the contents of a file',
  long: 'Write into the annotation of live objects that a file was applied, without changing anything else.',
  examples: `
# One file
kubectl apply set-last-applied -f deploy.yaml

# Objects that were never applied
kubectl apply set-last-applied -f deploy.yaml --create-annotation=true`,
  usage: 'set-last-applied -f FILENAME',
  flags: [
    ...printFlags,
    { name: 'create-annotation', type: 'bool', usage: 'Objects without the annotation get one.' },
    dryRun,
    ...filenameFlags('with the configurations.'),
  ],
  completion: 'none',
  run: runSet,
};

async function runSet(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation);
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    files: true,
    flatten: true,
  });
  const changes: { readonly info: ResourceInfo; readonly annotation: string }[] = [];
  await result.visit(async (info) => {
    const annotation = text(withLastApplied(info.object as JsonObject), 'metadata', 'annotations', LAST_APPLIED);
    let live: ResourceInfo;
    try {
      live = await retrieve(invocation, info);
    } catch (error) {
      if (isStatus(error, 'NotFound')) throw error;
      throw withSource('retrieving current configuration from server for:', info.source, asError(error));
    }
    const before = lastApplied(live.object as JsonObject);
    if (!before && !flags.bool('create-annotation')) {
      throw new Error(
        `no last-applied-configuration annotation found on resource: ${info.name}, to create the annotation, run the command with --create-annotation`,
      );
    }
    if (before && `${encodeJson(before)}\n` === annotation)
      invocation.println(`set-last-applied ${info.name}: no changes required.`);
    else changes.push({ info: live, annotation });
  });
  for (const { info, annotation } of changes) {
    let object = info.object as JsonObject;
    if (strategy !== 'client') {
      const client = await clientFor(invocation, info);
      object = await client.patch(
        info.name,
        'merge',
        { metadata: { annotations: { [LAST_APPLIED]: annotation } } },
        { dryRun: strategy === 'server' },
      );
    }
    printer.print(object, withDryRun('configured', strategy));
  }
}
