import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../command.ts';
import { cascadeOf, gracePeriodOf } from '../deleting.ts';
import { dryRunStrategy, fieldValidation, withDryRun } from '../dry-run.ts';
import { asError, throwCollected, withSource } from '../errors.ts';
import { strings, text, withMetadata } from '../fields.ts';
import {
  deleteFlags,
  dryRun,
  fieldManager,
  filenameFlags,
  printFlags,
  selector,
  subresource,
  validate,
} from '../flag-groups.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';
import { LAST_APPLIED, withLastApplied } from '../last-applied.ts';
import { OpenApi } from '../openapi.ts';
import { migrateToServerSide } from '../managed-fields-migration.ts';
import { Patching, type PatchingSettings, warnIfDeleting } from '../patching.ts';
import type { ObjectPrinter } from '../printers/object-printer.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import type { ResourceClient } from '../resource-client.ts';
import type { ResourceInfo } from '../resource-builder.ts';
import { buildResources, clientFor, refreshed, retrieve } from '../resource-builder.ts';
import { apiVersionOf } from '../rest-mapper.ts';
import { setLastApplied } from './apply-set-last-applied.ts';
import { viewLastApplied } from './apply-view-last-applied.ts';

const CONFLICT_HELP = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;

export const apply: Command = {
  name: 'apply',
  short: 'Apply a configuration to a resource by file name or stdin',
  long: `Make objects as files describe them: created if they are not there, changed where they differ.

 What was applied is kept in an annotation of the object. The next time, fields that are gone from the file are taken
away, and fields that others have set are left alone. With --server-side the server keeps count of whose field is whose.`,
  examples: `
# Apply a file
kubectl apply -f ./pod.yaml

# Apply all files of a directory
kubectl apply -f ./manifests

# Apply what comes in on stdin
cat pod.yaml | kubectl apply -f -

# What would be applied, as the server sees it
kubectl apply -f ./pod.yaml --dry-run=server -o yaml`,
  usage: 'apply (-f FILENAME | -k DIRECTORY)',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'For --prune: all objects of the types in the namespace.' },
    ...deleteFlags({ wait: false }),
    dryRun,
    fieldManager('kubectl-client-side-apply'),
    ...filenameFlags('with the configurations to apply.'),
    { name: 'force-conflicts', type: 'bool', usage: 'With --server-side: take over fields that others own.' },
    {
      name: 'openapi-patch',
      type: 'bool',
      default: 'true',
      usage: "Take from the server's OpenAPI how lists are merged.",
    },
    {
      name: 'overwrite',
      type: 'bool',
      default: 'true',
      usage: 'What the file says wins over what others have changed.',
    },
    {
      name: 'prune',
      type: 'bool',
      usage: 'Delete what was applied before and is no longer in the files. Not supported by this kubectl.',
    },
    {
      name: 'prune-allowlist',
      type: 'stringArray',
      usage: 'For --prune: the types to look at, as group/version/kind.',
    },
    selector,
    { name: 'server-side', type: 'bool', usage: 'Let the server merge.' },
    subresource('With --server-side: apply to this subresource.'),
    validate,
  ],
  subcommands: [setLastApplied, viewLastApplied],
  completion: 'none',
  run: runApply,
};

interface Settings extends PatchingSettings {
  readonly serverSide: boolean;
  readonly printer: ObjectPrinter;
  /** Objects are printed whole at the end instead of a line each. */
  readonly whole: boolean;
}

