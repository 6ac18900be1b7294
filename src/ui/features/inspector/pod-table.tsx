import type { Row } from '../../cluster-store/table.ts';
import { Badge, Section, Table } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { ObjectLink } from './object-link.tsx';
import { rowTone } from './row-tone.ts';

const SHOWN = 200;

/** Pods with their state, each leading to itself. */
export function PodTable({ rows, title }: { readonly rows: readonly Row[]; readonly title?: string }) {
  const t = useTranslate();
  const here = rows.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return (
    <Section title={title ?? t('pods.count', { count: here.length })}>
      {here.length > 0 && (
        <Table
          label="Pods"
          columns={['Name', 'Ready', 'Status', 'Node']}
          rows={here.slice(0, SHOWN).map((row) => {
            const { namespace = '', name = '' } = row.object.metadata;
            const node = row.object.spec?.['nodeName'] as string | undefined;
            return [
              <ObjectLink key="name" object={row.key}>
                {namespace === 'default' ? name : `${namespace}/${name}`}
              </ObjectLink>,
              row.cells[1],
              <Badge key="status" tone={rowTone('pods', row) ?? 'done'}>
                {row.status}
              </Badge>,
              node && (
                <ObjectLink key="node" object={`nodes/${node}`}>
                  {node}
                </ObjectLink>
              ),
            ];
          })}
        />
      )}
      {here.length > SHOWN && <p>{t('graph.more', { count: here.length - SHOWN })}</p>}
    </Section>
  );
}
