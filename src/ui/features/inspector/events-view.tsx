import { timestampSince } from '#apimachinery/human-duration.ts';
import { EVENTS, type KubeObject } from '../../cluster-store/kube-object.ts';
import { useFollowed } from '../../cluster-store/use-followed.ts';
import { Empty } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useClock } from '../../session/session.ts';
import styles from './inspector.module.css';

interface EventObject extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
  readonly source?: { readonly component?: string };
  readonly reportingComponent?: string;
}

const lastSeen = (event: EventObject) =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '';

/** What components said about the object, the newest below. */
export function EventsView({ object, kind }: { readonly object: KubeObject; readonly kind: string }) {
  const t = useTranslate();
  const { namespace = 'default', name = '', uid = '' } = object.metadata;
  // Events about Nodes name the Node in place of its uid.
  const about = kind === 'Node' ? `involvedObject.kind=Node,involvedObject.name=${name}` : `involvedObject.uid=${uid}`;
  const found = useFollowed(EVENTS, `fieldSelector=${encodeURIComponent(about)}`, namespace);
  const second = useClock((clock) => Math.floor((clock?.now ?? 0) / 1000)) * 1000;
  const events = [...found.rows.values()]
    .map((row) => row.object as EventObject)
    .sort((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1));
  if (events.length === 0) return <Empty>{t(found.synced ? 'events.none' : 'inspector.loading')}</Empty>;
  return (
    <ol className={styles.events}>
      {events.map((event) => {
        const count = event.series?.count ?? event.count ?? 1;
        return (
          <li key={event.metadata.uid ?? event.metadata.name} data-warning={event.type === 'Warning' || undefined}>
            <header>
              <strong>{event.reason}</strong>
              <span>{event.source?.component || event.reportingComponent}</span>
              <small>
                {count > 1 && `×${count} · `}
                {timestampSince(lastSeen(event), second)}
              </small>
            </header>
            <p>{event.message}</p>
          </li>
        );
      })}
    </ol>
  );
}
