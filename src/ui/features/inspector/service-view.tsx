import { ENDPOINT_SLICES, type KubeObject } from '../../cluster-store/kube-object.ts';
import { useFollowed } from '../../cluster-store/use-followed.ts';
import { Badge, Facts, Section, Table } from '../../components/parts.tsx';
import { useTranslate } from '../../i18n/translate.ts';
import { ObjectLink, Sentence } from './object-link.tsx';
import { useSurroundings } from './use-surroundings.ts';
import { podReasons, serviceReasons, type EndpointView, type Surroundings } from './why-state.ts';
import styles from './inspector.module.css';

const DOMAIN = 'cluster.local';

interface ServicePort {
  readonly name?: string;
  readonly protocol?: string;
  readonly port: number;
  readonly targetPort?: string | number;
  readonly nodePort?: number;
}

const list = <T,>(record: Readonly<Record<string, unknown>> | undefined, name: string) =>
  (record?.[name] ?? []) as readonly T[];

/** What a Service offers, where it leads, and who does not answer, and why. */
export function ServiceView({ service }: { readonly service: KubeObject }) {
  const t = useTranslate();
  const { spec = {}, status = {} } = service;
  const { name = '', namespace = '' } = service.metadata;
  const around = useSurroundings();
  const ports = list<ServicePort>(spec, 'ports');
  const named = ports.some(({ name: port }) => port);
  const nodePorts = ports.some(({ nodePort }) => nodePort);
  const external = spec['type'] === 'ExternalName';
  const ingress = list<{ readonly ip?: string; readonly hostname?: string }>(
    status['loadBalancer'] as Readonly<Record<string, unknown>> | undefined,
    'ingress',
  );
  const [worst] = serviceReasons(t, service, around);
  return (
    <>
      <Section title={t('service.reach')}>
        <Facts
          facts={[
            ['DNS', <code key="dns">{`${name}.${namespace}.svc.${DOMAIN}`}</code>],
            ['Cluster IP', list<string>(spec, 'clusterIPs').join(', ') || (spec['clusterIP'] as string)],
            ['External name', external && String(spec['externalName'])],
            ['Load balancer', ingress.map(({ ip, hostname }) => ip ?? hostname).join(', ')],
            ['External IPs', list<string>(spec, 'externalIPs').join(', ')],
            ['Session affinity', spec['sessionAffinity'] === 'ClientIP' && 'ClientIP'],
            ['External traffic', spec['externalTrafficPolicy'] === 'Local' && `externalTrafficPolicy: Local`],
            ['Selector', <Selector key="selector" selector={spec['selector'] as Readonly<Record<string, string>>} />],
          ]}
        />
        {worst && worst.tone !== 'ok' && (
          <p className={styles.notice} data-tone={worst.tone}>
            <Sentence text={worst.text} />
          </p>
        )}
      </Section>
      {ports.length > 0 && (
        <Section title={t('service.ports')}>
          <Table
            label={t('service.ports')}
            columns={[...(named ? ['Name'] : []), 'Port', 'Target', ...(nodePorts ? ['Node port'] : [])]}
            rows={ports.map(({ name: portName, protocol = 'TCP', port, targetPort, nodePort }) => [
              ...(named ? [portName] : []),
              `${port}/${protocol}`,
              targetPort ?? port,
              ...(nodePorts ? [nodePort] : []),
            ])}
          />
        </Section>
      )}
      {!external && <ServiceEndpoints name={name} namespace={namespace} around={around} />}
    </>
  );
}

function Selector({ selector }: { readonly selector: Readonly<Record<string, string>> | undefined }) {
  const entries = Object.entries(selector ?? {});
  if (entries.length === 0) return <span>—</span>;
  return (
    <span className={styles.labels}>
      {entries.map(([key, value]) => (
        <code key={key}>{`${key}=${value}`}</code>
      ))}
    </span>
  );
}

