import type { ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { formatTime } from '#base/clock.ts';
import { Fifo } from '#base/fifo.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from './client.ts';
import { EventNames, type EventObject, type EventType } from './event.ts';
import { EventCorrelator } from './event-correlator.ts';
import type { ObjectReference } from './object-reference.ts';

const MAX_QUEUED = 1000;
const MAX_TRIES = 12;
const RETRY_MS = 10_000;

/** Says what happened to an object. Recording never parks and never fails. */
export interface EventRecorder {
  /** `cause` is the span of the work that has something to say. */
  event(object: ObjectReference, type: EventType, reason: string, message: string, cause: SpanId): void;
}

/**
 * Writes core/v1 Events, one after the other, through a task of its own: equal ones as one with a count. While the
 * server does not answer it holds up to 1000 and tries again. Follows client-go's tools/record, v1.33.
 */
export class CoreEventRecorder implements EventRecorder {
  readonly #process: Process;
  readonly #client: Client;
  readonly #events: ResourceDefinition<EventObject>;
  readonly #source: { readonly component: string; readonly host?: string };
  readonly #names: EventNames;
  readonly #correlator: EventCorrelator;
  readonly #queue = new Fifo<{ readonly event: EventObject; readonly cause: SpanId }>();
  #writing = false;

  /** `events` is the definition of core/v1 Events; `source` becomes the events' source and reporting component. */
  constructor(
    process: Process,
    client: Client,
    events: ResourceDefinition<EventObject>,
    source: { readonly component: string; readonly host?: string },
  ) {
    this.#process = process;
    this.#client = client;
    this.#events = events;
    this.#source = source;
    this.#names = new EventNames(process);
    this.#correlator = new EventCorrelator(process.clock, this.#names);
  }

  event(object: ObjectReference, type: EventType, reason: string, message: string, cause: SpanId): void {
    if (this.#queue.size >= MAX_QUEUED) return;
    const now = formatTime(this.#process.clock.now());
    this.#queue.push({
      cause,
      event: {
        metadata: { name: this.#names.next(object.name ?? ''), namespace: object.namespace || 'default' },
        involvedObject: object,
        reason,
        message,
        source: this.#source,
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        eventTime: null,
        reportingComponent: this.#source.component,
        reportingInstance: this.#source.host ?? '',
      },
    });
    if (this.#writing) return;
    this.#writing = true;
    this.#process.spawn(`record events of ${this.#source.component}`, () => this.#drain());
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) await this.#write(next.event, next.cause);
    this.#writing = false;
  }

  async #write(incoming: EventObject, cause: SpanId): Promise<void> {
    const correlated = this.#correlator.correlate(incoming);
    if (!correlated) return;
    const client = this.#client.withCause(cause);
    const { event, patch } = correlated;
    for (let tries = 1; ; tries++) {
      try {
        this.#correlator.written(await this.#send(client, event, patch));
        return;
      } catch (error) {
        // What the server refuses is given up; when it does not answer, the event waits for it.
        if (error instanceof StatusError || tries === MAX_TRIES) return;
      }
      await this.#process.clock.sleep(tries === 1 ? Math.round(RETRY_MS * this.#process.rng.float()) : RETRY_MS);
    }
  }

  async #send(client: Client, event: EventObject, patch: object | undefined): Promise<EventObject> {
    const { namespace, name = '' } = event.metadata;
    if (patch) {
      try {
        return await client.patch(this.#events, { namespace, name }, 'application/strategic-merge-patch+json', patch);
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
    return client.create(this.#events, event);
  }
}
