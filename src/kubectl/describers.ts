import type { ApiResource } from './discovery.ts';
import { ipAddress, serviceCidr } from './describe/addresses.ts';
import { horizontalPodAutoscaler } from './describe/autoscaler.ts';
import { configMap } from './describe/config-map.ts';
import { daemonSet } from './describe/daemon-set.ts';
import { deployment } from './describe/deployment.ts';
import type { Describer } from './describe/describer.ts';
import { describeGeneric } from './describe/generic.ts';
import { ingress, ingressClass } from './describe/ingress.ts';
import { cronJob, job } from './describe/jobs.ts';
import { limitRange, resourceQuota } from './describe/limits.ts';
import { namespace } from './describe/namespace.ts';
import { networkPolicy } from './describe/network-policy.ts';
import { node } from './describe/node.ts';
import { pod } from './describe/pod.ts';
import { podDisruptionBudget, priorityClass } from './describe/policy.ts';
import { role, roleBinding } from './describe/rbac.ts';
import { replicaSet, replicationController } from './describe/replica-sets.ts';
import { secret } from './describe/secret.ts';
import { serviceAccount } from './describe/service-account.ts';
import { endpoints, endpointSlice, service } from './describe/services.ts';
import { statefulSet } from './describe/stateful-set.ts';
import { csiNode, persistentVolume, persistentVolumeClaim, storageClass } from './describe/storage.ts';

const describers: readonly Describer[] = [
  configMap,
  cronJob,
  csiNode,
  daemonSet,
  deployment,
  endpoints,
  endpointSlice,
  horizontalPodAutoscaler,
  ingress,
  ingressClass,
  ipAddress,
  job,
  limitRange,
  namespace,
  networkPolicy,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  podDisruptionBudget,
  priorityClass,
  replicaSet,
  replicationController,
  resourceQuota,
  role,
  roleBinding,
  secret,
  service,
  serviceAccount,
  serviceCidr,
  statefulSet,
  storageClass,
];

const byKind = new Map(describers.flatMap((describer) => describer.kinds.map((kind) => [kind, describer] as const)));

/** What describes objects of a type. */
export function describerFor(resource: ApiResource): Describer {
  const { group, kind } = resource;
  return byKind.get(group === '' ? kind : `${kind}.${group}`) ?? { kinds: [], describe: describeGeneric };
}
