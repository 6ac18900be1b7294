import type { JsonObject } from '#apimachinery/json.ts';
import type { Command } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';

export const createIngress: Command = {
  name: 'ingress',
  aliases: ['ing'],
  short: 'Create an ingress with the specified name',
  examples: `
# One host and path, with TLS
kubectl create ingress web --rule="shop.example/cart=cart:80,tls=certificate"

# Everything below a path, on every host
kubectl create ingress web --class=nginx --rule="/api*=api:http"

# Whatever no rule matches
kubectl create ingress web --default-backend=web:80`,
  usage: 'ingress NAME --rule=host/path=service:port[,tls[=secret]] ',
  flags: [
    ...createFlags,
    { name: 'annotation', type: 'stringArray', usage: 'Annotations, as key=value.' },
    { name: 'class', type: 'string', usage: 'The ingress class.' },
    { name: 'default-backend', type: 'string', usage: 'The Service for what no rule matches, as name:port.' },
    {
      name: 'rule',
      type: 'stringArray',
      usage: 'A rule: host/path=service:port[,tls=secret]. A path that ends with * matches what begins with it.',
    },
  ],
  completion: 'none',
  run: async (invocation) => {
    const { flags } = invocation;
    const name = nameArgument(invocation);
    const rules = flags.strings('rule');
    const fallback = flags.string('default-backend');
    const annotations = flags.strings('annotation');
    if (fallback === '' && rules.length === 0) {
      throw new Error(
        'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
      );
    }
    for (const rule of rules)
      if (!RULE.test(rule))
        throw new Error(`rule ${rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
    for (const annotation of annotations)
      if (!annotation.includes('='))
        throw new Error(`annotation ${annotation} is invalid and should be in format key=[value]`);
    if (fallback !== '' && fallback.split(':').length !== 2)
      throw new Error('default-backend should be in format servicename:serviceport');
    const pairs = annotations.map((annotation) => annotation.split(/=(.*)/s) as [string, string]);
    const tls = tlsOf(rules);
    const hosts = hostsOf(rules);
    const className = flags.string('class');
    const metadata = await newMetadata(invocation, name);
    await createObject(
      invocation,
      knownResource('networking.k8s.io', 'v1', 'ingresses', 'Ingress'),
      {
        kind: 'Ingress',
        apiVersion: 'networking.k8s.io/v1',
        metadata: {
          ...metadata,
          ...(pairs.length > 0 ? { annotations: Object.fromEntries(pairs.map(([key, value]) => [key, value])) } : {}),
        },
        spec: {
          ...(className === '' ? {} : { ingressClassName: className }),
          ...(fallback === '' ? {} : { defaultBackend: backendOf(fallback) }),
          ...(tls.length > 0 ? { tls } : {}),
          ...(hosts.length > 0 ? { rules: hosts } : {}),
        },
        status: { loadBalancer: {} },
      },
      'failed to create ingress: ',
    );
  },
};

const RULE = /^[\w*\-.]*\/.*=[\w-]+:[\w-]+(,tls=?[\w-]*)?/;

const hostOf = (rule: string): string => rule.split('/')[0] as string;

/** Hosts by the secret with their certificate; each host once. */
function tlsOf(rules: readonly string[]): JsonObject[] {
  const seen = new Set<string>();
  const entries: { readonly secret: string; readonly hosts: string[] }[] = [];
  for (const rule of rules) {
    const parts = rule.split(',');
    const host = hostOf(rule);
    if (parts.length !== 2 || seen.has(host)) continue;
    seen.add(host);
    const secret = (parts[1] as string).split('=')[1] ?? '';
    const known = entries.find((entry) => entry.secret === secret);
    if (known) known.hosts.push(host);
    else if (host !== '' || secret !== '') entries.push({ secret, hosts: host === '' ? [] : [host] });
  }
  return entries.map(({ secret, hosts }) => ({
    ...(hosts.length > 0 ? { hosts } : {}),
    ...(secret === '' ? {} : { secretName: secret }),
  }));
}

/** Paths by host. */
function hostsOf(rules: readonly string[]): JsonObject[] {
  const byHost = new Map<string, JsonObject[]>();
  for (const rule of rules) {
    const withoutTls = rule.split(',')[0] as string;
    const host = hostOf(withoutTls);
    byHost.set(host, [...(byHost.get(host) ?? []), pathOf(withoutTls.slice(host.length))]);
  }
  return [...byHost].map(([host, paths]) => ({ ...(host === '' ? {} : { host }), http: { paths } }));
}

function pathOf(rule: string): JsonObject {
  const [path = '', service = ''] = rule.split('=');
  const prefix = path.endsWith('*');
  return {
    path: prefix ? path.slice(0, -1) : path,
    pathType: prefix ? 'Prefix' : 'Exact',
    backend: backendOf(service),
  };
}

function backendOf(service: string): JsonObject {
  const [name = '', port = ''] = service.split(':');
  return { service: { name, port: /^[-+]?\d+$/.test(port) ? { number: Number(port) } : { name: port } } };
}
