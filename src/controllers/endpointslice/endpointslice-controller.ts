import type { NamespacedName } from '#apimachinery/resource.ts';
import type { EndpointSlice, Node, Pod } from '#api/generated/types.ts';
import { nodes } from '#api/core/v1/node.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import type { Lister } from '#client/indexer.ts';
import { keyOf, keyOfName } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { ControllerRateLimiter } from '#client/rate-limiter.ts';
import {
  type ControllerDeps,
  defineController,
  type ReconcileContext,
  ReconcileError,
  type Reconciler,
} from '../define-controller.ts';
import { podEndpoint } from './pod-endpoint.ts';
import { hasEndpoint, ServicePods } from './service-pods.ts';
import { CONTROLLER_NAME, type DesiredEndpoint, planSlices } from './slice-plan.ts';
import { byServiceAndManager } from './slice-tracker.ts';
import { SliceWriter } from './slice-writer.ts';

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
  readonly #selected: ServicePods<DesiredEndpoint>;
  readonly #slices: Lister<EndpointSlice>;
  readonly #nodes: Lister<Node>;
  readonly #events: EventRecorder;
  readonly #writer: SliceWriter;

  constructor(deps: ControllerDeps) {
    this.#writer = new SliceWriter(CONTROLLER_NAME, deps.process.clock);
    this.#events = deps.recorder('endpoint-slice-controller');
    this.#nodes = deps.watch(nodes);
    this.#selected = new ServicePods(deps);
    this.#slices = deps.watch(
      endpointSlices,
      this.#writer.handlers((key, span) => {
        const selected = this.#selected.of(key);
        if (selected) selected.settled = false;
        deps.queue.addAfter(key, SLICE_CHANGE_DELAY_MS, span);
      }),
      byServiceAndManager,
    );
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<void> {
    const key = keyOfName(name);
    const service = this.#selected.services.get(name);
    if (!service) {
      this.#writer.forget(key);
      return;
    }
    const selected = this.#selected.of(key);
    if (!selected) return;
    const existing = this.#slices
      .byIndex(byServiceAndManager, `${key}|${CONTROLLER_NAME}`)
      .filter(({ metadata }) => !metadata.deletionTimestamp);
    if (this.#writer.isStale(key, existing)) throw new ReconcileError('EndpointSlice informer cache is out of date');

    const lost: Pod[] = [];
    const { changed, triggerTime } = selected.refresh(service, this.#selected.pods, (pod) => {
      if (!hasEndpoint(pod)) return undefined;
      const node = this.#nodes.get({ name: pod.spec.nodeName ?? '' });
      if (node || service.spec.publishNotReadyAddresses) return podEndpoint(pod, node, service);
      lost.push(pod);
      return undefined;
    });
    for (const pod of lost) selected.mark(keyOf(pod));
    if (selected.settled && !changed && lost.length === 0) return;
    selected.settled = true;
    try {
      const plan = planSlices(service, selected.values(), existing, triggerTime);
      await this.#writer.carryOut(ctx.client, plan, `Service ${key}`);
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
}
