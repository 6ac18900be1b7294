/** When the page's next chance to draw comes, and one that comes also while no frames are drawn (a hidden tab). */
export interface FrameHost {
  frame(run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
}

export const browserFrames: FrameHost = {
  frame: (run) => {
    const id = requestAnimationFrame(run);
    return () => cancelAnimationFrame(id);
  },
  after: (ms, run) => {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};

/** For lists that are read, not watched: a few times a second is enough, and leaves time to the graph. */
export const calmFrames: FrameHost = {
  frame: (run) => browserFrames.after(CALM_MS, run),
  after: browserFrames.after,
};

const CALM_MS = 160;
const HIDDEN_TAB_MS = 250;

/**
 * Gathers changes and hands them on in batches: one per frame, of at most `limit`, the newest change of each key only,
 * in the order in which keys first changed. Nothing is lost; what does not fit waits for the next frame.
 */
export class Batcher<Change> {
  readonly #pending = new Map<string, Change>();
  readonly #apply: (changes: readonly Change[]) => void;
  readonly #host: FrameHost;
  readonly #limit: number;
  #cancel: (() => void) | undefined;

  constructor(apply: (changes: readonly Change[]) => void, host: FrameHost, limit = 2000) {
    this.#apply = apply;
    this.#host = host;
    this.#limit = limit;
  }

  push(key: string, change: Change): void {
    this.#pending.set(key, change);
    if (!this.#cancel) this.#schedule();
  }

  /** Drops what waits: it is out of date. */
  clear(): void {
    this.#pending.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    const flush = () => {
      this.#cancel?.();
      this.#cancel = undefined;
      const changes: Change[] = [];
      for (const [key, change] of this.#pending) {
        if (changes.length === this.#limit) break;
        changes.push(change);
        this.#pending.delete(key);
      }
      if (this.#pending.size > 0) this.#schedule();
      if (changes.length > 0) this.#apply(changes);
    };
    const cancelFrame = this.#host.frame(flush);
    const cancelTimer = this.#host.after(HIDDEN_TAB_MS, flush);
    this.#cancel = () => {
      cancelFrame();
      cancelTimer();
    };
  }
}
