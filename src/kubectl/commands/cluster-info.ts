import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../command.ts';
import { object, objects, strings, text } from '../fields.ts';
import { buildResources, itemsOf } from '../resource-builder.ts';

export const clusterInfo: Command = {
  name: 'cluster-info',
  short: 'Display cluster information',
  long: `Show the addresses of the control plane and of Services with the label kubernetes.io/cluster-service=true.`,
  examples: `
# Where the control plane and the cluster's services are
kubectl cluster-info`,
  usage: 'cluster-info [flags]',
  flags: [],
  completion: 'none',
  run: runClusterInfo,
};

async function runClusterInfo(invocation: Invocation): Promise<void> {
  const { server } = (await invocation.config()).server;
  const say = (name: string, link: string) => invocation.println(`${name} is running at ${link}`);
  try {
    const result = await buildResources(invocation, {
      args: ['services'],
      namespace: invocation.flags.string('namespace') || 'kube-system',
      defaultNamespace: true,
      labelSelector: 'kubernetes.io/cluster-service=true',
      latest: true,
    });
    await result.visit(({ object: list }) => {
      say('Kubernetes control plane', server);
      for (const service of itemsOf(list as JsonObject)) {
        const name = text(service, 'metadata', 'name');
        say(strings(service, 'metadata', 'labels').get('kubernetes.io/name') || name, linkOf(service, server));
      }
    });
  } finally {
    invocation.println("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
  }
}

/** Where a Service can be reached: at its load balancer, or through the API server's proxy. */
function linkOf(service: JsonObject, server: string): string {
  const [ingress] = objects(service, 'status', 'loadBalancer', 'ingress');
  const ports = objects(service, 'spec', 'ports');
  if (ingress) {
    const host = text(ingress, 'ip') || text(ingress, 'hostname');
    return ports.map((port) => `http://${host}:${text(port, 'port')} `).join('');
  }
  const { name, namespace } = object(service, 'metadata') as { name: string; namespace: string };
  const [port] = ports;
  const secure = port && (text(port, 'name') === 'https' || text(port, 'port') === '443');
  const named = port ? text(port, 'name') : '';
  const target = secure ? `https:${name}:${named}` : named ? `${name}:${named}` : name;
  return `${server}/api/v1/namespaces/${namespace}/services/${target}/proxy`;
}
