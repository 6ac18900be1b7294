import type { NamespacedName } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Endpoints } from '#api/generated/types.ts';
import { endpoints } from '#api/core/v1/endpoints.ts';
import type { EventRecorder } from '#client/event-recorder.ts';
import type { Lister } from '#client/indexer.ts';
import { keyOf, keyOfName } from '#client/key.ts';
import { referenceTo } from '#client/object-reference.ts';
import { ServicePods } from '../endpointslice/service-pods.ts';
import {
  type ControllerDeps,
  defineController,
  type ReconcileContext,
  ReconcileError,
  type Reconciler,
} from '../define-controller.ts';
import { isNamespaceTerminating } from '../namespace-terminating.ts';
import { RequestLimit } from '../request-limit.ts';
import { type DesiredAddress, desiredAddress, planEndpoints } from './endpoints-plan.ts';

const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';

/** Keeps the Endpoints of Services that select Pods. Follows pkg/controller/endpoint, v1.33. */
export const endpointsController = defineController({
  name: 'endpoints-controller',
  serviceAccount: 'endpoint-controller',
  workers: 5,
  maxRetries: 15,
  create: (deps) => new EndpointsReconciler(deps),
});

class EndpointsReconciler implements Reconciler {
  readonly #selected: ServicePods<DesiredAddress>;
  readonly #endpoints: Lister<Endpoints>;
  readonly #events: EventRecorder;
  readonly #limit: RequestLimit;
  /** The resourceVersion that an update has replaced: while the informer still shows it, it lags behind. */
  readonly #replaced = new Map<string, string>();

  constructor(deps: ControllerDeps) {
    this.#limit = new RequestLimit(deps.process.clock);
    this.#events = deps.recorder('endpoint-controller');
    this.#selected = new ServicePods(deps);
    this.#endpoints = deps.watch(endpoints, {
      // What was left over from before has no Service any more, perhaps.
      add: (object, span, initial) => {
        if (initial && !Object.hasOwn(object.metadata.annotations ?? {}, LEADER_ANNOTATION)) {
          deps.queue.add(keyOf(object), span);
        }
      },
      delete: (object, span) => {
        const selected = this.#selected.of(keyOf(object));
        if (selected) selected.settled = false;
        deps.queue.add(keyOf(object), span);
      },
    });
  }

  async reconcile(ctx: ReconcileContext, name: NamespacedName): Promise<void> {
    const key = keyOfName(name);
    const service = this.#selected.services.get(name);
    if (!service) {
      await this.#limit.wait();
      try {
        await ctx.client.delete(endpoints, name);
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
      this.#replaced.delete(key);
      return;
    }
    const selected = this.#selected.of(key);
    if (!selected) return;
    const { changed, triggerTime } = selected.refresh(service, this.#selected.pods, (pod) =>
      desiredAddress(pod, service),
    );
    if (selected.settled && !changed) return;
    selected.settled = false;
    const current = this.#endpoints.get(name);
    if (current && this.#replaced.get(key) === current.metadata.resourceVersion) {
      throw new ReconcileError(
        `endpoints informer cache is out of date, resource version ${current.metadata.resourceVersion} already processed for endpoints ${key}`,
      );
    }
    selected.settled = true;
    const next = planEndpoints(service, selected.values(), current, triggerTime);
    if (!next) return;
    try {
      await this.#write(ctx, key, current, next);
    } catch (error) {
      selected.settled = false;
      throw error;
    }
  }

  async #write(
    { client, span }: ReconcileContext,
    key: string,
    current: Endpoints | undefined,
    next: Endpoints,
  ): Promise<void> {
    await this.#limit.wait();
    try {
      if (!current) {
        await client.create(endpoints, next);
        return;
      }
      const updated = await client.update(endpoints, next);
      const { resourceVersion = '' } = current.metadata;
      if (updated.metadata.resourceVersion !== resourceVersion) this.#replaced.set(key, resourceVersion);
    } catch (error) {
      // In a namespace that goes, nothing can be created, and need not.
      if (!current && isNamespaceTerminating(error)) return;
      if (error instanceof StatusError) {
        const [reason, message] = current
          ? ['FailedToUpdateEndpoint', `Failed to update endpoint ${key}: ${error.message}`]
          : ['FailedToCreateEndpoint', `Failed to create endpoint for service ${key}: ${error.message}`];
        this.#events.event(referenceTo(endpoints, next), 'Warning', reason, message, span);
      }
      throw error;
    }
  }
}
