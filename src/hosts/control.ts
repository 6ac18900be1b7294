import type { HttpServer } from '#transport/http.ts';

/** How the page steers and looks into the engine, beside the Kubernetes API. Plain values only: it crosses a MessagePort. */

export interface ClockState {
  /** Virtual time, ms since the epoch. */
  readonly now: number;
  readonly paused: boolean;
  /** Wanted virtual seconds per wall second. */
  readonly speed: number;
  /** What was attained lately; below `speed` when the machine cannot hold it. */
  readonly attainedSpeed: number;
  /** Turns the pump has run. */
  readonly turns: number;
  /** What runs next; absent when nothing is waiting. */
  readonly next?: { readonly process: string; readonly name: string; readonly due: number };
  /** Writes from outside that wait for the clock to move. */
  readonly waitingInputs: number;
}

/** A span of the trace (see base/tracer.ts). */
export interface TraceSpan {
  readonly id: number;
  readonly kind: string;
  readonly component: string;
  readonly name: string;
  readonly parents: readonly number[];
  readonly start: number;
  readonly end?: number;
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** One revision of an etcd key. */
export interface KeyRevision {
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly version: number;
  /** When it was written, ms. */
  readonly time: number;
  /** The span of the write; walk its ancestry for "why". */
  readonly span: number;
  /** The object; absent for a deletion. */
  readonly object?: unknown;
}

/** One thing that an input, a write or a delivery did, as it happens: what the graph animates and the timeline lists. */
export interface TraceBatch {
  /** Spans that started or ended since the last batch, in order; each with its newest state. Deliveries included. */
  readonly spans: readonly TraceSpan[];
  /** How many were left out because the page fell behind. */
  readonly dropped: number;
}

export interface ClusterInfo {
  readonly seed: number;
  readonly epoch: number;
  readonly version: string;
  readonly topology: { readonly workers: number; readonly controlPlaneNode: boolean };
}

/** The engine as the page sees it. Every promise settles also while the clock is paused. */
export interface Control {
  info(): Promise<ClusterInfo>;
  clock(): Promise<ClockState>;
  pause(): Promise<ClockState>;
  play(): Promise<ClockState>;
  /** 0.1 to 100. */
  setSpeed(speed: number): Promise<ClockState>;
  /** While paused: runs so many turns (moving the clock where needed). */
  step(turns?: number): Promise<ClockState>;
  /** Every kept revision of an etcd key such as `/registry/pods/default/nginx`, oldest first. */
  revisions(key: string): Promise<readonly KeyRevision[]>;
  span(id: number): Promise<TraceSpan | undefined>;
  ancestry(id: number, limit?: number): Promise<readonly TraceSpan[]>;
  descendants(id: number, limit?: number): Promise<readonly TraceSpan[]>;
  /** Each returns a function that unsubscribes. */
  onClock(listener: (state: ClockState) => void): () => void;
  onTrace(listener: (batch: TraceBatch) => void): () => void;
  /** The engine crashed (a bug of ours) or its worker died. Nothing else answers afterwards. */
  onCrash(listener: (message: string) => void): () => void;
}

/** What a session in the page holds: the Kubernetes API, and the control channel. */
export interface ClusterSession {
  readonly http: HttpServer;
  readonly control: Control;
  /** Ends the engine. */
  close(): void;
}
