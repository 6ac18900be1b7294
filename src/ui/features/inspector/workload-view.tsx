import type { KubeObject, ResourceType } from '../../cluster-store/kube-object.ts';
import { useFollowed } from '../../cluster-store/use-followed.ts';
import { Badge, Facts, Section, Table } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { useCluster } from '../../session/session.ts';
import { ObjectLink } from './object-link.tsx';
import { PodTable } from './pod-table.tsx';
import { podsOf } from './why-state.ts';

const REPLICA_SETS: ResourceType = {
  group: 'apps',
  version: 'v1',
  plural: 'replicasets',
  kind: 'ReplicaSet',
  namespaced: true,
};
const REVISION = 'deployment.kubernetes.io/revision';

/** The kinds that keep Pods. */
export const WORKLOADS: ReadonlySet<string> = new Set([
  'deployments',
  'replicasets',
  'replicationcontrollers',
  'daemonsets',
]);

type Fields = Readonly<Record<string, unknown>>;
const text = (fields: Fields | undefined, name: string) => String((fields?.[name] ?? '') as string | number);

function imagesOf({ spec }: KubeObject): string {
  const template = spec?.['template'] as { readonly spec?: { readonly containers?: readonly Fields[] } } | undefined;
  return (template?.spec?.containers ?? []).map((container) => text(container, 'image')).join(', ');
}

/** How many Pods there are and should be, how they are rolled, and which they are. */
export function WorkloadView({ plural, object }: { readonly plural: string; readonly object: KubeObject }) {
  const t = useTranslate();
  const { spec = {}, status = {} } = object;
  const pods = useCluster((state) => state.pods);
  const mine = new Set(
    podsOf(
      plural,
      object,
      [...pods.rows.values()].map((row) => row.object),
    ),
  );
  const daemons = plural === 'daemonsets';
  const strategy = (spec[daemons ? 'updateStrategy' : 'strategy'] ?? {}) as {
    readonly type?: string;
    readonly rollingUpdate?: { readonly maxSurge?: string | number; readonly maxUnavailable?: string | number };
  };
  const counts = (
    daemons
      ? ['desiredNumberScheduled', 'currentNumberScheduled', 'updatedNumberScheduled', 'numberReady', 'numberAvailable']
      : ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas']
  ).flatMap((name) =>
    status[name] === undefined ? [] : [`${name.replace(/Replicas$|^number/, '')} ${text(status, name)}`],
  );
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
  return (
    <>
      <Section title={t('workload.title')}>
        <Facts
          facts={[
            [t('workload.wanted'), daemons ? '' : String(Number(spec['replicas'] ?? 1))],
            [t('workload.status'), counts.join(' · ')],
            [
              t('workload.strategy'),
              strategy.type &&
                [
                  strategy.type,
                  maxSurge !== undefined && `maxSurge ${maxSurge}`,
                  maxUnavailable !== undefined && `maxUnavailable ${maxUnavailable}`,
                ]
                  .filter(Boolean)
                  .join(' · '),
            ],
            [t('workload.image'), imagesOf(object)],
            [t('workload.paused'), spec['paused'] === true && 'true'],
          ]}
        />
      </Section>
      {plural === 'deployments' && <Rollout deployment={object} />}
      <PodTable rows={[...pods.rows.values()].filter((row) => mine.has(row.object))} />
    </>
  );
}

/** The ReplicaSets of a Deployment, the newest revision first. */
function Rollout({ deployment }: { readonly deployment: KubeObject }) {
  const t = useTranslate();
  const found = useFollowed(REPLICA_SETS, undefined, deployment.metadata.namespace);
  const mine = [...found.rows.values()]
    .map(({ object }) => object)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid));
  const revisionOf = ({ metadata }: KubeObject) => Number(metadata.annotations?.[REVISION] ?? 0);
  const current = Math.max(...mine.map(revisionOf), 0);
  if (mine.length === 0) return null;
  return (
    <Section title={t('workload.rollout')}>
      <Table
        label={t('workload.rollout')}
        columns={['Revision', 'ReplicaSet', t('workload.image'), 'Ready']}
        rows={mine
          .toSorted((a, b) => revisionOf(b) - revisionOf(a))
          .map((replicaSet) => {
            const { namespace, name = '' } = replicaSet.metadata;
            const wanted = Number(replicaSet.spec?.['replicas'] ?? 1);
            const ready = Number(replicaSet.status?.['readyReplicas'] ?? 0);
            const newest = revisionOf(replicaSet) === current;
            return [
              newest ? <strong key="revision">{revisionOf(replicaSet)}</strong> : revisionOf(replicaSet),
              <ObjectLink key="name" object={`replicasets/${namespace}/${name}`}>
                {name}
              </ObjectLink>,
              imagesOf(replicaSet),
              <Badge key="ready" tone={wanted === 0 ? 'done' : ready >= wanted ? 'ok' : 'pending'}>
                {`${ready}/${wanted}`}
              </Badge>,
            ];
          })}
      />
    </Section>
  );
}
