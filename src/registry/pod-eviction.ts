import { pods } from '#api/core/v1/pod.ts';
import { withPodCondition } from '#api/core/v1/pod-status.ts';
import type { DeleteOptions, Eviction, Pod } from '#api/generated/types.ts';
import type { PropagationPolicy, RequestOptions } from '#apimachinery/api-request.ts';
import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, conflict, invalid, StatusError } from '#apimachinery/status-error.ts';
import { invalidField } from '#apimachinery/validation.ts';
import type { SubresourceEndpoint } from '#apiserver/contract.ts';
import { created } from './status.ts';

/**
 * Deletes a Pod on behalf of somebody who drains its node. Follows EvictionREST of pkg/registry/core/pod/storage, v1.33;
 * there are no PodDisruptionBudgets yet that could object.
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
      if (preconditions?.resourceVersion) {
        const { resourceVersion } = marked.metadata;
        await store.delete(context, pods as unknown as ResourceDefinition, namespace, name, {
          ...options,
          preconditions: { ...preconditions, resourceVersion },
        });
        return created();
      }
    }
    await store.delete(context, pods as unknown as ResourceDefinition, namespace, name, options);
    return created();
  },
};

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
