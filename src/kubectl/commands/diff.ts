import { encodeJson } from '#apimachinery/go-encode.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import { encodeYaml } from '#apimachinery/yaml-writer.ts';
import type { Command, Invocation } from '../command.ts';
import { describeError, ExitError } from '../errors.ts';
import { isObject, kindOf, withMetadata } from '../fields.ts';
import { fieldManager, filenameFlags, selector } from '../flag-groups.ts';
import { withoutLastApplied } from '../last-applied.ts';
import { OpenApi } from '../openapi.ts';
import { Patching, warnIfDeleting } from '../patching.ts';
import { buildResources, clientFor, type ResourceInfo } from '../resource-builder.ts';
import { type FilePair, unifiedDiff } from '../unified-diff.ts';

/** How often an object is looked at when it keeps changing. */
const ATTEMPTS = 4;

export const diff: Command = {
  name: 'diff',
  short: 'Compare what there is with what applying files would make of it',
  long: `Print how objects would change if the files were applied, as \`diff -u -N\` does. Nothing is changed.

 The exit status is 0 when nothing would change, 1 when something would, and greater than 1 when something went wrong.`,
  examples: `
# What applying a file would change
kubectl diff -f ./pod.yaml

# The same for what comes in on stdin
cat service.yaml | kubectl diff -f -`,
  usage: 'diff -f FILENAME',
  flags: [
    { name: 'concurrency', type: 'int', default: '1', usage: 'Objects to look at at the same time.' },
    fieldManager('kubectl-client-side-apply'),
    ...filenameFlags('with the configurations to compare.'),
    { name: 'force-conflicts', type: 'bool', usage: 'With --server-side: take over fields that others own.' },
    {
      name: 'prune',
      type: 'bool',
      usage: 'Show what pruning would delete, too. Not supported by this kubectl.',
    },
    {
      name: 'prune-allowlist',
      type: 'stringArray',
      usage: 'For --prune: the types to look at, as group/version/kind.',
    },
    selector,
    { name: 'server-side', type: 'bool', usage: 'Let the server merge.' },
    { name: 'show-managed-fields', type: 'bool', usage: 'Compare who owns which field, too.' },
  ],
  completion: 'none',
  run: runDiff,
};

/** Differences end with 1, so that mistakes end with more. Follows kubectl/pkg/cmd/diff/diff.go, v1.33. */
async function runDiff(invocation: Invocation): Promise<void> {
  let difference: string;
  try {
    difference = await differences(invocation);
  } catch (error) {
    if (error instanceof Error && error.name === 'Interrupted') throw error;
    const { message, code } = describeError(error);
    throw new ExitError(code + 1, message);
  }
  invocation.print(difference);
  if (difference !== '') throw new ExitError(1);
}

async function differences(invocation: Invocation): Promise<string> {
  const { flags } = invocation;
  if (invocation.args.length > 0) throw invocation.usageError(`Unexpected args: [${invocation.args.join(' ')}]`);
  if (flags.strings('filename').length === 0 && flags.string('kustomize') === '')
    throw new Error('must specify one of -f and -k');
  if (flags.bool('force-conflicts') && !flags.bool('server-side'))
    throw new Error('--force-conflicts only works with --server-side');
  if (flags.bool('prune')) throw new Error('--prune is not supported by this kubectl');
  const external = invocation.context.environment.KUBECTL_EXTERNAL_DIFF ?? '';
  if (external !== '') {
    const program = external.split(' ')[0] ?? '';
    throw new Error(`failed to run "${program}": programs of the user's are not supported by this kubectl`);
  }
  const config = await invocation.config();
  const openApi = new OpenApi(await invocation.client());
  const result = await buildResources(invocation, {
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    files: true,
    labelSelector: flags.string('selector'),
    flatten: true,
  });
  const { infos, error } = await result.infos();
  if (error) throw error;
  const files: FilePair[] = [];
  for (const info of infos) files.push(await compared(invocation, info, openApi));
  const now = invocation.now();
  const digits = (offset: number) => String(Math.trunc(now * 1000 + offset) % 4_294_967_296);
  const time = new Date(now).toISOString().replace('T', ' ').replace('Z', '000000 +0000');
  return unifiedDiff(`/tmp/LIVE-${digits(0)}`, `/tmp/MERGED-${digits(1)}`, files, time);
}

