import { jsonEqual } from '#apimachinery/equal.ts';
import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../../command.ts';
import type { DryRun } from '../../dry-run.ts';
import { dryRunStrategy, withDryRun } from '../../dry-run.ts';
import { asError } from '../../errors.ts';
import { at, object, strings } from '../../fields.ts';
import { dryRun, filenameFlags, printFlags, selector } from '../../flag-groups.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import type { ResourceInfo } from '../../resource-builder.ts';
import { clientFor } from '../../resource-builder.ts';
import { withoutHash } from '../../rollouts.ts';
import type { Revision } from './revisions.ts';
import { describeTemplate, REVISION, revisionsOf } from './revisions.ts';
import { checkKind, rolloutTargets, WORKLOADS } from './targets.ts';

export const undo: Command = {
  name: 'undo',
  short: 'Undo a previous rollout',
  long: 'Give a workload back the template that it had before, or the one of a revision.',
  examples: `
# The template before
kubectl rollout undo deployment/web

# The third revision
kubectl rollout undo daemonset/agent --to-revision=3

# What it would be
kubectl rollout undo --dry-run=server deployment/web`,
  usage: 'undo (TYPE NAME | TYPE/NAME) [flags]',
  flags: [
    ...printFlags,
    dryRun,
    ...filenameFlags('that name what to roll back.'),
    selector,
    { name: 'to-revision', type: 'int', usage: 'The revision to go back to; 0 for the last one.' },
  ],
  completion: WORKLOADS,
  run: async (invocation) => {
    const strategy = dryRunStrategy(invocation);
    const result = await rolloutTargets(invocation);
    const printer = await objectPrinter(invocation);
    await result.visit(async (info) => {
      const done = await rollBack(invocation, info, strategy);
      printer.print(info.object as JsonObject, withDryRun(done, strategy));
    });
  },
};

/** Follows kubectl/pkg/polymorphichelpers/rollback.go, v1.33. Returns what has been done. */
async function rollBack(invocation: Invocation, info: ResourceInfo, strategy: DryRun): Promise<string> {
  const { resource, name } = info;
  checkKind(resource, 'rollbacker', 'rollbacker');
  const wanted = invocation.flags.int('to-revision');
  if (wanted < 0) throw new Error(`unable to find specified revision ${wanted} in history`);
  const workload = info.object as JsonObject;
  const isDeployment = resource?.kind === 'Deployment';
  const revision = chooseRevision(await revisionsOf(invocation, workload), wanted, isDeployment, name);
  if (strategy === 'client') {
    const template = describeTemplate(originalTemplate(revision, isDeployment));
    return isDeployment ? template : `will roll back to ${template}`;
  }
  if (isDeployment && at(workload, 'spec', 'paused') === true) {
    throw new Error(
      "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
    );
  }
  const template = object(workload, 'spec', 'template');
  if (jsonEqual(withoutHash(template), withoutHash(originalTemplate(revision, isDeployment))))
    return `skipped rollback (current template already matches revision ${wanted})`;
  const client = await clientFor(invocation, info);
  try {
    const options = { dryRun: strategy === 'server' };
    if (revision.patch) await client.patch(name, 'strategic', revision.patch, options);
    else await client.patch(name, 'json', JSON.stringify(deploymentPatch(workload, revision)), options);
  } catch (error) {
    throw new Error(`failed restoring revision ${wanted}: ${asError(error).message}`);
  }
  return 'rolled back';
}

/** The template as the server has it, without what the history added for people. */
function originalTemplate(revision: Revision, isDeployment: boolean): JsonObject {
  return isDeployment ? object(revision.object, 'spec', 'template') : revision.template;
}

function chooseRevision(revisions: readonly Revision[], wanted: number, isDeployment: boolean, name: string): Revision {
  if (wanted > 0) {
    const found = revisions.find((revision) => revision.number === wanted);
    if (!found) throw new Error(`unable to find specified revision ${wanted} in history`);
    return found;
  }
  const previous = [...revisions].sort((a, b) => a.number - b.number).at(-2);
  if (!previous)
    throw new Error(
      isDeployment ? `no rollout history found for deployment ${goQuote(name)}` : 'no last revision to roll back to',
    );
  return previous;
}

/** Annotations that stay the Deployment's own. */
const KEPT = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
]);

function deploymentPatch(workload: JsonObject, revision: Revision): JsonObject[] {
  const own = [...strings(workload, 'metadata', 'annotations')].filter(([key]) => KEPT.has(key));
  const then = [...strings(revision.object, 'metadata', 'annotations')].filter(([key]) => !KEPT.has(key));
  const template = withoutHash(object(revision.object, 'spec', 'template'));
  return [
    { op: 'replace', path: '/spec/template', value: template },
    { op: 'replace', path: '/metadata/annotations', value: Object.fromEntries([...own, ...then]) },
  ];
}
