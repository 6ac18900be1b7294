import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../command.ts';
import { submitObject } from '../creating.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { asError } from '../errors.ts';
import { kindOf, list, number, object, objects, strings, text } from '../fields.ts';
import { dryRun, fieldManager, filenameFlags, printFlags, saveConfig } from '../flag-groups.ts';
import { generateService } from '../generated-service.ts';
import { byCodeUnit } from '#apimachinery/go-format.ts';
import { updateLastApplied } from '../last-applied.ts';
import { override, overrideFlags } from '../overrides.ts';
import { goTypeOf } from '../pods.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources } from '../resource-builder.ts';
import { kindName } from '../rest-mapper.ts';

export const expose: Command = {
  name: 'expose',
  short: 'Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service',
  long: `Make a Service for the Pods of a workload, from the selector and the ports that it has.

 Possible types: pod (po), service (svc), replicationcontroller (rc), deployment (deploy), replicaset (rs).`,
  examples: `
# Port 80 of a Service leads to port 8000 of a Deployment's Pods
kubectl expose deployment web --port=80 --target-port=8000

# The same for one Pod, under another name
kubectl expose pod web --port=444 --name=frontend

# Of the type NodePort
kubectl expose deployment web --port=80 --type=NodePort`,
  usage:
    'expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]',
  flags: [
    ...printFlags,
    { name: 'cluster-ip', type: 'string', usage: "The address of the Service; 'None' makes it headless." },
    dryRun,
    { name: 'external-ip', type: 'string', usage: 'Another address that the Service accepts.' },
    fieldManager('kubectl-expose'),
    ...filenameFlags('that name what to expose.'),
    { name: 'labels', short: 'l', type: 'string', usage: 'Labels for the Service.' },
    { name: 'load-balancer-ip', type: 'string', usage: 'The address of the load balancer.' },
    { name: 'name', type: 'string', usage: 'The name of the Service.' },
    ...overrideFlags('merge'),
    { name: 'port', type: 'string', usage: "The port of the Service; without it the workload's." },
    { name: 'protocol', type: 'string', values: ['TCP', 'UDP', 'SCTP'], usage: 'The protocol; TCP without it.' },
    saveConfig,
    { name: 'selector', type: 'string', usage: "Which Pods it is for; without it the workload's." },
    {
      name: 'session-affinity',
      type: 'string',
      values: ['None', 'ClientIP'],
      usage: 'Whether a client always comes to the same Pod.',
    },
    { name: 'target-port', type: 'string', usage: 'Name or number of the port of the container.' },
    {
      name: 'type',
      type: 'string',
      values: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
      usage: 'The type of the Service; ClusterIP without it.',
    },
  ],
  completion: ['pod', 'service', 'replicationcontroller', 'deployment', 'replicaset'],
  run: runExpose,
};

const EXPOSABLE = new Set(['replicationcontroller', 'service', 'pod', 'deployment.apps', 'replicaset.apps']);

async function runExpose(invocation: Invocation): Promise<void> {
  const { args } = invocation;
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation, { declared: true });
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    args,
    continueOnError: true,
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace,
    defaultNamespace: true,
    files: true,
    flatten: true,
  });
  const namespace = strategy === 'client' && config.explicitNamespace ? config.namespace : '';
  await result.visit(async ({ resource, name, object: value }) => {
    if (!resource || !value) return;
    if (!EXPOSABLE.has(kindName(resource))) {
      const { group, kind } = resource;
      throw new Error(`cannot expose a ${group === '' ? kind : `${kind}.${group}`}`);
    }
    const made = await override(invocation, serviceFor(invocation, value, name, namespace));
    if (strategy === 'client') return printer.print(made, withDryRun('exposed', strategy));
    const service = await (await invocation.mapper()).forKind('', 'Service', 'v1');
    const annotated = updateLastApplied(made, invocation.flags.bool('save-config'), true);
    const created = await submitObject(invocation, service, annotated, 'Ignore');
    printer.print(created, withDryRun('exposed', strategy));
  });
}

function serviceFor({ flags }: Invocation, value: JsonObject, objectName: string, namespace: string): JsonObject {
  const clusterIp = flags.string('cluster-ip');
  const { ports, protocols } = portsOf(value);
  let selector = flags.string('selector');
  if (selector === '') {
    try {
      selector = selectorOf(value);
    } catch (error) {
      throw new Error(`couldn't retrieve selectors via --selector flag or introspection: ${asError(error).message}`);
    }
  }
  const port = flags.string('port');
  if (port === '' && ports.length === 0 && clusterIp !== 'None')
    throw new Error("couldn't find port via --port flag or introspection");
  if (selector === '') throw new Error('selector must be specified');
  return generateService({
    name: flags.string('name') || objectName.slice(0, 63),
    namespace,
    labels: flags.string('labels') || joined(strings(value, 'metadata', 'labels')),
    selector,
    ports: port || ports.join(','),
    protocol: flags.string('protocol'),
    protocols,
    targetPort: flags.string('target-port'),
    externalIp: flags.string('external-ip'),
    type: flags.string('type'),
    loadBalancerIp: flags.string('load-balancer-ip'),
    sessionAffinity: flags.string('session-affinity'),
    clusterIp,
  });
}

const joined = (labels: ReadonlyMap<string, string>): string =>
  [...labels]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** The selector as pairs. Follows polymorphichelpers/mapbasedselectorforobject.go, v1.33. */
function selectorOf(value: JsonObject): string {
  const { kind } = kindOf(value);
  switch (kind) {
    case 'ReplicationController':
      return joined(strings(value, 'spec', 'selector'));
    case 'Pod': {
      const labels = strings(value, 'metadata', 'labels');
      if (labels.size === 0) throw new Error('the pod has no labels and cannot be exposed');
      return joined(labels);
    }
    case 'Service': {
      const labels = strings(value, 'spec', 'selector');
      if (labels.size === 0) throw new Error('the service has no pod selector set');
      return joined(labels);
    }
    case 'Deployment':
    case 'ReplicaSet': {
      const labels = strings(value, 'spec', 'selector', 'matchLabels');
      if (labels.size === 0)
        throw new Error(`invalid ${kind.toLowerCase()}: no selectors, therefore cannot be exposed`);
      if (list(value, 'spec', 'selector', 'matchExpressions').length > 0) {
        const expressions = objects(value, 'spec', 'selector', 'matchExpressions').map(
          (each) =>
            `{Key:${text(each, 'key')} Operator:${text(each, 'operator')} Values:[${list(each, 'values').map(String).join(' ')}]}`,
        );
        throw new Error(`couldn't convert expressions - "[${expressions.join(' ')}]" to map-based selector format`);
      }
      return joined(labels);
    }
    default:
      throw new Error(`cannot extract pod selector from ${goTypeOf(value)}`);
  }
}

/** The ports that a workload or Service has, each once, and their protocols. */
function portsOf(value: JsonObject): {
  readonly ports: readonly string[];
  readonly protocols: ReadonlyMap<string, readonly string[]>;
} {
  const { kind } = kindOf(value);
  const spec = kind === 'Pod' || kind === 'Service' ? object(value, 'spec') : object(value, 'spec', 'template', 'spec');
  const given =
    kind === 'Service' ? objects(spec, 'ports') : objects(spec, 'containers').flatMap((each) => objects(each, 'ports'));
  const protocols = new Map<string, string[]>();
  for (const port of given) {
    const key = String(number(port, kind === 'Service' ? 'port' : 'containerPort'));
    protocols.set(key, [...(protocols.get(key) ?? []), text(port, 'protocol') || 'TCP']);
  }
  return { ports: [...protocols.keys()], protocols };
}
