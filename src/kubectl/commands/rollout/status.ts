import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import type { Command, Invocation } from '../../command.ts';
import { at, number, object, objects, strings, text } from '../../fields.ts';
import { filenameFlags, selector } from '../../flag-groups.ts';
import { clientFor } from '../../resource-builder.ts';
import { followObject, TimeoutError } from '../../waiting.ts';
import { REVISION } from './revisions.ts';
import { rolloutTargets, WORKLOADS } from './targets.ts';

export const status: Command = {
  name: 'status',
  short: 'Show the status of the rollout',
  long: `Show how far a workload has come with its new template, until it is done.

 With --watch=false only how far it is now; with --revision it fails as soon as there is a newer one.`,
  examples: `
kubectl rollout status deployment/web`,
  usage: 'status (TYPE NAME | TYPE/NAME) [flags]',
  flags: [
    ...filenameFlags('that name what to look at.'),
    { name: 'revision', type: 'int', usage: 'The revision that is expected; 0 for the newest.' },
    selector,
    { name: 'timeout', type: 'duration', default: '0s', usage: 'How long to watch; 0 has no end.' },
    { name: 'watch', short: 'w', type: 'bool', default: 'true', usage: 'Watch until it is done.' },
  ],
  completion: WORKLOADS,
  run: runStatus,
};

async function runStatus(invocation: Invocation): Promise<void> {
  const { args, flags } = invocation;
  const revision = flags.int('revision');
  if (revision < 0 && (args.length > 0 || flags.strings('filename').length > 0))
    throw new Error(`revision must be a positive integer: ${revision}`);
  const result = await rolloutTargets(invocation);
  let found = false;
  await result.visit(async (info) => {
    found = true;
    const { resource } = info;
    const view = resource?.group === 'apps' ? VIEWS[resource.kind] : undefined;
    if (!view || !resource) {
      const name = resource && resource.group !== '' ? `${resource.kind}.${resource.group}` : resource?.kind;
      throw new Error(`no status viewer has been implemented for ${name}`);
    }
    const timeout = flags.duration('timeout') || Number.POSITIVE_INFINITY;
    let existed = false;
    try {
      await followObject(invocation, await clientFor(invocation, info), info.name, timeout, (value) => {
        if (!value) {
          if (existed) throw new Error('object has been deleted');
          return false;
        }
        existed = true;
        const progress = view(value, revision);
        invocation.print(progress.message);
        return progress.done || !flags.bool('watch');
      });
    } catch (error) {
      throw error instanceof TimeoutError ? new Error('timed out waiting for the condition') : error;
    }
  });
  if (!found) invocation.complain(`No resources found in ${await invocation.namespace()} namespace.`);
}

interface Progress {
  readonly message: string;
  readonly done: boolean;
}

const waiting = (message: string): Progress => ({ message: `${message}\n`, done: false });
const done = (message: string): Progress => ({ message: `${message}\n`, done: true });

/** Follows kubectl/pkg/polymorphichelpers/rollout_status.go, v1.33. */
const VIEWS: Readonly<Record<string, (value: JsonObject, revision: number) => Progress>> = {
  Deployment: deploymentProgress,
  DaemonSet: daemonSetProgress,
  StatefulSet: statefulSetProgress,
};

function deploymentProgress(value: JsonObject, revision: number): Progress {
  const name = goQuote(text(value, 'metadata', 'name'));
  if (revision > 0) {
    const running = Number(strings(value, 'metadata', 'annotations').get(REVISION) ?? '0');
    if (running !== revision)
      throw new Error(`desired revision (${revision}) is different from the running revision (${running})`);
  }
  const current = object(value, 'status');
  if (number(value, 'metadata', 'generation') > number(current, 'observedGeneration'))
    return waiting('Waiting for deployment spec update to be observed...');
  const progressing = objects(current, 'conditions').find((condition) => text(condition, 'type') === 'Progressing');
  if (text(progressing, 'reason') === 'ProgressDeadlineExceeded')
    throw new Error(`deployment ${name} exceeded its progress deadline`);
  const wanted = number(value, 'spec', 'replicas');
  const [all, updated, available] = ['replicas', 'updatedReplicas', 'availableReplicas'].map((field) =>
    number(current, field),
  ) as [number, number, number];
  const rollout = `Waiting for deployment ${name} rollout to finish:`;
  if (at(value, 'spec', 'replicas') !== undefined && updated < wanted)
    return waiting(`${rollout} ${updated} out of ${wanted} new replicas have been updated...`);
  if (all > updated) return waiting(`${rollout} ${all - updated} old replicas are pending termination...`);
  if (available < updated) return waiting(`${rollout} ${available} of ${updated} updated replicas are available...`);
  return done(`deployment ${name} successfully rolled out`);
}

function daemonSetProgress(value: JsonObject): Progress {
  checkStrategy(value);
  const name = goQuote(text(value, 'metadata', 'name'));
  const current = object(value, 'status');
  if (number(value, 'metadata', 'generation') > number(current, 'observedGeneration'))
    return waiting('Waiting for daemon set spec update to be observed...');
  const [wanted, updated, available] = ['desiredNumberScheduled', 'updatedNumberScheduled', 'numberAvailable'].map(
    (field) => number(current, field),
  ) as [number, number, number];
  const rollout = `Waiting for daemon set ${name} rollout to finish:`;
  if (updated < wanted) return waiting(`${rollout} ${updated} out of ${wanted} new pods have been updated...`);
  if (available < wanted) return waiting(`${rollout} ${available} of ${wanted} updated pods are available...`);
  return done(`daemon set ${name} successfully rolled out`);
}

function statefulSetProgress(value: JsonObject): Progress {
  checkStrategy(value);
  const [spec, current] = [object(value, 'spec'), object(value, 'status')];
  const observed = number(current, 'observedGeneration');
  if (observed === 0 || number(value, 'metadata', 'generation') > observed)
    return waiting('Waiting for statefulset spec update to be observed...');
  const wanted = number(spec, 'replicas');
  const updated = number(current, 'updatedReplicas');
  if (number(current, 'readyReplicas') < wanted)
    return waiting(`Waiting for ${wanted - number(current, 'readyReplicas')} pods to be ready...`);
  const rolling = at(spec, 'updateStrategy', 'rollingUpdate');
  if (rolling) {
    const mine = wanted - number(rolling, 'partition');
    if (at(rolling, 'partition') !== undefined && updated < mine)
      return waiting(
        `Waiting for partitioned roll out to finish: ${updated} out of ${mine} new pods have been updated...`,
      );
    return done(`partitioned roll out complete: ${updated} new pods have been updated...`);
  }
  const revision = text(current, 'updateRevision');
  if (revision !== text(current, 'currentRevision'))
    return waiting(`waiting for statefulset rolling update to complete ${updated} pods at revision ${revision}...`);
  return done(
    `statefulset rolling update complete ${number(current, 'currentReplicas')} pods at revision ${revision}...`,
  );
}

function checkStrategy(value: JsonObject): void {
  if (text(value, 'spec', 'updateStrategy', 'type') !== 'RollingUpdate')
    throw new Error('rollout status is only available for RollingUpdate strategy type');
}