async function compared(invocation: Invocation, info: ResourceInfo, openApi: OpenApi): Promise<FilePair> {
  const client = await clientFor(invocation, info);
  const local = info.object as JsonObject;
  for (let attempt = 1; ; attempt++) {
    let live: JsonObject | undefined;
    try {
      live = await client.get(info.name);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    try {
      const merged = await mergedOf(invocation, info, live, openApi);
      if (live) warnIfDeleting(invocation, live);
      return pairOf(invocation, info, live, merged);
    } catch (error) {
      if (!isStatus(error, 'Conflict') || attempt === ATTEMPTS) throw error;
    }
    if (attempt === ATTEMPTS - 1) keepsChanging(invocation, local, info.name);
  }
}

/** A line of kubectl's log. */
function keepsChanging(invocation: Invocation, object: JsonObject, name: string): void {
  const time = new Date(invocation.now()).toISOString();
  const { group, version, kind } = kindOf(object);
  invocation.complain(
    `W${time.slice(5, 7)}${time.slice(8, 10)} ${time.slice(11, 23)}000       1 diff.go:710] Object (${group}/${version}, Kind=${kind}: ${name}) keeps changing, diffing without lock`,
  );
}

/** The object as it would be. */
async function mergedOf(
  invocation: Invocation,
  info: ResourceInfo,
  live: JsonObject | undefined,
  openApi: OpenApi,
): Promise<JsonObject> {
  const { flags } = invocation;
  const client = await clientFor(invocation, info);
  const local = info.object as JsonObject;
  const serverSide = flags.bool('server-side');
  const manager = flags.changed('field-manager') || !serverSide ? flags.string('field-manager') : 'kubectl';
  if (serverSide) {
    return client.patch(info.name, 'apply', `${encodeJson(local)}\n`, {
      dryRun: true,
      fieldManager: manager,
      force: flags.bool('force-conflicts'),
    });
  }
  if (!live) return client.create(local, { dryRun: true, fieldManager: manager });
  const settings = {
    strategy: 'server',
    force: false,
    validation: undefined,
    manager,
    gracePeriod: -1,
    cascade: 'Background',
    openApi,
  } as const;
  return new Patching(invocation, client, info, withoutLastApplied(local), settings).run(live);
}

function pairOf({ flags }: Invocation, info: ResourceInfo, live: JsonObject | undefined, merged: JsonObject): FilePair {
  const bare = (object: JsonObject) =>
    flags.bool('show-managed-fields') ? object : withMetadata(object, 'managedFields', undefined);
  let from = live && bare(live);
  let to = bare(merged);
  const { group, version, kind } = kindOf(merged);
  if (version === 'v1' && kind === 'Secret') [from, to] = masked(from, to);
  const name = [...(group ? [group] : []), version, kind, info.namespace, info.name].join('.');
  return { name, from: from && encodeYaml(from), to: encodeYaml(to) };
}

/** Secrets with asterisks for their data; what differs can be told apart. */
function masked(from: JsonObject | undefined, to: JsonObject): [JsonObject | undefined, JsonObject] {
  const dataOf = (object: JsonObject | undefined): JsonObject => (isObject(object?.data) ? object.data : {});
  const [before, after] = [dataOf(from), dataOf(to)];
  const mask = (own: JsonObject, other: JsonObject, changed: string): JsonValue =>
    Object.fromEntries(
      Object.keys(own).map((key) => [key, Object.hasOwn(other, key) && other[key] !== own[key] ? changed : '***']),
    );
  const withMask = (object: JsonObject, data: JsonValue) => (isObject(object.data) ? { ...object, data } : object);
  return [
    from && withMask(from, mask(before, after, '*** (before)')),
    withMask(to, mask(after, before, '*** (after)')),
  ];
}
