import type { JsonObject } from '#apimachinery/json.ts';
import { isQualifiedName, isValidLabelValue } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../command.ts';
import { formatTaint } from '../describe/writer.ts';
import { dryRunStrategy, fieldValidation } from '../dry-run.ts';
import { ErrorList } from '../errors.ts';
import { object, objects, text } from '../fields.ts';
import { dryRun, fieldManager, printFlags, selector, validate } from '../flag-groups.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources, clientFor } from '../resource-builder.ts';

export const taint: Command = {
  name: 'taint',
  short: 'Update the taints on one or more nodes',
  long: `Put taints on Nodes, which keep Pods away that do not tolerate them, or take them off.

 A taint is KEY=VALUE:EFFECT; the value may be missing. The effect is NoSchedule, PreferNoSchedule or NoExecute. Keys are
letters, digits, hyphens, dots and underscores, with a DNS prefix and a slash at most; values have at most 63 characters.`,
  examples: `
# A Node for some Pods only
kubectl taint nodes worker-1 dedicated=db:NoSchedule

# Without that taint; without any of the key
kubectl taint nodes worker-1 dedicated:NoSchedule-
kubectl taint nodes worker-1 dedicated-

# Nodes with a label
kubectl taint node -l pool=old dedicated=db:PreferNoSchedule`,
  usage: 'taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All Nodes.' },
    dryRun,
    fieldManager('kubectl-taint'),
    { name: 'overwrite', type: 'bool', usage: 'Change taints that are there already.' },
    selector,
    validate,
  ],
  completion: ['node'],
  run: runTaint,
};

interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

async function runTaint(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const validation = fieldValidation(invocation);
  const { resources, taints } = splitArguments(args);
  const all = flags.bool('all');
  const labelSelector = flags.string('selector');
  const [type = '', ...names] = resources;
  if (type === '') throw new Error('one or more resources must be specified as <resource> <name>');
  if (taints.length === 0) throw new Error('at least one taint update is required');
  let changes: ReturnType<typeof parseTaints>;
  try {
    changes = parseTaints(taints);
  } catch (error) {
    throw invocation.usageError((error as Error).message);
  }
  const resource = await (await invocation.mapper()).forArgument(type.toLowerCase());
  if (resource.kind !== 'Node')
    throw new Error(`invalid resource type ${type.toLowerCase()}, only node types are supported`);
  checkChanges(changes);
  if (all && labelSelector !== '') throw new Error("setting 'all' parameter with a non empty selector is prohibited");
  if (!all && labelSelector === '' && names.length === 0)
    throw new Error("at least one resource name must be specified since 'all' parameter is not set");
  const printer = await objectPrinter(invocation);
  const result = await buildResources(invocation, {
    namespace: await invocation.namespace(),
    defaultNamespace: true,
    continueOnError: true,
    flatten: true,
    latest: true,
    ...(all || labelSelector !== ''
      ? { args: ['nodes'], labelSelector, allowEmptySelector: true }
      : { resourceNames: { type: 'nodes', names } }),
  });
  await result.visit(async (info) => {
    const node = info.object as JsonObject;
    const { operation, next } = update(node, changes, flags.bool('overwrite'));
    const written = next.map((each) => ({
      ...(each.key === '' ? {} : { key: each.key }),
      ...(each.value === '' ? {} : { value: each.value }),
      effect: each.effect,
      ...(each.since === undefined ? {} : { timeAdded: each.since }),
    }));
    if (strategy === 'client') {
      const changed = { ...node, spec: { ...object(node, 'spec'), taints: written } };
      return printer.print(changed, operation);
    }
    const client = await clientFor(invocation, info);
    const patch = { spec: { taints: written.length > 0 ? written : null } };
    const answer = await client.patch(info.name, 'strategic', patch, {
      dryRun: strategy === 'server',
      fieldManager: flags.string('field-manager'),
      fieldValidation: validation,
    });
    printer.print(answer, operation);
  });
}

