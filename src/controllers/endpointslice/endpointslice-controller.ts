import type { NamespacedName } from '#apimachinery/resource.ts';
import { StatusError } from '#apimachinery/status-error.ts';
import type { EndpointSlice, Node, Pod, Service } from '#api/generated/types.ts';
import { nodes } from '#api/core/v1/node.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { SpanId } from '#base/tracer.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import type { Lister } from '#client/indexer.ts';
import { keyOfName, nameOf } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { ControllerRateLimiter } from '#client/rate-limiter.ts';
import {
  type ControllerDeps,
  defineController,
  type ReconcileContext,
  ReconcileError,
  type Reconciler,
} from '../define-controller.ts';
import { isNamespaceTerminating } from '../namespace-terminating.ts';
import { RequestLimit } from '../request-limit.ts';
import { podEndpoint } from './pod-endpoint.ts';
import { hasEndpoint, ServicePods } from './service-pods.ts';
import { CONTROLLER_NAME, type DesiredEndpoint, planSlices, type SlicePlan } from './slice-plan.ts';
import { byServiceAndManager, MANAGED_BY, serviceKeyOf, SliceTracker } from './slice-tracker.ts';

/** After a change of a slice that is not its own the controller waits so long before it looks. */
const SLICE_CHANGE_DELAY_MS = 1000;

/** Keeps EndpointSlices of Services that select Pods. Follows pkg/controller/endpointslice, v1.33. */
export const endpointSliceController = defineController({
  name: 'endpointslice-controller',
  workers: 5,
  limiter: (clock) => new ControllerRateLimiter(clock, 1_000, 1_000_000),
  maxRetries: 15,
  create: (deps) => new EndpointSliceReconciler(deps),
});

class EndpointSliceReconciler implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #selected: ServicePods<DesiredEndpoint>;
  readonly #slices: Lister<EndpointSlice>;
  readonly #nodes: Lister<Node>;
  readonly #events: EventRecorder;
  readonly #tracker = new SliceTracker();
  readonly #limit: RequestLimit;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#limit = new RequestLimit(deps.process.clock);
    this.#events = deps.recorder('endpoint-slice-controller');
    this.#nodes = deps.watch(nodes);
    this.#selected = new ServicePods(deps);
    this.#slices = deps.watch(
      endpointSlices,
      {
        add: (slice, span) => this.#sliceChanged(slice, span),
        update: (previous, slice, span) => {
          if (serviceKeyOf(previous) !== serviceKeyOf(slice)) {
            this.#queueFor(slice, span);
            this.#queueFor(previous, span);
          } else if (isOurs(previous) !== isOurs(slice)) this.#queueFor(slice, span);
          else this.#sliceChanged(slice, span);
        },
        delete: (slice, span) => {
          if (!isOurs(slice) || !this.#tracker.has(slice)) return;
          if (!this.#tracker.handleDeletion(slice)) this.#queueFor(slice, span);
        },
      },
      byServiceAndManager,
    );
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<void> {
    const key = keyOfName(name);
    const service = this.#selected.services.get(name);
    if (!service) {
      this.#tracker.forget(key);
      return;
    }
    const selected = this.#selected.of(key);
    if (!selected) return;
    const existing = this.#slices
      .byIndex(byServiceAndManager, `${key}|${CONTROLLER_NAME}`)
      .filter(({ metadata }) => !metadata.deletionTimestamp);
    if (this.#tracker.isStale(key, existing)) throw new ReconcileError('EndpointSlice informer cache is out of date');

    const lost: Pod[] = [];
    const { changed, triggerTime } = selected.refresh(service, this.#selected.pods, (pod) => {
      if (!hasEndpoint(pod)) return undefined;
      const node = this.#nodes.get({ name: pod.spec.nodeName ?? '' });
      if (node || service.spec.publishNotReadyAddresses) return podEndpoint(pod, node, service);
      lost.push(pod);
      return undefined;
    });
    for (const pod of lost) selected.mark(keyOfName(nameOf(pod)));
    if (selected.settled && !changed && lost.length === 0) return;
    selected.settled = true;
    try {
      await this.#carryOut(ctx, service, planSlices(service, selected.values(), existing, triggerTime));
      const [pod] = lost;
      if (pod) {
        throw new ReconcileError(
          `skipping Pod ${pod.metadata.name} for Service ${key}: Node ${pod.spec.nodeName} Not Found`,
        );
      }
    } catch (error) {
      selected.settled = false;
      if (error instanceof ReconcileError) {
        const message = `Error updating Endpoint Slices for Service ${key}: ${error.message}`;
        const about = referenceTo(services, service);
        this.#events.event(about, 'Warning', 'FailedToUpdateEndpointSlices', message, ctx.span);
      }
      throw error;
    }
  }

  async #carryOut({ client }: ReconcileContext, service: Service, plan: SlicePlan): Promise<void> {
    const of = `for Service ${keyOfName(nameOf(service))}`;
    for (const slice of plan.create) {
      await this.#limit.wait();
      try {
        this.#tracker.update(await client.create(endpointSlices, slice));
      } catch (error) {
        // In a namespace that goes, nothing can be created, and need not.
        if (isNamespaceTerminating(error)) return;
        throw refused(error, `failed to create EndpointSlice ${of}`);
      }
    }
    for (const slice of plan.update) {
      await this.#limit.wait();
      try {
        this.#tracker.update(await client.update(endpointSlices, slice));
      } catch (error) {
        throw refused(error, `failed to update ${slice.metadata.name} EndpointSlice ${of}`);
      }
    }
    for (const slice of plan.delete) {
      await this.#limit.wait();
      try {
        await client.delete(endpointSlices, nameOf(slice));
      } catch (error) {
        throw refused(error, `failed to delete ${slice.metadata.name} EndpointSlice ${of}`);
      }
      this.#tracker.expectDeletion(slice);
    }
  }

  #sliceChanged(slice: EndpointSlice, span: SpanId): void {
    if (isOurs(slice) && this.#tracker.shouldSync(slice)) this.#queueFor(slice, span);
  }

  #queueFor(slice: EndpointSlice, span: SpanId): void {
    const key = serviceKeyOf(slice);
    if (key === undefined) return;
    const selected = this.#selected.of(key);
    if (selected) selected.settled = false;
    this.#deps.queue.addAfter(key, SLICE_CHANGE_DELAY_MS, span);
  }
}

function isOurs({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[MANAGED_BY] === CONTROLLER_NAME;
}

/** What the server refused, in the controller's words; other errors as they are. */
function refused(error: unknown, what: string): unknown {
  return error instanceof StatusError ? new ReconcileError(`${what}: ${error.message}`) : error;
}
