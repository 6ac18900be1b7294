import { humanDuration, timestampSince } from '#apimachinery/human-duration.ts';
import type { KubeObject, ResourceType } from '../../cluster-store/kube-object.ts';
import type { Tone } from '../../cluster-store/status-tone.ts';
import type { Column, Row } from '../../cluster-store/table.ts';
import { Badge, Facts, Section, Table } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useClock, useCluster } from '../../session/session.ts';
import { ObjectLink } from './object-link.tsx';
import { ObjectSwitches } from './object-switches.tsx';
import { PodTable } from './pod-table.tsx';
import { EndpointsView, ServiceView } from './service-view.tsx';
import { WORKLOADS, WorkloadView } from './workload-view.tsx';
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

const OF_WORKLOADS: ReadonlySet<string> = new Set([
  'Available',
  'Containers',
  'Current',
  'Desired',
  'Images',
  'Ready',
  'Up-to-date',
]);
/** Columns that a kind's own view tells better. */
const TOLD_BELOW: Readonly<Record<string, ReadonlySet<string>>> = {
  services: new Set(['Cluster-IP', 'External-IP', 'Port(s)', 'Selector']),
  deployments: OF_WORKLOADS,
  replicasets: OF_WORKLOADS,
  replicationcontrollers: OF_WORKLOADS,
  daemonsets: OF_WORKLOADS,
  endpoints: new Set(['Endpoints']),
  endpointslices: new Set(['Endpoints', 'Ports']),
};

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
    if (column.name === 'Name' || TOLD_BELOW[resource.plural]?.has(column.name)) return [];
    const value = column.name === 'Age' ? timestampSince(metadata.creationTimestamp, second) : (cells[at] ?? '');
    const node = column.name === 'Node' && resource.plural === 'pods' && value !== '<none>';
    return value === '' || value === '<none>'
      ? []
      : [[column.name, node ? <ObjectLink object={`nodes/${value}`}>{value}</ObjectLink> : value] as const];
  });
  const owner = metadata.ownerReferences?.find((reference) => reference.controller);
  if (owner) {
    const plural = `${owner.kind.toLowerCase()}s`;
    facts.push([
      'Controlled By',
      <ObjectLink
        key="owner"
        object={metadata.namespace ? `${plural}/${metadata.namespace}/${owner.name}` : `${plural}/${owner.name}`}
      >
        {`${owner.kind}/${owner.name}`}
      </ObjectLink>,
    ]);
  }
  const conditions = (status['conditions'] ?? []) as readonly Condition[];
  return (
    <>
      <Section>
        <Facts facts={facts} />
      </Section>
      <ObjectSwitches plural={resource.plural} object={object} />
      {resource.plural === 'pods' && <Containers object={object} now={second} />}
      {resource.plural === 'services' && <ServiceView service={object} />}
      {/^(endpoints|endpointslices)$/.test(resource.plural) && <EndpointsView object={object} />}
      {WORKLOADS.has(resource.plural) && <WorkloadView plural={resource.plural} object={object} />}
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
  const pods = useCluster((state) => state.pods);
  return <PodTable rows={[...pods.rows.values()].filter((row) => row.object.spec?.['nodeName'] === name)} />;
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
