import type { TraceSpan } from '#hosts/control.ts';
import { attribute } from '../../cluster-store/span-view.ts';
import type { ObjectKey } from '../../cluster-store/kube-object.ts';

/** Why a connection came to nothing, or the status with which a server failed. */
export type Failure = 'refused' | 'rejected' | 'dropped' | 'unreachable' | 'timeout' | 'reset' | 'silent' | `${number}`;

/** A dot that goes the way of a connection: from who dials, through a Service if it is one's address, to the target. */
export interface Hop {
  readonly stations: readonly ObjectKey[];
  /** Wall ms. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  /** Probes and questions to the DNS: there, but quiet. */
  readonly faint: boolean;
  /** How many connections this dot stands for. */
  count: number;
}

/** Where connections came to nothing: a mark with a word. */
export interface Mark {
  readonly at: ObjectKey;
  readonly why: Failure;
  /** The server answered that it failed: not the network's doing. */
  readonly answered: boolean;
  readonly faint: boolean;
  readonly start: number;
  end: number;
  count: number;
}

const HOP_MS = 850;
const MARK_MS = 1900;
const MERGE_MS = 70;
const MAX_HOPS = 160;
const MAX_MARKS = 40;
const MAX_OPEN = 5000;
/** While many go one way, those of a longer time are one dot. */
const CROWD = 5;
const CROWD_MERGE_MS = 260;
const OUTCOMES: ReadonlySet<string> = new Set(['refused', 'rejected', 'dropped', 'unreachable', 'timeout', 'reset']);
const UNANSWERED = 'silent';

interface Open {
  readonly stations: readonly ObjectKey[];
  readonly arrival: number;
  told: boolean;
}

/** Turns the spans of connections into dots and marks. Those that start together on one way are one dot, with a count. */
export class ConnectionTraffic {
  #hops: Hop[] = [];
  #marks: Mark[] = [];
  /** Connections of which the end is not known yet. */
  readonly #open = new Map<number, Open>();
  /** All there ever were, probes and DNS apart, and the last one's way in words: for those who cannot see a canvas. */
  total = 0;
  last = '';

  at(now: number): { readonly hops: readonly Hop[]; readonly marks: readonly Mark[] } {
    if (this.#hops.some(({ end }) => end <= now)) this.#hops = this.#hops.filter(({ end }) => end > now);
    if (this.#marks.some(({ end }) => end <= now)) this.#marks = this.#marks.filter(({ end }) => end > now);
    return { hops: this.#hops, marks: this.#marks };
  }

  /** Whether its dot has begun already. */
  knows(id: number): boolean {
    return this.#open.has(id);
  }

  /** A connection's newest state; its dot begins at `start` if it has not yet. Returns when it arrives. */
  add(span: TraceSpan, start: number, now: number): number {
    const failure = failureOf(span);
    let open = this.#open.get(span.id);
    const faint = span.attributes['probe'] === true || span.attributes['query'] !== undefined;
    if (!open) {
      const stations = stationsOf(span);
      const failed = failure !== undefined && OUTCOMES.has(failure);
      open = { stations, arrival: this.#hop(stations, start, failed, faint), told: false };
      this.#open.set(span.id, open);
      if (!faint) this.total++;
      for (const id of this.#open.keys()) {
        if (this.#open.size <= MAX_OPEN) break;
        this.#open.delete(id);
      }
    }
    if (!faint) this.last = [...open.stations, failure ?? attribute(span, 'outcome')].filter(Boolean).join(' ');
    if (failure !== undefined && !open.told) {
      open.told = true;
      this.#mark(open.stations.at(-1) as ObjectKey, failure, faint, Math.max(now, open.arrival));
    }
    return open.arrival;
  }

  #hop(stations: readonly ObjectKey[], start: number, failed: boolean, faint: boolean): number {
    const way = stations.join(' ');
    const same = this.#hops.findLast(
      (hop) =>
        hop.failed === failed &&
        hop.faint === faint &&
        Math.abs(hop.start - start) < (hop.count < CROWD ? MERGE_MS : CROWD_MERGE_MS) &&
        hop.stations.join(' ') === way,
    );
    if (same) {
      same.count++;
      return same.end;
    }
    const end = start + HOP_MS;
    this.#hops.push({ stations, start, end, failed, faint, count: 1 });
    if (this.#hops.length > MAX_HOPS) {
      const quiet = this.#hops.findIndex((hop) => hop.faint);
      this.#hops.splice(Math.max(0, quiet), 1);
    }
    return end;
  }

  #mark(at: ObjectKey, why: Failure, faint: boolean, start: number): void {
    const same = this.#marks.find((mark) => mark.at === at && mark.why === why && mark.end > start);
    if (same) {
      same.count++;
      same.end = start + MARK_MS;
      return;
    }
    this.#marks.push({
      at,
      why,
      answered: !OUTCOMES.has(why) && why !== UNANSWERED,
      faint,
      start,
      end: start + MARK_MS,
      count: 1,
    });
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
  }
}

/** What failed about it, as far as that is known by now. That a name does not exist is an answer. */
function failureOf(span: TraceSpan): Failure | undefined {
  const outcome = attribute(span, 'outcome');
  if (OUTCOMES.has(outcome)) return outcome as Failure;
  const status = span.attributes['status'];
  if (typeof status === 'number') return status >= 500 ? `${status}` : undefined;
  // Who asked gave up on a server that took the connection and said nothing.
  return span.end !== undefined && outcome === 'connected' && attribute(span, 'method') ? UNANSWERED : undefined;
}

/** Whom it passes. One that no rule leads any further ends at the Service, one to nobody's address where it began. */
function stationsOf(span: TraceSpan): readonly ObjectKey[] {
  const from = /^(pods|nodes)\//.test(span.component) ? span.component : 'kube-apiserver';
  const service = attribute(span, 'service');
  const target = attribute(span, 'target');
  const stations = [from, ...(service ? [`services/${service}`] : []), ...(target ? [target] : [])];
  return stations.filter((station, at) => station !== stations[at - 1]);
}
