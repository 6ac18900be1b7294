import { jsonEqual } from '#apimachinery/equal.ts';
import type { NamespacedName } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Node, Service, ServiceSpec } from '#api/generated/types.ts';
import { nodes } from '#api/core/v1/node.ts';
import { services } from '#api/core/v1/service.ts';
import type { SpanId } from '#base/tracer.ts';
import type { EventType } from '#client/event.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import type { Lister } from '#client/indexer.ts';
import { keyOf, keyOfName, nameOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { ControllerRateLimiter } from '#client/rate-limiter.ts';
import type { WorkQueue } from '#client/work-queue.ts';
import {
  type ControllerDeps,
  defineController,
  type ReconcileContext,
  ReconcileError,
  type Reconciler,
} from '../define-controller.ts';
import { LoadBalancers } from './load-balancers.ts';

const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler';
const PATCH = 'application/strategic-merge-patch+json';

/**
 * Gives Services of type LoadBalancer an address, where the cluster has a cloud that does (`loadBalancerCIDR`). Follows
 * staging/src/k8s.io/cloud-provider/controllers/service, v1.33. Differs from upstream: it is one of
 * kube-controller-manager's controllers, not a cloud-controller-manager's.
 */
export const serviceLBController = defineController({
  name: 'service-lb-controller',
  serviceAccount: 'service-controller',
  limiter: (clock) => new ControllerRateLimiter(clock, 5_000, 300_000),
  create: (deps) => {
    const { loadBalancerCIDR } = deps.config;
    return loadBalancerCIDR ? new LoadBalancerReconciler(deps, loadBalancerCIDR) : { reconcile: async () => {} };
  },
});

class LoadBalancerReconciler implements Reconciler {
  readonly #services: Lister<Service>;
  readonly #nodes: Lister<Node>;
  readonly #events: EventRecorder;
  readonly #cloud: LoadBalancers;
  /** Services as they were synced last, for what is left to do when they are gone. */
  readonly #synced = new Map<string, Service>();
  /** The Nodes behind the load balancer of each of them. */
  readonly #hosts = new Map<string, string>();

  constructor(deps: ControllerDeps, cidr: string) {
    this.#cloud = new LoadBalancers(cidr);
    this.#events = deps.recorder('service-controller');
    const add = (service: Service, span: SpanId) => {
      this.#cloud.adopt(service);
      if (wantsLoadBalancer(service) || needsCleanup(service)) deps.queue.add(keyOf(service), span);
    };
    this.#services = deps.watch(services, {
      add,
      update: (previous, service, span) => {
        if (needsUpdate(previous, service) || needsCleanup(service)) deps.queue.add(keyOf(service), span);
      },
      delete: (service, span) => {
        if (this.#synced.has(keyOf(service))) deps.queue.add(keyOf(service), span);
      },
    });
    const nodeQueue: WorkQueue = deps.addQueue('service-lb-controller nodes', {}, (ctx) => this.#syncNodes(ctx));
    const nodeChanged = (_: Node, span: SpanId) => {
      if (this.#synced.size > 0) nodeQueue.add('nodes', span);
    };
    this.#nodes = deps.watch(nodes, {
      add: nodeChanged,
      update: (previous, node, span) => {
        if (isExcluded(previous) !== isExcluded(node) || previous.spec?.providerID !== node.spec?.providerID) {
          nodeChanged(node, span);
        }
      },
      delete: nodeChanged,
    });
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<void> {
    const key = keyOfName(name);
    const service = this.#services.get(name);
    const before = this.#synced.get(key);
    if (before && before.metadata.uid !== service?.metadata.uid) this.#deleteWithout(ctx, key, before);
    if (!service) return;
    this.#synced.set(key, service);
    try {
      if (wantsLoadBalancer(service) && !needsCleanup(service)) await this.#ensure(ctx, key, service);
      else {
        await this.#delete(ctx, service);
        this.#forget(key);
      }
    } catch (error) {
      if (error instanceof StatusError || error instanceof ReconcileError) {
        this.#say(ctx, service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${error.message}`);
      }
      throw error;
    }
  }

  async #ensure(ctx: ReconcileContext, key: string, service: Service): Promise<void> {
    this.#say(ctx, service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
    if (!hasFinalizer(service)) {
      await this.#patch(ctx, service, { metadata: { finalizers: [FINALIZER] } }, 'add load balancer cleanup finalizer');
    }
    const hosts = this.#currentHosts();
    if (hosts === '') this.#sayNoHosts(ctx, service);
    this.#hosts.set(key, hosts);
    let ip: string;
    try {
      ip = this.#cloud.ensure(service);
    } catch (error) {
      if (!(error instanceof ReconcileError)) throw error;
      throw new ReconcileError(`failed to ensure load balancer: ${error.message}`);
    }
    this.#say(ctx, service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
    const { ingress = [] } = service.status?.loadBalancer ?? {};
    if (ingress.length === 1 && ingress[0]?.ip === ip) return;
    await this.#patchStatus(ctx, service, [{ ip }]);
  }

  async #delete(ctx: ReconcileContext, service: Service): Promise<void> {
    if (this.#cloud.has(service)) {
      this.#say(ctx, service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
      this.#cloud.release(service);
    }
    if (hasFinalizer(service)) {
      const body = { metadata: { '$deleteFromPrimitiveList/finalizers': [FINALIZER] } };
      await this.#patch(ctx, service, body, 'remove load balancer cleanup finalizer');
    }
    this.#say(ctx, service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
    if (service.status?.loadBalancer?.ingress?.length) await this.#patchStatus(ctx, service, null);
  }

  /** The Service went without waiting for its load balancer. */
  #deleteWithout(ctx: ReconcileContext, key: string, service: Service): void {
    this.#forget(key);
    if (!wantsLoadBalancer(service)) return;
    this.#say(ctx, service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
    this.#cloud.release(service);
    this.#say(ctx, service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
  }

  async #syncNodes(ctx: ReconcileContext): Promise<void> {
    const hosts = this.#currentHosts();
    for (const [key, service] of this.#synced) {
      if (!wantsLoadBalancer(service) || this.#hosts.get(key) === hosts) continue;
      this.#hosts.set(key, hosts);
      if (hosts === '') this.#sayNoHosts(ctx, service);
      else this.#say(ctx, service, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts');
    }
  }

  #currentHosts(): string {
    return this.#nodes
      .list()
      .filter((node) => !node.metadata.deletionTimestamp && !isExcluded(node) && !isToBeDeleted(node))
      .map(({ metadata, spec }) => `${metadata.name}=${spec?.providerID ?? ''}`)
      .toSorted()
      .join();
  }

  #forget(key: string): void {
    this.#synced.delete(key);
    this.#hosts.delete(key);
  }

  /** A Service that is gone by now has no status to be told. */
  async #patchStatus(ctx: ReconcileContext, service: Service, ingress: unknown): Promise<void> {
    try {
      await this.#patch(ctx, service, { status: { loadBalancer: { ingress } } }, 'update load balancer status');
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  async #patch({ client }: ReconcileContext, service: Service, body: object, what: string): Promise<void> {
    try {
      await client.patch(services, nameOf(service), PATCH, body, { subresource: 'status' });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const Failure = isStatus(error, 'NotFound') ? NotFoundError : ReconcileError;
      throw new Failure(`failed to ${what}: ${error.message}`);
    }
  }

  #say({ span }: ReconcileContext, service: Service, type: EventType, reason: string, message: string): void {
    this.#events.event(referenceTo(services, service), type, reason, message, span);
  }

  #sayNoHosts(ctx: ReconcileContext, service: Service): void {
    this.#say(ctx, service, 'Warning', 'UnAvailableLoadBalancer', 'There are no available nodes for LoadBalancer');
  }
}

