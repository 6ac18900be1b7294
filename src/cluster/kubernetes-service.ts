import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import { serviceCIDRs } from '#api/networking/v1/service-cidr.ts';
import type { Endpoints, EndpointSlice, Service, ServiceCIDR } from '#api/generated/types.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { Reflector } from '#client/reflector.ts';

export interface KubernetesServiceOptions {
  /** The range of the addresses of Services. */
  readonly cidr: string;
  /** Of the Service: the first of the range. */
  readonly clusterIP: string;
  /** Where the API server listens. */
  readonly address: string;
  readonly port: number;
}

const KEY = { namespace: 'default', name: 'kubernetes' } as const;
const RANGE_READY = {
  type: 'Ready',
  status: 'True',
  reason: '',
  message: 'Kubernetes default Service CIDR is ready',
} as const;
/** As `--endpoint-reconciler-type=lease` looks after its endpoints. */
const INTERVAL_MS = 10_000;

/** One of the objects: what it shall be, and whether it is. */
interface Part<T extends ApiObject = ApiObject> {
  readonly resource: ResourceDefinition<T>;
  readonly wanted: T;
  isRight(found: T): boolean;
  /** What is said of a new one. */
  readonly status?: (now: number) => object;
}

/**
 * Makes `default/kubernetes`, by which Pods reach the API server, its endpoints, and the range of Services' addresses. While `process` lives, what was
 * deleted or changed of it is put right at the next full ten seconds. Follows
 * pkg/controlplane/controller/kubernetesservice and defaultservicecidr, and pkg/controlplane/reconcilers, v1.33.
 *
 * Differs from upstream: nobody looks while nothing has changed.
 */
export async function keepKubernetesService(
  process: Process,
  client: Client,
  options: KubernetesServiceOptions,
): Promise<void> {
  const started = process.clock.now();
  const parts = partsOf(options);
  for (const part of parts) await ensure(process, client, part);
  let isDue = false;
  const soon = (cause: SpanId) => {
    if (isDue) return;
    isDue = true;
    const wait = INTERVAL_MS - ((process.clock.now() - started) % INTERVAL_MS);
    const run = () => {
      isDue = false;
      process.spawn('reconcile kubernetes', async () => {
        try {
          for (const part of parts) await ensure(process, client.withCause(cause), part);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          soon(cause);
        }
      });
    };
    process.clock.afterFunc(wait, 'reconcile kubernetes', run, cause);
  };
  for (const part of parts) {
    const { namespace, name } = part.wanted.metadata;
    const selection = { namespace, fieldSelector: `metadata.name=${name}` };
    new Reflector(process, client, part.resource, selection, {
      replace(found, causes) {
        if (!found[0] || !part.isRight(found[0])) soon(causes?.[0] ?? 0);
      },
      apply({ type, object, span }) {
        if (type === 'DELETED' || !part.isRight(object)) soon(span);
      },
    }).start();
  }
}

function partsOf({ cidr, clusterIP, address, port }: KubernetesServiceOptions): readonly Part[] {
  const https = { name: 'https', port, protocol: 'TCP' };
  const service: Part<Service> = {
    resource: services,
    wanted: {
      metadata: { ...KEY, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        clusterIP,
        ipFamilyPolicy: 'SingleStack',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
    },
    isRight: () => true,
  };
  const subsets = [{ addresses: [{ ip: address }], ports: [https] }];
  const old: Part<Endpoints> = {
    resource: endpoints,
    wanted: { metadata: { ...KEY, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }, subsets },
    isRight: (found) => semanticEqual(found.subsets, subsets),
  };
  const slice: EndpointSlice = {
    metadata: { ...KEY, labels: { 'kubernetes.io/service-name': KEY.name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [https],
  };
  const slices: Part<EndpointSlice> = {
    resource: endpointSlices,
    wanted: slice,
    isRight: (found) => semanticEqual(found.endpoints, slice.endpoints) && semanticEqual(found.ports, slice.ports),
  };
  const range: Part<ServiceCIDR> = {
    resource: serviceCIDRs,
    wanted: { metadata: { name: KEY.name }, spec: { cidrs: [cidr] } },
    isRight: () => true,
    status: (now) => ({ conditions: [{ ...RANGE_READY, lastTransitionTime: formatTime(now) }] }),
  };
  return [range, service, old, slices] as unknown as readonly Part[];
}

async function ensure(process: Process, client: Client, part: Part): Promise<void> {
  const { resource, wanted, isRight, status } = part;
  const { namespace, name = '' } = wanted.metadata;
  try {
    const found = await client.get(resource, { namespace, name });
    if (isRight(found)) return;
    await client.update(resource, { ...wanted, metadata: { ...found.metadata, labels: wanted.metadata.labels } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    await client.create(resource, wanted);
    if (!status) return;
    const { group, version, kind } = resource;
    const body = { apiVersion: `${group}/${version}`, kind, metadata: { name }, status: status(process.clock.now()) };
    const options = { fieldManager: 'kubernetes-service-cidr-controller', force: true, subresource: 'status' };
    await client.patch(resource, { name }, 'application/apply-patch+yaml', body, options);
  }
}
