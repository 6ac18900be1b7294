import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { isStatus, notFound } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../command.ts';
import { at, number, objects, text } from '../fields.ts';
import { allNamespaces, fieldSelector, filenameFlags, printFlags, selector } from '../flag-groups.ts';
import { formatValue } from '#apimachinery/go-format.ts';
import { JsonPath, relaxedPath } from '#apimachinery/json-path.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import type { ResourceInfo } from '../resource-builder.ts';
import { buildResources, clientFor } from '../resource-builder.ts';
import { apiVersionOf } from '../rest-mapper.ts';
import { followObject, TimeoutError, untilDeleted } from '../waiting.ts';

const WEEK = 7 * 24 * 3_600_000;

export const wait: Command = {
  name: 'wait',
  suggestFor: ['list', 'ps'],
  short: 'Experimental: Wait for a specific condition on one or many resources',
  long: `Wait until objects have a condition in their status, have a value in a field, exist, or are gone; then say so.`,
  examples: `
# Until a Pod is ready
kubectl wait --for=condition=Ready pod/web

# Until a condition has another value than true
kubectl wait --for=condition=Ready=false pod/web

# Until a field has a value, or any value
kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web
kubectl wait --for=jsonpath='{.status.loadBalancer.ingress}' service/web

# Until a Secret exists
kubectl wait --for=create secret/web --timeout=30s

# Until a Pod is gone
kubectl wait --for=delete pod/web --timeout=60s`,
  usage:
    "wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    allNamespaces,
    fieldSelector,
    ...filenameFlags('that name what to wait for.')
      .filter(({ name }) => name !== 'kustomize')
      .map((flag) => (flag.name === 'recursive' ? { ...flag, default: 'true' } : flag)),
    {
      name: 'for',
      type: 'string',
      usage:
        "What to wait for: create, delete, condition=NAME[=VALUE] (true unless given, in any case), or jsonpath='{EXPRESSION}'[=VALUE].",
      values: ['create', 'delete', 'condition=Ready'],
    },
    { name: 'local', type: 'bool', usage: 'Take objects from files only.' },
    selector,
    {
      name: 'timeout',
      type: 'duration',
      default: '30s',
      usage: 'How long to wait; 0 looks once, a negative time waits for a week.',
    },
  ],
  completion: 'resources',
  run: runWait,
};

/** Whether an object is as it should be. */
type Check = (value: JsonObject) => boolean;

async function runWait(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const printer = await objectPrinter(invocation);
  const condition = flags.string('for');
  const config = await invocation.config();
  const check = checkFor(condition);
  const timeout = flags.duration('timeout') < 0 ? WEEK : flags.duration('timeout');
  const deadline = invocation.now() + timeout;
  const local = flags.bool('local');
  const find = () =>
    buildResources(invocation, {
      local,
      namespace: config.namespace,
      defaultNamespace: true,
      enforceNamespace: config.explicitNamespace,
      allNamespaces: flags.bool('all-namespaces'),
      files: true,
      flatten: true,
      continueOnError: true,
      ...(local
        ? {}
        : {
            args,
            allowEmptySelector: flags.bool('all'),
            labelSelector: flags.string('selector'),
            fieldSelector: flags.string('field-selector'),
            latest: true,
          }),
    });
  if (check === 'create') await untilFound(invocation, find, deadline);

  let visited = 0;
  await (await find()).visit(
    async (info) => {
      visited++;
      const value =
        check === 'create'
          ? (info.object as JsonObject)
          : check === 'delete'
            ? await deleted(invocation, info, timeout, deadline)
            : await met(invocation, info, timeout, deadline, check);
      printer.print(value, 'condition met');
    },
    (error) => check === 'delete' && isStatus(error, 'NotFound'),
  );
  if (visited === 0 && check !== 'delete') throw new Error('no matching resources found');
}

function checkFor(condition: string): Check | 'create' | 'delete' {
  const lower = condition.toLowerCase();
  if (lower === 'delete' || lower === 'create') return lower;
  if (condition.startsWith('condition=')) {
    const [name = '', ...value] = condition.slice('condition='.length).split('=');
    return hasCondition(name, value.length === 0 ? 'true' : value.join('='));
  }
  if (condition.startsWith('jsonpath=')) return hasValue(condition.slice('jsonpath='.length));
  throw new Error(`unrecognized condition: ${goQuote(condition)}`);
}

