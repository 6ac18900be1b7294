import type { TraceSpan } from '#hosts/control.ts';
import { attribute, SpanReader, type SpanKind, type SpanView } from '../../cluster-store/span-view.ts';

/** What can be shown or hidden together. */
export const GROUPS = [
  'requests',
  'reads',
  'writes',
  'deliveries',
  'decisions',
  'work',
  'connections',
  'faults',
  'events',
  'queues',
  'heartbeats',
] as const;
export type Group = (typeof GROUPS)[number];

/** What a person has not asked for yet. */
export const DEFAULT_GROUPS: ReadonlySet<Group> = new Set([
  'requests',
  'writes',
  'deliveries',
  'decisions',
  'work',
  'connections',
  'faults',
]);

export interface Entry {
  readonly span: TraceSpan;
  readonly view: SpanView;
  readonly group: Group;
  /** Lower-case text for the filter. */
  readonly text: string;
}

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

const GROUP_OF: Readonly<Record<SpanKind, Group>> = {
  input: 'requests',
  request: 'requests',
  write: 'writes',
  delivery: 'deliveries',
  decision: 'decisions',
  work: 'work',
  connection: 'connections',
  reconcile: 'queues',
  take: 'queues',
  timer: 'queues',
};

function groupOf(span: TraceSpan, view: SpanView): Group {
  if (view.heartbeat) return 'heartbeats';
  // What components say about what happened is not what happened.
  if (view.object?.startsWith('events/') || attribute(span, 'resource') === 'events') return 'events';
  if (span.kind === 'request' && READS.has(view.verb)) return 'reads';
  return GROUP_OF[span.kind as SpanKind] ?? 'work';
}

/** Makes entries of spans, and knows the one it made while the span stays the same. */
export class EntryReader {
  readonly #entries = new WeakMap<TraceSpan, Entry>();
  readonly #reader = new SpanReader();

  read(span: TraceSpan): Entry {
    let entry = this.#entries.get(span);
    if (entry) return entry;
    const view = this.#reader.view(span);
    const group = groupOf(span, view);
    entry = {
      span,
      view,
      group,
      text: `${view.actor} ${view.verb} ${view.target} ${view.result} ${span.name}`.toLowerCase(),
    };
    this.#entries.set(span, entry);
    return entry;
  }
}

/** The entries that show, oldest first: those of the groups whose text has every word of the filter. */
export function filterEntries(
  spans: readonly TraceSpan[],
  reader: EntryReader,
  groups: ReadonlySet<Group>,
  filter: string,
  actor: string | undefined,
): Entry[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const entries: Entry[] = [];
  for (const span of spans) {
    const entry = reader.read(span);
    if (!groups.has(entry.group) || (actor !== undefined && entry.view.actor !== actor)) continue;
    if (words.every((word) => entry.text.includes(word))) entries.push(entry);
  }
  return entries;
}
