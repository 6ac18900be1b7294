import { customResourceDefinitions } from '#api/apiextensions/v1/custom-resource-definition.ts';
import { servedResources } from '#api/apiextensions/v1/served-resources.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Namespace, Pod } from '#api/generated/types.ts';
import { KUBERNETES_FINALIZER, namespaces } from '#api/core/v1/namespace.ts';
import { pods } from '#api/core/v1/pod.ts';
import { type Clock, formatTime, parseTime } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { keyOf } from '#client/key.ts';
import { ControllerRateLimiter } from '#client/rate-limiter.ts';
import { defineController, ReconcileError, type ReconcileResult } from '../define-controller.ts';
import { planNamespaceConditions } from './namespace-conditions.ts';

/** Time for everybody to notice that the namespace is ending, so that nothing is created behind the controller's back. */
const DELETION_GRACE_MS = 5_000;
/** How long objects with finalizers are given. */
const FINALIZER_ESTIMATE_SECONDS = 15;

/**
 * Empties namespaces that are being deleted, Pods first, and lets go of them when nothing is left. Follows
 * pkg/controller/namespace, v1.33, with OrderedNamespaceDeletion.
 */
export const namespaceController = defineController({
  name: 'namespace-controller',
  workers: 10,
  // Retries come at least every minute: there are few namespaces.
  limiter: (clock) => new ControllerRateLimiter(clock, 5, 60_000),
  create({ process, queue, watch, resources }) {
    const changed = (namespace: Namespace, span: SpanId) => {
      if (namespace.metadata.deletionTimestamp) queue.addAfter(keyOf(namespace), DELETION_GRACE_MS, span);
    };
    const lister = watch(namespaces, { add: changed, update: (_, namespace, span) => changed(namespace, span) });
    const definitions = watch(customResourceDefinitions);
    const deletable = (): ResourceDefinition[] =>
      [...resources, ...definitions.list().flatMap((crd) => servedResources(crd).slice(0, 1))].filter(
        ({ scope, verbs }) => scope === 'Namespaced' && (!verbs || verbs.includes('delete')),
      );
    return {
      async reconcile({ client }, { name }) {
        if (!lister.get({ name })) return;
        try {
          return await deleteNamespace(client, process.clock, name, deletable());
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      },
    };
  },
});

async function deleteNamespace(
  client: Client,
  clock: Clock,
  name: string,
  resources: readonly ResourceDefinition[],
): Promise<ReconcileResult | void> {
  let namespace = await client.get(namespaces, { name });
  if (!namespace.metadata.deletionTimestamp) return;
  namespace = await untilNoConflict(client, namespace, async (latest) =>
    latest.status?.phase === 'Terminating'
      ? latest
      : client.updateStatus(namespaces, { ...latest, status: { ...latest.status, phase: 'Terminating' } }),
  );
  if (!namespace.spec.finalizers?.length) return;

  const { remaining, finalizers, errors, estimateSeconds } = await deleteContent(client, clock, namespace, resources);
  const now = formatTime(clock.now());
  const conditions = planNamespaceConditions(
    namespace.status?.conditions ?? [],
    { remaining, finalizers, errors },
    now,
  );
  if (conditions) {
    try {
      const status = { ...namespace.status, conditions };
      namespace = await client.updateStatus(namespaces, { ...namespace, status });
    } catch (error) {
      // Conditions only inform; the next round writes them.
      if (!(error instanceof StatusError)) throw error;
    }
  }
  if (errors.length > 0) throw new ReconcileError(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  if (estimateSeconds > 0) return { requeueAfterMs: (Math.floor(estimateSeconds / 2) + 1) * 1000 };
  await untilNoConflict(client, namespace, (latest) => {
    const kept = (latest.spec.finalizers ?? []).filter((finalizer) => finalizer !== KUBERNETES_FINALIZER).sort();
    return client.updateSubresource(namespaces, { ...latest, spec: { ...latest.spec, finalizers: kept } }, 'finalize');
  });
}

interface Content {
  readonly remaining: Map<string, number>;
  readonly finalizers: Map<string, number>;
  readonly errors: string[];
  estimateSeconds: number;
}

async function deleteContent(
  client: Client,
  clock: Clock,
  namespace: Namespace,
  resources: readonly ResourceDefinition[],
): Promise<Content> {
  const content: Content = { remaining: new Map(), finalizers: new Map(), errors: [], estimateSeconds: 0 };
  const isPods = ({ group, plural }: ResourceDefinition) => group === '' && plural === 'pods';
  const podsResource = resources.find(isPods);
  if (podsResource) {
    await deleteKind(client, clock, namespace, podsResource, content);
    if (content.remaining.size > 0) {
      // As in v1.33, the conditions do not count Pods that hold up the rest.
      return { ...content, remaining: new Map(), finalizers: new Map() };
    }
  }
  for (const resource of resources) {
    if (!isPods(resource)) await deleteKind(client, clock, namespace, resource, content);
  }
  return content;
}

async function deleteKind(
  client: Client,
  clock: Clock,
  { metadata: { name: namespace = '', deletionTimestamp = '' } }: Namespace,
  resource: ResourceDefinition,
  content: Content,
): Promise<void> {
  try {
    let estimateSeconds = 0;
    if (resource.plural === 'pods' && resource.group === '') {
      const { items } = await client.list(pods, { namespace });
      estimateSeconds = podsGraceSeconds(items);
      if (clock.now() - parseTime(deletionTimestamp) >= estimateSeconds * 1000) estimateSeconds = 0;
    }
    await deleteAll(client, resource, namespace);
    const { items } = await client.list(resource, { namespace });
    if (items.length === 0) return;
    content.remaining.set(`${resource.plural}.${resource.group}`, items.length);
    let held = false;
    for (const finalizer of items.flatMap(({ metadata }) => metadata.finalizers ?? [])) {
      held = true;
      content.finalizers.set(finalizer, (content.finalizers.get(finalizer) ?? 0) + 1);
    }
    if (estimateSeconds === 0 && held) estimateSeconds = FINALIZER_ESTIMATE_SECONDS;
    content.estimateSeconds = Math.max(content.estimateSeconds, estimateSeconds);
    if (estimateSeconds === 0) {
      const gvr = `${resource.group}/${resource.version}, Resource=${resource.plural}`;
      content.errors.push(`unexpected items still remain in namespace: ${namespace} for gvr: ${gvr}`);
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    content.errors.push(error.message);
  }
}

async function deleteAll(client: Client, resource: ResourceDefinition, namespace: string): Promise<void> {
  if (!resource.verbs || resource.verbs.includes('deletecollection')) {
    await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background' });
    return;
  }
  const { items } = await client.list<ApiObject>(resource, { namespace });
  for (const { metadata } of items) {
    try {
      await client.delete(resource, { namespace, name: metadata.name ?? '' }, { propagationPolicy: 'Background' });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}

/** How long the Pods may take to end: the longest grace period of those that run. */
export function podsGraceSeconds(items: readonly Pod[]): number {
  return items
    .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
    .reduce((longest, { spec }) => Math.max(longest, spec.terminationGracePeriodSeconds ?? 0), 0);
}

async function untilNoConflict(
  client: Client,
  namespace: Namespace,
  write: (latest: Namespace) => Promise<Namespace>,
): Promise<Namespace> {
  for (let latest = namespace; ; ) {
    try {
      return await write(latest);
    } catch (error) {
      if (!isStatus(error, 'Conflict')) throw error;
    }
    latest = await client.get(namespaces, { name: namespace.metadata.name ?? '' });
    if (latest.metadata.uid !== namespace.metadata.uid)
      throw new ReconcileError('namespace uid has changed across retries');
  }
}
