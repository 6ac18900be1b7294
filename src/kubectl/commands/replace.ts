import type { JsonObject } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Command, Invocation } from '../command.ts';
import type { DeleteSettings } from '../deleting.ts';
import { cascadeOf, deleteResult } from '../deleting.ts';
import { dryRunStrategy, fieldValidation, withDryRun } from '../dry-run.ts';
import { asError, withSource } from '../errors.ts';
import { text, withMetadata } from '../fields.ts';
import {
  deleteFlags,
  dryRun,
  fieldManager,
  filenameFlags,
  printFlags,
  saveConfig,
  subresource,
  validate,
} from '../flag-groups.ts';
import { updateLastApplied } from '../last-applied.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import type { BuilderOptions } from '../resource-builder.ts';
import { buildResources, clientFor, refreshed } from '../resource-builder.ts';
import { TimeoutError, untilDeleted } from '../waiting.ts';

export const replace: Command = {
  name: 'replace',
  short: 'Replace a resource by file name or stdin',
  long: `Replace objects by what files say, JSON or YAML. A file must hold the whole object, as kubectl get -o yaml shows it.

 With --force the object is deleted and created anew.`,
  examples: `
# What a file says
kubectl replace -f ./pod.yaml

# Another image, by way of a pipe
kubectl get pod web -o yaml | sed 's/nginx:1.27/nginx:1.28/' | kubectl replace -f -

# Deleted and created anew
kubectl replace --force -f ./pod.yaml`,
  usage: 'replace -f FILENAME',
  flags: [
    ...deleteFlags({ wait: false }),
    dryRun,
    fieldManager('kubectl-replace'),
    ...filenameFlags('with what to put in place.'),
    ...printFlags,
    { name: 'raw', type: 'string', usage: 'Send PUT to this path.' },
    saveConfig,
    subresource('Replace this subresource of the object.'),
    validate,
  ],
  completion: 'none',
  run: runReplace,
};

async function runReplace(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  const validation = fieldValidation(invocation);
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation);
  const settings = deleteSettings(invocation);
  if (flags.strings('filename').length === 0 && flags.string('kustomize') === '')
    throw new Error('must specify one of -f and -k');
  if (settings.gracePeriod >= 0 && !settings.force) throw new Error('--grace-period must have --force specified');
  if (settings.timeoutMs !== 0 && !settings.force) throw new Error('--timeout must have --force specified');
  if (settings.force && strategy !== 'none') throw new Error('--dry-run can not be used when --force is set');
  if (flags.string('raw') !== '') return replaceRaw(invocation, flags.string('raw'));
  const config = await invocation.config();
  const options: BuilderOptions = {
    continueOnError: true,
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    files: true,
    flatten: true,
    subresource: flags.string('subresource'),
  };
  if (settings.force) await deleteFirst(invocation, options, settings);
  const result = await buildResources(invocation, { ...options, validated: validation !== 'Ignore' });
  let count = 0;
  await result.visit(async (info) => {
    let object = updateLastApplied(info.object as JsonObject, flags.bool('save-config'));
    if (strategy !== 'client') {
      const client = await clientFor(invocation, info);
      const write = {
        dryRun: strategy === 'server',
        fieldManager: flags.string('field-manager'),
        fieldValidation: validation,
        subresource: flags.string('subresource'),
      };
      if (settings.force) {
        object = await client.create(withMetadata(object, 'resourceVersion', undefined), { ...write, subresource: '' });
      } else {
        try {
          if (text(object, 'metadata', 'resourceVersion') === '')
            object = withMetadata(object, 'resourceVersion', await versionOf(client, info.name, write.subresource));
          object = await client.replace(info.name, object, write);
        } catch (error) {
          throw withSource('replacing', info.source, asError(error));
        }
      }
      object = refreshed(info, object).object as JsonObject;
    }
    count++;
    printer.print(object, withDryRun('replaced', strategy));
  });
  if (settings.force && count === 0) throw new Error('no objects passed to replace');
}

/** The version that the server has; undefined when it has no such object, which the write then says. */
async function versionOf(
  client: Awaited<ReturnType<typeof clientFor>>,
  name: string,
  subresource: string,
): Promise<string | undefined> {
  try {
    return text(await client.get(name, { subresource }), 'metadata', 'resourceVersion');
  } catch {
    return undefined;
  }
}

function deleteSettings(invocation: Invocation): DeleteSettings {
  const { flags } = invocation;
  const force = flags.bool('force');
  const given = flags.int('grace-period');
  return {
    cascade: cascadeOf(invocation),
    gracePeriod: given === 0 ? 1 : given,
    force,
    wait: flags.bool('wait') || given === 0,
    timeoutMs: flags.duration('timeout'),
    ignoreNotFound: true,
    quiet: false,
    short: flags.string('output') === 'name',
    dryRun: 'none',
  };
}

/** How long the end of what is replaced may take when nothing else is said, ms. */
const PATIENCE_MS = 300_000;

async function deleteFirst(invocation: Invocation, options: BuilderOptions, settings: DeleteSettings): Promise<void> {
  const build = () => buildResources(invocation, { ...options, args: invocation.args, requireObject: false });
  await deleteResult(invocation, await build(), settings);
  const deadline = invocation.now() + (settings.timeoutMs || PATIENCE_MS);
  await (await build()).visit(async (info) => {
    try {
      await untilDeleted(invocation, await clientFor(invocation, info), info.name, '', deadline - invocation.now());
    } catch (error) {
      if (isStatus(error, 'NotFound')) return;
      throw error instanceof TimeoutError ? new Error('context deadline exceeded') : error;
    }
  });
}

async function replaceRaw(invocation: Invocation, path: string): Promise<void> {
  const { flags } = invocation;
  const names = flags.strings('filename');
  const [file] = names;
  if (file === undefined || names.length !== 1) throw new Error('--raw can only use a single local file or stdin');
  if (/^https?:\/\//.test(file)) throw new Error('--raw cannot read from a url');
  if (flags.bool('recursive')) throw new Error('--raw and --recursive are mutually exclusive');
  if (flags.string('output') !== '') throw new Error('--raw and --output are mutually exclusive');
  if (!path.startsWith('/'))
    throw new Error(`--raw must be a valid URL path: parse "${path}": invalid URI for request`);
  const body = file === '-' ? await invocation.stdin() : await invocation.readFile(file);
  const client = await invocation.client();
  invocation.context.stdout.write(await client.bytes('PUT', path, { body }));
}
