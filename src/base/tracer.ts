/** The number of a span; 0 stands for "no cause is known". */
export type SpanId = number;

/** What a span says about its work: small plain values. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What kind of work a span stands for. */
export type SpanKind =
  | 'input'
  | 'request'
  | 'write'
  | 'delivery'
  | 'take'
  | 'reconcile'
  | 'timer'
  | 'decision'
  | 'connection'
  | 'work';

export interface Span {
  readonly id: SpanId;
  readonly kind: SpanKind;
  readonly component: string;
  readonly name: string;
  readonly parents: readonly SpanId[];
  /** Milliseconds of virtual time. */
  readonly start: number;
  /** Absent while the work goes on. */
  readonly end?: number;
  readonly attributes: SpanAttributes;
}

/** How many parents one span keeps; the rest are counted in `coalesced`. */
export const MAX_PARENTS = 16;
const NO_ATTRIBUTES: SpanAttributes = {};

/**
 * The causal trace: which work led to which. Spans lie in columns; ids ascend. The buffer is bounded: past `limit`
 * spans the oldest go, except the nearest ancestry of what `roots` still names (the causes of living objects).
 */
export class Tracer {
  readonly #now: () => number;
  readonly #limit: number;
  #roots: () => Iterable<SpanId> = () => [];
  #next = 1;
  #ids: number[] = [];
  #kinds: SpanKind[] = [];
  #components: string[] = [];
  #names: string[] = [];
  #parents: (SpanId | readonly SpanId[])[] = [];
  #starts: number[] = [];
  #ends: number[] = [];
  #attributes: SpanAttributes[] = [];
  /** Called for each span that starts or ends; for hosts that stream the trace. It must not influence the engine. */
  onSpan: ((id: SpanId) => void) | undefined;

  constructor(now: () => number, limit = 400_000) {
    this.#now = now;
    this.#limit = limit;
  }

  get size(): number {
    return this.#ids.length;
  }

  /** Tells which spans belong to what still exists. */
  retain(roots: () => Iterable<SpanId>): void {
    this.#roots = roots;
  }

