import type { TraceSpan } from '#hosts/control.ts';
import { objectOfKey, viewSpan } from '../../cluster-store/span-view.ts';
import { Facts, Link, Table } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useSession, useSelection } from '../../session/session.ts';
import { findResource } from '../../session/discovery.ts';
import { duration, timeOfDay } from '../clock/clock-format.ts';
import { scoresOf } from './scheduler-scores.ts';
import styles from './inspector.module.css';

/** Everything that a span says of itself. */
export function SpanFacts({ span }: { readonly span: TraceSpan }) {
  const t = useTranslate();
  const { api } = useSession();
  const select = useSelection((state) => state.select);
  const view = viewSpan(span);
  const [plural = '', ...names] = view.object?.split('/') ?? [];
  const open = async () => {
    const resource = await findResource(api, plural);
    const name = names.at(-1) ?? '';
    if (resource)
      select({ type: 'object', resource, name, ...(names.length > 1 ? { namespace: names[0] } : {}) }, 'overview');
  };
  const scores = scoresOf(span);
  const shown = Object.entries(span.attributes).filter(
    ([name, value]) => value !== '' && !(Array.isArray(value) && scores?.attributes.has(name)),
  );
  return (
    <>
      <Facts
        facts={[
          [t('span.when'), timeOfDay(span.start)],
          [
            t('span.took'),
            span.end === undefined ? t('span.running') : span.end > span.start ? duration(span.end - span.start) : '',
          ],
          [
            t('span.object'),
            view.object &&
              (objectOfKey(`/registry/${view.object}`) ? (
                <Link onClick={() => void open()}>{view.object}</Link>
              ) : (
                view.object
              )),
          ],
          ['name', span.name],
          ...shown.map(
            ([name, value]) =>
              [
                name,
                Array.isArray(value) ? <List key={name} values={value as readonly string[]} /> : String(value),
              ] as const,
          ),
        ]}
      />
      {scores && <Table label={t('span.scores')} columns={scores.columns} rows={scores.rows} />}
    </>
  );
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
