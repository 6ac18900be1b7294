import { ChevronRight } from 'lucide-react';
import { useState, type CSSProperties } from 'react';
import { viewSpan } from '../../cluster-store/span-view.ts';
import { useTranslate } from '../../i18n/translate.ts';
import { duration, timeOfDay } from '../clock/clock-format.ts';
import type { FlowItem, FlowStep } from './creation-flow.ts';
import { STEP_NAMES, STEP_TONES } from './creation-steps.ts';
import { OpenSpan, RevisionDetail } from './revision-detail.tsx';
import { SpanFacts } from './span-facts.tsx';
import { useCreationFlow } from './use-creation-flow.ts';
import styles from './inspector.module.css';

const EXPLAIN = {
  1: 'flow.explain1',
  2: 'flow.explain2',
  3: 'flow.explain3',
  4: 'flow.explain4',
  5: 'flow.explain5',
} as const;

interface FlowViewProps {
  readonly namespace: string;
  readonly name: string;
  readonly version: string | undefined;
}

/** How this Pod came to be: the five steps, from what was recorded. */
export function FlowView({ namespace, name, version }: FlowViewProps) {
  const t = useTranslate();
  const steps = useCreationFlow(namespace, name, version);
  const origin = steps[0]?.start;
  return (
    <ol className={styles.flow} aria-label={t('flow.title', { pod: `${namespace}/${name}` })}>
      {steps.map((step) => (
        <Step key={step.number} step={step} origin={origin} pod={`${namespace}/${name}`} />
      ))}
    </ol>
  );
}

function Step({
  step,
  origin,
  pod,
}: {
  readonly step: FlowStep;
  readonly origin: number | undefined;
  readonly pod: string;
}) {
  const t = useTranslate();
  const { number, state, start, end, items, message } = step;
  return (
    <li
      id={`creation-${number}`}
      className={styles.step}
      data-state={state}
      data-step={number}
      style={{ '--tone': `var(--${STEP_TONES[number]})` } as CSSProperties}
    >
      <span className={styles.number} aria-hidden="true">
        {number}
      </span>
      <div>
        <div className={styles.stepHead}>
          <h4>{t(STEP_NAMES[number])}</h4>
          <span className="visually-hidden">{t(`flow.${state}`)}</span>
          {start !== undefined && origin !== undefined && end !== undefined && (
            <small title={timeOfDay(start)}>
              +{duration(start - origin)}
              {end > start && ` · ${duration(end - start)}`}
            </small>
          )}
        </div>
        <p className={styles.explain}>{state === 'skipped' ? t('flow.skippedWhy') : t(EXPLAIN[number])}</p>
        {message && <p className={styles.message}>{message}</p>}
        {items.length > 0 && (
          <ul className={styles.items}>
            {items.map((item) => (
              <Item
                key={item.type === 'span' ? `s${item.span.id}` : `r${item.revision.revision}`}
                item={item}
                origin={origin ?? item.time}
                pod={pod}
              />
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

/** Here everything is about this Pod: its name need not be said again. */
const shortTarget = (target: string, pod: string) => target.replace(pod, '').trim();

function Item({ item, origin, pod }: { readonly item: FlowItem; readonly origin: number; readonly pod: string }) {
  const t = useTranslate();
  const [open, setOpen] = useState(false);
  const view = item.type === 'span' ? viewSpan(item.span) : undefined;
  const tone = view ? view.tone : 'write';
  return (
    <li style={{ '--tone': `var(--${tone})` } as CSSProperties}>
      <button type="button" className={styles.row} aria-expanded={open} onClick={() => setOpen(!open)}>
        <i aria-hidden="true" />
        <span>
          {view ? (
            <>
              <b>{view.actor}</b> {view.verb} {shortTarget(view.target, pod)} <em>{view.result}</em>
            </>
          ) : (
            item.type === 'revision' && (
              <>
                <b>etcd</b> {t('flow.revision', { revision: item.revision.revision })}
              </>
            )
          )}
        </span>
        <small title={timeOfDay(item.time)}>+{duration(item.time - origin)}</small>
        <ChevronRight aria-hidden="true" />
      </button>
      {open && (
        <div className={styles.detail}>
          {item.type === 'span' ? (
            <>
              <SpanFacts span={item.span} />
              <OpenSpan id={item.span.id} />
            </>
          ) : (
            <RevisionDetail revision={item.revision} previous={item.previous} />
          )}
        </div>
      )}
    </li>
  );
}
