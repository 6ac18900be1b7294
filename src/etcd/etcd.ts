import { assert } from '#base/assert.ts';
import type { Timer } from '#base/clock.ts';
import { Fifo } from '#base/fifo.ts';
import type { Process } from '#base/pump.ts';
import { prefixEnd, SortedMap } from '#base/sorted-map.ts';
import type { SpanId } from '#base/tracer.ts';

/** One revision of a key. Frozen values are stored and handed out by reference. */
export interface KeyValue<V> {
  readonly key: string;
  /** Undefined: the key was deleted at `modRevision`. */
  readonly value: V | undefined;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Counts the writes since the key was created, from 1; 0 for a deletion. */
  readonly version: number;
  /** 0: none. */
  readonly lease: LeaseId;
  /** Virtual time of the write, ms since the epoch. */
  readonly time: number;
  /** The span of the write. */
  readonly cause: SpanId;
}

export type LeaseId = number;

/** One change of one key. `previous` is the revision before it, if the key existed. */
export interface EtcdEvent<V> {
  readonly kv: KeyValue<V>;
  readonly previous: KeyValue<V> | undefined;
}

/** A transaction goes through only when every comparison holds; a revision of 0 stands for "does not exist". */
export interface Compare {
  readonly key: string;
  readonly target: 'modRevision' | 'createRevision';
  readonly revision: number;
}

/** A value that must know the revision that it is written at is made by a function of it. */
export type Operation<V> =
  | { readonly put: string; readonly value: (revision: number) => V; readonly lease?: LeaseId }
  | { readonly delete: string };

export interface Transaction<V> {
  readonly compare: readonly Compare[];
  readonly operations: readonly Operation<V>[];
  /** The span that wants the write; the write's own span becomes its child. */
  readonly cause: SpanId;
  /** A write's span that was opened by {@link Etcd.openWrite}, instead of one made at the commit. */
  readonly span?: SpanId;
}

export type TransactionResult<V> =
  | { readonly succeeded: true; readonly revision: number; readonly events: readonly EtcdEvent<V>[] }
  | { readonly succeeded: false };

export interface RangeOptions {
  /** Reads the past; default: now. */
  readonly revision?: number;
  /** Begins at this key instead of the first one of the prefix. */
  readonly start?: string;
  readonly limit?: number;
}

export interface RangeResult<V> {
  readonly kvs: readonly KeyValue<V>[];
  /** How many keys there are from `start` on, whatever the limit. */
  readonly count: number;
}

export interface EtcdWatch {
  stop(): void;
}

/** The revision that was asked for is no longer to be had. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly compactRevision: number;
  constructor(compactRevision: number) {
    super('etcdserver: mvcc: required revision has been compacted');
    this.compactRevision = compactRevision;
  }
}

/** The revision that was asked for has not been yet. */
export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  constructor() {
    super('etcdserver: mvcc: required revision is a future revision');
  }
}

/** etcd does not run. */
export class EtcdUnavailableError extends Error {
  override readonly name = 'EtcdUnavailableError';
  constructor() {
    super('etcdserver: no leader');
  }
}

export interface EtcdOptions {
  /** Whose clock times leases and whose tracer records the writes. */
  readonly process: Process;
  /** How many superseded revisions are kept for time travel, over all keys. */
  readonly historyLimit?: number;
  /** How many revisions of this one key are kept (heartbeats); undefined: no limit of its own. */
  readonly ringSize?: (key: string) => number | undefined;
}

interface History<V> {
  readonly key: string;
  /** Oldest first; never empty. */
  readonly revisions: KeyValue<V>[];
}

interface Lease {
  readonly id: LeaseId;
  readonly ttlMs: number;
  readonly cause: SpanId;
  readonly keys: Set<string>;
  timer: Timer | undefined;
}

/**
 * An MVCC key-value store with etcd's semantics: every transaction that writes makes one new revision of the whole
 * store. Reads, transactions and watches are synchronous; what takes time around them is the caller's business.
 *
 * What clients may read is bounded by {@link compact}; what time travel may read ({@link rangeAt}, {@link revisionsOf})
 * is bounded by the options only.
 */
