import type { TraceSpan } from '#hosts/control.ts';
import {
  SpanReader,
  type CreationStep,
  type Party,
  type SpanTone,
  type SpanView,
} from '../../cluster-store/span-view.ts';
import { ConnectionTraffic, type Hop, type Mark } from './connection-traffic.ts';

/** A dot that moves along the route of a party. */
export interface Flight {
  readonly route: Party;
  /** From kube-apiserver towards the party (or etcd). */
  readonly outward: boolean;
  readonly tone: SpanTone;
  /** Wall ms. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  /** Reads, heartbeats and Event objects: there, but quiet. */
  readonly faint: boolean;
  readonly step: CreationStep | undefined;
  /** How many spans this dot stands for. */
  count: number;
}

/** Something that happens at a party: its box lights up. */
interface Pulse {
  readonly party: Party;
  readonly tone: SpanTone;
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
}

/** All that moves at a time. */
interface Moving {
  readonly flights: readonly Flight[];
  readonly pulses: readonly Pulse[];
  readonly hops: readonly Hop[];
  readonly marks: readonly Mark[];
}

const FLIGHT_MS = 520;
const PULSE_MS = 700;
/** Spans that start together on one route are one dot. */
const MERGE_MS = 60;
/** An effect waits for the dot of its cause, but not longer than this, wall ms. */
const MAX_WAIT_MS = 1600;
const MAX_FLIGHTS = 240;
const MAX_SEEN = 20_000;
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/**
 * Turns spans into what moves: a request to kube-apiserver, a write to etcd, a delivery to whoever watches, a pulse
 * where something is decided or done. An effect starts when the dot of its cause has arrived, so that the eye can follow
 * what took milliseconds. Every span moves once; of too many the quiet ones go first.
 */
export class Traffic {
  #flights: Flight[] = [];
  #pulses: Pulse[] = [];
  /** When the dot of a span arrives. */
  readonly #arrivals = new Map<number, number>();
  readonly #reader = new SpanReader();
  readonly connections = new ConnectionTraffic();

  /** What is under way at a time, or will be; what is over is forgotten. */
  at(now: number): Moving {
    this.#flights = this.#flights.filter((flight) => flight.end > now);
    this.#pulses = this.#pulses.filter((pulse) => pulse.end > now);
    return { flights: this.#flights, pulses: this.#pulses, ...this.connections.at(now) };
  }

  add(spans: readonly TraceSpan[], now: number): void {
    for (const span of spans) {
      if (span.kind === 'connection') {
        const known = this.connections.knows(span.id);
        this.#arrivals.set(span.id, this.connections.add(span, known ? now : this.#startOf(span, now), now));
        continue;
      }
      if (this.#arrivals.has(span.id)) continue;
      const view = this.#reader.view(span);
      const start = this.#startOf(span, now);
      const said = view.object?.startsWith('events/') || span.attributes['resource'] === 'events';
      const quiet = view.heartbeat || said || (span.kind === 'request' && READS.has(view.verb));
      const fly = (route: Party, outward: boolean) => this.#fly(view, route, outward, start, quiet);
      let end = start;
      if (span.kind === 'request') end = fly(view.party, false);
      else if (span.kind === 'write') {
        end = fly('etcd', true);
        if (!quiet) this.#pulse('etcd', view.tone, end, false);
      } else if (span.kind === 'delivery') end = fly(view.party, true);
      else if ((span.kind === 'decision' || span.kind === 'work') && !quiet)
        this.#pulse(view.party, view.tone, start, view.failed);
      this.#arrivals.set(span.id, end);
    }
    this.#trim();
  }

  #startOf(span: TraceSpan, now: number): number {
    let start = now;
    for (const parent of span.parents) start = Math.max(start, this.#arrivals.get(parent) ?? 0);
    return Math.min(start, now + MAX_WAIT_MS);
  }

  #fly(view: SpanView, route: Party, outward: boolean, start: number, faint: boolean): number {
    const same = this.#flights.findLast(
      (flight) =>
        flight.route === route &&
        flight.outward === outward &&
        flight.tone === view.tone &&
        flight.faint === faint &&
        flight.step === view.step &&
        flight.failed === view.failed &&
        Math.abs(flight.start - start) < MERGE_MS,
    );
    if (same) {
      same.count++;
      return same.end;
    }
    const end = start + FLIGHT_MS;
    this.#flights.push({
      route,
      outward,
      tone: view.tone,
      start,
      end,
      failed: view.failed,
      faint,
      step: view.step,
      count: 1,
    });
    return end;
  }

  /** One pulse for each party and tone: what happens again begins it anew. */
  #pulse(party: Party, tone: SpanTone, start: number, failed: boolean): void {
    const last = this.#pulses.findIndex((pulse) => pulse.party === party && pulse.tone === tone);
    if (last >= 0) {
      if (start - (this.#pulses[last] as Pulse).start < MERGE_MS) return;
      this.#pulses.splice(last, 1);
    }
    this.#pulses.push({ party, tone, start, end: start + PULSE_MS, failed });
  }

  #trim(): void {
    if (this.#flights.length > MAX_FLIGHTS) {
      const loud = this.#flights.filter((flight) => !flight.faint);
      this.#flights = (loud.length > MAX_FLIGHTS ? loud : this.#flights).slice(-MAX_FLIGHTS);
    }
    for (const id of this.#arrivals.keys()) {
      if (this.#arrivals.size <= MAX_SEEN) break;
      this.#arrivals.delete(id);
    }
  }
}
