import type { KeyRevision, TraceSpan } from '#hosts/control.ts';
import type { KubeObject } from '../../cluster-store/kube-object.ts';
import { viewSpan, type CreationStep } from '../../cluster-store/span-view.ts';

/** `skipped`: somebody had named the Node already, so there was nothing to schedule. */
export type StepState = 'waiting' | 'active' | 'done' | 'failed' | 'skipped';

/** Something that happened in a step. */
export type FlowItem =
  | { readonly type: 'span'; readonly time: number; readonly span: TraceSpan }
  | {
      readonly type: 'revision';
      readonly time: number;
      readonly revision: KeyRevision;
      readonly previous?: KeyRevision;
    };

export interface FlowStep {
  readonly number: CreationStep;
  readonly state: StepState;
  /** Virtual ms. */
  readonly start?: number;
  readonly end?: number;
  /** In the order in which it happened. */
  readonly items: readonly FlowItem[];
  /** What the cluster itself says about why it does not go on. */
  readonly message?: string;
}

interface PodView extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly PodCondition[] };
}
interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

const podOf = (revision: KeyRevision) => revision.object as PodView | undefined;
/** The Node to which a Pod is bound in a revision. */
export const nodeOf = (revision: KeyRevision): string | undefined => podOf(revision)?.spec?.nodeName;
const conditionOf = (pod: PodView | undefined, type: string) =>
  pod?.status?.conditions?.find((condition) => condition.type === type);

function isUp(pod: PodView | undefined): boolean {
  const phase = pod?.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' || conditionOf(pod, 'Ready')?.status === 'True';
}

const MAX_ITEMS = 40;

/**
 * The five steps in which a Pod was created, found in what was recorded: the revisions of its key (the last life only,
 * should the name have been used before) and the spans that led to them and followed from them.
 */
