import { endpoints } from '#api/core/v1/endpoints.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices } from '#api/discovery/v1/endpoint-slice.ts';
import type { Endpoints, EndpointSlice, Service } from '#api/generated/types.ts';
import type { ApiObject, ResourceDefinition } from '#apimachinery/resource.ts';
import { semanticEqual } from '#apimachinery/semantic-equal.ts';
import { isStatus } from '#apimachinery/status-error.ts';
import type { Client } from '#client/client.ts';

export interface KubernetesServiceOptions {
  /** Of the Service: the first of the range. */
  readonly clusterIP: string;
  /** Where the API server listens. */
  readonly address: string;
  readonly port: number;
}

const KEY = { namespace: 'default', name: 'kubernetes' } as const;

/**
 * Makes `default/kubernetes`, by which Pods reach the API server, with its endpoints; puts right what differs of the
 * endpoints. Follows pkg/controlplane/controller/kubernetesservice and pkg/controlplane/reconcilers, v1.33.
 */
export async function ensureKubernetesService(
  client: Client,
  { clusterIP, address, port }: KubernetesServiceOptions,
): Promise<void> {
  const https = { name: 'https', port, protocol: 'TCP' };
  const service: Service = {
    metadata: { ...KEY, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      clusterIP,
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
  };
  const addresses: Endpoints = {
    metadata: { ...KEY, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports: [https] }],
  };
  const slice: EndpointSlice = {
    metadata: { ...KEY, labels: { 'kubernetes.io/service-name': KEY.name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [https],
  };
  await ensure(client, services, service, () => true);
  await ensure(client, endpoints, addresses, ({ subsets }) => semanticEqual(subsets, addresses.subsets));
  await ensure(
    client,
    endpointSlices,
    slice,
    (found) => semanticEqual(found.endpoints, slice.endpoints) && semanticEqual(found.ports, slice.ports),
  );
}

async function ensure<T extends ApiObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  wanted: T,
  isRight: (found: T) => boolean,
): Promise<void> {
  try {
    const found = await client.get(resource, KEY);
    if (isRight(found)) return;
    await client.update(resource, { ...wanted, metadata: { ...found.metadata, labels: wanted.metadata.labels } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    await client.create(resource, wanted);
  }
}
