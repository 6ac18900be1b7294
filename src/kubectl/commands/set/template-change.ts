import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { createTwoWayMergePatch } from '#apimachinery/patch-create.ts';
import type { Invocation } from '../../command.ts';
import { dryRunStrategy, withDryRun } from '../../dry-run.ts';
import { asError, throwCollected } from '../../errors.ts';
import { kindOf, object, objects, text } from '../../fields.ts';
import { OpenApi } from '../../openapi.ts';
import { goTypeOf } from '../../pods.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { buildResources, clientFor, type ResourceInfo } from '../../resource-builder.ts';
import { kindName } from '../../rest-mapper.ts';

/** Where an object has its Pods' spec; undefined when it has none. */
export function podSpecPath(value: JsonObject): readonly string[] | undefined {
  switch (kindOf(value).kind) {
    case 'Pod':
      return ['spec'];
    case 'CronJob':
      return ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
    case 'ReplicationController':
    case 'Deployment':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'Job':
      return ['spec', 'template', 'spec'];
    default:
      return undefined;
  }
}

/** The object with another value at a path. */
export function within(value: JsonObject, [field, ...rest]: readonly string[], inner: JsonObject): JsonObject {
  return field === undefined ? inner : { ...value, [field]: within(object(value, field), rest, inner) };
}

/** The objects that a `set` command is to change. */
export async function changedObjects(
  invocation: Invocation,
  resources: readonly string[],
): Promise<readonly ResourceInfo[]> {
  const { flags } = invocation;
  const local = flags.bool('local');
  const config = local ? undefined : await invocation.config();
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
          labelSelector: flags.has('selector') ? flags.string('selector') : '',
          args: resources,
          allowEmptySelector: flags.bool('all'),
          latest: true,
        }),
  });
  return result.all();
}

export interface TemplateChange {
  /** What is said of a changed object, such as `env updated`. */
  readonly operation: string;
  /** In front of the server's words when it refuses, such as `failed to patch env update to pod template:`. */
  readonly failure: string;
  /** Objects that the change leaves as they are, are sent and named all the same. */
  readonly always?: boolean;
  /** The new spec. What it throws concerns this object only; undefined: there is nothing to change. */
  change(spec: JsonObject, info: ResourceInfo): JsonObject | undefined;
}

/** Changes the Pods' spec of objects, one after the other, and throws all errors at the end. */
export async function changeTemplates(
  invocation: Invocation,
  infos: readonly ResourceInfo[],
  { operation, failure, always = false, change }: TemplateChange,
): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation);
  const openApi = flags.bool('local') ? undefined : new OpenApi(await invocation.client());
  const errors: Error[] = [];
  for (const info of infos) {
    const value = info.object as JsonObject;
    const named = `${info.resource?.name ?? kindName(kindOf(value))}/${info.name}`;
    const path = podSpecPath(value);
    if (!path) {
      const problem = `the object is not a pod or does not have a pod template: ${goTypeOf(value)}`;
      errors.push(new Error(`error: ${named} ${problem}\n`));
      continue;
    }
    let spec: JsonObject | undefined;
    try {
      spec = change(object(value, ...path), info);
    } catch (error) {
      errors.push(new Error(`error: ${named} ${asError(error).message}\n`));
      continue;
    }
    if (!spec) continue;
    const next = within(value, path, spec);
    if (!always && jsonEqual(value, next)) continue;
    if (!openApi || strategy === 'client') {
      printer.print(next, withDryRun(operation, strategy));
      continue;
    }
    try {
      const kind = kindOf(value);
      const document = await openApi.document(kind.group, kind.version);
      const client = await clientFor(invocation, info);
      const patch = createTwoWayMergePatch(value, next, document.schemaOf(kind));
      const changed = await client.patch(info.name, 'strategic', patch, {
        dryRun: strategy === 'server',
        fieldManager: flags.string('field-manager'),
      });
      printer.print(changed, withDryRun(operation, strategy));
    } catch (error) {
      errors.push(new Error(`${failure} ${asError(error).message}`));
    }
  }
  throwCollected(errors);
}

const FIELDS = ['containers', 'initContainers'] as const;

/** The names of the containers that a pattern with `*` means. Follows selectString of kubectl/pkg/cmd/set, v1.33. */
export function selectedContainers(spec: JsonObject, pattern: string): readonly JsonObject[] {
  return FIELDS.flatMap((field) => objects(spec, field)).filter((container) =>
    isSelected(text(container, 'name'), pattern),
  );
}

/** The spec with the containers changed that a pattern means. */
export function withContainers(
  spec: JsonObject,
  pattern: string,
  change: (container: JsonObject) => JsonObject,
): JsonObject {
  const lists = FIELDS.filter((field) => spec[field] !== undefined).map((field) => [
    field,
    objects(spec, field).map((each) => (isSelected(text(each, 'name'), pattern) ? change(each) : each)),
  ]);
  return { ...spec, ...Object.fromEntries(lists) } as JsonObject;
}

function isSelected(name: string, pattern: string): boolean {
  if (pattern === '*') return true;
  if (!pattern.includes('*')) return name === pattern;
  const parts = pattern.split('*');
  let position = 0;
  for (const [i, part] of parts.entries()) {
    if (part === '') continue;
    const next = name.slice(position).indexOf(part);
    const isLast = i === parts.length - 1;
    if (next < position || (i === 0 && position !== 0) || (isLast && name.length !== part.length + next)) return false;
    position = next;
  }
  return true;
}