  start(
    kind: SpanKind,
    component: string,
    name: string,
    parents: SpanId | readonly SpanId[],
    attributes: SpanAttributes = NO_ATTRIBUTES,
  ): SpanId {
    if (this.#ids.length >= this.#limit) this.#compact();
    const id = this.#next++;
    this.#ids.push(id);
    this.#kinds.push(kind);
    this.#components.push(component);
    this.#names.push(name);
    if (typeof parents === 'number') this.#parents.push(parents);
    else if (parents.length <= MAX_PARENTS) this.#parents.push(parents);
    else {
      this.#parents.push(parents.slice(0, MAX_PARENTS));
      attributes = { ...attributes, coalesced: parents.length };
    }
    this.#starts.push(this.#now());
    this.#ends.push(Number.NaN);
    this.#attributes.push(attributes);
    this.onSpan?.(id);
    return id;
  }

  /** Ends a span and adds attributes. Ending it twice, or one that was dropped, does nothing. */
  end(id: SpanId, attributes?: SpanAttributes): void {
    const row = this.#row(id);
    if (row < 0) return;
    this.#ends[row] = this.#now();
    if (attributes) this.#attributes[row] = { ...this.#attributes[row], ...attributes };
    this.onSpan?.(id);
  }

  /** Adds attributes to a span, which goes on; to one that was dropped, nothing. */
  annotate(id: SpanId, attributes: SpanAttributes): void {
    const row = this.#row(id);
    if (row < 0) return;
    this.#attributes[row] = { ...this.#attributes[row], ...attributes };
    this.onSpan?.(id);
  }

  /** A span that is over as soon as it starts. */
  instant(
    kind: SpanKind,
    component: string,
    name: string,
    parents: SpanId | readonly SpanId[],
    attributes?: SpanAttributes,
  ): SpanId {
    const id = this.start(kind, component, name, parents, attributes);
    this.#ends[this.#ids.length - 1] = this.#now();
    return id;
  }

  get(id: SpanId): Span | undefined {
    const row = this.#row(id);
    return row < 0 ? undefined : this.#span(row);
  }

  /** The span and all that led to it, nearest first, at most `limit`. */
  ancestry(id: SpanId, limit = 1000): Span[] {
    const seen = new Set<SpanId>([id]);
    const found: Span[] = [];
    for (const next of seen) {
      const span = this.get(next);
      if (!span) continue;
      found.push(span);
      if (found.length >= limit) break;
      for (const parent of span.parents) seen.add(parent);
    }
    return found;
  }

  /** The span and all that it led to, in the order in which it started, at most `limit`. */
  descendants(id: SpanId, limit = 1000): Span[] {
    const seen = new Set<SpanId>([id]);
    const found: Span[] = [];
    for (let row = Math.max(0, this.#row(id)); row < this.#ids.length && found.length < limit; row++) {
      const span = this.#ids[row] as number;
      if (!seen.has(span)) {
        const parents = this.#parents[row] as SpanId | readonly SpanId[];
        if (!(typeof parents === 'number' ? seen.has(parents) : parents.some((parent) => seen.has(parent)))) continue;
        seen.add(span);
      }
      found.push(this.#span(row));
    }
    return found;
  }

  /** All spans that are kept, from the id on. */
  *from(id: SpanId): Generator<Span> {
    for (let row = this.#lowerBound(id); row < this.#ids.length; row++) yield this.#span(row);
  }

  #span(row: number): Span {
    const end = this.#ends[row] as number;
    const parents = this.#parents[row] as SpanId | readonly SpanId[];
    return {
      id: this.#ids[row] as number,
      kind: this.#kinds[row] as SpanKind,
      component: this.#components[row] as string,
      name: this.#names[row] as string,
      parents: typeof parents === 'number' ? (parents === 0 ? [] : [parents]) : parents,
      start: this.#starts[row] as number,
      ...(Number.isNaN(end) ? {} : { end }),
      attributes: this.#attributes[row] as SpanAttributes,
    };
  }

  #lowerBound(id: SpanId): number {
    // Ids are dense until the first compaction, so the guess is nearly always the answer.
    const first = this.#ids[0];
    if (first === undefined) return 0;
    if (this.#ids[id - first] === id) return id - first;
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #row(id: SpanId): number {
    const row = this.#lowerBound(id);
    return this.#ids[row] === id ? row : -1;
  }

  /**
   * Keeps the newest quarter, and of the ancestry of what still exists the nearest, level by level, until three quarters
   * are full: the rest of the trace has room for what comes.
   */
  #compact(): void {
    const size = this.#ids.length;
    const newest = size - Math.floor(this.#limit / 4);
    const keep = new Uint8Array(size).fill(1, newest);
    let room = Math.floor(this.#limit / 2);
    const rows: number[] = [];
    const mark = (id: SpanId) => {
      const row = this.#row(id);
      if (row < 0 || keep[row] || room === 0) return;
      keep[row] = 1;
      rows.push(row);
      room--;
    };
    const markParents = (row: number) => {
      const parents = this.#parents[row] as SpanId | readonly SpanId[];
      if (typeof parents === 'number') mark(parents);
      else for (const parent of parents) mark(parent);
    };
    for (const root of this.#roots()) mark(root);
    for (let row = size - 1; row >= newest; row--) markParents(row);
    // What is marked is appended to the list that is walked.
    for (const row of rows) markParents(row);
    const only = <T>(column: T[]): T[] => column.filter((_, row) => keep[row]);
    this.#kinds = only(this.#kinds);
    this.#components = only(this.#components);
    this.#names = only(this.#names);
    this.#parents = only(this.#parents);
    this.#starts = only(this.#starts);
    this.#ends = only(this.#ends);
    this.#attributes = only(this.#attributes);
    this.#ids = only(this.#ids);
  }
}
