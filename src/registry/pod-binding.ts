import { pods } from '#api/core/v1/pod.ts';
import { withPodCondition } from '#api/core/v1/pod-status.ts';
import { bindings } from '#api/core/v1/binding.ts';
import type { Binding, Pod } from '#api/generated/types.ts';
import type { FieldError } from '#apimachinery/field-error.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { badRequest, conflict, StatusError } from '#apimachinery/status-error.ts';
import { notSupported, required } from '#apimachinery/validation.ts';
import type { ObjectStore, RequestContext, SubresourceEndpoint, VirtualResource } from '#apiserver/contract.ts';
import { created } from './status.ts';

/** Puts a Pod on a node, once. Follows BindingREST of pkg/registry/core/pod/storage, v1.33. */
export const podBinding: SubresourceEndpoint = {
  resource: pods as unknown as ResourceDefinition,
  subresource: 'binding',
  kind: { group: '', version: 'v1', kind: 'Binding', schema: 'io.k8s.api.core.v1.Binding' },
  verbs: ['create'],
  create(context, store) {
    const { name, object } = context.request;
    if (object?.metadata.name !== name) throw badRequest('name in URL does not match name in Binding object');
    return bind(context, store, object as Binding);
  },
};

/** The same with a Binding that names its Pod. Follows LegacyBindingREST, v1.33. */
export const legacyBinding: VirtualResource = {
  resource: bindings as unknown as ResourceDefinition,
  create: (context, store) => bind(context, store, context.request.object as Binding),
};

async function bind(context: RequestContext, store: ObjectStore, binding: Binding): Promise<ApiObject> {
  const { metadata, target } = binding;
  const { name = '' } = metadata;
  validate(binding);
  const assign = (pod: Pod): Pod => {
    if (metadata.uid && metadata.uid !== pod.metadata.uid) throw preconditionFailed(pod, 'UID', metadata.uid);
    if (metadata.resourceVersion && metadata.resourceVersion !== pod.metadata.resourceVersion) {
      throw preconditionFailed(pod, 'ResourceVersion', metadata.resourceVersion);
    }
    const why = unassignable(pod);
    if (why) throw conflict({ group: '', plural: 'pods/binding' }, name, why);
    const annotations = metadata.annotations ? { ...pod.metadata.annotations, ...metadata.annotations } : undefined;
    return {
      ...pod,
      metadata: annotations ? { ...pod.metadata, annotations } : pod.metadata,
      spec: { ...pod.spec, nodeName: target.name },
      status: withPodCondition(pod.status ?? {}, { type: 'PodScheduled', status: 'True' }, context.now),
    };
  };
  await store.update(context, pods, context.request.namespace, name, assign, { unchecked: true });
  return created();
}

function validate({ target }: Binding): void {
  const errors: FieldError[] = [];
  if (target.kind && target.kind !== 'Node') errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']));
  if (!target.name) errors.push(required('target.name'));
  if (errors.length === 0) return;
  const texts = errors.map(({ field, text }) => `${field}: ${text}`);
  // Upstream forgets to make this an Invalid error.
  throw new StatusError(500, '', texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`);
}

function unassignable({ metadata, spec }: Pod): string | undefined {
  if (metadata.deletionTimestamp) return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
  if (spec.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`;
  if (spec.schedulingGates?.length) return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
  return undefined;
}

function preconditionFailed({ metadata }: Pod, what: 'UID' | 'ResourceVersion', wanted: string): StatusError {
  const found = (what === 'UID' ? metadata.uid : metadata.resourceVersion) ?? '';
  return conflict(
    pods,
    metadata.name ?? '',
    `StorageError: invalid object, Code: 4, Key: /registry/pods/${metadata.namespace}/${metadata.name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`,
  );
}
