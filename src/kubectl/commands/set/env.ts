import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote, isEnvVarName } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../../command.ts';
import { at, kindOf, object, objects, text } from '../../fields.ts';
import { dryRun, fieldManager, filenameFlags, printFlags, selector } from '../../flag-groups.ts';
import { buildResources } from '../../resource-builder.ts';
import { checkLocal } from './local.ts';
import { changedObjects, changeTemplates, selectedContainers, withContainers } from './template-change.ts';

export const env: Command = {
  name: 'env',
  short: 'Update environment variables on a pod template',
  long: `Set, remove or list the environment variables of containers.

 With --env - they are read from stdin, one NAME=VALUE a line.`,
  examples: `
# Set one, and remove another
kubectl set env deployment/web STORAGE_DIR=/local DEBUG-

# List them
kubectl set env deployment/web --list

# All keys of a ConfigMap
kubectl set env --from=configmap/settings --prefix=WEB_ deployment/web`,
  usage: 'env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N',
  flags: [
    ...printFlags,
    { name: 'all', type: 'bool', usage: 'All objects of the types in the namespace.' },
    {
      name: 'containers',
      short: 'c',
      type: 'string',
      default: '*',
      usage: 'The containers, by name; * stands for any.',
    },
    dryRun,
    { name: 'env', short: 'e', type: 'stringArray', usage: 'A variable as NAME=VALUE; - reads them from stdin.' },
    fieldManager('kubectl-set'),
    ...filenameFlags('that name what to change.'),
    { name: 'from', type: 'string', usage: 'A ConfigMap or Secret whose keys become variables.' },
    { name: 'keys', type: 'stringSlice', usage: 'Only these keys of --from.' },
    { name: 'list', type: 'bool', usage: 'List the variables, with the changes.' },
    { name: 'local', type: 'bool', usage: 'Change the file only, without a server.' },
    { name: 'overwrite', type: 'bool', default: 'true', usage: 'Change variables that have a value already.' },
    { name: 'prefix', type: 'string', usage: 'Put this in front of the names.' },
    selector,
  ],
  completion: 'resources',
  run: runSetEnv,
};

