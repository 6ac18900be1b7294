import { useMemo } from 'react';
import { PODS } from '../../cluster-store/kube-object.ts';
import type { CreationStep } from '../../cluster-store/span-view.ts';
import type { Row } from '../../cluster-store/table.ts';
import { useTranslate } from '../../i18n/translate.ts';
import { enterPane } from '../../session/panes.ts';
import { useCluster, useSelection } from '../../session/session.ts';
import { STEP_NAMES, STEP_TONES } from '../inspector/creation-steps.ts';
import { useCreationFlow } from '../inspector/use-creation-flow.ts';
import styles from './graph-footer.module.css';

/** Below the graph: the steps of the Pod that was created last. */
export function GraphFooter() {
  const pods = useCluster((state) => state.pods);
  const newest = useMemo(() => newestOwn(pods.rows.values()), [pods]);
  const t = useTranslate();
  return (
    <div className={styles.footer}>
      {newest ? <Steps row={newest} /> : <p className={styles.hint}>{t('graph.hint')}</p>}
    </div>
  );
}

/** The Pod that a person's work made last: the cluster's own do not count. */
function newestOwn(rows: Iterable<Row>): Row | undefined {
  let newest: Row | undefined;
  for (const row of rows) {
    if (row.object.metadata.namespace?.startsWith('kube-')) continue;
    const created = row.object.metadata.creationTimestamp ?? '';
    if (!newest || created >= (newest.object.metadata.creationTimestamp ?? '')) newest = row;
  }
  return newest;
}

function Steps({ row }: { readonly row: Row }) {
  const t = useTranslate();
  const { namespace = 'default', name = '', resourceVersion } = row.object.metadata;
  const select = useSelection((state) => state.select);
  const flow = useCreationFlow(namespace, name, resourceVersion);
  const open = (number: CreationStep) => {
    select({ type: 'object', resource: PODS, namespace, name }, 'flow');
    enterPane('inspector');
    requestAnimationFrame(() => document.getElementById(`creation-${number}`)?.scrollIntoView({ block: 'nearest' }));
  };
  return (
    <div className={styles.flow}>
      <span className={styles.name} title={`Pod ${namespace}/${name}`}>
        {name}
      </span>
      <ol className={styles.steps} aria-label={t('flow.title', { pod: `${namespace}/${name}` })}>
        {flow.map(({ number, state }) => (
          <li
            key={number}
            data-state={state}
            style={{ '--tone': `var(--${STEP_TONES[number]})` } as React.CSSProperties}
          >
            <button
              type="button"
              className={styles.step}
              title={t(STEP_NAMES[number])}
              aria-label={`${number} ${t(STEP_NAMES[number])}: ${t(`flow.${state}`)}`}
              onClick={() => open(number)}
            >
              <span className={styles.pip}>{number}</span>
              <span className={styles.words}>{t(`flow.short${number}`)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