export class Etcd<V> {
  readonly #process: Process;
  readonly #historyLimit: number;
  readonly #ringSize: (key: string) => number | undefined;
  readonly #histories = new Map<string, History<V>>();
  readonly #live = new SortedMap<History<V>>();
  /** Deleted keys whose history is kept. */
  readonly #dead = new SortedMap<History<V>>();
  /** One entry for each revision that may be dropped, oldest first: the history whose first revision goes. */
  readonly #droppable = new Fifo<History<V>>();
  /** Events after the compaction, in order. */
  #log: EtcdEvent<V>[] = [];
  readonly #watches = new Map<string, Set<(events: readonly EtcdEvent<V>[]) => void>>();
  readonly #leases = new Map<LeaseId, Lease>();
  #revision = 1;
  #compacted = 0;
  #horizon = 1;
  #lastLease = 0;
  #running = true;

  constructor(options: EtcdOptions) {
    this.#process = options.process;
    this.#historyLimit = options.historyLimit ?? 200_000;
    this.#ringSize = options.ringSize ?? (() => undefined);
  }

  /** The newest revision; 1 in an empty store. */
  get revision(): number {
    return this.#revision;
  }

  get compactRevision(): number {
    return this.#compacted;
  }

  /** The oldest revision that {@link rangeAt} tells exactly. */
  get horizon(): number {
    return this.#horizon;
  }

  get running(): boolean {
    return this.#running;
  }

