import type { Invocation } from '../../command.ts';
import type { ResourceResult } from '../../resource-builder.ts';
import { buildResources } from '../../resource-builder.ts';

/** What completion offers. */
export const WORKLOADS = ['deployment', 'daemonset', 'statefulset'];

/** The workloads that a rollout command is about. */
export async function rolloutTargets(invocation: Invocation): Promise<ResourceResult> {
  const { args, flags } = invocation;
  if (args.length === 0 && flags.strings('filename').length === 0 && flags.string('kustomize') === '')
    throw new Error('required resource not specified');
  const config = await invocation.config();
  return buildResources(invocation, {
    args,
    continueOnError: true,
    namespace: config.namespace,
    enforceNamespace: config.explicitNamespace,
    defaultNamespace: true,
    files: true,
    allowEmptySelector: true,
    labelSelector: flags.string('selector'),
    flatten: true,
    latest: true,
  });
}