export function creationFlow(history: readonly KeyRevision[], trace: readonly TraceSpan[]): readonly FlowStep[] {
  const born = history.findLastIndex(
    (revision, at) => revision.object !== undefined && history[at - 1]?.object === undefined,
  );
  const revisions = born < 0 ? [] : history.slice(born);
  const spans = [...new Map(trace.map((span) => [span.id, span])).values()].sort(
    (a, b) => a.start - b.start || a.id - b.id,
  );
  const byId = new Map(spans.map((span) => [span.id, span]));
  const first = revisions[0];
  if (!first) return ([1, 2, 3, 4, 5] as const).map((number) => ({ number, state: 'waiting', items: [] }));

  /** The request that led to a write. */
  const requestOf = (revision: KeyRevision): TraceSpan | undefined => {
    const write = byId.get(revision.span);
    for (const parent of write?.parents ?? []) {
      const span = byId.get(parent);
      if (span?.kind === 'request') return span;
    }
    return undefined;
  };
  const partyOf = (span: TraceSpan) => viewSpan(span).party;
  const toldOf = (revision: KeyRevision, party: (name: string) => boolean) =>
    spans.filter((span) => span.kind === 'delivery' && span.parents.includes(revision.span) && party(partyOf(span)));

  const living = revisions.filter((revision) => revision.object !== undefined);
  const latest = podOf(living.at(-1) ?? first);
  const boundAt = revisions.findIndex(nodeOf);
  const bound = revisions[boundAt];
  const node = bound && nodeOf(bound);
  const pod = objectOf(first);
  const own = (span: TraceSpan) => (viewSpan(span).object ?? pod) === pod;

  // 1: who asked, and how.
  const creation = requestOf(first);
  const origin = (creation?.parents ?? []).map((parent) => byId.get(parent)).filter((span) => span !== undefined);
  const asked = step(1, [...origin, ...(creation ? [creation] : [])].map(spanItem), 'done');

  // 2: the write.
  const wrote = step(2, [revisionItem(first)], 'done');

  // 3: the scheduler is told, decides, and binds.
  const until = bound ? bound.time : Number.POSITIVE_INFINITY;
  const decisions = spans.filter((span) => span.kind === 'decision' && own(span) && span.start <= until);
  const binding = bound && bound !== first ? requestOf(bound) : undefined;
  const seen = toldOf(first, (party) => party === 'kube-scheduler');
  const unscheduled = conditionOf(latest, 'PodScheduled');
  const chosen: FlowItem[] = [...seen, ...decisions, ...(binding ? [binding] : [])].map(spanItem);
  if (bound && bound !== first) chosen.push(revisionItem(bound, revisions[boundAt - 1]));
  const scheduled =
    bound === first
      ? step(3, [], 'skipped')
      : step(
          3,
          chosen,
          bound ? 'done' : unscheduled?.status === 'False' ? 'failed' : chosen.length > 0 ? 'active' : 'waiting',
          bound ? undefined : unscheduled?.message,
        );

  // 4: the kubelet is told and runs it; 5: it reports.
  const kubelet = (party: string) => party === `node:${node}`;
  const reports = bound
    ? revisions
        .slice(boundAt + 1)
        .filter(
          (revision) =>
            revision.object !== undefined && requestOf(revision) && kubelet(partyOf(requestOf(revision) as TraceSpan)),
        )
    : [];
  const up = reports.findIndex((revision) => isUp(podOf(revision)));
  const untilUp = up < 0 ? reports : reports.slice(0, up + 1);
  const end = up < 0 ? Number.POSITIVE_INFINITY : (reports[up] as KeyRevision).time;
  const told = bound ? toldOf(bound, kubelet) : [];
  const work = bound
    ? spans.filter(
        (span) =>
          viewSpan(span).step === 4 &&
          span.kind === 'work' &&
          kubelet(partyOf(span)) &&
          own(span) &&
          span.start >= bound.time &&
          span.start <= end,
      )
    : [];
  const trouble = containerTrouble(latest);
  const failed = up < 0 && trouble !== undefined;
  const run = step(
    4,
    [...told, ...work].map(spanItem),
    !bound ? 'waiting' : up >= 0 ? 'done' : failed ? 'failed' : told.length + work.length > 0 ? 'active' : 'waiting',
    failed ? trouble : undefined,
  );
  const reported = step(
    5,
    untilUp.flatMap((revision) => {
      const request = requestOf(revision);
      return [
        ...(request ? [spanItem(request)] : []),
        revisionItem(revision, revisions[revisions.indexOf(revision) - 1]),
      ];
    }),
    up >= 0 ? 'done' : untilUp.length > 0 ? 'active' : 'waiting',
  );
  return [asked, wrote, scheduled, run, reported];
}

function objectOf(revision: KeyRevision): string {
  const { namespace, name } = (revision.object as KubeObject).metadata;
  return `pods/${namespace}/${name}`;
}

const spanItem = (span: TraceSpan): FlowItem => ({ type: 'span', time: span.start, span });
const revisionItem = (revision: KeyRevision, previous?: KeyRevision): FlowItem => ({
  type: 'revision',
  time: revision.time,
  revision,
  ...(previous ? { previous } : {}),
});

function step(number: CreationStep, unsorted: readonly FlowItem[], state: StepState, message?: string): FlowStep {
  const items = [...unsorted].sort((a, b) => a.time - b.time).slice(0, MAX_ITEMS);
  const ends = items.map((item) => (item.type === 'span' ? (item.span.end ?? item.time) : item.time));
  return {
    number,
    state,
    items,
    ...(items[0] ? { start: items[0].time, end: Math.max(...ends) } : {}),
    ...(message ? { message } : {}),
  };
}

/** Why a container does not run, in the kubelet's words. */
function containerTrouble(pod: PodView | undefined): string | undefined {
  const status = pod?.status as
    | {
        readonly initContainerStatuses?: readonly ContainerStatus[];
        readonly containerStatuses?: readonly ContainerStatus[];
      }
    | undefined;
  for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const waiting = container.state?.waiting;
    if (waiting?.reason && !/^(ContainerCreating|PodInitializing)$/.test(waiting.reason)) {
      return waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason;
    }
  }
  return undefined;
}

interface ContainerStatus {
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}
