import { StatusError } from '#apimachinery/status-error.ts';
import type { EndpointSlice } from '#api/generated/types.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { Clock } from '#base/clock.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import type { EventHandlers } from '#client/informer.ts';
import { nameOf } from '#client/key.ts';
import { ReconcileError } from '../define-controller.ts';
import { isNamespaceTerminating } from '../namespace-terminating.ts';
import { RequestLimit } from '../request-limit.ts';
import { MANAGED_BY, serviceKeyOf, SliceTracker } from './slice-tracker.ts';

/** What makes slices as they should be. Those to update need no more than a name. */
export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

/** Writes slices for one controller, and knows which of their changes are its own. */
export class SliceWriter {
  readonly #manager: string;
  readonly #limit: RequestLimit;
  readonly #tracker = new SliceTracker();

  /** `manager` is the value of the label {@link MANAGED_BY} on the controller's slices. */
  constructor(manager: string, clock: Clock) {
    this.#manager = manager;
    this.#limit = new RequestLimit(clock);
  }

  /** Whether the informer shows what was written last. */
  isStale(serviceKey: string, slices: readonly EndpointSlice[]): boolean {
    return this.#tracker.isStale(serviceKey, slices);
  }

  /** The slices are as they should be, whoever made them. */
  keep(slices: readonly EndpointSlice[]): void {
    for (const slice of slices) if (!this.#tracker.has(slice)) this.#tracker.update(slice);
  }

  /** Nothing that was written for the Service counts any more. */
  forget(serviceKey: string): void {
    this.#tracker.forget(serviceKey);
  }

  /** Handlers that call `changed` with the keys of Services whose slices are not as the controller left them. */
  handlers(changed: (serviceKey: string, span: SpanId) => void): EventHandlers<EndpointSlice> {
    const isOurs = ({ metadata }: EndpointSlice) => metadata.labels?.[MANAGED_BY] === this.#manager;
    const queue = (slice: EndpointSlice, span: SpanId) => {
      const key = serviceKeyOf(slice);
      if (key !== undefined) changed(key, span);
    };
    const put = (slice: EndpointSlice, span: SpanId) => {
      if (isOurs(slice) && this.#tracker.shouldSync(slice)) queue(slice, span);
    };
    return {
      add: put,
      update: (previous, slice, span) => {
        if (serviceKeyOf(previous) !== serviceKeyOf(slice)) {
          queue(slice, span);
          queue(previous, span);
        } else if (isOurs(previous) !== isOurs(slice)) queue(slice, span);
        else put(slice, span);
      },
      delete: (slice, span) => {
        if (isOurs(slice) && this.#tracker.has(slice) && !this.#tracker.handleDeletion(slice)) queue(slice, span);
      },
    };
  }

  /** Throws ReconcileError at the first write that the server refuses; `of` such as `Service default/web`. */
  async carryOut(client: Client, plan: SlicePlan, of: string): Promise<void> {
    for (const slice of plan.create) {
      await this.#limit.wait();
      try {
        this.#tracker.update(await client.create(endpointSlices, slice));
      } catch (error) {
        // In a namespace that goes, nothing can be created, and need not.
        if (isNamespaceTerminating(error)) return;
        throw refused(error, `failed to create EndpointSlice for ${of}`);
      }
    }
    for (const slice of plan.update) {
      await this.#limit.wait();
      try {
        this.#tracker.update(await client.update(endpointSlices, slice));
      } catch (error) {
        throw refused(error, `failed to update ${slice.metadata.name} EndpointSlice for ${of}`);
      }
    }
    for (const slice of plan.delete) {
      await this.#limit.wait();
      try {
        await client.delete(endpointSlices, nameOf(slice));
      } catch (error) {
        throw refused(error, `failed to delete ${slice.metadata.name} EndpointSlice for ${of}`);
      }
      this.#tracker.expectDeletion(slice);
    }
  }
}

/** What the server refused, in a controller's words; other errors as they are. */
function refused(error: unknown, what: string): unknown {
  return error instanceof StatusError ? new ReconcileError(`${what}: ${error.message}`) : error;
}
