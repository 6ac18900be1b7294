import type { JsonObject } from '#apimachinery/json.ts';
import { createMergePatch } from '#apimachinery/patch-create.ts';
import { goQuote, isValidLabelValue } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../command.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { ErrorList } from '../errors.ts';
import { kindOf, strings, withMetadata } from '../fields.ts';
import {
  allNamespaces,
  dryRun,
  fieldManager,
  fieldSelector,
  filenameFlags,
  printFlags,
  selector,
} from '../flag-groups.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { splitPairs } from '../pairs.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources, clientFor } from '../resource-builder.ts';

export const label: Command = {
  name: 'label',
  short: 'Update the labels on a resource',
  long: `Set, change and remove labels of objects.

  *  Keys and values begin and end with a letter or digit and may have hyphens, dots and underscores between; 63 characters each.
  *  A key may begin with a DNS subdomain and a slash, like example.com/my-app.
  *  A label that has another value is only changed with --overwrite.
  *  With --resource-version the object must still be at that version.`,
  examples: `
# Add a label
kubectl label pods web tier=front

# Change one
kubectl label --overwrite pods web tier=back

# Label all Pods of the namespace
kubectl label pods --all tier=back

# Remove a label
kubectl label pods web tier-`,
  usage: 'label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the type in the namespace.' },
    allNamespaces,
    dryRun,
    fieldManager('kubectl-label'),
    fieldSelector,
    ...filenameFlags('that name what to label.'),
    { name: 'list', type: 'bool', usage: 'Show the labels.' },
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
    { name: 'overwrite', type: 'bool', usage: 'Labels that have another value may be changed.' },
    { name: 'resource-version', type: 'string', usage: 'Only if the object is at this version; for one object.' },
    selector,
  ],
  completion: 'resources',
  run: runLabel,
};

interface Changes {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

function parseLabels(specs: readonly string[]): Changes {
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const spec of specs) {
    if (spec.includes('=')) {
      const [key = '', value = '', ...rest] = spec.split('=');
      if (rest.length > 0) throw new Error(`invalid label spec: ${spec}`);
      const errors = isValidLabelValue(value);
      if (errors.length > 0) throw new Error(`invalid label value: ${goQuote(spec)}: ${errors.join(';')}`);
      set.set(key, value);
    } else if (spec.endsWith('-')) remove.push(spec.slice(0, -1));
    else throw new Error(`unknown label spec: ${spec}`);
  }
  if (remove.some((key) => set.has(key))) throw new Error('can not both modify and remove a label in the same command');
  return { set, remove };
}

async function runLabel(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const { resources, pairs } = splitPairs(invocation.args, 'label');
  const changes = parseLabels(pairs);
  const local = flags.bool('local');
  const all = flags.bool('all');
  const showing = flags.bool('list');
  if (showing && flags.string('output') !== '') throw new Error('--list and --output may not be specified together');
  const config = local ? undefined : await invocation.config();
  if (all && flags.string('selector') !== '') throw new Error('cannot set --all and --selector at the same time');
  if (all && flags.string('field-selector') !== '')
    throw new Error('cannot set --all and --field-selector at the same time');
  const noFiles = flags.strings('filename').length === 0 && flags.string('kustomize') === '';
  if (local) {
    if (strategy === 'server')
      throw new Error('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
    if (resources.length > 0) {
      throw new Error('can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set');
    }
    if (noFiles) throw new Error('one or more files must be specified as -f pod.yaml or --filename=pod.json');
  } else if (resources.length === 0 && noFiles) {
    throw new Error('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  }
  if (changes.set.size === 0 && changes.remove.length === 0 && !showing)
    throw new Error('at least one label update is required');

  const result = await buildResources(invocation, {
    local,
    continueOnError: true,
    namespace: config?.namespace ?? 'default',
    defaultNamespace: !local,
    enforceNamespace: config?.explicitNamespace ?? false,
    files: true,
    flatten: true,
    ...(local
      ? {}
      : {
          labelSelector: flags.string('selector'),
          fieldSelector: flags.string('field-selector'),
          allNamespaces: flags.bool('all-namespaces'),
          args: resources,
          allowEmptySelector: all,
          latest: true,
        }),
  });
  const version = flags.string('resource-version');
  if (!result.singleItemImplied && version !== '')
    throw new Error('--resource-version may only be used with a single resource');
  const printer = await objectPrinter(invocation);

  await result.visit(async (info) => {
    const object = info.object as JsonObject;
    const original = version === '' ? object : withMetadata(object, 'resourceVersion', undefined);
    const sending = strategy !== 'client' && !local && !showing;
    const labels = strings(original, 'metadata', 'labels');
    if (sending)
      for (const key of changes.remove) if (!labels.has(key)) invocation.println(`label ${goQuote(key)} not found.`);
    const changed = relabelled(original, labels, changes, flags.bool('overwrite'), version);
    if (sending) {
      const client = await clientFor(invocation, info);
      await client.patch(info.name, 'merge', createMergePatch(original, changed), {
        dryRun: strategy === 'server',
        fieldManager: flags.string('field-manager'),
      });
    }
    if (showing) {
      const indent = result.singleItemImplied ? '' : ' ';
      const { kind, group } = kindOf(object);
      if (!result.singleItemImplied) invocation.println(`Listing labels for ${kind}.${group}/${info.name}:`);
      for (const [key, value] of [...strings(changed, 'metadata', 'labels')].sort(([a], [b]) => byCodeUnit(a, b))) {
        invocation.println(`${indent}${key}=${value}`);
      }
      return;
    }
    const [before, after] = [encodeJson(original), encodeJson(changed)];
    const shorter = after.length < before.length && !flags.bool('overwrite');
    printer.print(changed, withDryRun(before === after ? 'not labeled' : shorter ? 'unlabeled' : 'labeled', strategy));
  });
}

function relabelled(
  object: JsonObject,
  labels: ReadonlyMap<string, string>,
  changes: Changes,
  overwrite: boolean,
  version: string,
): JsonObject {
  if (!overwrite) {
    const errors = [...changes.set].flatMap(([key, value]) => {
      const current = labels.get(key);
      return current === undefined || current === value
        ? []
        : [new Error(`'${key}' already has a value (${current}), and --overwrite is false`)];
    });
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new ErrorList(errors);
  }
  const next = new Map([...labels, ...changes.set]);
  for (const key of changes.remove) next.delete(key);
  const changed = withMetadata(object, 'labels', Object.fromEntries(next));
  return version === '' ? changed : withMetadata(changed, 'resourceVersion', version);
}
