import type { JsonObject } from '#apimachinery/json.ts';
import { encodeBase64 } from '#base/base64.ts';
import type { Command, Invocation } from '../../command.ts';
import { text, without } from '../../fields.ts';
import { printFlags } from '../../flag-groups.ts';
import type { Kubeconfig, Section } from '../../kubeconfig.ts';
import { configObject, knownFields } from '../../kubeconfig.ts';
import { objectPrinter } from '../../printers/object-printer.ts';

export const view: Command = {
  name: 'view',
  short: 'Display merged kubeconfig settings or a specified kubeconfig file',
  long: 'Show the kubeconfig, all of its files merged. Certificates and credentials are left out unless --raw asks for them.',
  examples: `
# The merged kubeconfig
kubectl config view

# With certificates and credentials
kubectl config view --raw

# One value
kubectl config view -o jsonpath='{.contexts[*].name}'`,
  usage: 'view [flags]',
  flags: [
    ...printFlags.map((flag) => (flag.name === 'output' ? { ...flag, default: 'yaml' } : flag)),
    { name: 'flatten', type: 'bool', usage: 'Put the content of certificate files in place of their names.' },
    { name: 'merge', type: 'bool', default: 'true', usage: 'Merge all files of the kubeconfig.' },
    { name: 'minify', type: 'bool', usage: 'Only what the current context needs.' },
    { name: 'raw', type: 'bool', usage: 'Show certificates and credentials.' },
  ],
  completion: 'none',
  run: runView,
};

async function runView(invocation: Invocation): Promise<void> {
  const { flags } = invocation;
  if (invocation.args.length > 0) throw invocation.usageError(`unexpected arguments: [${invocation.args.join(' ')}]`);
  const printer = await objectPrinter(invocation, { declared: true, defaultFormat: 'yaml' });
  const explicit = flags.string('kubeconfig') !== '';
  if (!flags.bool('merge') && !explicit) throw new Error('if merge==false a precise file must be specified');
  let config = await invocation.kubeconfig().load();
  if (flags.bool('minify'))
    config = minified(flags.string('context') ? { ...config, currentContext: flags.string('context') } : config);
  if (flags.bool('flatten')) config = await flattened(invocation, config);
  else if (!flags.bool('raw')) config = redacted(config);
  printer.print(configObject(known(config)), '');
}

function mapped(config: Kubeconfig, map: (stanza: JsonObject, section: Section) => JsonObject): Kubeconfig {
  const section = (name: Section) => new Map([...config[name]].map(([key, stanza]) => [key, map(stanza, name)]));
  return { ...config, clusters: section('clusters'), contexts: section('contexts'), users: section('users') };
}

/** The fields that a kubeconfig has, in the order of its Go types. */
function known(config: Kubeconfig): Kubeconfig {
  return mapped(config, (stanza, section) => {
    const required: readonly string[] = { clusters: ['server'], contexts: ['cluster', 'user'], users: [] }[section];
    return without(
      Object.fromEntries(
        knownFields(section).map((field) => [field, stanza[field] ?? (required.includes(field) ? '' : undefined)]),
      ),
    );
  });
}

function redacted(config: Kubeconfig): Kubeconfig {
  const hide = (stanza: JsonObject, field: string, word: string) =>
    text(stanza, field) === '' ? stanza : { ...stanza, [field]: word };
  return mapped(config, (stanza) => {
    let shown = stanza;
    for (const field of ['certificate-authority-data', 'client-certificate-data', 'client-key-data'])
      shown = hide(shown, field, 'DATA+OMITTED');
    for (const field of ['token', 'password']) shown = hide(shown, field, 'REDACTED');
    return shown;
  });
}

function minified(config: Kubeconfig): Kubeconfig {
  const name = config.currentContext;
  if (name === '') throw new Error('current-context must exist in order to minify');
  const context = config.contexts.get(name);
  if (!context) throw new Error(`cannot locate context ${name}`);
  const only = (section: ReadonlyMap<string, JsonObject>, key: string) =>
    new Map([...section].filter(([each]) => each === key));
  return {
    currentContext: name,
    contexts: new Map([[name, context]]),
    clusters: only(config.clusters, text(context, 'cluster')),
    users: only(config.users, text(context, 'user')),
  };
}

async function flattened(invocation: Invocation, config: Kubeconfig): Promise<Kubeconfig> {
  const inline = async (stanza: JsonObject) => {
    let flat = stanza;
    for (const field of ['certificate-authority', 'client-certificate', 'client-key']) {
      const path = text(flat, field);
      if (path === '') continue;
      const data = encodeBase64(await invocation.readBytes(path));
      flat = without({ ...flat, [field]: undefined, [`${field}-data`]: text(flat, `${field}-data`) || data });
    }
    return flat;
  };
  const section = async (map: ReadonlyMap<string, JsonObject>) => {
    const flat = new Map<string, JsonObject>();
    for (const [name, stanza] of map) flat.set(name, await inline(stanza));
    return flat;
  };
  return { ...config, clusters: await section(config.clusters), users: await section(config.users) };
}
