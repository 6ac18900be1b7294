import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { Endpoints, EndpointSlice, Service } from '#api/generated/types.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { isStatus, StatusError } from '#apimachinery/status-error.ts';
import type { Process } from '#base/pump.ts';
import type { SpanId } from '#base/tracer.ts';
import type { Client } from '#client/client.ts';
import { Reflector } from '#client/reflector.ts';

export interface KubernetesServiceOptions {
  /** Of the Service: the first of the range. */
  readonly clusterIP: string;
  /** Where the API server listens. */
  readonly address: string;
  readonly port: number;
}

const KEY = { namespace: 'default', name: 'kubernetes' } as const;
/** As `--endpoint-reconciler-type=lease` looks after its endpoints. */
const INTERVAL_MS = 10_000;

/** One of the three objects: what it shall be, and whether it is. */
interface Part<T extends ApiObject = ApiObject> {
  readonly resource: ResourceDefinition<T>;
  readonly wanted: T;
  isRight(found: T): boolean;
}

/**
 * Makes `default/kubernetes`, by which Pods reach the API server, and its endpoints. While `process` lives, what was
 * deleted or changed of it is put right at the next full ten seconds. Follows
 * pkg/controlplane/controller/kubernetesservice and pkg/controlplane/reconcilers, v1.33.
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
  for (const part of parts) await ensure(client, part);
  let isDue = false;
  const soon = (cause: SpanId) => {
    if (isDue) return;
    isDue = true;
    const wait = INTERVAL_MS - ((process.clock.now() - started) % INTERVAL_MS);
    const run = () => {
      isDue = false;
      process.spawn('reconcile kubernetes', async () => {
        try {
          for (const part of parts) await ensure(client.withCause(cause), part);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          soon(cause);
        }
      });
    };
    process.clock.afterFunc(wait, 'reconcile kubernetes', run, cause);
  };
  const selection = { namespace: KEY.namespace, fieldSelector: `metadata.name=${KEY.name}` };
  for (const part of parts) {
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

function partsOf({ clusterIP, address, port }: KubernetesServiceOptions): readonly Part[] {
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
  return [service, old, slices] as unknown as readonly Part[];
}

async function ensure(client: Client, { resource, wanted, isRight }: Part): Promise<void> {
  try {
    const found = await client.get(resource, KEY);
    if (isRight(found)) return;
    await client.update(resource, { ...wanted, metadata: { ...found.metadata, labels: wanted.metadata.labels } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    await client.create(resource, wanted);
  }
}
