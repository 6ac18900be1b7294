import type { Cluster } from '#cluster/cluster.ts';
import type { Port } from '#transport/port.ts';
import type { ClockState, Control, FaultTarget, TraceBatch, TraceSpan } from './control.ts';
import type { Driver, DriverHost } from './driver.ts';

/** Spans that one batch carries at most; a page that falls behind is told how many it missed. */
const MAX_BATCH = 2000;
/** How often batches go out, wall ms. */
const BATCH_MS = 40;

/** The engine's end of the control channel. */
export function createControl(cluster: Cluster, driver: Driver, host: DriverHost): Control {
  const clockListeners = new Set<(state: ClockState) => void>();
  const traceListeners = new Set<(batch: TraceBatch) => void>();
  const crashListeners = new Set<(message: string) => void>();
  let changed = new Set<number>();
  let dropped = 0;
  let stateChanged = false;
  let scheduled = false;

  function flush(): void {
    scheduled = false;
    if (changed.size || dropped) {
      const spans: TraceSpan[] = [];
      for (const id of changed) {
        const span = cluster.tracer.get(id);
        if (span) spans.push(span);
      }
      const batch = { spans, dropped };
      changed = new Set();
      dropped = 0;
      for (const listener of traceListeners) listener(batch);
    }
    if (stateChanged) {
      stateChanged = false;
      const state = driver.state;
      for (const listener of clockListeners) listener(state);
    }
  }
  function soon(): void {
    if (scheduled) return;
    scheduled = true;
    host.schedule(flush, BATCH_MS);
  }

  driver.onState = () => {
    stateChanged = true;
    soon();
  };
  driver.onCrash = (error) => {
    const message = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
    for (const listener of crashListeners) listener(message);
  };
  driver.waitingInputs = () => cluster.waitingInputs;

  const subscribe = <T>(listeners: Set<T>, listener: T) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  return {
    info: async () => cluster.info,
    clock: async () => {
      driver.sync();
      return driver.state;
    },
    pause: async () => {
      driver.pause();
      return driver.state;
    },
    play: async () => {
      driver.play();
      return driver.state;
    },
    setSpeed: async (speed) => {
      driver.setSpeed(Math.min(100, Math.max(0.1, speed)));
      return driver.state;
    },
    step: async (turns = 1) => {
      await driver.step(turns);
      return driver.state;
    },
    advance: async (ms) => {
      await driver.advance(ms);
      return driver.state;
    },
    revisions: async (key) => cluster.revisions(key),
    span: async (id) => cluster.tracer.get(id),
    ancestry: async (id, limit) => cluster.tracer.ancestry(id, limit),
    descendants: async (id, limit) => cluster.tracer.descendants(id, limit),
    faults: async () => cluster.faults.list(),
    setFault: (target, state) => {
      cluster.beforeInput();
      return cluster.faults.set(target, state);
    },
    onClock: (listener) => subscribe(clockListeners, listener),
    onTrace(listener) {
      cluster.tracer.onSpan = (id) => {
        if (changed.size >= MAX_BATCH && !changed.has(id)) dropped++;
        else changed.add(id);
        soon();
      };
      const end = subscribe(traceListeners, listener);
      return () => {
        end();
        if (traceListeners.size === 0) cluster.tracer.onSpan = undefined;
      };
    },
    onFaults: (listener) => cluster.faults.onChange(listener),
    onCrash: (listener) => subscribe(crashListeners, listener),
  };
}

type Method = Exclude<keyof Control, 'onClock' | 'onTrace' | 'onFaults' | 'onCrash'>;
type Watched = 'clock' | 'trace' | 'faults';
type ToEngine =
  | { readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly watch: Watched; readonly on: boolean };
type ToPage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly event: 'clock'; readonly state: ClockState }
  | { readonly event: 'trace'; readonly batch: TraceBatch }
  | { readonly event: 'faults'; readonly faults: readonly FaultTarget[] }
  | { readonly event: 'crash'; readonly message: string };

