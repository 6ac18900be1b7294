import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote, isConfigMapKey } from '#apimachinery/validation.ts';
import { encodeBase64 } from '#base/base64.ts';
import { encodeUtf8 } from '#base/utf8.ts';
import type { Command, Invocation } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import { checkSources, contentHash, readFileSource, readSources, sourceFlags } from '../../data-sources.ts';
import type { Flag } from '../../flags.ts';
import { encodeJson } from '#apimachinery/go-encode.ts';

const appendHash = sourceFlags.filter(({ name }) => name === 'append-hash');

const generic: Command = {
  name: 'generic',
  short: 'Create a secret from a local file, directory, or literal value',
  long: `Make a Secret of files, directories and literal values.

 A file becomes a key named as the file is, a directory a key for each of its files.`,
  examples: `
# From files, with keys of your own
kubectl create secret generic keys --from-file=private=~/.ssh/id_rsa

# From literal values
kubectl create secret generic db --from-literal=user=admin --from-literal=password=s3cr3t`,
  usage:
    'generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
  flags: [...createFlags, ...sourceFlags, { name: 'type', type: 'string', usage: 'The type of the Secret.' }],
  completion: 'none',
  run: async (invocation) => {
    const name = nameArgument(invocation);
    if (name === '') throw new Error('name must be specified');
    checkSources(invocation);
    const secret = new SecretData();
    await readSources(invocation, ['literal', 'file', 'env'], 'secret', (key, content) => secret.add(key, content));
    await create(invocation, name, invocation.flags.string('type'), secret);
  },
};

const dockerFlags: readonly Flag[] = [
  { name: 'docker-email', type: 'string', usage: 'The e-mail address for the registry.' },
  { name: 'docker-password', type: 'string', usage: 'The password for the registry.' },
  { name: 'docker-server', type: 'string', default: 'https://index.docker.io/v1/', usage: 'The registry.' },
  { name: 'docker-username', type: 'string', usage: 'The user name for the registry.' },
  {
    name: 'from-file',
    type: 'stringSlice',
    usage: 'A docker configuration file, such as ~/.docker/config.json.',
    values: 'files',
  },
];

const dockerRegistry: Command = {
  name: 'docker-registry',
  short: 'Create a secret for use with a Docker registry',
  long: 'Make a Secret with credentials for an image registry, for imagePullSecrets of Pods and ServiceAccounts.',
  examples: `
# With a user name and password
kubectl create secret docker-registry reg --docker-server=registry.example --docker-username=me --docker-password=secret`,
  usage:
    'docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]',
  flags: [...createFlags, ...appendHash, ...dockerFlags],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    const [username, password, email, server] = ['username', 'password', 'email', 'server'].map((each) =>
      flags.string(`docker-${each}`),
    ) as [string, string, string, string];
    const files = flags.strings('from-file');
    if (name === '') throw new Error('name must be specified');
    if (files.length === 0 && (username === '' || password === '' || server === '')) {
      throw new Error(
        'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
      );
    }
    const secret = new SecretData();
    for (const file of files) {
      await readFileSource(invocation, file.includes('=') ? file : `.dockerconfigjson=${file}`, (key, content) =>
        secret.add(key, content),
      );
    }
    if (files.length === 0) {
      const auth = encodeBase64(encodeUtf8(`${username}:${password}`));
      const entry = { username, password, ...(email ? { email } : {}), auth };
      secret.add('.dockerconfigjson', encodeUtf8(encodeJson({ auths: { [server]: entry } }, { declared: true })));
    }
    await create(invocation, name, 'kubernetes.io/dockerconfigjson', secret);
  },
};

const tls: Command = {
  name: 'tls',
  short: 'Create a TLS secret',
  long: 'Make a Secret of a certificate and its private key, both PEM.',
  examples: `
# With a certificate and its key
kubectl create secret tls site --cert=path/to/tls.crt --key=path/to/tls.key`,
  usage: 'tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    ...appendHash,
    { name: 'cert', type: 'string', usage: 'The file with the certificate.', values: 'files' },
    { name: 'key', type: 'string', usage: 'The file with the key.', values: 'files' },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    if (flags.string('key') === '' || flags.string('cert') === '') throw new Error('key and cert must be specified');
    const secret = new SecretData();
    const pem = { cert: 'CERTIFICATE', key: 'PRIVATE KEY' };
    for (const [flag, key] of [
      ['cert', 'tls.crt'],
      ['key', 'tls.key'],
    ] as const) {
      const file = flags.string(flag);
      let content: string;
      try {
        content = await invocation.readFile(file);
      } catch (error) {
        throw new Error(`Cannot read file ${file}, ${(error as Error).message}`);
      }
      if (!content.includes(`${pem[flag]}-----`)) {
        throw new Error(`tls: failed to find any PEM data in ${flag === 'cert' ? 'certificate' : 'key'} input`);
      }
      secret.add(key, encodeUtf8(content));
    }
    await create(invocation, name, 'kubernetes.io/tls', secret);
  },
};

export const createSecret: Command = {
  name: 'secret',
  short: 'Create a secret using a specified subcommand',
  long: 'Make a Secret: generic for any data, docker-registry for an image registry, tls for a certificate and its key.',
  usage: 'secret (docker-registry | generic | tls)',
  flags: [],
  subcommands: [dockerRegistry, generic, tls],
};

class SecretData {
  readonly #data = new Map<string, string>();

  add(key: string, content: Uint8Array): void {
    const errors = isConfigMapKey(key);
    if (errors.length > 0) throw new Error(`${goQuote(key)} is not valid key name for a Secret ${errors.join(';')}`);
    if (this.#data.has(key)) throw new Error(`cannot add key ${key}, another key by that name already exists`);
    this.#data.set(key, encodeBase64(content));
  }

  get object(): JsonObject {
    return Object.fromEntries([...this.#data].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

async function create(invocation: Invocation, name: string, type: string, secret: SecretData): Promise<void> {
  const data = secret.object;
  const fullName = invocation.flags.bool('append-hash')
    ? `${name}-${contentHash({ kind: 'Secret', type, name, data })}`
    : name;
  await createObject(
    invocation,
    knownResource('', 'v1', 'secrets', 'Secret'),
    {
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: await newMetadata(invocation, fullName),
      ...(Object.keys(data).length > 0 ? { data } : {}),
      ...(type ? { type } : {}),
    },
    'failed to create secret ',
  );
}
