import { ChevronRight } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { TraceSpan } from '#hosts/control.ts';
import { viewSpan } from '../../cluster-store/span-view.ts';
import { Empty, Section } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useSelection, useSession } from '../../session/session.ts';
import { duration, timeOfDay } from '../clock/clock-format.ts';
import { SpanFacts } from './span-facts.tsx';
import styles from './inspector.module.css';

const MAX_RELATED = 60;

interface Related {
  readonly span: TraceSpan | undefined;
  readonly causes: readonly TraceSpan[];
  readonly effects: readonly TraceSpan[];
}

/** One span of the trace: what it was, what led to it and what it led to. */
export function SpanPanel({ id }: { readonly id: number }) {
  const t = useTranslate();
  const { control } = useSession();
  const [related, setRelated] = useState<Related>();
  useEffect(() => {
    let over = false;
    const look = () =>
      Promise.all([control.ancestry(id, MAX_RELATED), control.descendants(id, MAX_RELATED)]).then(
        ([ancestry, descendants]) => {
          if (!over)
            setRelated({ span: ancestry[0], causes: ancestry.slice(1).reverse(), effects: descendants.slice(1) });
        },
        () => {},
      );
    void look();
    // Its effects may still be under way.
    const timer = setTimeout(() => void look(), 1000);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [control, id]);
  if (!related) return <Empty>{t('inspector.loading')}</Empty>;
  const { span, causes, effects } = related;
  if (!span) return <Empty>{t('span.forgotten')}</Empty>;
  const view = viewSpan(span);
  return (
    <div className={styles.panel} tabIndex={0}>
      <div className={styles.title} style={{ '--tone': `var(--${view.tone})` } as React.CSSProperties}>
        <h3 style={{ color: 'var(--tone)' }}>{view.verb}</h3>
        <small>{view.actor}</small>
      </div>
      <Section>
        <SpanFacts span={span} />
      </Section>
      <Section title={t('span.causes')}>
        {causes.length > 0 ? (
          <SpanList spans={causes} from={span.start} />
        ) : (
          <p className={styles.explain}>{t('span.noCauses')}</p>
        )}
      </Section>
      <Section title={t('span.effects')}>
        {effects.length > 0 ? (
          <SpanList spans={effects} from={span.start} />
        ) : (
          <p className={styles.explain}>{t('span.noEffects')}</p>
        )}
      </Section>
    </div>
  );
}

/** Spans, each leading to its own panel. Times are relative to `from`. */
export function SpanList({ spans, from }: { readonly spans: readonly TraceSpan[]; readonly from?: number }) {
  const select = useSelection((state) => state.select);
  return (
    <ul className={styles.items}>
      {spans.map((span) => {
        const view = viewSpan(span);
        return (
          <li key={span.id}>
            <button
              type="button"
              className={styles.row}
              style={{ '--tone': `var(--${view.tone})` } as React.CSSProperties}
              title={timeOfDay(span.start)}
              onClick={() => select({ type: 'span', id: span.id })}
            >
              <i aria-hidden="true" />
              <span>
                <b>{view.actor}</b> {view.verb} <em>{view.target}</em> {view.result}
              </span>
              <small>
                {from === undefined
                  ? timeOfDay(span.start)
                  : `${span.start >= from ? '+' : ''}${duration(span.start - from)}`}
              </small>
              <ChevronRight aria-hidden="true" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
