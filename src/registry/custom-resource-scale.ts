import { scales } from '#api/autoscaling/v1/scale.ts';
import type { CustomResourceSubresourceScale, Scale } from '#api/generated/types.ts';
import type { JsonObject, JsonValue } from '#apimachinery/json.ts';
import { apiVersionOf, type ApiObject, type ResourceDefinition } from '#apimachinery/resource.ts';
import { internalError } from '#apimachinery/status-error.ts';
import { isJsonObject } from '#apimachinery/structural-schema.ts';
import type { SubresourceEndpoint } from '#apiserver/contract.ts';

/** The steps of a simple path such as `.spec.replicas`. */
export const stepsOf = (path: string): readonly string[] => path.replace(/^\./, '').split('.');

/** What stands at a path; undefined where nothing does. */
export function valueAt(object: unknown, path: string): JsonValue | undefined {
  let value = object as JsonValue | undefined;
  for (const step of stepsOf(path)) {
    if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

function withValueAt(object: JsonObject, steps: readonly string[], value: JsonValue): JsonObject {
  const [step = '', ...rest] = steps;
  const inner = object[step];
  const next = rest.length === 0 ? value : withValueAt(isJsonObject(inner) ? inner : {}, rest, value);
  return { ...object, ...Object.fromEntries([[step, next]]) };
}

/** The scale of a custom resource. Follows ScaleREST of registry/customresource/etcd.go, v1.33. */
export function customScale(
  resource: ResourceDefinition,
  { specReplicasPath, statusReplicasPath, labelSelectorPath }: CustomResourceSubresourceScale,
): SubresourceEndpoint {
  const count = (object: ApiObject, path: string) => {
    const value = valueAt(object, path);
    return typeof value === 'number' ? value : 0;
  };
  return {
    resource,
    subresource: 'scale',
    kind: { group: scales.group, version: scales.version, kind: scales.kind, schema: scales.schema },
    verbs: ['get', 'patch', 'update'],
    view: {
      definition: scales as unknown as ResourceDefinition,
      replicasPath: stepsOf(specReplicasPath),
      check(object) {
        if (valueAt(object, specReplicasPath) === undefined)
          throw internalError(`the spec replicas field "${specReplicasPath}" does not exist`);
      },
      of(object) {
        const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
        const selector = labelSelectorPath ? valueAt(object, labelSelectorPath) : undefined;
        const scale: Scale = {
          kind: scales.kind,
          apiVersion: apiVersionOf(scales),
          metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
          spec: { replicas: count(object, specReplicasPath) },
          status: {
            replicas: count(object, statusReplicasPath),
            ...(typeof selector === 'string' && selector ? { selector } : {}),
          },
        };
        return scale;
      },
      apply: (view, object) =>
        withValueAt(
          object as unknown as JsonObject,
          stepsOf(specReplicasPath),
          (view as Scale).spec.replicas ?? 0,
        ) as unknown as ApiObject,
    },
  };
}
