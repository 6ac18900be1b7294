import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Control, TraceSpan } from '#hosts/control.ts';
import type { FrameHost } from './batcher.ts';
import { Batcher } from './batcher.ts';

/** How many spans the page remembers; the engine keeps more, and is asked when a cause is opened. */
const LIMIT = 20_000;

export interface TraceState {
  /** In the order in which they started. Changed in place; `version` counts the changes. */
  readonly spans: readonly TraceSpan[];
  readonly version: number;
  /** Spans that never reached the page. */
  readonly dropped: number;
}

export interface TraceStore {
  readonly state: StoreApi<TraceState>;
  /** Calls back with each batch as it arrives, before it is in the state. Returns how to stop. */
  onSpans(listener: (spans: readonly TraceSpan[]) => void): () => void;
  stop(): void;
}

/** Merges what arrives into spans sorted by id; an id that is there already is replaced by its newer state. */
export function mergeSpans(spans: TraceSpan[], arrived: readonly TraceSpan[], limit = LIMIT): void {
  for (const span of arrived) {
    const last = spans.at(-1);
    if (!last || span.id > last.id) {
      spans.push(span);
      continue;
    }
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((spans[middle] as TraceSpan).id < span.id) low = middle + 1;
      else high = middle;
    }
    if (spans[low]?.id === span.id) spans[low] = span;
    else if (low > 0 || spans.length < limit) spans.splice(low, 0, span);
  }
  if (spans.length > limit) spans.splice(0, spans.length - limit);
}

/** What happens in the cluster, as it happens. */
export function createTraceStore(control: Pick<Control, 'onTrace'>, host: FrameHost): TraceStore {
  const state = createStore<TraceState>(() => ({ spans: [], version: 0, dropped: 0 }));
  const spans: TraceSpan[] = [];
  const listeners = new Set<(spans: readonly TraceSpan[]) => void>();
  let dropped = 0;
  const batcher = new Batcher<TraceSpan>(
    (arrived) => {
      for (const listener of listeners) listener(arrived);
      mergeSpans(spans, arrived);
      state.setState({ spans, version: state.getState().version + 1, dropped });
    },
    host,
    4000,
  );
  const stop = control.onTrace((batch) => {
    dropped += batch.dropped;
    for (const span of batch.spans) batcher.push(String(span.id), span);
  });
  return {
    state,
    onSpans: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => {
      stop();
      batcher.clear();
    },
  };
}