function ServiceEndpoints({
  name,
  namespace,
  around,
}: {
  readonly name: string;
  readonly namespace: string;
  readonly around: Surroundings;
}) {
  const query = `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${name}`)}`;
  const slices = useFollowed(ENDPOINT_SLICES, query, namespace);
  const found = [...slices.rows.values()].map(({ object }) => object);
  return <EndpointTable endpoints={found.flatMap(endpointsIn)} around={around} namespace={namespace} />;
}

/** The endpoints of an EndpointSlice, or of an Endpoints object, in one form. */
export function endpointsIn(object: KubeObject): readonly EndpointView[] {
  const record = object as unknown as Readonly<Record<string, unknown>>;
  if (record['subsets'] === undefined) return list<EndpointView>(record, 'endpoints');
  return list<Readonly<Record<string, unknown>>>(record, 'subsets').flatMap((subset) =>
    (['addresses', 'notReadyAddresses'] as const).flatMap((kind) =>
      list<{ readonly ip: string; readonly nodeName?: string; readonly targetRef?: EndpointView['targetRef'] }>(
        subset,
        kind,
      ).map(({ ip, ...rest }) => ({ ...rest, addresses: [ip], conditions: { ready: kind === 'addresses' } })),
    ),
  );
}

/** Addresses with their readiness; of one that is not ready, why. */
export function EndpointTable({
  endpoints,
  around,
  namespace,
}: {
  readonly endpoints: readonly EndpointView[];
  readonly around: Surroundings;
  readonly namespace: string;
}) {
  const t = useTranslate();
  return (
    <Section title={t('service.endpoints', { count: endpoints.length })}>
      {endpoints.length > 0 && (
        <Table
          label="Endpoints"
          columns={[t('service.address'), 'Pod', 'Ready']}
          rows={endpoints.map(({ addresses, conditions, targetRef, nodeName }) => {
            const pod = targetRef?.kind === 'Pod' ? `pods/${targetRef.namespace ?? namespace}/${targetRef.name}` : '';
            const object = around.pods.find(({ metadata }) => pod === `pods/${metadata.namespace}/${metadata.name}`);
            const ready = conditions?.ready ?? true;
            const [why] = !ready && object ? podReasons(t, object, around) : [];
            const state = ready ? 'ready' : conditions?.terminating ? 'terminating' : 'not ready';
            return [
              <code key="address" title={nodeName}>
                {addresses.join(', ')}
              </code>,
              pod ? (
                <ObjectLink key="pod" object={pod}>
                  {targetRef?.name ?? ''}
                </ObjectLink>
              ) : (
                ''
              ),
              <span key="state">
                <Badge tone={ready ? 'ok' : conditions?.terminating ? 'leaving' : 'pending'}>{state}</Badge>
                {why && (
                  <span className={styles.explain}>
                    {' '}
                    <Sentence text={why.text} />
                  </span>
                )}
              </span>,
            ];
          })}
        />
      )}
    </Section>
  );
}

/** An EndpointSlice or Endpoints object. */
export function EndpointsView({ object }: { readonly object: KubeObject }) {
  const t = useTranslate();
  const around = useSurroundings();
  const { namespace = '', name = '', labels } = object.metadata;
  const record = object as unknown as Readonly<Record<string, unknown>>;
  const service = labels?.['kubernetes.io/service-name'] ?? (record['subsets'] === undefined ? '' : name);
  const ports = [
    ...list<ServicePort>(record, 'ports'),
    ...list<Readonly<Record<string, unknown>>>(record, 'subsets').flatMap((subset) =>
      list<ServicePort>(subset, 'ports'),
    ),
  ];
  return (
    <>
      <Section>
        <Facts
          facts={[
            [
              'Service',
              service && (
                <ObjectLink key="service" object={`services/${namespace}/${service}`}>
                  {service}
                </ObjectLink>
              ),
            ],
            [
              t('service.ports'),
              ports
                .map(
                  ({ name: port, port: number, protocol = 'TCP' }) => `${port ? `${port} ` : ''}${number}/${protocol}`,
                )
                .join(', '),
            ],
          ]}
        />
      </Section>
      <EndpointTable endpoints={endpointsIn(object)} around={around} namespace={namespace} />
    </>
  );
}
