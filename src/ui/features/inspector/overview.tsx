import { humanDuration, timestampSince } from '#apimachinery/human-duration.ts';
import { NODES, PODS, type KubeObject, type ResourceType } from '../../cluster-store/kube-object.ts';
import type { Tone } from '../../cluster-store/status-tone.ts';
import type { Column, Row } from '../../cluster-store/table.ts';
import { Badge, Facts, Link, Section, Table } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useClock, useCluster, useSelection } from '../../session/session.ts';
import { rowTone } from './row-tone.ts';
import styles from './inspector.module.css';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}
interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: Readonly<
    Record<
      string,
      { readonly reason?: string; readonly message?: string; readonly exitCode?: number; readonly startedAt?: string }
    >
  >;
}

/** What the server's own table says, and the parts of spec and status that people look for. */
export function Overview({
  row,
  columns,
  resource,
}: {
  readonly row: Row;
  readonly columns: readonly Column[];
  readonly resource: ResourceType;
}) {
  const t = useTranslate();
  // Ages move on by the second, not with each turn of the clock.
  const second = useClock((clock) => Math.floor((clock?.now ?? 0) / 1000)) * 1000;
  const { object, cells } = row;
  const { metadata, status = {}, spec = {} } = object;
  const facts = columns.flatMap((column, at) => {
    if (column.name === 'Name') return [];
    const value = column.name === 'Age' ? timestampSince(metadata.creationTimestamp, second) : (cells[at] ?? '');
    const node = column.name === 'Node' && resource.plural === 'pods' && value !== '<none>';
    return value === '' || value === '<none>' ? [] : [[column.name, node ? <NodeLink name={value} /> : value] as const];
  });
  const owner = metadata.ownerReferences?.find((reference) => reference.controller);
  if (owner) facts.push(['Controlled By', `${owner.kind}/${owner.name}`]);
  const conditions = (status['conditions'] ?? []) as readonly Condition[];
  return (
    <>
      <Section>
        <Facts facts={facts} />
      </Section>
      {resource.plural === 'pods' && <Containers object={object} now={second} />}
      {conditions.length > 0 && (
        <Section title="Conditions">
          <Table
            label="Conditions"
            columns={['Type', 'Status', t('overview.since'), t('overview.why')]}
            rows={conditions.map((condition) => [
              condition.type,
              <Badge key="status" tone={conditionTone(condition)}>
                {condition.status}
              </Badge>,
              condition.lastTransitionTime ? timestampSince(condition.lastTransitionTime, second) : '',
              [condition.reason, condition.message].filter(Boolean).join(': '),
            ])}
          />
        </Section>
      )}
      {resource.plural === 'nodes' && <PodsOfNode name={metadata.name ?? ''} />}
      <Labels title="Labels" values={metadata.labels} />
      <Labels title="Annotations" values={metadata.annotations} />
      {resource.plural === 'nodes' && <Capacity status={status} spec={spec} />}
    </>
  );
}

/** Conditions whose `True` is bad news. */
const NEGATIVE = /Pressure$|^NetworkUnavailable$|^DisruptionTarget$/;

function conditionTone({ type, status }: Condition): Tone {
  if (status === 'Unknown') return 'bad';
  const good = NEGATIVE.test(type) ? status === 'False' : status === 'True';
  return good ? 'ok' : NEGATIVE.test(type) ? 'bad' : 'pending';
}

function NodeLink({ name }: { readonly name: string }) {
  const select = useSelection((state) => state.select);
  return <Link onClick={() => select({ type: 'object', resource: NODES, name }, 'overview')}>{name}</Link>;
}

