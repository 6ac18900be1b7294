import { objectKey, type KubeObject, type ObjectKey } from '../../cluster-store/kube-object.ts';
import type { Tone } from '../../cluster-store/status-tone.ts';
import type { Row } from '../../cluster-store/table.ts';
import { isSystem } from './graph-namespaces.ts';

export type EndpointState = 'ready' | 'unready' | 'terminating';

/** Where a Service leads to, by its EndpointSlices. */
export interface EndpointItem {
  /** The Pod; empty for an address that is nobody's. */
  readonly pod: ObjectKey;
  readonly address: string;
  readonly state: EndpointState;
}

/** A Service as the graph draws it. */
export interface ServiceItem {
  readonly key: ObjectKey;
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  /** The address that it is reached by: of a load balancer, its own, `headless`, or the name that it stands for. */
  readonly address: string;
  /** As kubectl writes them: `80:30080`; the protocol only where it is not TCP. */
  readonly ports: string;
  readonly ready: number;
  /** Endpoints that stay: those that are about to go do not count. */
  readonly total: number;
  readonly tone: Tone;
  readonly system: boolean;
  readonly endpoints: readonly EndpointItem[];
}

export interface ServiceModel {
  /** Oldest first. */
  readonly items: readonly ServiceItem[];
  /** The Services that lead to a Pod. */
  readonly servicesOf: ReadonlyMap<ObjectKey, readonly ObjectKey[]>;
}

interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
}

interface Ports {
  readonly port: number;
  readonly nodePort?: number;
  readonly protocol?: string;
}

const SERVICE_NAME = 'kubernetes.io/service-name';

/** An item is the same value as long as its Service and its slices are. */
export class ServiceModeller {
  #items = new Map<ObjectKey, { readonly rows: readonly Row[]; readonly item: ServiceItem }>();
  readonly #endpoints = new WeakMap<Row, readonly EndpointItem[]>();

  /** With a namespace, of users' Services only those in it. */
  model(services: Iterable<Row>, slices: Iterable<Row>, namespace?: string): ServiceModel {
    const slicesOf = new Map<ObjectKey, Row[]>();
    for (const slice of slices) {
      const { namespace, labels } = slice.object.metadata;
      const key = objectKey('services', namespace, labels?.[SERVICE_NAME] ?? '');
      const others = slicesOf.get(key);
      if (others) others.push(slice);
      else slicesOf.set(key, [slice]);
    }
    const items = new Map<ObjectKey, { readonly rows: readonly Row[]; readonly item: ServiceItem }>();
    for (const row of services) {
      const parts = [row, ...(slicesOf.get(row.key) ?? [])];
      const before = this.#items.get(row.key);
      const same = before?.rows.length === parts.length && parts.every((part, at) => part === before.rows[at]);
      items.set(row.key, same ? before : { rows: parts, item: itemOf(row, this.#endpointsIn(parts.slice(1))) });
    }
    this.#items = items;
    const all = [...items.values()]
      .sort((a, b) => ageOf(a.rows[0]).localeCompare(ageOf(b.rows[0]), 'en') || (a.item.name < b.item.name ? -1 : 1))
      .map(({ item }) => item)
      .filter((item) => namespace === undefined || item.system || item.namespace === namespace);
    const servicesOf = new Map<ObjectKey, ObjectKey[]>();
    for (const { key, endpoints } of all) {
      for (const { pod } of endpoints) {
        if (!pod) continue;
        const others = servicesOf.get(pod);
        if (others) others.push(key);
        else servicesOf.set(pod, [key]);
      }
    }
    return { items: all, servicesOf };
  }

  /** One for each Pod: a Service with several ports or address families names it in several slices. */
  #endpointsIn(slices: readonly Row[]): readonly EndpointItem[] {
    const found = new Map<string, EndpointItem>();
    for (const slice of slices) {
      let endpoints = this.#endpoints.get(slice);
      if (!endpoints) this.#endpoints.set(slice, (endpoints = endpointsOf(slice.object)));
      for (const endpoint of endpoints) {
        const key = endpoint.pod || endpoint.address;
        if (found.get(key)?.state !== 'ready') found.set(key, endpoint);
      }
    }
    return [...found.values()];
  }
}

const ageOf = (row: Row | undefined) => row?.object.metadata.creationTimestamp ?? '';

/** Whoever does not say whether it is ready is; see discovery/v1 EndpointConditions. */
function endpointsOf(slice: KubeObject): readonly EndpointItem[] {
  const { endpoints } = slice as unknown as { readonly endpoints?: readonly SliceEndpoint[] | null };
  return (endpoints ?? []).map(({ addresses, conditions, targetRef }) => ({
    pod:
      targetRef?.kind === 'Pod' && targetRef.name
        ? objectKey('pods', targetRef.namespace ?? slice.metadata.namespace, targetRef.name)
        : '',
    address: addresses[0] ?? '',
    state: conditions?.terminating ? 'terminating' : (conditions?.ready ?? true) ? 'ready' : 'unready',
  }));
}

function itemOf({ key, object }: Row, endpoints: readonly EndpointItem[]): ServiceItem {
  const { namespace = '', name = '' } = object.metadata;
  const spec = object.spec ?? {};
  const type = (spec['type'] as string | undefined) ?? 'ClusterIP';
  const clusterIp = (spec['clusterIP'] as string | undefined) ?? '';
  const ready = endpoints.filter(({ state }) => state === 'ready').length;
  const total = endpoints.filter(({ state }) => state !== 'terminating').length;
  const external = type === 'ExternalName';
  const ingress = (
    object.status?.['loadBalancer'] as
      | { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] }
      | undefined
  )?.ingress?.[0];
  const ports = (spec['ports'] as readonly Ports[] | undefined) ?? [];
  return {
    key,
    namespace,
    name,
    type,
    address: external
      ? String(spec['externalName'])
      : (ingress?.ip ?? ingress?.hostname ?? (clusterIp === 'None' ? 'headless' : clusterIp)),
    ports: ports
      .map(
        ({ port, nodePort, protocol = 'TCP' }) =>
          `${port}${nodePort ? `:${nodePort}` : ''}${protocol === 'TCP' ? '' : `/${protocol}`}`,
      )
      .join(' '),
    ready,
    total,
    tone: external ? 'done' : total === 0 ? 'bad' : ready < total ? 'pending' : 'ok',
    // That which every cluster has, and which is not what people follow.
    system: isSystem(namespace) || key === 'services/default/kubernetes',
    endpoints,
  };
}
