import type { KeyRevision, TraceSpan } from '#hosts/control.ts';
import type { ObjectKey } from '../../cluster-store/kube-object.ts';
import { attribute, viewSpan } from '../../cluster-store/span-view.ts';
import { changeOf, type Change } from './why-change.ts';

/** Who did something. */
export type Actor =
  /** Somebody outside of the cluster, with a program. */
  | { readonly type: 'person'; readonly program: string }
  | { readonly type: 'controller' | 'component'; readonly name: string }
  | { readonly type: 'kubelet'; readonly node: string };

/** One write and how it came about: from what somebody was told to what etcd took. */
export interface Act {
  readonly actor: Actor;
  readonly object: ObjectKey | undefined;
  readonly change: Change;
  /** What a controller counted before it acted. */
  readonly decision: TraceSpan | undefined;
  /** What the actor was looking after, where that is another object. */
  readonly looksAfter: ObjectKey | undefined;
  /** Delivery, queue take, reconcile, decision, request and write, as far as they are known, in the order of time. */
  readonly spans: readonly TraceSpan[];
  readonly revision: KeyRevision | undefined;
  readonly previous: KeyRevision | undefined;
  /** How many further causes there were at the same time. */
  readonly others: number;
}

const MAX_ACTS = 24;

/** How many spans lie between a span and the nearest input from outside; Infinity when none led to it. */
function distances(spans: ReadonlyMap<number, TraceSpan>): (id: number) => number {
  const children = new Map<number, number[]>();
  const found = new Map<number, number>();
  let front: number[] = [];
  for (const span of spans.values()) {
    for (const parent of span.parents) children.set(parent, [...(children.get(parent) ?? []), span.id]);
    if (span.kind === 'input') front.push(span.id);
  }
  for (let distance = 0; front.length > 0; distance++) {
    for (const id of front) found.set(id, distance);
    front = front.flatMap((id) => children.get(id) ?? []).filter((id) => !found.has(id));
  }
  return (id) => found.get(id) ?? Number.POSITIVE_INFINITY;
}

/**
 * The acts that led to a write, the last one first, back to whoever began. Where several causes were taken together, it
 * follows the one that is nearest to an input from outside. `revisions` are those of the written keys, as far as known.
 */
export function whyChain(
  write: number,
  trace: readonly TraceSpan[],
  revisions: ReadonlyMap<string, readonly KeyRevision[]>,
): readonly Act[] {
  const spans = new Map(trace.map((span) => [span.id, span]));
  const distance = distances(spans);
  const acts: Act[] = [];
  const seen = new Set<number>();
  let next = spans.get(write);
  while (next && acts.length < MAX_ACTS && !seen.has(next.id)) {
    const last = next;
    next = undefined;
    const own: TraceSpan[] = [];
    let others = 0;
    let at: TraceSpan | undefined = last;
    while (at && !seen.has(at.id)) {
      seen.add(at.id);
      own.unshift(at);
      const causes: TraceSpan[] = at.parents.flatMap((parent) => spans.get(parent) ?? []);
      const best: TraceSpan | undefined = causes.toSorted((a, b) => distance(a.id) - distance(b.id) || b.id - a.id)[0];
      others += Math.max(0, Number(attribute(at, 'coalesced') || at.parents.length) - 1);
      if (best?.kind === 'write') next = best;
      at = next ? undefined : best;
    }
    acts.push(actOf(last, own, others, revisions));
  }
  return acts;
}

function actOf(
  last: TraceSpan,
  spans: readonly TraceSpan[],
  others: number,
  revisions: ReadonlyMap<string, readonly KeyRevision[]>,
): Act {
  const history = last.kind === 'write' ? (revisions.get(attribute(last, 'key')) ?? []) : [];
  const at = history.findIndex((revision) => revision.span === last.id);
  const object = viewSpan(last).object;
  const looked = spans.find((span) => span.kind === 'reconcile');
  const looksAfter = looked && viewSpan(looked).object;
  return {
    actor: actorOf(spans),
    object,
    change: at < 0 ? { type: 'unknown' } : changeOf(history[at], history[at - 1]),
    decision: spans.find((span) => span.kind === 'decision'),
    looksAfter: looksAfter === object ? undefined : looksAfter,
    spans,
    revision: history[at],
    previous: history[at - 1],
    others,
  };
}

/** Who was behind these spans: a person if there was an input, or else who sent the request. */
export function actorOf(spans: readonly TraceSpan[]): Actor {
  const input = spans.find((span) => span.kind === 'input');
  if (input) return { type: 'person', program: input.component };
  const request = spans.findLast((span) => span.kind === 'request');
  const user = request ? attribute(request, 'user') : '';
  const agent = request ? (attribute(request, 'userAgent').split('/')[0] ?? '') : '';
  const node = /^system:node:(.+)$/.exec(user)?.[1];
  if (node) return { type: 'kubelet', node };
  const account = /^system:serviceaccount:[^:]+:(.+)$/.exec(user)?.[1];
  const worker = spans.find((span) => span.kind === 'reconcile' || span.kind === 'timer')?.component;
  if (account && /kube-proxy/.test(account)) return { type: 'component', name: account };
  // Several controllers share an account, so what worked tells more.
  if (worker ?? account) return { type: 'controller', name: worker ?? (account as string) };
  return { type: 'component', name: agent || user.replace(/^system:/, '') || (spans[0]?.component ?? '') };
}