  /** From now on everything a client asks fails; the data stay. Watches go on when it serves again, and miss nothing. */
  stop(): void {
    this.#running = false;
    for (const lease of this.#leases.values()) lease.timer?.stop();
  }

  /** Serves again. Leases get their whole time anew, as after an election. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    for (const lease of this.#leases.values()) this.#arm(lease);
  }

  get(key: string): KeyValue<V> | undefined {
    this.#demandRunning();
    const last = this.#histories.get(key)?.revisions.at(-1);
    return last?.value === undefined ? undefined : last;
  }

  /** The keys that begin with `prefix`, in order. Throws {@link CompactedError} and {@link FutureRevisionError}. */
  range(prefix: string, options: RangeOptions = {}): RangeResult<V> {
    this.#demandRunning();
    const { revision = this.#revision, start = prefix, limit = Number.POSITIVE_INFINITY } = options;
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    if (revision > this.#revision) throw new FutureRevisionError();
    const end = prefixEnd(prefix);
    const kvs: KeyValue<V>[] = [];
    if (revision === this.#revision) {
      this.#live.walk(start, end, ({ revisions }) => {
        if (kvs.length >= limit) return false;
        kvs.push(revisions[revisions.length - 1] as KeyValue<V>);
      });
      return { kvs, count: limit === Number.POSITIVE_INFINITY ? kvs.length : this.#live.count(start, end) };
    }
    let count = 0;
    for (const kv of this.#walkAt(start, end, revision)) if (++count <= limit) kvs.push(kv);
    return { kvs, count };
  }

  /** What {@link range} finds now, also while stopped: as a client has it in its cache who has watched all along. */
  cached(prefix: string): readonly KeyValue<V>[] {
    const kvs: KeyValue<V>[] = [];
    this.#live.walk(prefix, prefixEnd(prefix), ({ revisions }) => {
      kvs.push(revisions[revisions.length - 1] as KeyValue<V>);
    });
    return kvs;
  }

  /** How many keys begin with `prefix`. */
  count(prefix: string): number {
    return this.#live.count(prefix, prefixEnd(prefix));
  }

  /**
   * Applies all operations at one new revision, or none when a comparison does not hold. Deleting a key that does not
   * exist does nothing; a transaction that does nothing makes no revision.
   */
  txn(transaction: Transaction<V>): TransactionResult<V> {
    this.#demandRunning();
    for (const { key, target, revision } of transaction.compare) {
      if ((this.get(key)?.[target] ?? 0) !== revision) return { succeeded: false };
    }
    return this.#apply(transaction);
  }

  /** Opens the span of a write that will be committed later. */
  openWrite(operation: 'put' | 'delete', key: string, cause: SpanId): SpanId {
    return this.#process.tracer.start('write', 'etcd', `${operation} ${key}`, cause, { key, operation });
  }

  #apply({ operations, cause, span }: Transaction<V>): TransactionResult<V> {
    const revision = this.#revision + 1;
    const { tracer } = this.#process;
    const time = this.#process.pump.now;
    const events: EtcdEvent<V>[] = [];
    for (const operation of operations) {
      const isPut = 'put' in operation;
      const key = isPut ? operation.put : operation.delete;
      const history = this.#histories.get(key);
      const last = history?.revisions.at(-1);
      const previous = last?.value === undefined ? undefined : last;
      if (!isPut && !previous) continue;
      // The first operation of a transaction gets the span that was opened for it.
      let write = events.length === 0 ? span : undefined;
      const verb = isPut ? 'put' : 'delete';
      if (write === undefined)
        write = tracer.instant('write', 'etcd', `${verb} ${key}`, cause, { key, operation: verb, revision });
      else tracer.end(write, { revision });
      const lease = isPut ? (operation.lease ?? 0) : 0;
      const kv: KeyValue<V> = {
        key,
        value: isPut ? operation.value(revision) : undefined,
        createRevision: previous?.createRevision ?? revision,
        modRevision: revision,
        version: isPut ? (previous?.version ?? 0) + 1 : 0,
        lease,
        time,
        cause: write,
      };
      if (previous && previous.lease !== lease) this.#leases.get(previous.lease)?.keys.delete(key);
      if (lease !== 0) {
        const holder = this.#leases.get(lease);
        assert(holder, `lease ${lease} does not exist`);
        holder.keys.add(key);
      }
      this.#record(history, kv, previous);
      events.push({ kv, previous });
    }
    if (events.length === 0) return { succeeded: true, revision: this.#revision, events };
    this.#revision = revision;
    for (const event of events) this.#log.push(event);
    this.#notify(events);
    return { succeeded: true, revision, events };
  }

  #record(history: History<V> | undefined, kv: KeyValue<V>, previous: KeyValue<V> | undefined): void {
    const { key } = kv;
    if (!history) {
      const made: History<V> = { key, revisions: [kv] };
      this.#histories.set(key, made);
      this.#live.set(key, made);
      return;
    }
    const { revisions } = history;
    revisions.push(kv);
    if (!previous) {
      this.#dead.delete(key);
      this.#live.set(key, history);
    } else if (kv.value === undefined) {
      this.#live.delete(key);
      this.#dead.set(key, history);
      this.#droppable.push(history);
      this.#droppable.push(history);
    } else if (revisions.length > (this.#ringSize(key) ?? Number.POSITIVE_INFINITY)) revisions.shift();
    else this.#droppable.push(history);
    while (this.#droppable.size > this.#historyLimit) this.#drop(this.#droppable.shift() as History<V>);
  }

  #drop(history: History<V>): void {
    const dropped = history.revisions.shift() as KeyValue<V>;
    const next = history.revisions[0];
    if (next) {
      if (dropped.value !== undefined) this.#horizon = Math.max(this.#horizon, next.modRevision);
      return;
    }
    this.#dead.delete(history.key);
    this.#histories.delete(history.key);
  }

  #notify(events: readonly EtcdEvent<V>[]): void {
    if (events.length === 1) {
      const { key } = (events[0] as EtcdEvent<V>).kv;
      for (const listener of this.#listenersOf(key)) listener(events);
      return;
    }
    const batches = new Map<(events: readonly EtcdEvent<V>[]) => void, EtcdEvent<V>[]>();
    for (const event of events) {
      for (const listener of this.#listenersOf(event.kv.key)) {
        const batch = batches.get(listener);
        if (batch) batch.push(event);
        else batches.set(listener, [event]);
      }
    }
    for (const [listener, batch] of batches) listener(batch);
  }

  #listenersOf(key: string): readonly ((events: readonly EtcdEvent<V>[]) => void)[] {
    const found: ((events: readonly EtcdEvent<V>[]) => void)[] = [];
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      const listeners = this.#watches.get(key.slice(0, slash + 1));
      if (listeners) found.push(...listeners);
    }
    return found;
  }

  /**
   * Calls `listener` with the events of the keys under `prefix` (which ends in a slash): those from `startRevision` on
   * at once, later ones at their commit, those of one transaction together. Throws {@link CompactedError}. Without a
   * revision it can be begun while etcd is stopped, like a watch that was there before.
   */
  watch(
    prefix: string,
    startRevision: number | undefined,
    listener: (events: readonly EtcdEvent<V>[]) => void,
  ): EtcdWatch {
    if (startRevision !== undefined) this.#demandRunning();
    assert(prefix.endsWith('/'), 'a watched prefix ends in a slash');
    if (startRevision !== undefined && startRevision <= this.#revision) {
      const past = this.eventsSince(prefix, startRevision);
      if (past.length > 0) listener(past);
    }
    let listeners = this.#watches.get(prefix);
    if (!listeners) this.#watches.set(prefix, (listeners = new Set()));
    listeners.add(listener);
    return {
      stop: () => {
        listeners.delete(listener);
      },
    };
  }