/** What comes before the first taint are the type and the names. */
function splitArguments(args: readonly string[]): {
  readonly resources: readonly string[];
  readonly taints: readonly string[];
} {
  const resources: string[] = [];
  const taints: string[] = [];
  for (const arg of args) {
    if (/[=:]|-$/.test(arg)) taints.push(arg);
    else if (taints.length === 0) resources.push(arg);
    else throw new Error(`all resources must be specified before taint changes: ${arg}`);
  }
  return { resources, taints };
}

function parseTaints(specs: readonly string[]): { readonly add: readonly Taint[]; readonly remove: readonly Taint[] } {
  const add: Taint[] = [];
  const remove: Taint[] = [];
  for (const spec of specs) {
    if (spec.endsWith('-')) {
      remove.push({ ...parseTaint(spec.slice(0, -1)), value: '' });
      continue;
    }
    const parsed = parseTaint(spec);
    if (parsed.effect === '') throw new Error(`invalid taint spec: ${spec}`);
    if (add.some((other) => isSame(other, parsed)))
      throw new Error(
        `duplicated taints with the same key and effect: {${parsed.key} ${parsed.value} ${parsed.effect} <nil>}`,
      );
    add.push(parsed);
  }
  return { add, remove };
}

/** `key=value:effect`, `key:effect` or `key`. */
function parseTaint(spec: string): Taint {
  const [pair = '', effect = '', ...more] = spec.split(':');
  if (more.length > 0) throw new Error(`invalid taint spec: ${spec}`);
  let [key, value] = [pair, ''];
  if (spec.includes(':')) {
    if (!['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect))
      throw new Error(`invalid taint effect: ${effect}, unsupported taint effect`);
    const parts = pair.split('=');
    if (parts.length > 2) throw new Error(`invalid taint spec: ${spec}`);
    [key = '', value = ''] = parts;
    const faults = isValidLabelValue(value);
    if (faults.length > 0) throw new Error(`invalid taint spec: ${spec}, ${faults.join('; ')}`);
  }
  const faults = isQualifiedName(key);
  if (faults.length > 0) throw new Error(`invalid taint spec: ${spec}, ${faults.join('; ')}`);
  return { key, value, effect };
}

const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;

function checkChanges({ add, remove }: ReturnType<typeof parseTaints>): void {
  const conflicts = add.flatMap((added) =>
    remove
      .filter(({ key, effect }) => key === added.key && (effect === '' || effect === added.effect))
      .map(({ key, effect }) => `${key}=${effect}`),
  );
  if (conflicts.length > 0) {
    throw new Error(
      `can not both modify and remove the following taint(s) in the same command: ${conflicts.join(', ')}`,
    );
  }
}

/** The taints that a Node has afterwards, and what that is called. Follows kubectl/pkg/cmd/taint/utils.go, v1.33. */
function update(
  node: JsonObject,
  { add, remove }: ReturnType<typeof parseTaints>,
  overwrite: boolean,
): { readonly operation: string; readonly next: readonly (Taint & { readonly since?: string })[] } {
  const old = objects(node, 'spec', 'taints').map((each) => ({
    key: text(each, 'key'),
    value: text(each, 'value'),
    effect: text(each, 'effect'),
    ...(text(each, 'timeAdded') === '' ? {} : { since: text(each, 'timeAdded') }),
  }));
  const present = add.filter((added) => old.some((each) => isSame(each, added))).map(({ key }) => key);
  if (!overwrite && present.length > 0) {
    throw new Error(
      `node ${text(node, 'metadata', 'name')} already has ${present.join(',')} taint(s) with same effect(s) and --overwrite is false`,
    );
  }
  let next: (Taint & { readonly since?: string })[] = [
    ...add,
    ...old.filter((each) => !add.some((added) => isSame(added, each))),
  ];
  const added = next.length !== old.length;
  let removed = false;
  const errors: Error[] = [];
  for (const unwanted of remove) {
    const kept = next.filter((each) => (unwanted.effect === '' ? each.key !== unwanted.key : !isSame(each, unwanted)));
    removed = kept.length !== next.length;
    if (!removed) errors.push(new Error(`taint "${formatTaint({ ...unwanted })}" not found`));
    next = kept;
  }
  if (errors.length > 0) throw new ErrorList(errors);
  const operation = (added && removed) || overwrite ? 'modified' : added ? 'tainted' : 'untainted';
  return { operation, next };
}
