import { deployments } from '#api/apps/v1/deployment.ts';
import { replicaSets } from '#api/apps/v1/replica-set.ts';
import { statefulSets } from '#api/apps/v1/stateful-set.ts';
import { scales } from '#api/autoscaling/v1/scale.ts';
import { replicationControllers } from '#api/core/v1/replication-controller.ts';
import type { Scale } from '#api/generated/types.ts';
import { apiVersionOf, type ApiObject, type ResourceDefinition } from '#apimachinery/resource.ts';
import { formatLabelSelector, type LabelSelectorLike, labelSelectorTerms } from '#apimachinery/selectors.ts';
import type { SubresourceEndpoint } from '#apiserver/contract.ts';

/** What has a number of replicas in the usual places. */
interface Scalable extends ApiObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
}

/**
 * The scale of a workload: its number of replicas by itself, so that one need not know more of its kind. Follows the
 * ScaleREST of pkg/registry/apps/deployment/storage, v1.33.
 */
export function scaleOf<T extends Scalable>(
  resource: ResourceDefinition<T>,
  selectorOf: (object: T) => LabelSelectorLike | undefined,
): SubresourceEndpoint {
  return {
    resource: resource as unknown as ResourceDefinition,
    subresource: 'scale',
    kind: { group: scales.group, version: scales.version, kind: scales.kind, schema: scales.schema },
    verbs: ['get', 'patch', 'update'],
    view: {
      definition: scales as unknown as ResourceDefinition,
      of(object) {
        const { metadata, spec, status } = object as T;
        const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
        const selector = formatLabelSelector(labelSelectorTerms(selectorOf(object as T)) ?? []);
        const scale: Scale = {
          kind: scales.kind,
          apiVersion: apiVersionOf(scales),
          metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
          spec: { replicas: spec?.replicas ?? 0 },
          status: { replicas: status?.replicas ?? 0, ...(selector ? { selector } : {}) },
        };
        return scale;
      },
      apply(view, object) {
        const next: Scalable = {
          ...object,
          spec: { ...(object as T).spec, replicas: (view as Scale).spec.replicas ?? 0 },
        };
        return next;
      },
    },
  };
}

/** The scales of all kinds that have one. */
export const scaleEndpoints: readonly SubresourceEndpoint[] = [
  scaleOf(deployments, ({ spec }) => spec?.selector),
  scaleOf(replicaSets, ({ spec }) => spec?.selector),
  scaleOf(statefulSets, ({ spec }) => spec?.selector),
  scaleOf(replicationControllers, ({ spec }) => ({ matchLabels: spec?.selector ?? {} })),
];
