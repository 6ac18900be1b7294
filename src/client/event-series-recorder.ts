import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { formatMicroTime, parseTime } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import { jitter } from './backoff.ts';
import type { Client } from './client.ts';
import { EventNames, type EventObject, type EventType } from './event.ts';
import type { ObjectReference } from './object-reference.ts';

const MAX_TRIES = 12;
const RETRY_MS = 10_000;
const FINISH_MS = 6 * 60_000;
const REFRESH_MS = 30 * 60_000;

interface Known {
  event: EventObject;
  readonly cause: SpanId;
}

/**
 * Writes Events as the events.k8s.io API means them: the second of equal ones (whatever its message) makes a series,
 * whose count is kept here and written when the series has ended, or every half hour. What is stored is the same as
 * through that API; it is written through core/v1. Follows client-go's tools/events, v1.33.
 */
export class SeriesEventRecorder {
  readonly #process: Process;
  readonly #client: Client;
  readonly #events: ResourceDefinition<EventObject>;
  readonly #component: string;
  readonly #instance: string;
  readonly #names: EventNames;
  readonly #known = new Map<string, Known>();
  #ticking = false;

  /** `component` and `instance` become the events' reporting component and instance. */
  constructor(
    process: Process,
    client: Client,
    events: ResourceDefinition<EventObject>,
    component: string,
    instance: string,
  ) {
    this.#process = process;
    this.#client = client;
    this.#events = events;
    this.#component = component;
    this.#instance = instance;
    this.#names = new EventNames(process);
  }

  /** Never parks and never fails. `cause` is the span of the work that has something to say. */
  event(
    regarding: ObjectReference,
    related: ObjectReference | undefined,
    type: EventType,
    reason: string,
    action: string,
    note: string,
    cause: SpanId,
  ): void {
    const now = formatMicroTime(this.#process.clock.now());
    const key = [type, action, reason, ...referenceKey(regarding), ...(related ? referenceKey(related) : [])].join(
      '\n',
    );
    const known = this.#known.get(key);
    if (known) {
      const first = known.event.series === undefined;
      known.event = { ...known.event, series: { count: (known.event.series?.count ?? 1) + 1, lastObservedTime: now } };
      if (first) this.#record(known.event, cause);
      return;
    }
    const event: EventObject = {
      metadata: { name: this.#names.next(regarding.name ?? ''), namespace: regarding.namespace || 'default' },
      involvedObject: regarding,
      reason,
      message: note,
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      type,
      eventTime: now,
      action,
      ...(related ? { related } : {}),
      reportingComponent: this.#component,
      reportingInstance: this.#instance,
    };
    this.#known.set(key, { event, cause });
    this.#record(event, cause);
    this.#tick();
  }

  #record(event: EventObject, cause: SpanId): void {
    this.#process.spawn(`record event ${event.metadata.name}`, async () => {
      for (let tries = 1; tries <= MAX_TRIES; tries++) {
        if (await this.#write(event, cause)) return;
        await this.#process.clock.sleep(jitter(this.#process, RETRY_MS, 0.25));
      }
    });
  }

  /** Whether the event is written or given up; false: try again later. */
  async #write(event: EventObject, cause: SpanId): Promise<boolean> {
    const client = this.#client.withCause(cause);
    const { namespace, name = '' } = event.metadata;
    try {
      if (event.series) {
        try {
          const patch = { series: event.series };
          await client.patch(this.#events, { namespace, name }, 'application/strategic-merge-patch+json', patch);
          return true;
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      }
      await client.create(this.#events, event);
      return true;
    } catch (error) {
      // The first event of a series may be on its way while the series is told: then it must be patched again.
      return error instanceof StatusError && !(event.series && error.reason === 'AlreadyExists');
    }
  }

  /** Ends series every six minutes and refreshes long ones, for as long as there are any. */
  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    let elapsedMs = 0;
    const ticker = this.#process.clock.ticker(FINISH_MS, `finish event series of ${this.#component}`, () => {
      elapsedMs += FINISH_MS;
      const old = this.#process.clock.now() - FINISH_MS;
      for (const [key, { event, cause }] of this.#known) {
        const ended = parseTime(event.series?.lastObservedTime ?? event.eventTime ?? '') < old;
        if (event.series && (ended || elapsedMs % REFRESH_MS === 0)) this.#record(event, cause);
        if (ended) this.#known.delete(key);
      }
      this.#ticking = this.#known.size > 0;
      if (!this.#ticking) ticker.stop();
    });
  }
}

function referenceKey({ kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath }: ObjectReference) {
  return [kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath];
}
