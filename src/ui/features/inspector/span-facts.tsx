import type { TraceSpan } from '#hosts/control.ts';
import { objectOfKey, viewSpan, type SpanKind } from '../../cluster-store/span-view.ts';
import { Badge, Facts, Table } from '../../components/parts.tsx';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import { duration, timeOfDay } from '../clock/clock-format.ts';
import { ObjectLink } from './object-link.tsx';
import { scoresOf } from './scheduler-scores.ts';
import styles from './inspector.module.css';

/** Everything that a span says of itself. */
export function SpanFacts({ span }: { readonly span: TraceSpan }) {
  const t = useTranslate();
  const view = viewSpan(span);
  const scores = scoresOf(span);
  const shown = Object.entries(span.attributes).filter(
    ([name, value]) => value !== '' && !IN_SCORES.has(name) && !(view.object && NAMES.has(name)),
  );
  return (
    <>
      <Facts
        facts={[
          [t('span.what'), t(KINDS[span.kind as SpanKind] ?? 'kind.work')],
          [t('span.when'), timeOfDay(span.start)],
          [
            t('span.took'),
            span.end === undefined ? t('span.running') : span.end > span.start ? duration(span.end - span.start) : '',
          ],
          [
            t('span.object'),
            view.object &&
              (objectOfKey(`/registry/${view.object}`) ? (
                <ObjectLink object={view.object}>{view.object}</ObjectLink>
              ) : (
                view.object
              )),
          ],
          ['span', span.kind === 'write' ? '' : span.name],
          ...shown.map(
            ([name, value]) =>
              [
                name,
                Array.isArray(value) ? (
                  <List key={name} values={value as readonly string[]} />
                ) : (
                  <Value key={name} span={span} name={name} text={String(value)} />
                ),
              ] as const,
          ),
        ]}
      />
      {scores.length > 0 && (
        <Table
          label={t('span.scores')}
          columns={['Node', t('span.score'), t('overview.why')]}
          rows={scores.map(({ node, chosen, total, why }) => [
            chosen ? <strong key="node">{node}</strong> : node,
            total === undefined ? (
              <Badge key="total" tone="bad">
                ✕
              </Badge>
            ) : (
              <Badge key="total" tone={chosen ? 'ok' : 'done'}>
                {total}
              </Badge>
            ),
            <span key="why" className={styles.explain}>
              {why}
            </span>,
          ])}
        />
      )}
    </>
  );
}

/** What the table of scores shows. */
const IN_SCORES: ReadonlySet<string> = new Set(['scores', 'filtered']);

const KINDS = {
  input: 'kind.input',
  request: 'kind.request',
  write: 'kind.write',
  delivery: 'kind.delivery',
  take: 'kind.take',
  reconcile: 'kind.reconcile',
  timer: 'kind.timer',
  decision: 'kind.decision',
  work: 'kind.work',
  connection: 'kind.connection',
} as const satisfies Record<SpanKind, PlainKey>;

/** What the object's name says already. */
const NAMES: ReadonlySet<string> = new Set(['resource', 'namespace', 'name']);

/** A value; what a connection went to can be opened. */
function Value({ span, name, text }: { readonly span: TraceSpan; readonly name: string; readonly text: string }) {
  const object =
    span.kind !== 'connection' ? '' : name === 'target' ? text : name === 'service' ? `services/${text}` : '';
  return object ? <ObjectLink object={object}>{text}</ObjectLink> : text;
}

function List({ values }: { readonly values: readonly string[] }) {
  return (
    <ul>
      {values.map((value, at) => (
        <li key={at} className={styles.explain}>
          {value}
        </li>
      ))}
    </ul>
  );
}
