import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import type { GraphModel } from './graph-model.ts';
import type { ServiceModel } from './graph-services.ts';
import type { WorkloadModel } from './graph-workloads.ts';

/** All that the graph is made of. */
export interface GraphScene {
  readonly model: GraphModel;
  readonly services: ServiceModel;
  readonly workloads: WorkloadModel;
}

/** What belongs to the object that is looked at. */
export interface Light {
  readonly subject: ObjectKey;
  /** It, and all that belongs to it. */
  readonly lit: ReadonlySet<ObjectKey>;
  /** From what keeps Pods to its Pods. */
  readonly owned: readonly (readonly [owner: ObjectKey, pod: ObjectKey])[];
  /** Services of which the endpoints are shown; of a Pod, its own line only. */
  readonly services: ReadonlyMap<ObjectKey, ReadonlySet<ObjectKey> | undefined>;
}

/** What the object is joined to: a Service to its Pods, a Deployment to its ReplicaSets and their Pods, a Pod to all. */
export function lightOf(subject: ObjectKey, { model, services, workloads }: GraphScene): Light | undefined {
  const lit = new Set([subject]);
  const [kind] = subject.split('/');
  if (kind === 'services') {
    const service = services.items.find(({ key }) => key === subject);
    if (!service) return undefined;
    for (const { pod } of service.endpoints) if (pod) lit.add(pod);
    return { subject, lit, owned: [], services: new Map([[subject, undefined]]) };
  }
  const pods = function* () {
    for (const there of model.podsByNode.values()) yield* there;
    yield* model.waiting;
  };
  if (kind === 'pods') {
    for (const pod of pods()) {
      if (pod.key !== subject) continue;
      const mine = services.servicesOf.get(subject) ?? [];
      for (const key of mine) lit.add(key);
      const top = workloads.deploymentOf.get(pod.owner) ?? pod.owner;
      if (pod.owner) lit.add(pod.owner).add(top);
      const only = new Set([subject]);
      return {
        subject,
        lit,
        owned: top ? [[top, subject]] : [],
        services: new Map(mine.map((key) => [key, only])),
      };
    }
    return undefined;
  }
  const top = workloads.deploymentOf.get(subject) ?? subject;
  const workload = workloads.items.find(({ key }) => key === top);
  if (!workload) return undefined;
  lit.add(top);
  if (top === subject) for (const { key } of workload.revisions) lit.add(key);
  const owned: [ObjectKey, ObjectKey][] = [];
  for (const pod of pods()) {
    if (!pod.owner || (pod.owner !== subject && workloads.deploymentOf.get(pod.owner) !== subject)) continue;
    lit.add(pod.key);
    owned.push([top, pod.key]);
  }
  return { subject, lit, owned, services: new Map() };
}