function Containers({ object, now }: { readonly object: KubeObject; readonly now: number }) {
  const statuses = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'].flatMap(
    (list) => (object.status?.[list] ?? []) as readonly ContainerStatus[],
  );
  const declared = ['initContainers', 'containers', 'ephemeralContainers'].flatMap(
    (list) => (object.spec?.[list] ?? []) as readonly { readonly name: string; readonly image?: string }[],
  );
  return (
    <Section title="Containers">
      <Table
        label="Containers"
        columns={['Name', 'Image', 'State', 'Restarts']}
        rows={declared.map(({ name, image }) => {
          const container = statuses.find((status) => status.name === name);
          const [state, detail] = Object.entries(container?.state ?? {})[0] ?? ['', {}];
          const since =
            detail.startedAt && state === 'running'
              ? ` ${humanDuration(Math.max(0, now - Date.parse(detail.startedAt)))}`
              : '';
          const tone: Tone =
            state === 'running'
              ? container?.ready
                ? 'ok'
                : 'pending'
              : state === 'terminated'
                ? detail.exitCode === 0
                  ? 'done'
                  : 'bad'
                : 'pending';
          return [
            name,
            image,
            state ? (
              <span key="state" title={detail.message}>
                <Badge
                  tone={tone}
                >{`${detail.reason ?? `${state}${since}`}${detail.exitCode ? ` (${detail.exitCode})` : ''}`}</Badge>
              </span>
            ) : (
              ''
            ),
            container?.restartCount ?? '',
          ];
        })}
      />
    </Section>
  );
}

function PodsOfNode({ name }: { readonly name: string }) {
  const t = useTranslate();
  const pods = useCluster((state) => state.pods);
  const select = useSelection((state) => state.select);
  const here = [...pods.rows.values()].filter((row) => row.object.spec?.['nodeName'] === name);
  const SHOWN = 200;
  return (
    <Section title={t('pods.count', { count: here.length })}>
      {here.length > 0 && (
        <Table
          label="Pods"
          columns={['Name', 'Status']}
          rows={here.slice(0, SHOWN).map((row) => {
            const { namespace = '', name: pod = '' } = row.object.metadata;
            return [
              <Link
                key="name"
                onClick={() => select({ type: 'object', resource: PODS, namespace, name: pod }, 'overview')}
              >
                {namespace === 'default' ? pod : `${namespace}/${pod}`}
              </Link>,
              <Badge key="status" tone={rowTone('pods', row) ?? 'done'}>
                {row.status}
              </Badge>,
            ];
          })}
        />
      )}
      {here.length > SHOWN && <p>{t('graph.more', { count: here.length - SHOWN })}</p>}
    </Section>
  );
}

function Labels({
  title,
  values,
}: {
  readonly title: string;
  readonly values: Readonly<Record<string, string>> | undefined;
}) {
  const entries = Object.entries(values ?? {}).filter(
    ([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration',
  );
  if (entries.length === 0) return null;
  return (
    <Section title={title}>
      <div className={styles.labels}>
        {entries.map(([key, value]) => (
          <code key={key}>{`${key}${title === 'Labels' ? '=' : ': '}${value}`}</code>
        ))}
      </div>
    </Section>
  );
}

function Capacity({
  status,
  spec,
}: {
  readonly status: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}) {
  const capacity = (status['capacity'] ?? {}) as Readonly<Record<string, string>>;
  const allocatable = (status['allocatable'] ?? {}) as Readonly<Record<string, string>>;
  const taints = (spec['taints'] ?? []) as readonly {
    readonly key: string;
    readonly value?: string;
    readonly effect: string;
  }[];
  return (
    <>
      {taints.length > 0 && (
        <Section title="Taints">
          <div className={styles.labels}>
            {taints.map(({ key, value, effect }) => (
              <code key={`${key}${effect}`}>{`${key}${value ? `=${value}` : ''}:${effect}`}</code>
            ))}
          </div>
        </Section>
      )}
      <Section title="Capacity">
        <Table
          label="Capacity"
          columns={['', 'Capacity', 'Allocatable']}
          rows={Object.keys(capacity).map((name) => [name, capacity[name], allocatable[name]])}
        />
      </Section>
    </>
  );
}
