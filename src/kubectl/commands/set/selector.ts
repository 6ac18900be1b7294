import type { JsonObject } from '#apimachinery/json.ts';
import { createTwoWayMergePatch } from '#apimachinery/patch-create.ts';
import { type LabelSelectorTerms, parseLabelSelector } from '#apimachinery/selectors.ts';
import type { Command, Invocation } from '../../command.ts';
import { dryRunStrategy, withDryRun } from '../../dry-run.ts';
import { kindOf, object, text, withMetadata } from '../../fields.ts';
import { dryRun, fieldManager, filenameFlags, printFlags } from '../../flag-groups.ts';
import { OpenApi } from '../../openapi.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { clientFor } from '../../resource-builder.ts';
import { changedObjects } from './template-change.ts';

export const setSelector: Command = {
  name: 'selector',
  short: 'Set the selector on a resource',
  long: `Put another selector in place of the one that an object has.

Only Services can get one.`,
  examples: `
# The Pods behind a Service
kubectl set selector service web app=web,tier=front`,
  usage: 'selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    dryRun,
    fieldManager('kubectl-set'),
    ...filenameFlags('that name what to change.'),
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
    { name: 'resource-version', type: 'string', usage: 'Change the object only if it is still of this version.' },
  ],
  completion: 'resources',
  run: runSetSelector,
};

async function runSetSelector(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const expression = args.at(-1);
  const terms = expression === undefined ? undefined : parsed(expression);
  const printer = await objectPrinter(invocation);
  if (!terms) throw new Error('one selector is required');
  const version = flags.string('resource-version');
  for (const info of await changedObjects(invocation, args.slice(0, -1))) {
    const value = info.object as JsonObject;
    if (kindOf(value).kind !== 'Service') throw new Error('setting a selector is only supported for Services');
    const next: JsonObject = { ...value, spec: { ...object(value, 'spec'), selector: labels(terms) } };
    if (flags.bool('local') || strategy === 'client') {
      printer.print(next, withDryRun('selector updated', strategy));
      continue;
    }
    const document = await new OpenApi(await invocation.client()).document('', 'v1');
    // A version that is asked for is always part of the patch.
    const [from, to] =
      version === ''
        ? [value, next]
        : [withMetadata(value, 'resourceVersion', undefined), withMetadata(next, 'resourceVersion', version)];
    const patch = createTwoWayMergePatch(from, to, document.schemaOf(kindOf(value)));
    const client = await clientFor(invocation, info);
    const changed = await client.patch(text(value, 'metadata', 'name'), 'strategic', patch, {
      dryRun: strategy === 'server',
      fieldManager: flags.string('field-manager'),
    });
    printer.print(changed, withDryRun('selector updated', strategy));
  }
}

function parsed(expression: string): LabelSelectorTerms {
  try {
    return parseLabelSelector(expression);
  } catch (error) {
    throw new Error(`couldn't parse the selector string "${expression}": ${(error as Error).message}`);
  }
}

const OPERATORS: Readonly<Record<string, string>> = {
  in: 'In',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** The labels that a selector of equalities asks for. */
function labels(terms: LabelSelectorTerms): JsonObject {
  const others = terms.filter(({ operator }) => operator !== '=' && operator !== '==');
  if (others.length > 0) {
    const shown = others.map(
      ({ key, operator, values }) => `{${key} ${OPERATORS[operator] ?? operator} [${values.join(' ')}]}`,
    );
    throw new Error(`match expression [${shown.join(' ')}] not supported on this object`);
  }
  return Object.fromEntries(terms.map(({ key, values }) => [key, values[0] ?? '']));
}
