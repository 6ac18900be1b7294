import { useEffect, useState } from 'react';
import type { Control, KeyRevision, TraceSpan } from '#hosts/control.ts';
import { objectKey } from '../../cluster-store/kube-object.ts';
import { viewSpan } from '../../cluster-store/span-view.ts';
import { useSession } from '../../session/session.ts';
import { creationFlow, type FlowStep, nodeOf } from './creation-flow.ts';

const MAX_SPANS = 3000;
const MAX_ANCESTORS = 50;
/** So many revisions from the binding on are asked why. */
const MAX_REPORTS = 12;
const DEBOUNCE_MS = 120;
const NOTHING: readonly FlowStep[] = creationFlow([], []);

/** The key under which a Pod is stored. */
const keyOf = (namespace: string, name: string) => `/registry/pods/${namespace}/${name}`;

/**
 * What the steps are found in: the Pod's revisions, what led to those of its start, and what followed from its creation
 * and from its binding. (What binds a Pod that had to wait follows from a Node's change, not from the creation.)
 */
export async function recordedCreation(
  control: Pick<Control, 'revisions' | 'ancestry' | 'descendants'>,
  namespace: string,
  name: string,
): Promise<readonly [readonly KeyRevision[], readonly TraceSpan[]]> {
  const revisions = await control.revisions(keyOf(namespace, name));
  const born = revisions.findLastIndex(
    (revision, at) => revision.object !== undefined && revisions[at - 1]?.object === undefined,
  );
  const first = revisions[born];
  if (!first) return [revisions, []];
  const bound = revisions.findIndex((revision, at) => at > born && nodeOf(revision));
  const start = revisions.slice(born, Math.max(bound, born) + MAX_REPORTS);
  const spans = await Promise.all([
    ...start.map(({ span }) => control.ancestry(span, MAX_ANCESTORS)),
    control.descendants(first.span, MAX_SPANS),
    ...(bound < 0 ? [] : [control.descendants((revisions[bound] as KeyRevision).span, MAX_SPANS)]),
  ]);
  return [revisions, spans.flat()];
}

/**
 * The steps of a Pod's creation as they are known now; read again when the Pod changes, and when something happens that
 * concerns it.
 */
export function useCreationFlow(namespace: string, name: string, version: string | undefined): readonly FlowStep[] {
  const { control, trace } = useSession();
  const key = keyOf(namespace, name);
  const [read, setRead] = useState({ key, steps: NOTHING });
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      recordedCreation(control, namespace, name).then(
        ([revisions, spans]) => {
          if (!over) setRead({ key, steps: creationFlow(revisions, spans) });
        },
        // The engine is gone; the page says so elsewhere.
        () => {},
      );
    };
    const soon = () => {
      timer ??= setTimeout(look, DEBOUNCE_MS);
    };
    soon();
    const object = objectKey('pods', namespace, name);
    const stop = trace.onSpans((spans) => {
      if (spans.some((span) => viewSpan(span).object === object)) soon();
    });
    return () => {
      over = true;
      stop();
      clearTimeout(timer);
    };
  }, [control, trace, key, namespace, name, version]);
  return read.key === key ? read.steps : NOTHING;
}
