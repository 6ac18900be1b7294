import { useEffect, useState } from 'react';
import type { Control, KeyRevision, TraceSpan } from '#hosts/control.ts';
import { objectKey } from '../../cluster-store/kube-object.ts';
import { viewSpan } from '../../cluster-store/span-view.ts';
import { useSession } from '../../session/session.ts';
import { creationFlow, type FlowStep } from './creation-flow.ts';

const MAX_SPANS = 3000;
const DEBOUNCE_MS = 120;
const NOTHING: readonly FlowStep[] = creationFlow([], []);

/** The key under which a Pod is stored. */
const keyOf = (namespace: string, name: string) => `/registry/pods/${namespace}/${name}`;

async function record(
  control: Control,
  namespace: string,
  name: string,
): Promise<readonly [readonly KeyRevision[], readonly TraceSpan[]]> {
  const revisions = await control.revisions(keyOf(namespace, name));
  const born = revisions.findLastIndex(
    (revision, at) => revision.object !== undefined && revisions[at - 1]?.object === undefined,
  );
  const first = revisions[born];
  if (!first) return [revisions, []];
  const spans = await Promise.all([control.ancestry(first.span, 50), control.descendants(first.span, MAX_SPANS)]);
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
      record(control, namespace, name).then(
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
