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
  /** Where the clock is running to as fast as it can: see {@link Control.advance}. */
  readonly advancingTo?: number;
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

/**
 * Something that can be made to fail, and how it is now. Targets and their states:
 *
 * | target | states |
 * | --- | --- |
 * | `kube-apiserver`, `etcd`, `kube-scheduler`, `kube-controller-manager`, `controllers/<name>`, `kubelets/<node>` | running, stopped |
 * | `kube-proxies/<node>`, `coredns` (their Pods hang) | running, stopped |
 * | `nodes/<node>` | running, off (its power), unplugged (its cable) |
 * | `pods/<namespace>/<name>` | running, hang, crash, slow, unready |
 */
export interface FaultTarget {
  readonly target: string;
  readonly state: string;
  /** What it can be set to; `running` first. */
  readonly states: readonly string[];
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
  /**
   * Skips ahead: runs the next `ms` of virtual time as fast as the machine can, whatever the speed, also while paused.
   * Settles on arrival, or when `pause` ends it.
   */
  advance(ms: number): Promise<ClockState>;
  /** Every kept revision of an etcd key such as `/registry/pods/default/nginx`, oldest first. */
  revisions(key: string): Promise<readonly KeyRevision[]>;
  span(id: number): Promise<TraceSpan | undefined>;
  ancestry(id: number, limit?: number): Promise<readonly TraceSpan[]>;
  descendants(id: number, limit?: number): Promise<readonly TraceSpan[]>;
  /** All components and nodes; of Pods only those that do not run normally. */
  faults(): Promise<readonly FaultTarget[]>;
  /**
   * Makes something fail, or run again. It is an input as a write is: logged, and while the clock is paused it waits.
   * Settles when it has been done; rejects with a message for people when there is no such target or state, or when
   * something else stands in its way (a kubelet of a node without power).
   */
  setFault(target: string, state: string): Promise<void>;
  /** Each returns a function that unsubscribes. */
  onClock(listener: (state: ClockState) => void): () => void;
  onTrace(listener: (batch: TraceBatch) => void): () => void;
  /** Tells all of {@link faults} whenever something of it has changed. */
  onFaults(listener: (faults: readonly FaultTarget[]) => void): () => void;
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
