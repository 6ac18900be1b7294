import type { RequestOptions, WatchEvent } from '#apimachinery/api-request.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { type Process, ProcessExitedError } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import { Backoff } from './backoff.ts';
import type { Client } from './client.ts';

/** Which objects of a resource are wanted. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** What a {@link Reflector} keeps up to date. Called outside of tasks: nothing of it may park. */
export interface ReflectorStore<T extends ApiObject> {
  /** All objects there are; `causes` names the span of the write that made each, where that is known. */
  replace(objects: readonly T[], causes: readonly SpanId[] | undefined): void;
  /** One change; never a bookmark. */
  apply(event: WatchEvent<T>): void;
}

/**
 * Keeps a store equal to what the API server has: lists, then watches from the list's version; takes a broken watch up
 * where it was; lists anew, after a back-off, when that version is gone (410) or the watch cannot be had. Follows
 * client-go's tools/cache/reflector.go, v1.33.
 *
 * Differs from upstream: it sets no time limit of its own on a watch (5 to 10 minutes there, against connections that
 * died silently, which a call in one process cannot), and has no periodic resync.
 */
export class Reflector<T extends ApiObject> {
  readonly #process: Process;
  readonly #client: Client;
  readonly #resource: ResourceDefinition<T>;
  readonly #selection: Selection;
  readonly #store: ReflectorStore<T>;
  readonly #backoff: Backoff;
  /** The version that the store is at; empty before the first list. */
  #version = '';
  #versionGone = false;

  constructor(
    process: Process,
    client: Client,
    resource: ResourceDefinition<T>,
    selection: Selection,
    store: ReflectorStore<T>,
  ) {
    this.#process = process;
    this.#client = client;
    this.#resource = resource;
    this.#selection = selection;
    this.#store = store;
    this.#backoff = new Backoff(process, { initialMs: 800, maxMs: 30_000, resetMs: 120_000, factor: 2, jitter: 1 });
  }

  /** Starts the reflector; it ends with its process. */
  start(): void {
    this.#process.spawn(`reflect ${this.#resource.plural}`, async () => {
      for (;;) {
        try {
          await this.#list();
          await this.#watch();
        } catch (error) {
          if (!isAnswer(error)) throw error;
        }
        await this.#process.clock.sleep(this.#backoff.step());
      }
    });
  }

  async #list(): Promise<void> {
    try {
      await this.#listFrom(this.#versionGone ? '' : this.#version || '0');
    } catch (error) {
      if (!isStatus(error, 'Expired', 'Gone') && !isTooLargeVersion(error)) throw error;
      this.#versionGone = true;
      await this.#listFrom('');
    }
    this.#versionGone = false;
  }

  async #listFrom(resourceVersion: string): Promise<void> {
    const options: RequestOptions = resourceVersion ? { resourceVersion } : {};
    const {
      items,
      causes,
      resourceVersion: version,
    } = await this.#client.list(this.#resource, { ...this.#selection, ...options });
    this.#version = version;
    this.#store.replace(items, causes);
  }

  /** Watches until a list is needed. */
  async #watch(): Promise<void> {
    for (;;) {
      const start = this.#process.clock.now();
      let outcome: WatchOutcome;
      try {
        outcome = await this.#watchOnce();
      } catch (error) {
        // Nobody listens, or too many ask: the version may still be good when the server answers again.
        if (!(error instanceof ProcessExitedError) && !isStatus(error, 'TooManyRequests')) throw error;
        await this.#process.clock.sleep(this.#backoff.step());
        continue;
      }
      if (isStatus(outcome.error, 'TooManyRequests')) await this.#process.clock.sleep(this.#backoff.step());
      else if (outcome.error !== undefined) return;
      else if (outcome.events === 0 && this.#process.clock.now() - start < 1000) return;
    }
  }

  async #watchOnce(): Promise<WatchOutcome> {
    const process = this.#process;
    const watch: { events: number; end?: { readonly error: unknown }; wake?: () => void } = { events: 0 };
    const handle = await this.#client.watch(
      this.#resource,
      { ...this.#selection, resourceVersion: this.#version, allowWatchBookmarks: true },
      {
        event: (event) => {
          if (watch.end || !process.alive) return;
          watch.events++;
          this.#version = event.object.metadata.resourceVersion ?? this.#version;
          if (event.type !== 'BOOKMARK') this.#store.apply(event);
        },
        closed: (error) => {
          watch.end ??= { error };
          watch.wake?.();
        },
      },
    );
    const forget = process.onExit(() => handle.stop());
    if (!watch.end) {
      await process.park<void>((wake) => {
        watch.wake = () => wake();
      });
    }
    forget();
    return { error: watch.end?.error, events: watch.events };
  }
}

interface WatchOutcome {
  /** Why the watch ended; undefined: in order. */
  readonly error: unknown;
  readonly events: number;
}

/** Whether the server, or its absence, said so; anything else is a bug of ours. */
function isAnswer(error: unknown): boolean {
  return error instanceof ProcessExitedError || error instanceof StatusError;
}

/** The server does not know this version yet. Follows apierrors.HasStatusCause(ResourceVersionTooLarge), v1.33. */
function isTooLargeVersion(error: unknown): boolean {
  return (
    isStatus(error, 'Timeout') &&
    error.status.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') === true
  );
}