async function runSetEnv(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  if (flags.bool('all') && flags.string('selector') !== '') {
    throw new Error('cannot set --all and --selector at the same time');
  }
  const isVariable = (arg: string) => /^.+=/s.test(arg) || arg.endsWith('-');
  const first = args.findIndex(isVariable);
  const resources = first < 0 ? args : args.slice(0, first);
  const given = first < 0 ? [] : args.slice(first);
  if (!given.every(isVariable)) {
    throw new Error(`all resources must be specified before environment changes: ${args.join(' ')}`);
  }
  checkLocal(invocation);
  if (flags.strings('filename').length === 0 && resources.length === 0) {
    throw new Error('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  }
  const list = flags.bool('list');
  if (list && flags.string('output') !== '') throw new Error('--list and --output may not be specified together');
  if (flags.strings('keys').length > 0 && flags.string('from') === '') {
    throw new Error('when specifying --keys, a configmap or secret must be provided with --from');
  }
  const { set, remove } = await parse(invocation, [...flags.strings('env'), ...given]);
  const prefix = flags.string('prefix');
  const added = [...set, ...(await imported(invocation))].map(
    (variable): JsonObject => ({ ...variable, name: prefix + text(variable, 'name') }),
  );
  const pattern = flags.string('containers');
  await changeTemplates(invocation, await changedObjects(invocation, resources), {
    operation: 'env updated',
    failure: 'failed to patch env update to pod template:',
    change(spec, info) {
      const { kind } = kindOf(info.object as JsonObject);
      if (selectedContainers(spec, pattern).length === 0) {
        invocation.warn(`${kind}/${info.name} does not have any containers matching ${goQuote(pattern)}`);
        return undefined;
      }
      const next = withContainers(spec, pattern, (container) => {
        const before = objects(container, 'env');
        if (!flags.bool('overwrite')) checkOverwrites(before, added);
        const after = updated(before, added, remove);
        return after.length === 0 && before.length === 0 ? container : { ...container, env: after };
      });
      if (!list) return next;
      for (const container of selectedContainers(next, pattern)) {
        invocation.println(`# ${kind} ${info.name}, container ${text(container, 'name')}`);
        for (const variable of objects(container, 'env')) invocation.println(listed(variable));
      }
      return undefined;
    },
  });
}

interface Changes {
  readonly set: readonly JsonObject[];
  readonly remove: readonly string[];
}

/** Follows parseIntoEnvVar of kubectl/pkg/cmd/set/env, v1.33. */
async function parse(invocation: Invocation, words: readonly string[]): Promise<Changes> {
  const set: JsonObject[] = [];
  const remove: string[] = [];
  for (const word of words) {
    const equals = word.indexOf('=');
    if (word === '-') {
      for (const line of (await invocation.stdin()).split('\n')) {
        const [pair = ''] = line.split('#');
        const at = pair.indexOf('=');
        if (at >= 0) set.push({ name: pair.slice(0, at), value: pair.slice(at + 1) });
      }
    } else if (equals >= 0) {
      const name = word.slice(0, equals);
      const problems = isEnvVarName(name);
      if (problems.length > 0) throw new Error(`${goQuote(name)} is not a valid key name: ${problems.join(';')}`);
      set.push({ name, value: word.slice(equals + 1) });
    } else if (word.endsWith('-')) remove.push(word.slice(0, -1));
    else throw new Error(`unknown environment variable: ${word}`);
  }
  if (set.some((variable) => remove.includes(text(variable, 'name')))) {
    throw new Error('can not both modify and remove the same environment variable in the same command');
  }
  return { set, remove };
}

/** The keys of `--from` as variables. */
async function imported(invocation: Invocation): Promise<readonly JsonObject[]> {
  const { flags } = invocation;
  if (flags.string('from') === '') return [];
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    args: [flags.string('from')],
    continueOnError: true,
    namespace: config.namespace,
    defaultNamespace: true,
    enforceNamespace: config.explicitNamespace,
    latest: true,
    flatten: true,
  });
  const keys = flags.strings('keys');
  return (await result.all()).flatMap(({ object: source, name }) => {
    const reference = { ConfigMap: 'configMapKeyRef', Secret: 'secretKeyRef' }[kindOf(source as JsonObject).kind];
    if (!reference) throw new Error('unsupported resource specified in --from');
    return Object.keys(object(source, 'data'))
      .filter((key) => keys.length === 0 || keys.includes(key))
      .map((key): JsonObject => {
        const variable = key.replace(/[^a-zA-Z0-9_]/g, '_').toUpperCase();
        if (variable !== key) invocation.warn(`key ${key} transferred to ${variable}`);
        return { name: variable, valueFrom: { [reference]: { key, name } } };
      });
  });
}

function checkOverwrites(before: readonly JsonObject[], added: readonly JsonObject[]): void {
  for (const variable of added) {
    const name = text(variable, 'name');
    const current = before.find((each) => text(each, 'name') === name);
    if (!current || text(current, 'value') === text(variable, 'value')) continue;
    throw new Error(`'${name}' already has a value (${text(current, 'value')}), and --overwrite is false`);
  }
}

/** Follows updateEnv of kubectl/pkg/cmd/set/helper.go, v1.33. */
function updated(
  before: readonly JsonObject[],
  added: readonly JsonObject[],
  remove: readonly string[],
): readonly JsonObject[] {
  const covered = new Set(remove);
  const after: JsonObject[] = [];
  for (const variable of [...before, ...added]) {
    const name = text(variable, 'name');
    if (covered.has(name)) continue;
    const newer = added.find((each) => text(each, 'name') === name);
    if (newer) covered.add(name);
    after.push(newer ?? variable);
  }
  return after;
}

/** A variable as `--list` shows it. */
function listed(variable: JsonObject): string {
  const name = text(variable, 'name');
  const from = object(variable, 'valueFrom');
  if (at(variable, 'valueFrom') === undefined) return `${name}=${text(variable, 'value')}`;
  const source = (field: string, what: string) =>
    at(from, field) === undefined ? undefined : `${what} ${text(from, field, 'name')}, key ${text(from, field, 'key')}`;
  const container = text(from, 'resourceFieldRef', 'containerName');
  const shown =
    source('configMapKeyRef', 'configmap') ??
    source('secretKeyRef', 'secret') ??
    (at(from, 'fieldRef') === undefined ? undefined : `field path ${text(from, 'fieldRef', 'fieldPath')}`) ??
    (at(from, 'resourceFieldRef') === undefined
      ? 'invalid valueFrom'
      : `resource field ${container && `${container}/`}${text(from, 'resourceFieldRef', 'resource')}`);
  return `# ${name} from ${shown}`;
}
