import type { TraceSpan } from '#hosts/control.ts';
import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import { attribute, isFault, SpanReader, type SpanKind, type SpanView } from '../../cluster-store/span-view.ts';

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
  if (isFault(span)) return 'faults';
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

/** What shows. */
export interface Filter {
  readonly groups: ReadonlySet<Group>;
  /** Every word has to be there. */
  readonly text: string;
  readonly actor: string | undefined;
  /** What has to do with this object only. */
  readonly object: ObjectKey | undefined;
}

/** Whether something is about an object: it itself, what connects to it, what is said about it. */
function isAbout({ view }: Entry, object: ObjectKey): boolean {
  if (view.object === object || view.related.includes(object)) return true;
  const [, ...names] = object.split('/');
  // An Event's name is that of what it is about, and a number.
  return view.object?.startsWith(`events/${names.length > 1 ? names.join('/') : `default/${names[0]}`}.`) ?? false;
}

/** The entries that show, oldest first. */
export function filterEntries(
  spans: readonly TraceSpan[],
  reader: EntryReader,
  { groups, text, actor, object }: Filter,
): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const entries: Entry[] = [];
  for (const span of spans) {
    const entry = reader.read(span);
    if (!groups.has(entry.group) || (actor !== undefined && entry.view.actor !== actor)) continue;
    if (object !== undefined && !isAbout(entry, object)) continue;
    if (words.every((word) => entry.text.includes(word))) entries.push(entry);
  }
  return entries;
}
