import { ChevronRight } from 'lucide-react';
import { useMemo, useState, type CSSProperties } from 'react';
import type { ResourceType } from '../../cluster-store/kube-object.ts';
import type { Row } from '../../cluster-store/table.ts';
import { viewSpan, type SpanTone } from '../../cluster-store/span-view.ts';
import { Empty, Section } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { duration, timeOfDay } from '../clock/clock-format.ts';
import { OpenSpan, RevisionDetail } from './revision-detail.tsx';
import { Sentence } from './object-link.tsx';
import { SpanFacts } from './span-facts.tsx';
import { useSurroundings } from './use-surroundings.ts';
import { useWhy, type RecordedChange } from './use-why.ts';
import { changedFields } from './why-change.ts';
import type { Act } from './why-chain.ts';
import { actSentence, headline, plainText, reasonSentence } from './why-sentences.ts';
import { stateReasons } from './why-state.ts';
import styles from './inspector.module.css';

interface WhyViewProps {
  readonly resource: ResourceType;
  readonly namespace: string | undefined;
  readonly name: string;
  /** Absent when the object is gone. */
  readonly row: Row | undefined;
}

/** Why the object is as it is, why it exists, and who changed it: from what was recorded. */
export function WhyView({ resource, namespace, name, row }: WhyViewProps) {
  const t = useTranslate();
  const [revision, setRevision] = useState<number>();
  const why = useWhy(resource, namespace, name, row?.object.metadata.resourceVersion, revision);
  const first = why?.changes[0]?.revision.revision;
  const summary = useMemo(() => why && headline(t, why.chain), [t, why]);
  return (
    <div className={styles.why}>
      {row && <State resource={resource} row={row} />}
      <Section
        title={
          revision === undefined || revision === first
            ? t('why.existence')
            : t('why.of', { revision: String(revision) })
        }
      >
        {!why ? (
          <p className={styles.explain}>{t('why.loading')}</p>
        ) : why.chain.length === 0 ? (
          <p className={styles.explain}>{t('why.nothing')}</p>
        ) : (
          <>
            <p className={styles.headline}>{summary && <Sentence text={summary} tab="why" />}</p>
            <ol className={styles.acts} aria-label={t('why.chain')}>
              {why.chain.map((act, at) => (
                <ActCard key={act.spans.at(-1)?.id ?? at} act={act} last={at === why.chain.length - 1} />
              ))}
            </ol>
          </>
        )}
      </Section>
      {why && why.changes.length > 1 && (
        <Changes changes={why.changes} asked={why.asked} onAsk={(asked) => setRevision(asked)} />
      )}
    </div>
  );
}