/** Answers over a port what {@link connectControl} asks. */
export function serveControl(port: Port, control: Control): void {
  const post = (message: ToPage) => port.postMessage(message);
  const ends = new Map<string, () => void>();
  const watches: Readonly<Record<Watched, () => () => void>> = {
    clock: () => control.onClock((state) => post({ event: 'clock', state })),
    trace: () => control.onTrace((batch) => post({ event: 'trace', batch })),
    faults: () => control.onFaults((faults) => post({ event: 'faults', faults })),
  };
  control.onCrash((message) => post({ event: 'crash', message }));
  port.onmessage = ({ data }) => {
    const message = data as ToEngine;
    if ('watch' in message) {
      ends.get(message.watch)?.();
      ends.delete(message.watch);
      if (!message.on) return;
      ends.set(message.watch, watches[message.watch]());
      return;
    }
    const { id, method, args } = message;
    (control[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args).then(
      (value) => post({ id, value }),
      (error: unknown) => post({ id, error: error instanceof Error ? error.message : String(error) }),
    );
  };
}

/** The page's end of the control channel. `fail` tells a crash that the engine could not tell itself. */
export function connectControl(port: Port): Control & { fail(message: string): void } {
  const pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const clockListeners = new Set<(state: ClockState) => void>();
  const traceListeners = new Set<(batch: TraceBatch) => void>();
  const faultListeners = new Set<(faults: readonly FaultTarget[]) => void>();
  const crashListeners = new Set<(message: string) => void>();
  let next = 1;
  let crashed: string | undefined;
  const post = (message: ToEngine) => port.postMessage(message);

  function call<T>(method: Method, ...args: readonly unknown[]): Promise<T> {
    if (crashed !== undefined) return Promise.reject(new Error(crashed));
    return new Promise<T>((resolve, reject) => {
      const id = next++;
      pending.set(id, { resolve, reject });
      post({ id, method, args });
    });
  }
  function fail(message: string): void {
    if (crashed !== undefined) return;
    crashed = message;
    for (const { reject } of pending.values()) reject(new Error(message));
    pending.clear();
    for (const listener of crashListeners) listener(message);
  }
  function subscribe<T>(listeners: Set<T>, listener: T, watch: Watched): () => void {
    if (listeners.size === 0) post({ watch, on: true });
    listeners.add(listener);
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) post({ watch, on: false });
    };
  }

  port.onmessage = ({ data }) => {
    const message = data as ToPage;
    if ('event' in message) {
      if (message.event === 'clock') for (const listener of clockListeners) listener(message.state);
      else if (message.event === 'trace') for (const listener of traceListeners) listener(message.batch);
      else if (message.event === 'faults') for (const listener of faultListeners) listener(message.faults);
      else fail(message.message);
      return;
    }
    const entry = pending.get(message.id);
    pending.delete(message.id);
    if ('error' in message) entry?.reject(new Error(message.error));
    else entry?.resolve(message.value as never);
  };

  return {
    info: () => call('info'),
    clock: () => call('clock'),
    pause: () => call('pause'),
    play: () => call('play'),
    setSpeed: (speed) => call('setSpeed', speed),
    step: (turns) => call('step', turns),
    advance: (ms) => call('advance', ms),
    revisions: (key) => call('revisions', key),
    span: (id) => call('span', id),
    ancestry: (id, limit) => call('ancestry', id, limit),
    descendants: (id, limit) => call('descendants', id, limit),
    faults: () => call('faults'),
    setFault: (target, state) => call('setFault', target, state),
    onClock: (listener) => subscribe(clockListeners, listener, 'clock'),
    onTrace: (listener) => subscribe(traceListeners, listener, 'trace'),
    onFaults: (listener) => subscribe(faultListeners, listener, 'faults'),
    onCrash(listener) {
      crashListeners.add(listener);
      if (crashed !== undefined) listener(crashed);
      return () => crashListeners.delete(listener);
    },
    fail,
  };
}