function hasCondition(name: string, wanted: string): Check {
  return (value) => {
    const condition = objects(value, 'status', 'conditions').find(
      (each) => text(each, 'type').toLowerCase() === name.toLowerCase() && typeof each['status'] === 'string',
    );
    if (!condition) return false;
    // A condition that speaks of an older generation does not count.
    const observed = at(condition, 'observedGeneration') ?? at(value, 'status', 'observedGeneration');
    const generation = at(value, 'metadata', 'generation');
    if (generation !== undefined && observed !== undefined && Number(observed) < number(generation)) return false;
    return text(condition, 'status').toLowerCase() === wanted.toLowerCase();
  };
}

function hasValue(input: string): Check {
  // A single = separates the value; == belongs to the expression.
  const parts = [''];
  for (const [piece] of input.matchAll(/==|=|[^=]+/g)) {
    if (piece === '=') parts.push('');
    else parts[parts.length - 1] += piece;
  }
  if (parts.length > 2) {
    throw new Error(
      "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
    );
  }
  const expression = relaxedPath(parts[0] as string);
  const wanted = parts[1]?.replace(/^['"]+|['"]+$/g, '');
  if (wanted === '') {
    throw new Error(
      "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
    );
  }
  if (expression === '') throw new Error('jsonpath expression cannot be empty');
  const path = new JsonPath(expression, true);
  return (value) => {
    const [found = [], ...more] = path.find(value);
    if (found.length === 0) return false;
    if (more.length > 0) throw new Error('given jsonpath expression matches more than one list');
    if (found.length > 1) throw new Error('given jsonpath expression matches more than one value');
    if (wanted === undefined) return true;
    const result = found[0] as JsonValue;
    if (typeof result === 'object' && result !== null)
      throw new Error('jsonpath leads to a nested object or list which is not supported');
    return formatValue(result).trim() === wanted.trim();
  };
}

/** Looks twice a second whether what was named exists. */
async function untilFound(
  invocation: Invocation,
  find: () => ReturnType<typeof buildResources>,
  deadline: number,
): Promise<void> {
  for (;;) {
    let found = false;
    try {
      await (await find()).visit(() => {
        found = true;
      });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    if (found) return;
    if (invocation.now() >= deadline) throw new Error('timed out waiting for the condition');
    await invocation.sleep(Math.max(0, Math.min(500, deadline - invocation.now())));
  }
}

const nameOf = (info: ResourceInfo) => `${info.resource?.name}/${info.name}`;

async function met(
  invocation: Invocation,
  info: ResourceInfo,
  timeout: number,
  deadline: number,
  check: Check,
): Promise<JsonObject> {
  const client = await clientFor(invocation, info);
  if (timeout === 0) {
    const value = await client.get(info.name);
    if (!check(value)) throw new Error(`condition not met for ${nameOf(info)}`);
    return value;
  }
  const { resource } = client;
  let seen = false;
  let last: JsonObject = {};
  await timely(info, () =>
    followObject(invocation, client, info.name, deadline - invocation.now(), (value) => {
      // What was there a moment ago and is not now will not come; what goes while we look may come back.
      if (!value && !seen) throw notFound({ group: resource.group, plural: resource.name }, info.name);
      seen = true;
      // Items of lists do not say what they are.
      if (value) last = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...value };
      return value !== undefined && check(value);
    }),
  );
  return last;
}

async function deleted(
  invocation: Invocation,
  info: ResourceInfo,
  timeout: number,
  deadline: number,
): Promise<JsonObject> {
  const client = await clientFor(invocation, info);
  let value: JsonObject;
  try {
    value = await client.get(info.name);
  } catch (error) {
    if (isStatus(error, 'NotFound')) return info.object as JsonObject;
    throw error;
  }
  if (timeout === 0) throw new Error(`condition not met for ${nameOf(info)}`);
  await timely(info, () => untilDeleted(invocation, client, info.name, '', deadline - invocation.now()));
  return value;
}

async function timely(info: ResourceInfo, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw error instanceof TimeoutError ? new Error(`timed out waiting for the condition on ${nameOf(info)}`) : error;
  }
}
