import { type Clock, formatTime } from '#base/clock.ts';
import type { EventNames, EventObject } from './event.ts';
import { Lru } from './lru.ts';
import { TokenBucket } from './rate-limiter.ts';

const CACHE_ENTRIES = 4096;
/** So many different messages of otherwise equal events within the interval are put into one event. */
const AGGREGATE_EVENTS = 10;
const AGGREGATE_INTERVAL_MS = 600_000;
/** Events of one source about one object: so many at once, then one every five minutes. */
const SPAM_BURST = 25;
const SPAM_PER_SECOND = 1 / 300;

interface Aggregate {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Observed {
  readonly count: number;
  readonly firstTimestamp: string | null | undefined;
  readonly name: string;
}

/** What to write for an event: a new one, or (`patch`) a change of one that was written before. */
export interface Correlated {
  readonly event: EventObject;
  readonly patch?: Pick<EventObject, 'count' | 'lastTimestamp' | 'message'>;
}

/**
 * Puts events that say the same into one with a count, many that differ only by message into one "combined" event, and
 * drops what a source says too often. Follows client-go's tools/record/events_cache.go, v1.33.
 */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #names: EventNames;
  readonly #aggregates = new Lru<Aggregate>(CACHE_ENTRIES);
  readonly #observed = new Lru<Observed>(CACHE_ENTRIES);
  readonly #spam = new Lru<TokenBucket>(CACHE_ENTRIES);

  constructor(clock: Clock, names: EventNames) {
    this.#clock = clock;
    this.#names = names;
  }

  /** Undefined: the event is to be dropped. */
  correlate(incoming: EventObject): Correlated | undefined {
    const subject = subjectKey(incoming);
    const { event, key } = this.#aggregate(incoming, subject);
    const correlated = this.#observe(event, key);
    const spamKey = `${subject}\n${event.type}`;
    let bucket = this.#spam.get(spamKey);
    if (!bucket) {
      bucket = new TokenBucket(this.#clock, SPAM_PER_SECOND, SPAM_BURST);
      this.#spam.set(spamKey, bucket);
    }
    return bucket.tryTake() ? correlated : undefined;
  }

  /** Takes over what the server says the event is now. */
  written(event: EventObject): void {
    this.#observed.set(eventKey(event, subjectKey(event)), observation(event));
  }

  #aggregate(event: EventObject, subject: string): { readonly event: EventObject; readonly key: string } {
    const nowMs = this.#clock.now();
    const key = joined(subject, event.type, event.reason, event.reportingComponent, event.reportingInstance);
    let aggregate = this.#aggregates.get(key);
    if (!aggregate || nowMs - aggregate.lastMs > AGGREGATE_INTERVAL_MS)
      aggregate = { messages: new Set(), lastMs: nowMs };
    aggregate.messages.add(event.message ?? '');
    aggregate.lastMs = nowMs;
    this.#aggregates.set(key, aggregate);
    if (aggregate.messages.size < AGGREGATE_EVENTS) return { event, key: eventKey(event, subject) };
    aggregate.messages.delete(aggregate.messages.values().next().value as string);
    const now = formatTime(nowMs);
    const { involvedObject, message, type, reason, source } = event;
    return {
      event: {
        metadata: { name: this.#names.next(involvedObject.name ?? ''), namespace: event.metadata.namespace },
        involvedObject,
        reason,
        message: `(combined from similar events): ${message}`,
        source,
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        eventTime: null,
        reportingComponent: '',
        reportingInstance: '',
      },
      key,
    };
  }

  #observe(event: EventObject, key: string): Correlated {
    const last = this.#observed.get(key);
    if (!last) {
      this.#observed.set(key, observation(event));
      return { event };
    }
    const count = last.count + 1;
    const known: EventObject = {
      ...event,
      metadata: { ...event.metadata, name: last.name },
      firstTimestamp: last.firstTimestamp,
      count,
    };
    this.#observed.set(key, observation(known));
    return { event: known, patch: { count, lastTimestamp: event.lastTimestamp, message: event.message } };
  }
}

function observation({ count = 1, firstTimestamp, metadata }: EventObject): Observed {
  return { count, firstTimestamp, name: metadata.name ?? '' };
}

function subjectKey({ source, involvedObject: object }: EventObject): string {
  return joined(
    source?.component,
    source?.host,
    object.kind,
    object.namespace,
    object.name,
    object.uid,
    object.apiVersion,
  );
}

function eventKey(event: EventObject, subject: string): string {
  return joined(subject, event.involvedObject.fieldPath, event.type, event.reason, event.message);
}

function joined(...parts: readonly (string | undefined)[]): string {
  return parts.join('\n');
}
