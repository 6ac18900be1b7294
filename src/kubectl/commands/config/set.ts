import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { Command, Invocation } from '../../command.ts';
import { without } from '../../fields.ts';
import { parseBool } from '../../flags.ts';
import { commandHelp } from '../../help.ts';
import type { Section } from '../../kubeconfig.ts';
import { knownFields } from '../../kubeconfig.ts';

const SECTIONS: readonly string[] = ['clusters', 'contexts', 'users'];

export const set: Command = {
  name: 'set',
  short: 'Set an individual value in a kubeconfig file',
  long: `Set one value.

 PROPERTY_NAME is a path such as contexts.dev.namespace or current-context; names may have dots in them.`,
  examples: `
# The server of a cluster
kubectl config set clusters.dev.server https://1.2.3.4

# The cluster of a context
kubectl config set contexts.dev.cluster dev`,
  usage: 'set PROPERTY_NAME PROPERTY_VALUE',
  flags: [
    { name: 'set-raw-bytes', type: 'bool', usage: 'The value of a -data property is given as it is, not in base64.' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const [property, value] = invocation.args;
    if (invocation.args.length !== 2 || property === undefined || value === undefined) {
      invocation.print(commandHelp(set, invocation.path, []));
      throw new Error(`Unexpected args: [${invocation.args.join(' ')}]`);
    }
    if (value === '') throw new Error('you cannot use set to unset a property');
    if (property === '') throw new Error('you must specify a property');
    await changeProperty(invocation, property, value);
    invocation.println(`Property ${goQuote(property)} set.`);
  },
};

export const unset: Command = {
  name: 'unset',
  short: 'Unset an individual value in a kubeconfig file',
  long: 'Take away one value, or a whole cluster, context or user.',
  examples: `
# No current context
kubectl config unset current-context

# No namespace for a context
kubectl config unset contexts.dev.namespace`,
  usage: 'unset PROPERTY_NAME',
  flags: [],
  completion: 'none',
  run: async (invocation) => {
    const [property] = invocation.args;
    if (invocation.args.length !== 1 || property === undefined) {
      invocation.print(commandHelp(unset, invocation.path, []));
      throw new Error(`Unexpected args: [${invocation.args.join(' ')}]`);
    }
    if (property === '') throw new Error('you must specify a property');
    await changeProperty(invocation, property, undefined);
    invocation.println(`Property ${goQuote(property)} unset.`);
  },
};

async function changeProperty(invocation: Invocation, property: string, value: string | undefined): Promise<void> {
  const files = invocation.kubeconfig();
  if (property === 'current-context') {
    await files.setCurrentContext(value ?? '');
    return;
  }
  const parts = property.split('.');
  const section = parts[0] as Section;
  if (!SECTIONS.includes(section)) throw new Error(`unable to parse ${property} after [] at api.Config`);
  const fields = knownFields(section);
  // Names may have dots: the name ends where a known field begins.
  const end = parts.findIndex((part, i) => i > 1 && fields.includes(part));
  const name = parts.slice(1, end < 0 ? undefined : end).join('.');
  const field = end < 0 ? undefined : (parts[end] as string);
  if (name === '') throw new Error(`can't set a map to a value: map[]`);
  const config = await files.load();
  const before = config[section].get(name);
  if (field === undefined) {
    if (value !== undefined) throw new Error(`unable to parse one or more field values of ${property}`);
    await files.setStanza(section, name, undefined);
    return;
  }
  if (value === undefined && !before) throw new Error(`current map key \`${name}\` is invalid`);
  await files.setStanza(
    section,
    name,
    without({ ...before, [field]: value === undefined ? undefined : typed(invocation, field, value) } as JsonObject),
  );
}

function typed(invocation: Invocation, field: string, value: string): string | boolean {
  if (field === 'insecure-skip-tls-verify' || field === 'disable-compression') {
    const bool = parseBool(value);
    if (bool === undefined) throw new Error(`strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`);
    return bool;
  }
  if (field.endsWith('-data') && invocation.flags.bool('set-raw-bytes')) return encodeBase64(encodeUtf8(value));
  return value;
}
