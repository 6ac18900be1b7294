import { customResourceDefinitions } from '#api/apiextensions/v1/custom-resource-definition.ts';
import { servedResources } from '#api/apiextensions/v1/served-resources.ts';
import type { CustomResourceDefinition } from '#api/generated/types.ts';
import type { PropagationPolicy } from '#apimachinery/api-request.ts';
import { apiVersionOf, type ApiObject, type OwnerReference, type ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { Lru } from '#client/lru.ts';
import { retryOnConflict } from '#client/retry-on-conflict.ts';
import type { EventHandlers } from '#client/informer.ts';
import type { WorkQueue } from '#client/work-queue.ts';
import {
  type ControllerDeps,
  defineController,
  type ReconcileContext,
  ReconcileError,
  type Reconciler,
} from '../define-controller.ts';
import {
  DependencyGraph,
  FOREGROUND_FINALIZER,
  type GraphNode,
  identityKey,
  type Identity,
  ORPHAN_FINALIZER,
} from './dependency-graph.ts';

const ABSENT_CACHE = 500;
const WORKERS = 20;

/**
 * Deletes what nobody owns any more, in the background or, where the owner waits for it, in the foreground; or takes
 * the owner out of what is to be orphaned. Works for all resources that can be listed, watched and deleted, except
 * Events. Follows pkg/controller/garbagecollector, v1.33.
 */
export const garbageCollectorController = defineController({
  name: 'garbage-collector-controller',
  serviceAccount: 'generic-garbage-collector',
  workers: WORKERS,
  create: (deps) => new GarbageCollector(deps),
});

class GarbageCollector implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #graph: DependencyGraph;
  /** `apiVersion kind` → its resource. */
  readonly #resources: Map<string, ResourceDefinition>;
  /** Custom resources by the name of their definition: which, and what ends following them. */
  readonly #custom = new Map<
    string,
    { readonly resources: readonly ResourceDefinition[]; readonly stop: () => void }
  >();
  readonly #absent = new Lru<true>(ABSENT_CACHE);
  readonly #orphans: WorkQueue;
  /** The delivery that the graph is being changed for. */
  #cause: SpanId = 0;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { queue, resources, watch, addQueue } = deps;
    const events = deps.recorder();
    this.#resources = new Map(resources.map((resource) => [keyOfResource(resource), resource]));
    this.#orphans = addQueue('garbage-collector-controller-orphans', { workers: WORKERS }, (ctx, uid) =>
      this.#orphan(ctx, uid),
    );
    this.#graph = new DependencyGraph({
      attemptToDelete: ({ identity }) => queue.add(identity.uid, this.#cause),
      attemptToDeleteLater: ({ identity }) => queue.addRateLimited(identity.uid, this.#cause),
      attemptToOrphan: ({ identity }) => this.#orphans.add(identity.uid, this.#cause),
      absent: (identity) => this.#absent.set(identityKey(identity), true),
      invalidNamespace: ({ identity }, { apiVersion, kind, name, uid }) => {
        const { namespace } = identity;
        const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
        const message = `ownerRef ${owner} does not exist in namespace "${namespace}"`;
        events.event(identity, 'Warning', 'OwnerRefInvalidNamespace', message, this.#cause);
      },
    });
    for (const resource of resources.filter(isCollected)) watch(resource, this.#handlersFor(resource));
    watch(customResourceDefinitions, {
      add: (crd) => this.#followCustom(crd),
      update: (_, crd) => this.#followCustom(crd),
      delete: ({ metadata }) => this.#forgetCustom(metadata.name ?? ''),
    });
  }

  /** Follows the first version that a definition serves; owners may be named by any. */
  #followCustom(crd: CustomResourceDefinition): void {
    const { name = '' } = crd.metadata;
    const resources = servedResources(crd);
    const key = (list: readonly ResourceDefinition[]) => list.map(keyOfResource).join();
    const old = this.#custom.get(name);
    if (old && key(old.resources) === key(resources)) return;
    this.#forgetCustom(name);
    const [first] = resources;
    if (!first) return;
    for (const resource of resources) this.#resources.set(keyOfResource(resource), resource);
    this.#custom.set(name, { resources, stop: this.#deps.follow(first, this.#handlersFor(first)) });
  }

  #forgetCustom(name: string): void {
    const custom = this.#custom.get(name);
    if (!custom) return;
    this.#custom.delete(name);
    custom.stop();
    for (const resource of custom.resources) this.#resources.delete(keyOfResource(resource));
  }

  #handlersFor(resource: ResourceDefinition): EventHandlers<ApiObject> {
    const apiVersion = apiVersionOf(resource);
    const { kind } = resource;
    const upsert = (object: ApiObject, previous: ApiObject | undefined, span: SpanId) => {
      this.#cause = span;
      const { namespace = '', name = '', uid = '' } = object.metadata;
      this.#graph.upsert({ apiVersion, kind, namespace, name, uid }, object, previous);
    };
    return {
      add: (object, span) => upsert(object, undefined, span),
      update: (previous, object, span) => {
        const before = previous.metadata;
        const { ownerReferences, deletionTimestamp, finalizers } = object.metadata;
        const same = before.deletionTimestamp === deletionTimestamp && before.finalizers === finalizers;
        if (!same || before.ownerReferences !== ownerReferences) upsert(object, previous, span);
      },
      delete: (object, span) => {
        this.#cause = span;
        this.#graph.delete(object.metadata.uid ?? '');
      },
    };
  }

  /** Looks whether an object is to be deleted, by its uid. Follows attemptToDeleteItem. */
  async reconcile(ctx: ReconcileContext, { name: uid }: { readonly name: string }): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node || (node.beingDeleted && !node.deletingDependents)) return;
    const { identity } = node;
    const wasVirtual = node.virtual;
    const latest = await this.#read(ctx.client, identity);
    if (latest === 'invalid') return;
    this.#cause = ctx.span;
    if (latest?.metadata.uid !== uid) {
      this.#graph.confirmAbsent(identity);
      return;
    }
    if (node.deletingDependents) await this.#deleteDependents(ctx, node);
    else if (latest.metadata.ownerReferences?.length) await this.#considerDeleting(ctx, node, latest);
    // What exists and no informer has shown may vanish unseen: look again until one has.
    if (wasVirtual && this.#graph.get(uid)?.virtual)
      throw new ReconcileError(`${identity.kind} ${identity.name} has not been observed yet`);
  }

  async #considerDeleting(ctx: ReconcileContext, node: GraphNode, latest: ApiObject): Promise<void> {
    const solid: OwnerReference[] = [];
    const dangling: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const owner of latest.metadata.ownerReferences ?? []) {
      const found = await this.#owner(ctx.client, node.identity, owner);
      if (found === 'invalid') return;
      if (!found) dangling.push(owner);
      else if (found.metadata.deletionTimestamp && found.metadata.finalizers?.includes(FOREGROUND_FINALIZER))
        waiting.push(owner);
      else solid.push(owner);
    }
    const { identity } = node;
    this.#cause = ctx.span;
    if (solid.length > 0) {
      if (dangling.length + waiting.length > 0) await this.#dropOwners(ctx.client, identity, [...dangling, ...waiting]);
      return;
    }
    if (waiting.length > 0 && node.dependents.size > 0) {
      if ([...node.dependents].some(({ deletingDependents }) => deletingDependents))
        await this.#unblockOwners(ctx.client, node);
      await this.#delete(ctx.client, identity, 'Foreground');
      return;
    }
    const finalizers = latest.metadata.finalizers ?? [];
    let policy: PropagationPolicy = 'Background';
    if (finalizers.includes(ORPHAN_FINALIZER)) policy = 'Orphan';
    else if (finalizers.includes(FOREGROUND_FINALIZER)) policy = 'Foreground';
    await this.#delete(ctx.client, identity, policy);
  }

  async #deleteDependents(ctx: ReconcileContext, node: GraphNode): Promise<void> {
    const blocking = this.#graph.blocking(node);
    for (const { deletingDependents, identity } of blocking) {
      if (!deletingDependents) this.#deps.queue.add(identity.uid, ctx.span);
    }
    if (blocking.length === 0) await this.#removeFinalizer(ctx.client, node.identity, FOREGROUND_FINALIZER);
  }

  async #orphan(ctx: ReconcileContext, uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node) return;
    const owner = { apiVersion: '', kind: '', name: '', uid };
    for (const { identity } of [...node.dependents]) {
      try {
        await this.#dropOwners(ctx.client, identity, [owner]);
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
    await this.#removeFinalizer(ctx.client, node.identity, ORPHAN_FINALIZER);
  }

  /** The owner that a reference means; undefined when there is none. */
  async #owner(
    client: Client,
    dependent: Identity,
    reference: OwnerReference,
  ): Promise<ApiObject | 'invalid' | undefined> {
    const { apiVersion, kind, name, uid } = reference;
    const inNamespace = { apiVersion, kind, namespace: dependent.namespace, name, uid };
    const known = [{ ...inNamespace, namespace: '' }, inNamespace].some((identity) =>
      this.#absent.get(identityKey(identity)),
    );
    if (known) return undefined;
    const owner = await this.#read(client, inNamespace);
    if (owner === 'invalid' || owner?.metadata.uid === uid) return owner;
    const namespace = this.#resource(inNamespace).scope === 'Namespaced' ? dependent.namespace : '';
    this.#absent.set(identityKey({ ...inNamespace, namespace }), true);
    return undefined;
  }

  /** The object as the server has it; 'invalid': it cannot be, a namespaced one is named without its namespace. */
  async #read(client: Client, identity: Identity): Promise<ApiObject | 'invalid' | undefined> {
    const resource = this.#resource(identity);
    if (resource.scope === 'Namespaced' && identity.namespace === '') return 'invalid';
    try {
      return await client.get(resource, identity);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #resource({ apiVersion, kind }: Identity): ResourceDefinition {
    const resource = this.#resources.get(`${apiVersion} ${kind}`);
    if (!resource) throw new ReconcileError(`unable to map kind "${kind}" of ${apiVersion} to a resource`);
    return resource;
  }

  async #delete(client: Client, identity: Identity, propagationPolicy: PropagationPolicy): Promise<void> {
    try {
      await client.delete(this.#resource(identity), identity, {
        propagationPolicy,
        preconditions: { uid: identity.uid },
      });
    } catch (error) {
      // Gone, or another by that name: its deletion is on its way here.
      if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
    }
  }

  async #dropOwners(client: Client, identity: Identity, owners: readonly OwnerReference[]): Promise<void> {
    const ownerReferences = owners.map(({ uid }) => ({ $patch: 'delete', uid }));
    await this.#patchOwners(client, identity, ownerReferences);
  }

  async #unblockOwners(client: Client, { identity, owners }: GraphNode): Promise<void> {
    const blocking = owners.filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true);
    await this.#patchOwners(
      client,
      identity,
      blocking.map((owner) => ({ ...owner, blockOwnerDeletion: false })),
    );
  }

  async #patchOwners(client: Client, identity: Identity, ownerReferences: readonly object[]): Promise<void> {
    const patch = { metadata: { uid: identity.uid, ownerReferences } };
    await client.patch(this.#resource(identity), identity, 'application/strategic-merge-patch+json', patch);
  }

  async #removeFinalizer(client: Client, identity: Identity, finalizer: string): Promise<void> {
    await retryOnConflict(this.#deps.process, async () => {
      const latest = await this.#read(client, identity);
      if (!latest || latest === 'invalid' || !latest.metadata.finalizers?.includes(finalizer)) return;
      const { resourceVersion, finalizers } = latest.metadata;
      const patch = { metadata: { resourceVersion, finalizers: finalizers.filter((other) => other !== finalizer) } };
      await client.patch(this.#resource(identity), identity, 'application/merge-patch+json', patch);
    });
  }
}

const keyOfResource = (resource: ResourceDefinition): string => `${apiVersionOf(resource)} ${resource.kind}`;

function isCollected({ group, plural, verbs }: ResourceDefinition): boolean {
  if (plural === 'events' && (group === '' || group === 'events.k8s.io')) return false;
  return !verbs || ['delete', 'list', 'watch'].every((verb) => verbs.includes(verb));
}
