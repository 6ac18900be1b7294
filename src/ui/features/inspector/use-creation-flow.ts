import { useEffect, useState } from 'react';
import type { Control, KeyRevision, TraceSpan } from '#hosts/control.ts';
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
 * The steps of a Pod's creation as they are known now; read again when the Pod changes, and once a little later, when
 * the deliveries of that change have been made.
 */
export function useCreationFlow(namespace: string, name: string, version: string | undefined): readonly FlowStep[] {
  const { control } = useSession();
  const key = keyOf(namespace, name);
  const [read, setRead] = useState({ key, steps: NOTHING });
  useEffect(() => {
    let over = false;
    const look = () =>
      record(control, namespace, name).then(
        ([revisions, spans]) => {
          if (!over) setRead({ key, steps: creationFlow(revisions, spans) });
        },
        // The engine is gone; the page says so elsewhere.
        () => {},
      );
    const timers = [DEBOUNCE_MS, 5 * DEBOUNCE_MS].map((ms) => setTimeout(() => void look(), ms));
    return () => {
      over = true;
      for (const timer of timers) clearTimeout(timer);
    };
  }, [control, key, namespace, name, version]);
  return read.key === key ? read.steps : NOTHING;
}
