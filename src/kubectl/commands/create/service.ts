import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote, isDNS1123Subdomain, isValidPortName, isValidPortNum } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../../command.ts';
import { createFlags, createObject, knownResource, nameArgument, newMetadata } from '../../creating.ts';
import type { Flag } from '../../flags.ts';

const tcp: Flag = { name: 'tcp', type: 'stringSlice', usage: "Ports, as '<port>:<targetPort>'." };

const clusterIp: Command = {
  name: 'clusterip',
  short: 'Create a ClusterIP service',
  examples: `
# A Service with an address in the cluster
kubectl create service clusterip web --tcp=80:8080

# One without an address of its own
kubectl create service clusterip web --clusterip="None"`,
  usage: 'clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    { name: 'clusterip', type: 'string', usage: "The address; 'None' makes a headless Service." },
    tcp,
  ],
  completion: 'none',
  run: (invocation) => createServiceOf(invocation, 'ClusterIP', { clusterIp: invocation.flags.string('clusterip') }),
};

const nodePort: Command = {
  name: 'nodeport',
  short: 'Create a NodePort service',
  examples: `
# A Service on a port of every Node
kubectl create service nodeport web --tcp=80:8080`,
  usage: 'nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
  flags: [
    ...createFlags,
    { name: 'node-port', type: 'int', usage: 'The port of the Nodes; without it the server chooses one.' },
    tcp,
  ],
  completion: 'none',
  run: (invocation) => createServiceOf(invocation, 'NodePort', { nodePort: invocation.flags.int('node-port') }),
};

const loadBalancer: Command = {
  name: 'loadbalancer',
  short: 'Create a LoadBalancer service',
  examples: `
# A Service behind a load balancer
kubectl create service loadbalancer web --tcp=80:8080`,
  usage: 'loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
  flags: [...createFlags, tcp],
  completion: 'none',
  run: (invocation) => createServiceOf(invocation, 'LoadBalancer', {}),
};

const externalName: Command = {
  name: 'externalname',
  short: 'Create an ExternalName service',
  long: 'Create a Service that is another name for a DNS name, inside or outside of the cluster.',
  examples: `
# A Service that stands for a host elsewhere
kubectl create service externalname docs --external-name kubernetes.io`,
  usage: 'externalname NAME --external-name external.name [--dry-run=server|client|none]',
  flags: [...createFlags, { name: 'external-name', type: 'string', required: true, usage: 'The DNS name.' }, tcp],
  completion: 'none',
  run: (invocation) =>
    createServiceOf(invocation, 'ExternalName', { externalName: invocation.flags.string('external-name') }),
};

export const createService: Command = {
  name: 'service',
  aliases: ['svc'],
  short: 'Create a service using a specified subcommand',
  usage: 'service [flags]',
  flags: [],
  subcommands: [clusterIp, externalName, loadBalancer, nodePort],
};

interface ServiceSettings {
  readonly clusterIp?: string;
  readonly nodePort?: number;
  readonly externalName?: string;
}

async function createServiceOf(invocation: Invocation, type: string, settings: ServiceSettings): Promise<void> {
  const name = nameArgument(invocation);
  const given = invocation.flags.strings('tcp');
  const { clusterIp = '', externalName = '', nodePort = 0 } = settings;
  if (clusterIp !== 'None' && given.length === 0 && type !== 'ExternalName')
    throw new Error('at least one tcp port specifier must be provided');
  if (type === 'ExternalName' && isDNS1123Subdomain(externalName).length > 0)
    throw new Error(`invalid service external name ${externalName}`);
  const ports = given.map((pair): JsonObject => {
    const { port, targetPort } = parsePorts(pair);
    return {
      name: pair.replaceAll(':', '-'),
      protocol: 'TCP',
      port,
      targetPort,
      ...(nodePort === 0 ? {} : { nodePort }),
    };
  });
  await createObject(
    invocation,
    knownResource('', 'v1', 'services', 'Service'),
    {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: await newMetadata(invocation, name, { app: name }),
      spec: {
        ...(ports.length > 0 ? { ports } : {}),
        selector: { app: name },
        ...(clusterIp === '' ? {} : { clusterIP: clusterIp }),
        type,
        ...(externalName === '' ? {} : { externalName }),
      },
      status: { loadBalancer: {} },
    },
    `failed to create ${type} service: `,
  );
}

/** `80`, `80:8080`, `80:http`. */
function parsePorts(pair: string): { readonly port: number; readonly targetPort: number | string } {
  const [first = '', second] = pair.split(':');
  const failure = (reason: string) => new Error(`strconv.ParseUint: parsing ${goQuote(first)}: ${reason}`);
  if (!/^\d+$/.test(first)) throw failure('invalid syntax');
  const port = Number(first);
  if (port > 65535) throw failure('value out of range');
  if (second === undefined) return { port, targetPort: port };
  const number = /^[-+]?\d+$/.test(second) ? Number(second) : undefined;
  const faults = number === undefined ? isValidPortName(second) : isValidPortNum(number);
  if (faults.length > 0) throw new Error(faults.join(','));
  return { port, targetPort: number ?? second };
}
