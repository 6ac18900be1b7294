import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { applyJsonPatch } from '#apimachinery/patch-json.ts';
import { applyMergePatch } from '#apimachinery/patch-merge.ts';
import { applyStrategicMergePatch } from '#apimachinery/patch-strategic.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { readYaml } from '#apimachinery/yaml-reader.ts';
import type { Command, Invocation } from '../command.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { kindOf } from '../fields.ts';
import { dryRun, fieldManager, filenameFlags, printFlags, subresource } from '../flag-groups.ts';
import { encodeJson, parseJson } from '#apimachinery/go-encode.ts';
import { OpenApi } from '../openapi.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources, clientFor } from '../resource-builder.ts';

const TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};
type PatchType = keyof typeof TYPES;

export const patch: Command = {
  name: 'patch',
  short: 'Update fields of a resource',
  long: `Change fields of objects with a strategic merge patch, a JSON merge patch or a JSON patch, written as JSON or YAML.

 Strategic merge patches know how lists are merged; custom resources do not understand them.`,
  examples: `
# Make a node unschedulable
kubectl patch node node-1 -p '{"spec":{"unschedulable":true}}'

# Change a container's image; containers are merged by name
kubectl patch pod web -p '{"spec":{"containers":[{"name":"nginx","image":"nginx:1.27"}]}}'

# The same by position
kubectl patch pod web --type=json -p '[{"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:1.27"}]'

# Scale by the scale subresource
kubectl patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":2}}'`,
  usage: 'patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]',
  flags: [
    ...printFlags,
    dryRun,
    fieldManager('kubectl-patch'),
    ...filenameFlags('that name what to patch.'),
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
    { name: 'patch', short: 'p', type: 'string', usage: 'The patch.' },
    { name: 'patch-file', type: 'string', usage: 'The file with the patch.', values: 'files' },
    subresource('Patch this subresource of the object.'),
    {
      name: 'type',
      type: 'string',
      default: 'strategic',
      usage: 'The type of patch: one of [json merge strategic].',
      values: Object.keys(TYPES),
    },
  ],
  completion: 'resources',
  run: runPatch,
};

async function runPatch(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const local = flags.bool('local');
  const written = flags.string('patch');
  const file = flags.string('patch-file');
  const config = local ? undefined : await invocation.config();
  if (written !== '' && file !== '') throw new Error('cannot specify --patch and --patch-file together');
  if (written === '' && file === '')
    throw new Error('must specify --patch or --patch-file containing the contents of the patch');
  if (local && invocation.args.length > 0) throw new Error('cannot specify --local and server resources');
  if (local && strategy === 'server')
    throw new Error('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  const type = (flags.string('type').toLowerCase() || 'strategic') as PatchType;
  if (!Object.hasOwn(TYPES, type)) {
    throw new Error(`--type must be one of [json merge strategic], not ${goQuote(flags.string('type'))}`);
  }
  let source = written;
  if (file !== '') {
    try {
      source = await invocation.readFile(file);
    } catch (error) {
      throw new Error(`unable to read patch file: ${(error as Error).message}`);
    }
  }
  const body = toJson(source, written);

  const result = await buildResources(invocation, {
    continueOnError: true,
    local,
    namespace: config?.namespace ?? 'default',
    defaultNamespace: !local,
    enforceNamespace: config?.explicitNamespace ?? false,
    files: true,
    subresource: flags.string('subresource'),
    args: invocation.args,
    flatten: true,
  });
  const printer = await objectPrinter(invocation);
  let count = 0;
  await result.visit(async (info) => {
    count++;
    const object = info.object as JsonObject;
    let patched: JsonObject;
    if (local || strategy === 'client')
      patched = (await patchLocally(invocation, type, object, parseJson(body), local)) as JsonObject;
    else {
      const client = await clientFor(invocation, info);
      try {
        patched = await client.patch(info.name, type, body, {
          dryRun: strategy === 'server',
          fieldManager: flags.string('field-manager'),
          subresource: flags.string('subresource'),
        });
      } catch (error) {
        if (!isStatus(error, 'UnsupportedMediaType')) throw error;
        const { group, version, kind } = client.resource;
        throw new Error(`${TYPES[type]} is not supported by ${group}/${version}, Kind=${kind}: ${error.message}`);
      }
    }
    printer.print(patched, withDryRun(jsonEqual(object, patched) ? 'patched (no change)' : 'patched', strategy));
  });
  if (count === 0) throw new Error('no objects passed to patch');
}

/** A patch as it goes to the server: what looks like a JSON object goes as it is, everything else is read as YAML. */
function toJson(source: string, shown: string): string {
  if (/^\s*\{/.test(source)) return source;
  try {
    return encodeJson(readYaml(source));
  } catch (error) {
    throw new Error(`unable to parse ${goQuote(shown)}: ${(error as Error).message}`);
  }
}

async function patchLocally(
  invocation: Invocation,
  type: PatchType,
  object: JsonObject,
  body: JsonValue,
  local: boolean,
): Promise<JsonValue> {
  if (type === 'json') return applyJsonPatch(object, body);
  if (type === 'merge') return applyMergePatch(object, body);
  const kind = kindOf(object);
  const schema = local
    ? undefined
    : (await new OpenApi(await invocation.client()).document(kind.group, kind.version)).schemaOf(kind);
  if (!schema) {
    throw new Error(
      `strategic merge patch is not supported for ${kind.group}/${kind.version}, Kind=${kind.kind} locally, try --type merge`,
    );
  }
  return applyStrategicMergePatch(object, body, schema);
}
