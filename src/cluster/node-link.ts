import type { ApiBackend, ApiList, ApiRequest, WatchEvent, WatchHandle, WatchSink } from '#apimachinery/api-request.ts';
import type { ApiObject } from '#apimachinery/resource.ts';
import { type Process, ProcessExitedError } from '#base/pump.ts';
import type { HttpResponse, Upgraded } from '#transport/http.ts';

/** How long a client tries to reach a server that does not answer, as net/http dials, ms. */
const DIAL_MS = 30_000;
/** What the kubelet gives its Lease and its Node's status, ms. */
const HEARTBEAT_MS = 10_000;
/** A connection on which nothing comes is asked for a sign of life after 30 s, and given up 15 s later (HTTP/2), ms. */
const SILENCE_MS = 45_000;

/**
 * A node's way to the API server. While it is cut, requests time out (ProcessExitedError), and so do answers that were
 * on their way; watches go silent, and end after a while. When it is joined in time, what was held up arrives, in order.
 *
 * Differs from upstream: a request that waits goes on at once when the way is joined, not with the next SYN.
 */
export class NodeLink implements ApiBackend {
  readonly #process: Process;
  readonly #backend: ApiBackend;
  readonly #watches = new Set<HeldWatch>();
  #waiting = new Set<() => void>();
  #cut = false;

  /** `process` times what waits. */
  constructor(process: Process, backend: ApiBackend) {
    this.#process = process;
    this.#backend = backend;
  }

  cut(): void {
    if (this.#cut) return;
    this.#cut = true;
    for (const watch of this.#watches) watch.hold();
  }

  join(): void {
    if (!this.#cut) return;
    this.#cut = false;
    for (const watch of this.#watches) watch.release();
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  request(request: ApiRequest): Promise<ApiObject> {
    return this.#exchange(request, () => this.#backend.request(request));
  }

  list(request: ApiRequest): Promise<ApiList> {
    return this.#exchange(request, () => this.#backend.list(request));
  }

  deleteCollection(request: ApiRequest): Promise<ApiList> {
    return this.#exchange(request, () => this.#backend.deleteCollection(request));
  }

  connect(request: ApiRequest): Promise<HttpResponse | Upgraded> {
    return this.#exchange(request, () => this.#backend.connect(request));
  }

  async watch(request: ApiRequest, sink: WatchSink): Promise<WatchHandle> {
    const watch = new HeldWatch(this.#process, sink, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    try {
      await this.#exchange(request, async () => {
        watch.handle = await this.#backend.watch(request, watch);
      });
    } catch (error) {
      watch.stop();
      throw error;
    }
    return watch;
  }

  async #exchange<T>(request: ApiRequest, send: () => Promise<T>): Promise<T> {
    if (this.#cut) await this.#joined(request);
    try {
      return await send();
    } finally {
      if (this.#cut) await this.#joined(request);
    }
  }

  /** Parks the calling task until the way is joined. Throws when that takes too long. */
  async #joined({ group, resource, verb }: ApiRequest): Promise<void> {
    const heartbeat = verb !== 'watch' && (group === 'coordination.k8s.io' || resource === 'nodes');
    await this.#process.park<void>((wake, fail) => {
      const joined = () => wake();
      this.#waiting.add(joined);
      const timer = this.#process.clock.afterFunc(heartbeat ? HEARTBEAT_MS : DIAL_MS, 'request times out', () =>
        fail(new ProcessExitedError('dial tcp: i/o timeout')),
      );
      return () => {
        this.#waiting.delete(joined);
        timer.stop();
      };
    });
  }
}

/** A watch over a link: passes events on, holds them back while the link is cut, and breaks when that lasts. */
class HeldWatch implements WatchSink, WatchHandle {
  handle: WatchHandle | undefined;
  readonly #process: Process;
  readonly #sink: WatchSink;
  readonly #forget: () => void;
  #held: (() => void)[] | undefined;
  #timer: { stop(): boolean } | undefined;
  #over = false;

  constructor(process: Process, sink: WatchSink, forget: () => void) {
    this.#process = process;
    this.#sink = sink;
    this.#forget = forget;
  }

  event(event: WatchEvent): void {
    if (this.#held) this.#held.push(() => this.#sink.event(event));
    else if (!this.#over) this.#sink.event(event);
  }

  closed(error?: unknown): void {
    if (this.#held) this.#held.push(() => this.closed(error));
    else if (!this.#over) {
      this.stop();
      this.#sink.closed(error);
    }
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = undefined;
    this.#timer?.stop();
    this.handle?.stop();
    this.#forget();
  }

  hold(): void {
    if (this.#over || this.#held) return;
    this.#held = [];
    this.#timer = this.#process.clock.afterFunc(SILENCE_MS, 'connection is given up', () => {
      this.#held = undefined;
      this.closed();
    });
  }

  release(): void {
    this.#timer?.stop();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const arrive of held) arrive();
  }
}
