import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote, isConfigMapKey } from '#apimachinery/validation.ts';
import { encodeBase64 } from '#base/base64.ts';
import { decodeUtf8, encodeUtf8 } from '#base/utf8.ts';
import type { Command, Invocation } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import { checkSources, contentHash, readSources, sourceFlags } from '../../data-sources.ts';

export const createConfigMap: Command = {
  name: 'configmap',
  aliases: ['cm'],
  short: 'Create a config map from a local file, directory or literal value',
  long: `Make a ConfigMap of files, directories and literal values.

 A file becomes a key named as the file is, a directory a key for each of its files.`,
  examples: `
# From the files of a directory
kubectl create configmap settings --from-file=path/to/dir

# From files, with keys of your own
kubectl create configmap settings --from-file=a=path/one.txt --from-file=b=path/two.txt

# From literal values
kubectl create configmap settings --from-literal=colour=blue --from-literal=size=7

# From a file of KEY=VALUE lines
kubectl create configmap settings --from-env-file=settings.env`,
  usage: 'configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
  flags: [...createFlags, ...sourceFlags],
  completion: 'none',
  run: runCreate,
};

async function runCreate(invocation: Invocation): Promise<void> {
  const name = nameArgument(invocation);
  if (name === '') throw new Error('name must be specified');
  checkSources(invocation);
  const data = new Map<string, string>();
  const binary = new Map<string, string>();
  await readSources(invocation, ['file', 'literal', 'env'], 'config', (key, content) => {
    const errors = isConfigMapKey(key);
    if (errors.length > 0)
      throw new Error(`${goQuote(key)} is not a valid key name for a ConfigMap: ${errors.join(',')}`);
    for (const [where, keys] of [
      ['Data', data],
      ['BinaryData', binary],
    ] as const) {
      if (keys.has(key)) {
        throw new Error(
          `cannot add key ${goQuote(key)}, another key by that name already exists in ${where} for ConfigMap ${goQuote(name)}`,
        );
      }
    }
    const text = decodeUtf8(content);
    const isText = encodeUtf8(text).length === content.length && !text.includes('\ufffd');
    if (isText) data.set(key, text);
    else binary.set(key, encodeBase64(content));
  });
  const content: JsonObject = {
    ...(data.size > 0 ? { data: Object.fromEntries([...data].sort(([a], [b]) => (a < b ? -1 : 1))) } : {}),
    ...(binary.size > 0 ? { binaryData: Object.fromEntries(binary) } : {}),
  };
  const hashed = {
    kind: 'ConfigMap',
    name,
    data: Object.fromEntries(data),
    ...(binary.size > 0 ? { binaryData: Object.fromEntries(binary) } : {}),
  };
  const fullName = invocation.flags.bool('append-hash') ? `${name}-${contentHash(hashed)}` : name;
  await createObject(
    invocation,
    knownResource('', 'v1', 'configmaps', 'ConfigMap'),
    { kind: 'ConfigMap', apiVersion: 'v1', metadata: await newMetadata(invocation, fullName), ...content },
    'failed to create configmap: ',
  );
}