  /**
   * The events of the keys under `prefix` from a revision on, oldest first. Throws {@link CompactedError}. Works while
   * stopped: a client that has watched all along knows them too.
   */
  eventsSince(prefix: string, revision: number): readonly EtcdEvent<V>[] {
    if (revision <= this.#compacted) throw new CompactedError(this.#compacted);
    return this.#log.slice(this.#logIndex(revision)).filter(({ kv }) => kv.key.startsWith(prefix));
  }

  #logIndex(revision: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle] as EtcdEvent<V>).kv.modRevision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Clients can no longer read what was before `revision`. Throws {@link FutureRevisionError}. */
  compact(revision: number): void {
    this.#demandRunning();
    if (revision > this.#revision) throw new FutureRevisionError();
    if (revision <= this.#compacted) return;
    this.#compacted = revision;
    this.#log = this.#log.slice(this.#logIndex(revision + 1));
  }

  /** A lease: the keys that are put with it are deleted, all at one revision, when `ttlMs` has passed unrenewed. */
  grantLease(ttlMs: number, cause: SpanId): LeaseId {
    this.#demandRunning();
    const lease: Lease = { id: ++this.#lastLease, ttlMs, cause, keys: new Set(), timer: undefined };
    this.#leases.set(lease.id, lease);
    this.#arm(lease);
    return lease.id;
  }

  /** Begins the lease's time anew. Returns whether the lease still exists. */
  keepAlive(id: LeaseId): boolean {
    this.#demandRunning();
    const lease = this.#leases.get(id);
    if (!lease) return false;
    this.#arm(lease);
    return true;
  }

  /** Ends a lease and deletes its keys. */
  revokeLease(id: LeaseId, cause: SpanId): void {
    this.#demandRunning();
    const lease = this.#leases.get(id);
    if (!lease) return;
    lease.timer?.stop();
    this.#leases.delete(id);
    this.#apply({ compare: [], operations: [...lease.keys].map((key) => ({ delete: key })), cause });
  }

  #arm(lease: Lease): void {
    lease.timer?.stop();
    lease.timer = this.#process.clock.afterFunc(
      lease.ttlMs,
      'lease expires',
      () => this.revokeLease(lease.id, lease.cause),
      lease.cause,
    );
  }

  /** Every kept revision of a key, oldest first. For time travel: works whatever was compacted, and while stopped. */
  revisionsOf(key: string): readonly KeyValue<V>[] {
    return [...(this.#histories.get(key)?.revisions ?? [])];
  }

  /**
   * The keys under `prefix` as they were at a revision. For time travel: works whatever was compacted, and while stopped.
   * Before {@link horizon}, and for keys kept in a ring, the oldest kept revision stands for those that were dropped.
   */
  rangeAt(prefix: string, revision: number): readonly KeyValue<V>[] {
    return this.#walkAt(prefix, prefixEnd(prefix), revision);
  }

  #walkAt(start: string, end: string, revision: number): KeyValue<V>[] {
    const found: KeyValue<V>[] = [];
    const visit = ({ revisions }: History<V>) => {
      const kv = at(revisions, revision);
      if (kv) found.push(kv);
    };
    this.#live.walk(start, end, visit);
    const living = found.length;
    this.#dead.walk(start, end, visit);
    if (found.length > living) found.sort((a, b) => (a.key < b.key ? -1 : 1));
    return found;
  }

  #demandRunning(): void {
    if (!this.#running) throw new EtcdUnavailableError();
  }
}

function at<V>(revisions: readonly KeyValue<V>[], revision: number): KeyValue<V> | undefined {
  let i = revisions.length - 1;
  while (i >= 0 && (revisions[i] as KeyValue<V>).modRevision > revision) i--;
  const kv = revisions[i] ?? (revisions[0] as KeyValue<V>);
  // Older revisions were dropped, but the key is known to have existed.
  return kv.value !== undefined && kv.createRevision <= revision ? kv : undefined;
}
