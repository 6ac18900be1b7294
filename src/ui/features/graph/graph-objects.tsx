import type { NodeProps } from '@xyflow/react';
import { Fragment, memo } from 'react';
import { REPLICA_SETS, SERVICES } from '../../cluster-store/kube-object.ts';
import { useTranslate } from '../../i18n/translate.ts';
import type { ServiceNode, WorkloadNode } from './graph-elements.ts';
import { Handles, Name } from './graph-parts.tsx';
import type { RevisionItem, WorkloadItem } from './graph-workloads.ts';
import { useFault, useItem } from './use-item.ts';
import styles from './graph-objects.module.css';

/** How many revisions of a Deployment its card has room for. */
const SHOWN_REVISIONS = 2;

const classes = (...names: readonly (string | undefined)[]) => names.filter(Boolean).join(' ');

/** A Service: its address, and how many of its endpoints are ready. */
export const ServiceElement = memo(function ServiceElement({ data: { service, look } }: NodeProps<ServiceNode>) {
  const t = useTranslate();
  const { key, namespace, name, type, address, ports, ready, total, tone } = service;
  const item = useItem(key, { type: 'object', resource: SERVICES, namespace, name });
  const external = type === 'ExternalName';
  const dns = useFault(key === 'services/kube-system/kube-dns' ? 'coredns' : '');
  const said = external ? '' : t('graph.endpoints', { ready, total });
  const label = [`Service ${namespace}/${name}`, type, [address, ports].filter(Boolean).join(':'), said];
  return (
    <>
      <button
        {...item}
        className={classes(styles.object, styles[look])}
        data-object={key}
        data-status={external ? type : `${ready}/${total}`}
        data-tone={dns ? 'bad' : tone}
        aria-label={label.filter(Boolean).join(', ')}
        title={label.filter(Boolean).join('\n')}
      >
        {look === 'card' ? (
          <>
            <span className={styles.line}>
              <Name name={name} />
              {!external && <Share ready={ready} total={total} />}
            </span>
            <small>
              <span>{address}</span>
              <span>{external ? type : ports && `:${ports}`}</span>
            </small>
          </>
        ) : (
          look !== 'cell' && look !== 'quietCell' && <Name name={name} />
        )}
      </button>
      <Handles />
    </>
  );
});

/** So many of so many, with a bar that is read from the last row. */
function Share({ ready, total }: { readonly ready: number; readonly total: number }) {
  return (
    <b className={styles.share}>
      {ready}/{total}
    </b>
  );
}

/** What keeps Pods: a Deployment with its ReplicaSets, or another kind. */
export const WorkloadElement = memo(function WorkloadElement({ data: { workload, look } }: NodeProps<WorkloadNode>) {
  const { key, resource, namespace, name, ready, wanted, tone, paused, revisions } = workload;
  const item = useItem(key, { type: 'object', resource, namespace, name });
  const label = `${resource.kind} ${namespace}/${name}, ${ready}/${wanted}`;
  return (
    <div className={styles.host}>
      <button
        {...item}
        className={classes(styles.object, styles[look])}
        data-object={key}
        data-status={`${ready}/${wanted}`}
        data-tone={tone}
        aria-label={label}
        title={`${resource.kind} ${namespace}/${name}\n${ready}/${wanted}`}
      >
        {look === 'card' ? (
          <>
            <span className={styles.line}>
              <Name name={name} />
              <Share ready={ready} total={wanted} />
            </span>
            {revisions.length === 0 && <small>{resource.kind}</small>}
            {paused && <em className={styles.paused}>paused</em>}
          </>
        ) : (
          look !== 'cell' && look !== 'quietCell' && <Name name={name} />
        )}
      </button>
      {look === 'card' && revisions.length > 0 && <Revisions workload={workload} />}
      <Handles />
    </div>
  );
});

/** A Deployment's ReplicaSets: the newest, and of the earlier ones those that still have Pods first. */
function Revisions({ workload: { namespace, revisions } }: { readonly workload: WorkloadItem }) {
  const shown = [...revisions]
    .sort((a, b) => Number(a.old) - Number(b.old) || Number(b.pods > 0) - Number(a.pods > 0))
    .slice(0, SHOWN_REVISIONS);
  return (
    <div className={styles.revisions}>
      {shown.map((revision, at) => (
        <Fragment key={revision.key}>
          {at > 0 && <i className={styles.arrow} />}
          <Revision namespace={namespace} revision={revision} />
        </Fragment>
      ))}
      {revisions.length > shown.length && <span className={styles.more}>+{revisions.length - shown.length}</span>}
    </div>
  );
}

function Revision({ namespace, revision: item }: { readonly namespace: string; readonly revision: RevisionItem }) {
  const t = useTranslate();
  const { key, name, revision, ready, wanted, pods, old } = item;
  const button = useItem(key, { type: 'object', resource: REPLICA_SETS, namespace, name });
  return (
    <button
      {...button}
      className={styles.revision}
      data-object={key}
      data-status={`${ready}/${wanted}`}
      data-old={old || undefined}
      data-empty={pods === 0 || undefined}
      aria-label={`ReplicaSet ${namespace}/${name}, ${t('graph.revision', { number: revision })}, ${ready}/${wanted}`}
      title={`ReplicaSet ${name}\n${ready}/${wanted}`}
    >
      {t('graph.revision', { number: revision })}
      <b>{pods}</b>
    </button>
  );
}
