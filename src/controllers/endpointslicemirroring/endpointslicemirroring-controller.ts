import type { NamespacedName } from '#apimachinery/resource.ts';
import type { Endpoints, EndpointSlice, Service } from '#api/generated/types.ts';
import { endpoints } from '#api/core/v1/endpoints.ts';
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
import { hasSelector } from '../endpointslice/service-pods.ts';
import { SliceWriter } from '../endpointslice/slice-writer.ts';
import { byServiceAndManager } from '../endpointslice/slice-tracker.ts';
import { CONTROLLER_NAME, MAX_ENDPOINTS_PER_SUBSET, planMirror } from './mirror-plan.ts';

const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';

/**
 * Keeps EndpointSlices of Services whose Endpoints somebody writes by hand. Follows
 * pkg/controller/endpointslicemirroring, v1.33.
 */
export const endpointSliceMirroringController = defineController({
  name: 'endpointslicemirroring-controller',
  workers: 5,
  limiter: (clock) => new ControllerRateLimiter(clock, 1_000, 100_000),
  maxRetries: 15,
  create: (deps) => new MirroringReconciler(deps),
});

class MirroringReconciler implements Reconciler {
  readonly #deps: ControllerDeps;
  readonly #endpoints: Lister<Endpoints>;
  readonly #services: Lister<Service>;
  readonly #slices: Lister<EndpointSlice>;
  readonly #events: EventRecorder;
  readonly #writer: SliceWriter;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#events = deps.recorder('endpoint-slice-mirroring-controller');
    this.#writer = new SliceWriter(CONTROLLER_NAME, deps.process.clock);
    this.#slices = deps.watch(
      endpointSlices,
      this.#writer.handlers((key, span) => deps.queue.add(key, span)),
      byServiceAndManager,
    );
    const service = (object: Service, span: SpanId) => {
      if (!hasSelector(object)) deps.queue.add(keyOf(object), span);
    };
    this.#services = deps.watch(services, {
      add: service,
      update: (previous, object, span) => {
        if (hasSelector(previous) !== hasSelector(object)) deps.queue.add(keyOf(object), span);
      },
      delete: service,
    });
    const changed = (object: Endpoints, span: SpanId) => {
      if (isMirrored(object)) this.#endpointsChanged(object, span);
    };
    this.#endpoints = deps.watch(endpoints, {
      add: changed,
      update: (previous, object, span) => {
        if (isMirrored(previous) || isMirrored(object)) this.#endpointsChanged(object, span);
      },
      delete: changed,
    });
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<void> {
    const key = keyOfName(name);
    const object = this.#endpoints.get(name);
    const service = this.#services.get(name);
    const existing = this.#slicesOf(key);
    if (!object || !isMirrored(object) || !service || hasSelector(service)) {
      this.#writer.forget(key);
      await this.#writer.carryOut(ctx.client, { create: [], update: [], delete: existing }, `Endpoints ${key}`);
      this.#writer.forget(key);
      return;
    }
    if (this.#writer.isStale(key, existing)) throw new ReconcileError('EndpointSlice informer cache is out of date');
    const plan = planMirror(object, existing);
    const { invalidAddresses: invalid, skippedAddresses: skipped } = plan;
    const warn = (reason: string, message: string) =>
      this.#events.event(referenceTo(endpoints, object), 'Warning', reason, message, ctx.span);
    if (invalid > 0) {
      warn('InvalidIPAddress', `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`);
    }
    if (skipped > invalid) {
      warn(
        'TooManyAddressesToMirror',
        `A max of ${MAX_ENDPOINTS_PER_SUBSET} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`,
      );
    }
    this.#writer.keep(existing);
    await this.#writer.carryOut(ctx.client, plan, `Endpoints ${key}`);
  }

  /** Most Endpoints are a controller's own, of Services with a selector: with those there is nothing to do. */
  #endpointsChanged(object: Endpoints, span: SpanId): void {
    const key = keyOf(object);
    const service = this.#services.getByKey(key);
    if (service && hasSelector(service) && this.#slicesOf(key).length === 0) return;
    this.#deps.queue.add(key, span);
  }

  #slicesOf(key: string): EndpointSlice[] {
    return this.#slices.byIndex(byServiceAndManager, `${key}|${CONTROLLER_NAME}`);
  }
}

function isMirrored({ metadata: { labels, annotations } }: Endpoints): boolean {
  return labels?.[SKIP_MIRROR] !== 'true' && !Object.hasOwn(annotations ?? {}, LEADER_ANNOTATION);
}
