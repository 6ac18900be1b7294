import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { Invocation } from './command.ts';
import type { ApiResource } from './discovery.ts';
import { dryRunStrategy, fieldValidation, withDryRun } from './dry-run.ts';
import { isObject, object } from './fields.ts';
import { dryRun, fieldManager, printFlags, saveConfig, validate } from './flag-groups.ts';
import type { Flag } from './flags.ts';
import { updateLastApplied } from './last-applied.ts';
import { objectPrinter } from './printers/object-printer.ts';
import { ResourceClient } from './resource-client.ts';

/** Flags of every command that makes an object of its own. */
export const createFlags: readonly Flag[] = [
  ...printFlags,
  dryRun,
  fieldManager('kubectl-create'),
  saveConfig,
  validate,
];

/** A resource type that a command knows without asking the server. */
export function knownResource(
  group: string,
  version: string,
  name: string,
  kind: string,
  namespaced = true,
): ApiResource {
  return {
    group,
    version,
    name,
    kind,
    namespaced,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: [],
    subresources: [],
  };
}

/** The one NAME of a command; what follows `--` does not count. */
export function nameArgument(invocation: Invocation): string {
  const count = invocation.dash < 0 ? invocation.args.length : invocation.dash;
  if (count !== 1) throw invocation.usageError(`exactly one NAME is required, got ${count}`);
  return invocation.args[0] as string;
}

/** Metadata as new objects have it, in the order of its Go type. A namespace is only there when a flag gave it. */
export async function newMetadata(invocation: Invocation, name: string, labels?: JsonObject): Promise<JsonObject> {
  const config = await invocation.config();
  return {
    name,
    ...(config.explicitNamespace ? { namespace: config.namespace } : {}),
    creationTimestamp: null,
    ...(labels ? { labels } : {}),
  };
}

/**
 * Creates the object that a command has made, or prints what it would be. `failure` is put before what the server has
 * against it. Fields stand in the order of the object's Go type.
 */
export async function createObject(
  invocation: Invocation,
  resource: ApiResource,
  made: JsonObject,
  failure = '',
): Promise<void> {
  const validation = fieldValidation(invocation);
  const printer = await objectPrinter(invocation, { declared: true });
  const annotated = updateLastApplied(made, invocation.flags.bool('save-config'), true);
  const result = await submitObject(invocation, resource, annotated, validation, failure);
  printer.print(result, withDryRun('created', dryRunStrategy(invocation)));
}

/** Sends the object to the server, unless it is only to be shown. Returns what it has become. */
export async function submitObject(
  invocation: Invocation,
  resource: ApiResource,
  sent: JsonObject,
  validation: ReturnType<typeof fieldValidation>,
  failure = '',
): Promise<JsonObject> {
  const strategy = dryRunStrategy(invocation);
  if (strategy === 'client') return sent;
  const namespace = resource.namespaced ? await invocation.namespace() : '';
  const client = new ResourceClient(await invocation.client(), resource, namespace);
  try {
    const answer = await client.create(sent, {
      dryRun: strategy === 'server',
      fieldManager: invocation.flags.string('field-manager'),
      fieldValidation: validation,
    });
    return declared(answer, sent);
  } catch (error) {
    if (failure !== '' && error instanceof StatusError) throw new Error(`${failure}${error.message}`);
    throw error;
  }
}

const METADATA = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/** The server's answer with its fields in the order of what was sent; what was not sent comes after, as the server has it. */
function declared(answer: JsonObject, sent: JsonObject): JsonObject {
  const ordered = (value: JsonValue, like: JsonValue | undefined): JsonValue => {
    if (!isObject(value) || !isObject(like)) return value;
    return inOrder(value, Object.keys(like), (key, item) => ordered(item, like[key]));
  };
  const metadata = inOrder(object(answer, 'metadata'), METADATA, (_, item) => item);
  const rest = ordered({ ...answer, metadata }, { kind: null, apiVersion: null, ...sent, metadata: null });
  return rest as JsonObject;
}

function inOrder(
  value: JsonObject,
  keys: readonly string[],
  map: (key: string, item: JsonValue) => JsonValue,
): JsonObject {
  const known = keys.filter((key) => value[key] !== undefined);
  const others = Object.keys(value).filter((key) => !keys.includes(key) && value[key] !== undefined);
  return Object.fromEntries([...known, ...others].map((key) => [key, map(key, value[key] as JsonValue)]));
}
