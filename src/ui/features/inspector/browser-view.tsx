import { useEffect, useId, useState } from 'react';
import { timestampSince } from '#apimachinery/human-duration.ts';
import { PODS, type ResourceType } from '../../cluster-store/kube-object.ts';
import { useFollowed } from '../../cluster-store/use-followed.ts';
import { Badge, Empty, Link, Table } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { listResources } from '../../session/discovery.ts';
import { useClock, useSelection, useSession } from '../../session/session.ts';
import { rowTone } from './row-tone.ts';
import styles from './inspector.module.css';

const SHOWN = 300;

/** Nothing is selected: every kind that the server has, as the server's own table. */
export function BrowserView() {
  const t = useTranslate();
  const id = useId();
  const { api } = useSession();
  const [resources, setResources] = useState<readonly ResourceType[]>([PODS]);
  const [resource, setResource] = useState<ResourceType>(PODS);
  useEffect(() => {
    let over = false;
    listResources(api).then(
      (found) => !over && found.length > 0 && setResources([...found].sort((a, b) => (a.plural < b.plural ? -1 : 1))),
      () => {},
    );
    return () => {
      over = true;
    };
  }, [api]);
  const keyOf = (type: ResourceType) => `${type.plural}.${type.group}`;
  return (
    <div className={styles.browser}>
      <div className={styles.bar}>
        <label htmlFor={id}>{t('browser.kind')}</label>
        <select
          id={id}
          value={keyOf(resource)}
          onChange={(event) => setResource(resources.find((type) => keyOf(type) === event.target.value) ?? PODS)}
        >
          {resources.map((type) => (
            <option key={keyOf(type)} value={keyOf(type)}>
              {keyOf(type).replace(/\.$/, '')}
            </option>
          ))}
        </select>
        <span />
      </div>
      <div className={styles.panel} tabIndex={0} role="group" aria-label={resource.plural}>
        <Objects key={keyOf(resource)} resource={resource} />
      </div>
    </div>
  );
}

function Objects({ resource }: { readonly resource: ResourceType }) {
  const t = useTranslate();
  const select = useSelection((state) => state.select);
  const found = useFollowed(resource);
  const second = useClock((clock) => Math.floor((clock?.now ?? 0) / 1000)) * 1000;
  const rows = [...found.rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  if (rows.length === 0) return <Empty>{t(found.synced ? 'browser.none' : 'inspector.loading')}</Empty>;
  const shown = found.columns
    .map((column, at) => ({ column, at }))
    .filter(({ column }) => (column.priority ?? 0) === 0);
  return (
    <>
      <Table
        label={resource.plural}
        columns={[...(resource.namespaced ? ['Namespace'] : []), ...shown.map(({ column }) => column.name)]}
        rows={rows.slice(0, SHOWN).map((row) => {
          const { namespace, name = '' } = row.object.metadata;
          const cells = shown.map(({ column, at }) => {
            const text = row.cells[at] ?? '';
            if (column.name === 'Name') {
              return (
                <Link
                  key="name"
                  onClick={() =>
                    select({ type: 'object', resource, name, ...(namespace ? { namespace } : {}) }, 'overview')
                  }
                >
                  {text}
                </Link>
              );
            }
            const tone = column.name === 'Status' && rowTone(resource.plural, row);
            if (tone) {
              return (
                <Badge key="status" tone={tone}>
                  {text}
                </Badge>
              );
            }
            return column.name === 'Age' ? timestampSince(row.object.metadata.creationTimestamp, second) : text;
          });
          return resource.namespaced ? [namespace, ...cells] : cells;
        })}
      />
      {rows.length > SHOWN && <p className={styles.bar}>{t('graph.more', { count: rows.length - SHOWN })}</p>}
    </>
  );
}
