import { addResources } from '#api/core/v1/pod-resources.ts';
import { maskResources, matchesScopes, type QuotaEvaluator, quotaEvaluator } from '#api/core/v1/quota-usage.ts';
import type { ResourceList } from '#api/core/v1/resource-list.ts';
import { resourceQuotas } from '#api/core/v1/resource-quota.ts';
import type { ResourceQuota } from '#api/generated/types.ts';
import { compareQuantities, subtractQuantities } from '#apimachinery/quantity.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectStore, RequestContext } from '#apiserver/contract.ts';
import { admissionForbidden } from './forbidden.ts';

/**
 * Charges what a request uses to the quotas of its namespace, and refuses it when one has too little left. Quotas are
 * charged one by one before the write; what a write that fails after that has been charged, the controller gives back.
 * Follows apiserver/pkg/admission/plugin/resourcequota, v1.33, without limited resources, which a configuration file would
 * have to name.
 */
export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  validate(attributes, context, store) {
    const { namespace, resource, operation, subresource, object, oldObject } = attributes;
    if (!namespace || !object || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
    if (resource.plural === 'namespaces' && resource.group === '') return undefined;
    const evaluator = quotaEvaluator(resource);
    if (!evaluator?.handles(operation, subresource, object, oldObject)) return undefined;
    const quotas = context.readAll(resourceQuotas, namespace);
    if (quotas.length === 0) return undefined;
    const changed = quotas.filter((quota) => charged(quota, evaluator, attributes, context.now) !== quota);
    if (changed.length === 0 || attributes.dryRun) return undefined;
    return charge(changed, evaluator, attributes, context, store);
  },
};

async function charge(
  quotas: readonly ResourceQuota[],
  evaluator: QuotaEvaluator,
  attributes: AdmissionAttributes,
  context: RequestContext,
  store: ObjectStore,
): Promise<void> {
  for (const { metadata } of quotas) {
    await store.update(
      context,
      resourceQuotas,
      metadata.namespace,
      metadata.name ?? '',
      (latest) => charged(latest, evaluator, attributes, context.now),
      { subresource: 'status' },
    );
  }
}

/** The quota after the request; itself when that uses nothing of it. Throws Forbidden. */
function charged(
  quota: ResourceQuota,
  evaluator: QuotaEvaluator,
  attributes: AdmissionAttributes,
  now: number,
): ResourceQuota {
  const { object, oldObject, operation, subresource } = attributes;
  if (!object) return quota;
  const { metadata, status = {} } = quota;
  const { hard = {}, used = {} } = status;
  const names = Object.keys(hard);
  const restricted = evaluator.matching(names);
  if (restricted.length === 0 || !matchesScopes(evaluator, quota, object)) return quota;
  const missing = evaluator.missing?.(restricted, object);
  if (missing) throw admissionForbidden(attributes, `failed quota: ${metadata.name}: ${missing}`);
  if (restricted.some((name) => !Object.hasOwn(used, name))) {
    const resources = restricted.toSorted().join(',');
    throw admissionForbidden(attributes, `status unknown for quota: ${metadata.name}, resources: ${resources}`);
  }
  const usage = evaluator.usage(object, now);
  const negative = Object.keys(usage).filter((name) => compareQuantities(usage[name] as string, '0') < 0);
  if (negative.length > 0) {
    throw admissionForbidden(attributes, `quota usage is negative for resource(s): ${negative.sort().join(',')}`);
  }
  const before =
    operation === 'UPDATE' && oldObject && matchesScopes(evaluator, quota, oldObject)
      ? evaluator.usage(oldObject, now)
      : {};
  const requested = maskResources(growth(usage, before), names);
  if (Object.keys(requested).length === 0) return quota;
  const next = addResources(used, requested);
  const exceeded = Object.keys(requested).filter(
    (name) => compareQuantities(next[name] as string, hard[name] as string) > 0,
  );
  if (exceeded.length > 0 && subresource !== 'status') {
    const texts = [requested, used, hard].map((list) => listed(maskResources(list, exceeded)));
    throw admissionForbidden(
      attributes,
      `exceeded quota: ${metadata.name}, requested: ${texts[0]}, used: ${texts[1]}, limited: ${texts[2]}`,
    );
  }
  return { ...quota, status: { ...status, used: next } };
}

/** By how much each amount has grown; what has not is left out. */
function growth(usage: ResourceList, before: ResourceList): ResourceList {
  const grown = Object.entries(usage).map(([name, amount]): [string, string] => [
    name,
    Object.hasOwn(before, name) ? subtractQuantities(amount, before[name] as string) : amount,
  ]);
  return Object.fromEntries(grown.filter(([, amount]) => compareQuantities(amount, '0') > 0));
}

const listed = (list: ResourceList): string =>
  Object.keys(list)
    .sort()
    .map((name) => `${name}=${list[name]}`)
    .join(',');