class NotFoundError extends ReconcileError {}

/** Load balancers of a class are somebody else's. */
function wantsLoadBalancer({ spec }: Service): boolean {
  return spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined;
}

function hasFinalizer({ metadata }: Service): boolean {
  return metadata.finalizers?.includes(FINALIZER) ?? false;
}

function needsCleanup(service: Service): boolean {
  const { metadata, spec } = service;
  return hasFinalizer(service) && (metadata.deletionTimestamp !== undefined || spec.type !== 'LoadBalancer');
}

/** What of a Service a load balancer has to be told. */
const RELEVANT: readonly (keyof ServiceSpec)[] = [
  'loadBalancerSourceRanges',
  'ports',
  'sessionAffinity',
  'sessionAffinityConfig',
  'loadBalancerIP',
  'externalIPs',
  'externalTrafficPolicy',
  'healthCheckNodePort',
  'ipFamilies',
];

function needsUpdate(previous: Service, service: Service): boolean {
  if (wantsLoadBalancer(previous) !== wantsLoadBalancer(service)) return true;
  if (!wantsLoadBalancer(service)) return false;
  return (
    !jsonEqual(previous.metadata.annotations, service.metadata.annotations) ||
    RELEVANT.some((field) => !jsonEqual(previous.spec[field], service.spec[field]))
  );
}

function isExcluded({ metadata }: Node): boolean {
  return Object.hasOwn(metadata.labels ?? {}, EXCLUDED);
}

function isToBeDeleted({ spec }: Node): boolean {
  return spec?.taints?.some(({ key }) => key === TO_BE_DELETED) ?? false;
}
