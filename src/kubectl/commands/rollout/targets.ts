import type { Invocation } from '../../command.ts';
import type { ApiResource } from '../../discovery.ts';
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

/** Kinds that upstream's visitor knows, whether or not they have revisions. */
const VISITED = new Set([
  'CronJob',
  'DaemonSet',
  'Deployment',
  'Job',
  'Pod',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
]);

/** Throws for kinds without revisions. */
export function checkKind(resource: ApiResource | undefined, what: string, tool: string): void {
  const { group = '', kind = '' } = resource ?? {};
  if (group === 'apps' && ['Deployment', 'DaemonSet', 'StatefulSet'].includes(kind)) return;
  const name = `"${group === '' ? kind : `${kind}.${group}`}"`;
  if (VISITED.has(kind)) throw new Error(`no ${tool} has been implemented for ${name}`);
  throw new Error(`error retrieving ${what} for ${name}, no visitor method exists for {${group} ${kind}}`);
}
