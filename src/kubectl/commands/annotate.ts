import type { JsonObject } from '#apimachinery/json.ts';
import { createMergePatch } from '#apimachinery/patch-create.ts';
import type { Command, Invocation } from '../command.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
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
import { parsePairs, splitPairs } from '../pairs.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources, clientFor } from '../resource-builder.ts';

const CHANGE_CAUSE = 'kubernetes.io/change-cause';

export const annotate: Command = {
  name: 'annotate',
  short: 'Update the annotations on a resource',
  long: `Set, change and remove annotations of objects.

 Annotations are text of any kind and length that tools and people keep with an object; nothing is selected by them.
 An annotation that has another value is only changed with --overwrite.`,
  examples: `
# Add an annotation
kubectl annotate pods web description='the front end'

# Change one
kubectl annotate --overwrite pods web description='the back end'

# Annotate all Pods of the namespace
kubectl annotate pods --all owner=me

# Remove one
kubectl annotate pods web description-`,
  usage: 'annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the type in the namespace.' },
    allNamespaces,
    dryRun,
    fieldManager('kubectl-annotate'),
    fieldSelector,
    ...filenameFlags('that name what to annotate.'),
    { name: 'list', type: 'bool', usage: 'Show the annotations.' },
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
    { name: 'overwrite', type: 'bool', usage: 'Annotations that have another value may be changed.' },
    { name: 'resource-version', type: 'string', usage: 'Only if the object is at this version; for one object.' },
    selector,
  ],
  completion: 'resources',
  run: runAnnotate,
};

async function runAnnotate(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation);
  const local = flags.bool('local');
  const all = flags.bool('all');
  const showing = flags.bool('list');
  const config = local ? undefined : await invocation.config();
  const { resources, pairs } = splitPairs(invocation.args, 'annotation');
  const { set, remove } = parsePairs(pairs, 'annotation', true);
  if (showing && flags.string('output') !== '') throw new Error('--list and --output may not be specified together');
  if (all && flags.string('selector') !== '') throw new Error('cannot set --all and --selector at the same time');
  if (all && flags.string('field-selector') !== '')
    throw new Error('cannot set --all and --field-selector at the same time');
  const noFiles = flags.strings('filename').length === 0 && flags.string('kustomize') === '';
  if (!local) {
    if (resources.length === 0 && noFiles) {
      throw new Error('one or more resources must be specified as <resource> <name> or <resource>/<name>');
    }
  } else {
    if (strategy === 'server')
      throw new Error('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
    if (resources.length > 0) {
      throw new Error('can only use local files by -f rsrc.yaml or --filename=rsrc.json when --local=true is set');
    }
    if (noFiles) throw new Error('one or more files must be specified as -f rsrc.yaml or --filename=rsrc.json');
  }
  if (set.size === 0 && remove.length === 0 && !showing) throw new Error('at least one annotation update is required');
  const both = remove.filter((key) => set.has(key));
  if (both.length > 0) {
    throw new Error(
      `can not both modify and remove the following annotation(s) in the same command: ${both.join(', ')}`,
    );
  }

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

  const annotated = (object: JsonObject): JsonObject => {
    const current = strings(object, 'metadata', 'annotations');
    if (!flags.bool('overwrite')) {
      // The cause of a change may always be told anew.
      const kept = [...set].filter(
        ([key, value]) => key !== CHANGE_CAUSE && current.has(key) && current.get(key) !== value,
      );
      if (kept.length > 0) {
        throw new Error(
          `--overwrite is false but found the following declared annotation(s): ${kept.map(([key]) => `'${key}' already has a value (${current.get(key)})`).join('; ')}`,
        );
      }
    }
    const next = new Map([...current, ...set]);
    for (const key of remove) next.delete(key);
    const changed = withMetadata(object, 'annotations', Object.fromEntries(next));
    return version === '' ? changed : withMetadata(changed, 'resourceVersion', version);
  };

  await result.visit(async (info) => {
    const object = info.object as JsonObject;
    let output: JsonObject;
    if (strategy === 'client' || local || showing) output = annotated(object);
    else {
      const original = version === '' ? object : withMetadata(object, 'resourceVersion', undefined);
      const client = await clientFor(invocation, info);
      output = await client.patch(info.name, 'merge', createMergePatch(original, annotated(original)), {
        dryRun: strategy === 'server',
        fieldManager: flags.string('field-manager'),
      });
    }
    if (showing) {
      const indent = result.singleItemImplied ? '' : ' ';
      const { kind, group } = kindOf(object);
      if (!result.singleItemImplied) invocation.println(`Listing annotations for ${kind}.${group}/${info.name}:`);
      for (const [key, value] of [...strings(output, 'metadata', 'annotations')].sort(([a], [b]) => byCodeUnit(a, b))) {
        invocation.println(`${indent}${key}=${value}`);
      }
      return;
    }
    printer.print(output, withDryRun('annotated', strategy));
  });
}
