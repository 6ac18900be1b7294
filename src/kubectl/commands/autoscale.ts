import type { JsonObject } from '#apimachinery/json.ts';
import type { Command, Invocation } from '../command.ts';
import { knownResource, submitObject } from '../creating.ts';
import { dryRunStrategy, withDryRun } from '../dry-run.ts';
import { dryRun, fieldManager, filenameFlags, printFlags, saveConfig } from '../flag-groups.ts';
import { updateLastApplied } from '../last-applied.ts';
import { objectPrinter } from '../printers/object-printer.ts';
import { buildResources } from '../resource-builder.ts';
import { apiVersionOf } from '../rest-mapper.ts';

export const autoscale: Command = {
  name: 'autoscale',
  short: 'Auto-scale a deployment, replica set, stateful set, or replication controller',
  long: 'Make a HorizontalPodAutoscaler that keeps the number of Pods between two bounds.',
  examples: `
# Between two and ten Pods
kubectl autoscale deployment web --min=2 --max=10

# At most five, at 80 percent of the CPU that they request
kubectl autoscale rc web --max=5 --cpu-percent=80`,
  usage: 'autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu-percent=CPU]',
  flags: [
    ...printFlags,
    dryRun,
    saveConfig,
    fieldManager('kubectl-autoscale'),
    {
      name: 'cpu-percent',
      type: 'int',
      default: '-1',
      usage: 'The CPU that Pods shall use on average, in percent of what they request; negative for a default.',
    },
    ...filenameFlags('that name what to scale.'),
    { name: 'max', type: 'int', default: '-1', required: true, usage: 'The most Pods.' },
    { name: 'min', type: 'int', default: '-1', usage: 'The fewest Pods; negative leaves it to the server.' },
    { name: 'name', type: 'string', usage: "The autoscaler's name; by default that of what it scales." },
  ],
  completion: ['deployment', 'replicaset', 'statefulset', 'replicationcontroller'],
  run: runAutoscale,
};

async function runAutoscale(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const strategy = dryRunStrategy(invocation);
  const printer = await objectPrinter(invocation, { declared: true });
  const [min, max, percent] = (['min', 'max', 'cpu-percent'] as const).map((flag) => flags.int(flag)) as [
    number,
    number,
    number,
  ];
  if (max < 1) throw new Error(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  if (max < min) throw new Error(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
  const config = await invocation.config();
  const result = await buildResources(invocation, {
    args,
    files: true,
    continueOnError: true,
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace,
    defaultNamespace: true,
    flatten: true,
  });
  let count = 0;
  await result.visit(async ({ resource, name }) => {
    if (!resource) return;
    const apiVersion = apiVersionOf(resource);
    if (!resource.subresources.includes('scale')) {
      const type = `${resource.group}/${resource.version}, Resource=${resource.name}`;
      throw new Error(
        `cannot autoscale a ${resource.kind}: could not find scale subresource for ${type} in discovery information`,
      );
    }
    const target = { type: 'Utilization', averageUtilization: percent };
    const made: JsonObject = {
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v2',
      metadata: { name: flags.string('name') || name, creationTimestamp: null },
      spec: {
        scaleTargetRef: { kind: resource.kind, name, apiVersion },
        ...(min > 0 ? { minReplicas: min } : {}),
        maxReplicas: max,
        ...(percent >= 0 ? { metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }] } : {}),
      },
      status: { desiredReplicas: 0, currentMetrics: null },
    };
    count++;
    if (strategy === 'client') return printer.print(made, withDryRun('created', strategy));
    const type = knownResource('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler');
    const annotated = updateLastApplied(made, flags.bool('save-config'), true);
    printer.print(await submitObject(invocation, type, annotated, 'Ignore'), withDryRun('autoscaled', strategy));
  });
  if (count === 0) throw new Error('no objects passed to autoscale');
}
