import type { JsonValue } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { encodeBase64 } from '#base/base64.ts';
import type { Command } from '../../command.ts';
import { without } from '../../fields.ts';
import { commandHelp } from '../../help.ts';

export const setCluster: Command = {
  name: 'set-cluster',
  short: 'Set a cluster entry in kubeconfig',
  long: 'Set fields of a cluster, a new one or one that is there. Other fields stay as they are.',
  examples: `
# The address of the API server
kubectl config set-cluster dev --server=https://1.2.3.4`,
  usage:
    'set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]',
  flags: [
    {
      name: 'certificate-authority',
      type: 'string',
      usage: "The file with the authority's certificate.",
      values: 'files',
    },
    { name: 'embed-certs', type: 'bool', usage: "Keep the certificate's content instead of its file name." },
    { name: 'insecure-skip-tls-verify', type: 'bool', usage: "Do not check the server's certificate." },
    { name: 'proxy-url', type: 'string', usage: 'The proxy to reach the server by.' },
    { name: 'server', short: 's', type: 'string', usage: 'The address of the API server.' },
    { name: 'tls-server-name', type: 'string', usage: "The name in the server's certificate." },
  ],
  completion: 'clusters',
  run: async (invocation) => {
    const { args, flags } = invocation;
    const [name] = args;
    if (args.length !== 1 || name === undefined) {
      invocation.print(commandHelp(setCluster, invocation.path, []));
      throw new Error(`Unexpected args: [${args.join(' ')}]`);
    }
    const authority = flags.string('certificate-authority');
    if (name === '') throw new Error('you must specify a non-empty cluster name');
    if (flags.bool('insecure-skip-tls-verify') && authority !== '') {
      throw new Error('you cannot specify a certificate authority and insecure mode at the same time');
    }
    if (flags.bool('embed-certs') && authority === '')
      throw new Error('you must specify a --certificate-authority to embed');
    const files = invocation.kubeconfig();
    const before = (await files.load()).clusters.get(name);
    const changes: [string, JsonValue | undefined][] = ['server', 'tls-server-name', 'proxy-url']
      .filter((flag) => flags.changed(flag))
      .map((flag) => [flag, flags.string(flag) || undefined]);
    if (flags.changed('insecure-skip-tls-verify')) {
      changes.push(['insecure-skip-tls-verify', flags.bool('insecure-skip-tls-verify') || undefined]);
    }
    if (flags.changed('certificate-authority')) {
      const embed = flags.bool('embed-certs');
      changes.push(['certificate-authority', embed ? undefined : authority || undefined]);
      changes.push([
        'certificate-authority-data',
        embed ? encodeBase64(await invocation.readBytes(authority)) : undefined,
      ]);
    }
    await files.setStanza('clusters', name, { server: '', ...without({ ...before, ...Object.fromEntries(changes) }) });
    invocation.println(`Cluster ${goQuote(name)} set.`);
  },
};