async function runApply(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  if (invocation.args.length > 0) throw invocation.usageError(`Unexpected args: [${invocation.args.join(' ')}]`);
  const serverSide = flags.bool('server-side');
  const strategy = dryRunStrategy(invocation);
  const manager = flags.changed('field-manager') || !serverSide ? flags.string('field-manager') : 'kubectl';
  const cascade = cascadeOf(invocation);
  if (flags.strings('filename').length === 0 && flags.string('kustomize') === '')
    throw new Error('must specify one of -f and -k');
  const validation = fieldValidation(invocation);
  const force = flags.bool('force');
  if (flags.bool('force-conflicts') && !serverSide) throw new Error('--force-conflicts only works with --server-side');
  if (strategy === 'client' && serverSide) {
    throw new Error("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  }
  if (serverSide && force) throw new Error('--force cannot be used with --server-side');
  if (strategy === 'server' && force) throw new Error('--dry-run=server cannot be used with --force');
  if (flags.bool('all') && flags.string('selector') !== '')
    throw new Error('cannot set --all and --selector at the same time');
  if (flags.bool('prune')) throw new Error('--prune is not supported by this kubectl');
  if (flags.string('subresource') !== '' && !serverSide)
    throw new Error('--subresource can only be specified for --server-side');

  const config = await invocation.config();
  const output = flags.string('output');
  const settings: Settings = {
    strategy,
    serverSide,
    force,
    validation,
    manager,
    gracePeriod: gracePeriodOf(invocation),
    cascade,
    printer: await objectPrinter(invocation),
    whole: output !== '' && output !== 'name',
    openApi: new OpenApi(await invocation.client()),
  };
  const result = await buildResources(invocation, {
    continueOnError: true,
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    files: true,
    labelSelector: flags.string('selector'),
    flatten: true,
    validated: validation !== 'Ignore',
  });
  const { infos, error } = await result.infos();
  const errors: Error[] = error ? [error] : [];
  if (infos.length === 0 && errors.length === 0) throw new Error('no objects passed to apply');
  const applied: JsonObject[] = [];
  for (const info of infos) {
    try {
      const { object, operation } = await applyOne(invocation, info, settings);
      applied.push(object);
      if (!settings.whole) settings.printer.print(object, withDryRun(operation, strategy));
    } catch (thrown) {
      errors.push(asError(thrown));
      if (info.object) applied.push(info.object);
    }
  }
  throwCollected(errors);
  if (!settings.whole || applied.length === 0) return;
  settings.printer.print(
    applied.length === 1
      ? (applied[0] as JsonObject)
      : { kind: 'List', apiVersion: 'v1', metadata: {}, items: applied },
    '',
  );
}

async function applyOne(
  invocation: Invocation,
  info: ResourceInfo,
  settings: Settings,
): Promise<{ readonly object: JsonObject; readonly operation: string }> {
  const object = info.object as JsonObject;
  const generateName = text(object, 'metadata', 'generateName');
  if (info.name === '' && generateName !== '')
    throw new Error(`from ${generateName}: cannot use generate name with apply`);
  const client = await clientFor(invocation, info);
  if (settings.serverSide)
    return { object: await applyOnServer(invocation, client, info, settings), operation: 'serverside-applied' };

  const modified = withLastApplied(object);
  let current: ResourceInfo;
  try {
    current = await retrieve(invocation, info);
  } catch (thrown) {
    if (!isStatus(thrown, 'NotFound')) {
      throw withSource(
        `retrieving current configuration of:\n${describe(info)}\nfrom server for:`,
        info.source,
        asError(thrown),
      );
    }
    const created = withoutNulls(modified) as JsonObject;
    if (settings.strategy === 'client') return { object: created, operation: 'created' };
    try {
      const answer = await client.create(withMetadata(created, 'resourceVersion', undefined), {
        dryRun: settings.strategy === 'server',
        fieldManager: settings.manager,
        fieldValidation: settings.validation,
      });
      return { object: answer, operation: 'created' };
    } catch (error) {
      throw withSource('creating', info.source, asError(error));
    }
  }

  const live = current.object as JsonObject;
  if (settings.strategy === 'client') return { object: live, operation: 'configured' };
  if (!strings(live, 'metadata', 'annotations').has(LAST_APPLIED)) {
    invocation.complain(
      `Warning: resource ${client.resource.name}/${info.name} is missing the ${LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.`,
    );
  }
  const patching = new Patching(invocation, client, info, modified, settings);
  let patched: JsonObject;
  try {
    patched = await patching.run(live);
  } catch (error) {
    throw withSource(`applying patch:\n${patching.patch}\nto:\n${describe(info)}\nfor:`, info.source, asError(error));
  }
  const result = refreshed(current, patched).object as JsonObject;
  warnIfDeleting(invocation, result);
  return { object: result, operation: patching.patch === '{}' && !settings.whole ? 'unchanged' : 'configured' };
}

async function applyOnServer(
  invocation: Invocation,
  client: ResourceClient,
  info: ResourceInfo,
  settings: Settings,
): Promise<JsonObject> {
  const { flags } = invocation;
  const options = {
    dryRun: settings.strategy === 'server',
    fieldManager: settings.manager,
    fieldValidation: settings.validation,
    force: flags.bool('force-conflicts'),
    subresource: flags.string('subresource'),
  };
  const send = () => client.patch(info.name, 'apply', `${encodeJson(info.object)}\n`, options);
  try {
    const applied = await send();
    const complain = (line: string) => invocation.complain(line);
    const object = await migrateToServerSide(client, info.name, applied, options, send, complain);
    warnIfDeleting(invocation, object);
    return object;
  } catch (error) {
    if (isStatus(error, 'UnsupportedMediaType'))
      throw new Error(`Server-side apply not available on the server: (${error.message})`);
    if (isStatus(error, 'Conflict')) throw new Error(`${error.message}\n${CONFLICT_HELP}`);
    throw error;
  }
}

/** What an info is, for errors. */
function describe(info: ResourceInfo): string {
  const { resource } = info;
  const names = `Name: ${goQuote(info.name)}, Namespace: ${goQuote(info.namespace)}`;
  if (!resource) return names;
  const version = `${resource.group}/${resource.version}`;
  const kind = resource.group === '' ? `/${resource.version}` : apiVersionOf(resource);
  return `Resource: "${version}, Resource=${resource.name}", GroupVersionKind: "${kind}, Kind=${resource.kind}"\n${names}`;
}

/** A value without map entries that are null. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => withoutNulls(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNulls(item as JsonValue)]),
  );
}
