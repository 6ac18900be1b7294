import { Tabs } from 'radix-ui';
import { Badge, Empty } from '../../components/parts.tsx';
import { useFollowed } from '../../cluster-store/use-followed.ts';
import { useTranslate, type PlainKey } from '../../i18n/translate.ts';
import type { InspectorTab, Selection } from '../../session/selection.ts';
import { useSelection } from '../../session/session.ts';
import { EventsView } from './events-view.tsx';
import { FlowView } from './flow-view.tsx';
import { LogsView, WorkloadLogs } from './logs-view.tsx';
import { rowTone } from './row-tone.ts';
import { Overview } from './overview.tsx';
import { WhyView } from './why-view.tsx';
import { WORKLOADS } from './workload-view.tsx';
import { YamlView } from './yaml-view.tsx';
import styles from './inspector.module.css';

const TAB_NAMES = {
  overview: 'tab.overview',
  flow: 'tab.flow',
  why: 'tab.why',
  yaml: 'tab.yaml',
  events: 'tab.events',
  logs: 'tab.logs',
} as const satisfies Record<InspectorTab, PlainKey>;

/** One object, followed live: what the server's table says, why it is so, its YAML, its events;
 * of a Pod also how it came to be, and its logs. */
export function ObjectView({ selection }: { readonly selection: Extract<Selection, { type: 'object' }> }) {
  const t = useTranslate();
  const { resource, namespace, name } = selection;
  const found = useFollowed(resource, `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`, namespace);
  const [row] = found.rows.values();
  const isPod = resource.plural === 'pods' && resource.group === '';
  const tabs: readonly InspectorTab[] = isPod
    ? ['overview', 'why', 'flow', 'yaml', 'events', 'logs']
    : ['overview', 'why', 'yaml', 'events', ...(WORKLOADS.has(resource.plural) ? (['logs'] as const) : [])];
  const wanted = useSelection((state) => state.tab);
  const showTab = useSelection((state) => state.showTab);
  const tab = tabs.includes(wanted) ? wanted : 'overview';
  const tone = row && rowTone(resource.plural, row);
  return (
    <>
      <div className={styles.title}>
        <h3 title={name}>{name}</h3>
        <small>{namespace ? `${resource.kind} · ${namespace}` : resource.kind}</small>
        {row && tone && <Badge tone={tone}>{row.status}</Badge>}
      </div>
      {found.problem !== undefined && !row && <p className={styles.problem}>{found.problem}</p>}
      <Tabs.Root value={tab} onValueChange={(value) => showTab(value as InspectorTab)} asChild>
        <div className={styles.inspector}>
          <Tabs.List className={styles.tabs} aria-label={t('inspector.parts')}>
            {tabs.map((value) => (
              <Tabs.Trigger key={value} value={value}>
                {t(TAB_NAMES[value])}
              </Tabs.Trigger>
            ))}
          </Tabs.List>
          <Tabs.Content value={tab} className={styles.panel}>
            {tab === 'flow' ? (
              // What was recorded is there also when the Pod is gone.
              <FlowView namespace={namespace ?? 'default'} name={name} version={row?.object.metadata.resourceVersion} />
            ) : tab === 'why' ? (
              <WhyView resource={resource} namespace={namespace} name={name} row={row} />
            ) : !row ? (
              <Empty>{found.synced ? t('inspector.gone', { name }) : t('inspector.loading')}</Empty>
            ) : (
              <>
                {tab === 'overview' && <Overview row={row} columns={found.columns} resource={resource} />}
                {tab === 'yaml' && <YamlView object={row.object} resource={resource} />}
                {tab === 'events' && <EventsView object={row.object} kind={resource.kind} />}
                {tab === 'logs' &&
                  (isPod ? (
                    <LogsView pod={row.object} />
                  ) : (
                    <WorkloadLogs plural={resource.plural} object={row.object} />
                  ))}
              </>
            )}
          </Tabs.Content>
        </div>
      </Tabs.Root>
    </>
  );
}
