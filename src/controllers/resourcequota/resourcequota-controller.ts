import { customResourceDefinitions } from '#api/apiextensions/v1/custom-resource-definition.ts';
import { servedResources } from '#api/apiextensions/v1/served-resources.ts';
import { addResources } from '#api/core/v1/pod-resources.ts';
import { maskResources, type QuotaEvaluator, quotaEvaluator, usageOf } from '#api/core/v1/quota-usage.ts';
import type { ResourceList } from '#api/core/v1/resource-list.ts';
import { resourceQuotas } from '#api/core/v1/resource-quota.ts';
import type { CustomResourceDefinition, ResourceQuota } from '#api/generated/types.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { compareQuantities } from '#apimachinery/quantity.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import type { SpanId } from '#base/tracer.ts';
import { keyOf } from '#client/key.ts';
import { defineController } from '../define-controller.ts';

const RESYNC_MS = 300_000;

/** One resource whose objects are counted. */
interface Counted {
  readonly evaluator: QuotaEvaluator;
  readonly list: (namespace: string) => readonly ApiObject[];
}

/**
 * The status of a quota, given what is used of it: itself when it says so already. Follows syncResourceQuota of
 * pkg/controller/resourcequota, v1.33.
 */
export function planQuotaStatus(quota: ResourceQuota, usage: ResourceList): ResourceQuota {
  const { spec, status = {} } = quota;
  const hard = spec?.hard ?? {};
  const used = maskResources({ ...status.used, ...usage }, Object.keys(hard));
  const same =
    status.hard !== undefined &&
    status.used !== undefined &&
    semanticEqual(hard, status.hard) &&
    sameAmounts(used, status.used);
  return same ? quota : { ...quota, status: { hard, used } };
}

function sameAmounts(a: ResourceList, b: ResourceList): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && compareQuantities(a[name] as string, b[name] as string) === 0)
  );
}

/**
 * Counts what is used of ResourceQuotas: when they are made or changed, when something that they count is deleted or uses
 * less, and every five minutes. What is made is charged by admission. Follows pkg/controller/resourcequota, v1.33.
 */
export const resourceQuotaController = defineController({
  name: 'resourcequota-controller',
  workers: 5,
  create({ process, queue, resources, watch, follow, every }) {
    const counted = new Map<string, Counted>();
    const quotaLister = watch(resourceQuotas, {
      add: (quota, span) => queue.add(keyOf(quota), span),
      update(previous, quota, span) {
        if (!semanticEqual(previous.spec?.hard, quota.spec?.hard)) queue.add(keyOf(quota), span);
      },
    });

    const replenish = (evaluator: QuotaEvaluator, object: ApiObject, span: SpanId) => {
      for (const quota of quotaLister.list(object.metadata.namespace)) {
        if (evaluator.matching(Object.keys(quota.spec?.hard ?? {})).length > 0) queue.add(keyOf(quota), span);
      }
    };
    const handlersOf = (evaluator: QuotaEvaluator) => ({
      delete: (object: ApiObject, span: SpanId) => replenish(evaluator, object, span),
      ...(evaluator.replenishes
        ? {
            update(previous: ApiObject, object: ApiObject, span: SpanId) {
              if (quotaLister.size === 0) return;
              if (evaluator.replenishes?.(previous, object, process.pump.now)) replenish(evaluator, object, span);
            },
          }
        : {}),
    });
    for (const resource of resources) {
      const evaluator = isCountable(resource) ? quotaEvaluator(resource) : undefined;
      if (!evaluator) continue;
      const lister = watch(resource, handlersOf(evaluator));
      counted.set(keyOfResource(resource), { evaluator, list: (namespace) => lister.list(namespace) });
    }

    const custom = new Map<string, () => void>();
    const forget = ({ metadata }: CustomResourceDefinition) => {
      custom.get(metadata.name ?? '')?.();
      custom.delete(metadata.name ?? '');
    };
    const learn = (crd: CustomResourceDefinition) => {
      const [resource] = servedResources(crd);
      const evaluator = resource && isCountable(resource) ? quotaEvaluator(resource) : undefined;
      if (!resource || !evaluator) return forget(crd);
      if (custom.has(crd.metadata.name ?? '')) return undefined;
      const objects = new Map<string, ApiObject>();
      const handlers = handlersOf(evaluator);
      const stop = follow(resource, {
        add: (object) => void objects.set(keyOf(object), object),
        delete(object, span) {
          objects.delete(keyOf(object));
          handlers.delete(object, span);
        },
      });
      const key = keyOfResource(resource);
      counted.set(key, {
        evaluator,
        list: (namespace) => [...objects.values()].filter(({ metadata }) => metadata.namespace === namespace),
      });
      custom.set(crd.metadata.name ?? '', () => {
        counted.delete(key);
        stop();
      });
      return undefined;
    };
    watch(customResourceDefinitions, { add: learn, update: (_, crd) => learn(crd), delete: forget });

    every(RESYNC_MS, 'count all quotas again', (cause) => {
      for (const quota of quotaLister.list()) queue.add(keyOf(quota), cause());
    });

    return {
      async reconcile({ client }, key) {
        const quota = quotaLister.get(key);
        if (!quota) return;
        let usage: ResourceList = {};
        for (const { evaluator, list } of counted.values()) {
          if (evaluator.matching(Object.keys(quota.spec?.hard ?? {})).length === 0) continue;
          usage = addResources(usage, usageOf(evaluator, quota, list(key.namespace ?? ''), process.pump.now));
        }
        const next = planQuotaStatus(quota, usage);
        if (next !== quota) await client.updateStatus(resourceQuotas, next);
      },
    };
  },
});

const keyOfResource = ({ group, plural }: ResourceDefinition): string => `${group}/${plural}`;

/** Namespaced, and to be listed, watched, made and deleted; of a resource with two faces the one that is stored. */
function isCountable({ scope, verbs, storedAs }: ResourceDefinition): boolean {
  if (scope !== 'Namespaced' || storedAs) return false;
  return !verbs || ['create', 'list', 'watch', 'delete'].every((verb) => verbs.includes(verb));
}
