import { pods } from '#api/core/v1/pod.ts';
import { isPodReady, isPodTerminal, withPodCondition } from '#api/core/v1/pod-status.ts';
import type { DeleteOptions, Eviction, Pod } from '#api/generated/types.ts';
import { podDisruptionBudgets } from '#api/policy/v1/pod-disruption-budget.ts';
import { guards } from '#api/policy/v1/disruption-budget-status.ts';
import type { PropagationPolicy, RequestOptions } from '#apimachinery/api-request.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, conflict, invalid, isStatus, StatusError } from '#apimachinery/status-error.ts';
import { invalidField } from '#apimachinery/validation.ts';
import type { ObjectStore, RequestContext, SubresourceEndpoint } from '#apiserver/contract.ts';
import { allowsMissing, takeDisruption, tooManyRequests } from './disruption-budget.ts';
import { created } from './status.ts';

/** How often somebody else may be faster. */
const ATTEMPTS = 20;

/**
 * Deletes a Pod on behalf of somebody who drains its node, if its PodDisruptionBudget allows it. Follows EvictionREST of
 * pkg/registry/core/pod/storage, v1.33.
 */
export const podEviction: SubresourceEndpoint = {
  resource: pods as unknown as ResourceDefinition,
  subresource: 'eviction',
  kind: { group: 'policy', version: 'v1', kind: 'Eviction', schema: 'io.k8s.api.policy.v1.Eviction' },
  verbs: ['create'],
  async create(context, store) {
    const { request } = context;
    const { namespace, name = '' } = request;
    const { metadata, deleteOptions = {} } = request.object as Eviction;
    if (metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object');
    if (deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential) {
      const path = 'deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential';
      const message = 'can not be set for pod eviction, try after removing the option';
      throw invalid({ group: 'policy', kind: 'Eviction' }, name, [invalidField(path, true, message)]);
    }
    const options = optionsOf(deleteOptions, request.options.dryRun === true);
    let pod = store.get(pods, namespace, name);
    for (let attempt = 1; ignoresBudgets(pod); attempt++) {
      const isOver = isPodTerminal(pod) || pod.metadata.deletionTimestamp !== undefined;
      try {
        await remove(context, store, isOver ? options : unchanged(options, pod));
        return created();
      } catch (error) {
        const isFinal = options.preconditions?.resourceVersion || attempt === ATTEMPTS;
        if (!isStatus(error, 'Conflict') || isFinal) throw error;
      }
      pod = store.get(pods, namespace, name);
    }

    const [budget, ...others] = context
      .readAll(podDisruptionBudgets, namespace)
      .filter((candidate) => guards(candidate, pod));
    if (others.length > 0)
      throw new StatusError(
        500,
        '',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      );
    if (budget && !isPodReady(pod) && allowsMissing(budget)) {
      // It must not have become ready meanwhile.
      try {
        await remove(context, store, unchanged(options, pod));
      } catch (error) {
        if (!isStatus(error, 'Conflict') || options.preconditions?.resourceVersion) throw error;
        throw tooManyRequests(budget.metadata.name ?? '');
      }
      return created();
    }
    if (budget) await takeDisruption(context, store, budget, name, options.dryRun === true);
    await remove(context, store, options);
    return created();
  },
};

/** Whether it does not matter to a budget that the Pod goes. */
const ignoresBudgets = (pod: Pod): boolean =>
  isPodTerminal(pod) || pod.status?.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;

/** The options, for the Pod as it is now only. */
const unchanged = (options: RequestOptions, { metadata: { resourceVersion } }: Pod): RequestOptions =>
  options.preconditions?.resourceVersion
    ? options
    : { ...options, preconditions: { ...options.preconditions, resourceVersion } };

/** Says in the Pod's status why it goes, and deletes it. */
async function remove(context: RequestContext, store: ObjectStore, given: RequestOptions): Promise<void> {
  const { namespace, name = '' } = context.request;
  let options = given;
  const { preconditions } = options;
  if (!options.dryRun) {
    const mark = (pod: Pod): Pod => {
      checkPreconditions(pod, preconditions);
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      };
      return { ...pod, status: withPodCondition(pod.status ?? {}, condition, context.now) };
    };
    const marked = await store.update(context, pods, namespace, name, mark, { subresource: 'status' });
    const { resourceVersion } = marked.metadata;
    if (preconditions?.resourceVersion) options = { ...options, preconditions: { ...preconditions, resourceVersion } };
  }
  await store.delete(context, pods as unknown as ResourceDefinition, namespace, name, options);
}
function optionsOf(given: DeleteOptions, dryRun: boolean): RequestOptions {
  const { gracePeriodSeconds, preconditions, propagationPolicy, orphanDependents, dryRun: own = [] } = given;
  if (own.some((value) => value !== 'All')) {
    const asked = dryRun ? '[All]' : '[]';
    const message = `Non-matching dry-run options in request and content: ${asked} and [${own.join(' ')}]`;
    throw new StatusError(500, '', message);
  }
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions ? { preconditions } : {}),
    ...(propagationPolicy ? { propagationPolicy: propagationPolicy as PropagationPolicy } : {}),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(dryRun || own.length > 0 ? { dryRun: true } : {}),
  };
}

function checkPreconditions({ metadata }: Pod, preconditions: RequestOptions['preconditions']): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const failed = (why: string) => conflict({ group: '', plural: 'Pod' }, metadata.name ?? '', why);
  if (uid && uid !== metadata.uid) {
    throw failed(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw failed(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}
