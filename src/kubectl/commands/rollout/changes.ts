import type { JsonObject } from '#apimachinery/json.ts';
import { goQuote } from '#apimachinery/validation.ts';
import { formatTime } from '#base/clock.ts';
import type { Command, Invocation } from '../../command.ts';
import { asError, findingError, throwCollected } from '../../errors.ts';
import { at, kindOf, text } from '../../fields.ts';
import { fieldManager, filenameFlags, printFlags, selector } from '../../flag-groups.ts';
import { objectPrinter } from '../../printers/object-printer.ts';
import { clientFor } from '../../resource-builder.ts';
import { qualifiedName } from '../../rest-mapper.ts';
import { rolloutTargets, WORKLOADS } from './targets.ts';

export const pause: Command = {
  name: 'pause',
  short: 'Mark the provided resource as paused',
  long: 'Let changes of a Deployment have no effect until it is resumed.',
  examples: `
kubectl rollout pause deployment/web`,
  usage: 'pause RESOURCE',
  flags: flagsOf('to pause'),
  completion: ['deployment'],
  run: (invocation) =>
    patchEach(invocation, 'paused', (value) => {
      if (kindOf(value).kind !== 'Deployment') throw new Error('pausing is not supported');
      if (isPaused(value)) throw new Error('is already paused');
      return { spec: { paused: true } };
    }),
};

export const resume: Command = {
  name: 'resume',
  short: 'Resume a paused resource',
  long: 'Let the changes of a paused Deployment have their effect.',
  examples: `
kubectl rollout resume deployment/web`,
  usage: 'resume RESOURCE',
  flags: flagsOf('to resume'),
  completion: ['deployment'],
  run: (invocation) =>
    patchEach(invocation, 'resumed', (value) => {
      if (kindOf(value).kind !== 'Deployment') throw new Error('resuming is not supported');
      if (!isPaused(value)) throw new Error('is not paused');
      return { spec: { paused: null } };
    }),
};

const RESTARTED = 'kubectl.kubernetes.io/restartedAt';

export const restart: Command = {
  name: 'restart',
  short: 'Restart a resource',
  long: 'Replace all Pods by new ones from the same template, as for a new version.',
  examples: `
# One workload
kubectl rollout restart deployment/web
kubectl rollout restart daemonset/agent

# All Deployments of the namespace; those with a label
kubectl rollout restart deployment -n shop
kubectl rollout restart deployment --selector=app=web`,
  usage: 'restart RESOURCE',
  flags: flagsOf('to restart'),
  completion: WORKLOADS,
  run: (invocation) =>
    patchEach(invocation, 'restarted', (value) => {
      const { kind } = kindOf(value);
      if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(kind)) throw new Error('restarting is not supported');
      if (kind === 'Deployment' && isPaused(value))
        throw new Error("can't restart paused deployment (run rollout resume first)");
      const now = formatTime(invocation.now());
      if (text(value, 'spec', 'template', 'metadata', 'annotations', RESTARTED) === now) return undefined;
      return { spec: { template: { metadata: { annotations: { [RESTARTED]: now } } } } };
    }),
};

function flagsOf(purpose: string) {
  return [...printFlags, fieldManager('kubectl-rollout'), ...filenameFlags(`that name what ${purpose}.`), selector];
}

const isPaused = (value: JsonObject): boolean => at(value, 'spec', 'paused') === true;

/** Patches every workload; `patchFor` throws why one cannot be, and returns undefined when nothing would change. */
async function patchEach(
  invocation: Invocation,
  done: string,
  patchFor: (value: JsonObject) => JsonObject | undefined,
): Promise<void> {
  const result = await rolloutTargets(invocation);
  const printer = await objectPrinter(invocation);
  const { infos, error } = await result.infos();
  const errors: Error[] = error ? [findingError(error)] : [];
  if (infos.length === 0 && errors.length === 0) {
    invocation.complain(`No resources found in ${await invocation.namespace()} namespace.`);
    return;
  }
  for (const info of infos) {
    let patch: JsonObject | undefined;
    try {
      patch = patchFor(info.object as JsonObject);
    } catch (thrown) {
      const type = info.resource ? qualifiedName(info.resource) : '';
      errors.push(new Error(`error: ${type} ${goQuote(info.name)} ${asError(thrown).message}`));
      continue;
    }
    if (!patch) {
      errors.push(
        new Error(
          `failed to create patch for ${info.name}: if restart has already been triggered within the past second, please wait before attempting to trigger another`,
        ),
      );
      continue;
    }
    try {
      const client = await clientFor(invocation, info);
      const changed = await client.patch(info.name, 'strategic', patch, {
        fieldManager: invocation.flags.string('field-manager'),
      });
      printer.print(changed, done);
    } catch (thrown) {
      errors.push(new Error(`failed to patch: ${asError(thrown).message}`));
    }
  }
  throwCollected(errors);
}