function State({ resource, row }: { readonly resource: ResourceType; readonly row: Row }) {
  const t = useTranslate();
  const around = useSurroundings();
  const reasons = stateReasons(t, resource.plural, row.object, around);
  if (reasons.length === 0) return null;
  return (
    <Section title={t('why.state')}>
      <ul className={styles.reasons}>
        {reasons.map(({ tone, text, said }, at) => (
          <li key={at} data-tone={tone}>
            <i aria-hidden="true" />
            <div>
              <Sentence text={text} tab="why" />
              {said && <q>{said}</q>}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const toneOf = (act: Act): SpanTone =>
  act.actor.type === 'person'
    ? 'request'
    : act.decision
      ? 'decision'
      : act.actor.type === 'kubelet'
        ? 'work'
        : 'delivery';

/** One act: what was done and what moved it; opened, everything that was recorded of it. */
function ActCard({ act, last }: { readonly act: Act; readonly last: boolean }) {
  const t = useTranslate();
  const [open, setOpen] = useState(false);
  const reason = reasonSentence(t, act);
  const time = act.spans.at(-1)?.start;
  return (
    <li
      className={styles.act}
      data-act={act.change.type}
      data-root={act.actor.type === 'person' || undefined}
      style={{ '--tone': `var(--${toneOf(act)})` } as CSSProperties}
    >
      <i aria-hidden="true" />
      <div>
        <p>
          <Sentence text={actSentence(t, act)} tab="why" />
        </p>
        {reason && (
          <p className={styles.explain}>
            <Sentence text={reason} tab="why" />
          </p>
        )}
        <p className={styles.actFoot}>
          <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            <ChevronRight aria-hidden="true" />
            {t('why.evidence', { count: act.spans.length })}
          </button>
          {time !== undefined && <small>{timeOfDay(time)}</small>}
        </p>
        {open && (
          <>
            <Evidence act={act} />
            {act.others > 0 && <p className={styles.explain}>{t('why.others', { count: act.others })}</p>}
          </>
        )}
        {last && act.actor.type !== 'person' && act.spans[0]?.kind !== 'timer' && (
          <p className={styles.explain}>
            {act.spans[0] && act.spans[0].parents.length > 0 ? t('why.forgotten') : t('span.noCauses')}
          </p>
        )}
      </div>
      {!last && <span className={styles.because}>{t('why.because')}</span>}
    </li>
  );
}

/** The newest first, as the chain is told: write, request, decision, reconcile, take, delivery. */
function Evidence({ act }: { readonly act: Act }) {
  const origin = act.spans[0]?.start ?? 0;
  return (
    <ul className={styles.items}>
      {act.spans.map((span) => (
        <EvidenceRow key={span.id} act={act} span={span} origin={origin} />
      ))}
    </ul>
  );
}

function EvidenceRow({
  act,
  span,
  origin,
}: {
  readonly act: Act;
  readonly span: Act['spans'][number];
  readonly origin: number;
}) {
  const [open, setOpen] = useState(false);
  const view = viewSpan(span);
  const write = span.kind === 'write' ? act.revision : undefined;
  return (
    <li style={{ '--tone': `var(--${view.tone})` } as CSSProperties} data-kind={span.kind}>
      <button type="button" className={styles.row} aria-expanded={open} onClick={() => setOpen(!open)}>
        <i aria-hidden="true" />
        <span>
          <b>{view.actor}</b> {view.verb} {view.target.replace(' default/', ' ')} <em>{view.result}</em>
        </span>
        <small title={timeOfDay(span.start)}>+{duration(span.start - origin)}</small>
        <ChevronRight aria-hidden="true" />
      </button>
      {open && (
        <div className={styles.detail}>
          {write ? (
            <RevisionDetail revision={write} previous={act.previous} />
          ) : (
            <>
              <SpanFacts span={span} />
              <OpenSpan id={span.id} />
            </>
          )}
        </div>
      )}
    </li>
  );
}

const fieldsOf = ({ act, revision }: RecordedChange): readonly string[] =>
  changedFields(act.previous?.object, revision.object);

/** Every revision with who made it; one can be asked about. A field narrows them to those that set it. */
function Changes({
  changes,
  asked,
  onAsk,
}: {
  readonly changes: readonly RecordedChange[];
  readonly asked: number | undefined;
  readonly onAsk: (revision: number) => void;
}) {
  const t = useTranslate();
  const [field, setField] = useState('');
  const rows = useMemo(
    () => changes.map((change) => ({ change, fields: change.act.previous ? fieldsOf(change) : [] })),
    [changes],
  );
  const fields = useMemo(() => [...new Set(rows.flatMap((row) => row.fields))].sort(), [rows]);
  const shown = rows.filter((row) => field === '' || row.fields.includes(field)).toReversed();
  return (
    <Section title={t('why.changes')}>
      {fields.length > 0 && (
        <label className={styles.field}>
          {t('why.field')}
          <select value={field} onChange={(event) => setField(event.target.value)}>
            <option value="">{t('why.allFields')}</option>
            {fields.map((path) => (
              <option key={path}>{path}</option>
            ))}
          </select>
        </label>
      )}
      {shown.length === 0 && <Empty>{t('why.nothing')}</Empty>}
      <ol className={styles.changes}>
        {shown.map(({ change: { revision, act } }) => (
          <li key={revision.revision} data-asked={revision.revision === asked || undefined}>
            <button type="button" aria-pressed={revision.revision === asked} onClick={() => onAsk(revision.revision)}>
              <span>{plainText(actSentence(t, act))}</span>
              <small>
                {t('why.revision', { revision: String(revision.revision) })} · {timeOfDay(revision.time, 1)}
              </small>
            </button>
          </li>
        ))}
      </ol>
    </Section>
  );
}
