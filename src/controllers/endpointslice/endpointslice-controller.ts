import type { NamespacedName } from '#apimachinery/resource.ts';
import type { EndpointSlice, Node, Pod, Service } from '#api/generated/types.ts';
import { nodes } from '#api/core/v1/node.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { SpanId } from '#base/tracer.ts';
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
import { type AssignHints, trafficHints } from './slice-hints.ts';
import { type HintsEvent, isZoneChanged, TopologyHints, wantsTopologyHints } from './topology-hints.ts';

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
  readonly #topology: TopologyHints;

  constructor(deps: ControllerDeps) {
    this.#writer = new SliceWriter(CONTROLLER_NAME, deps.process.clock);
    this.#events = deps.recorder('endpoint-slice-controller');
    this.#topology = new TopologyHints(() => this.#nodes.list());
    const nodeChanged = (_: Node, span: SpanId) => {
      for (const key of this.#topology.nodesChanged()) {
        this.#unsettle(key);
        deps.queue.add(key, span);
      }
    };
    this.#nodes = deps.watch(nodes, {
      add: nodeChanged,
      update: (previous, node, span) => {
        if (isZoneChanged(previous, node)) nodeChanged(node, span);
      },
      delete: nodeChanged,
    });
    this.#selected = new ServicePods(deps);
    this.#slices = deps.watch(
      endpointSlices,
      this.#writer.handlers((key, span) => {
        this.#unsettle(key);
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
      this.#topology.forget(key);
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
      const hints = this.#hintsFor(ctx, key, service);
      const plan = planSlices(service, selected.values(), existing, triggerTime, hints);
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

  #hintsFor({ span }: ReconcileContext, key: string, service: Service): AssignHints {
    const say = ({ type, reason, message }: HintsEvent) =>
      this.#events.event(referenceTo(services, service), type, reason, message, span);
    if (wantsTopologyHints(service)) return this.#topology.assign(key, say);
    if (this.#topology.forget(key)) {
      const message = 'Topology Aware Hints has been disabled, addressType: IPv4';
      say({ type: 'Warning', reason: 'TopologyAwareHintsDisabled', message });
    }
    return trafficHints(service);
  }

  /** Has the Service's slices looked at, whether or not its Pods changed. */
  #unsettle(key: string): void {
    const selected = this.#selected.of(key);
    if (selected) selected.settled = false;
  }
}
