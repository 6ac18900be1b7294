import { warningsForIP } from '#apimachinery/ip-validation.ts';
import { defineResource } from '#apimachinery/resource.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import { fillZero, mapShared, replace } from '../../fill.ts';
import type { EndpointPort, Endpoints } from '../../generated/types.ts';
import { validateEndpoints } from './endpoints-validation.ts';

const defaultPort = (port: EndpointPort): EndpointPort => fillZero(port, { protocol: 'TCP' });

function defaults(object: Endpoints): Endpoints {
  const { subsets } = object;
  if (!subsets) return object;
  return replace(
    object,
    'subsets',
    mapShared(subsets, (subset) =>
      subset.ports ? replace(subset, 'ports', mapShared(subset.ports, defaultPort)) : subset,
    ),
  );
}

/** The endpoints controller writes clean addresses: nothing is looked at that it wrote. */
function warnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return [];
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [] }, i) => [
    ...addresses.flatMap(({ ip }, j) => warningsForIP(ip, `subsets[${i}].addresses[${j}].ip`)),
    ...notReadyAddresses.flatMap(({ ip }, j) => warningsForIP(ip, `subsets[${i}].notReadyAddresses[${j}].ip`)),
  ]);
}

const SHOWN = 3;
const hostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

/** The first addresses, and how many more there are. Follows formatEndpoints of pkg/printers/internalversion, v1.33. */
function addressesText({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return '<none>';
  const shown: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of subsets) {
    for (const port of ports.length > 0 ? ports : [undefined]) {
      count += addresses.length;
      for (const { ip } of addresses) {
        if (shown.length === SHOWN) break;
        shown.push(port ? hostPort(ip, port.port) : ip);
      }
    }
  }
  return count > SHOWN ? `${shown.join(',')} + ${count - SHOWN} more...` : shown.join(',');
}

/** Endpoints. Follows pkg/registry/core/endpoint/strategy.go, v1.33. */
export const endpoints = defineResource<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.Endpoints',
  storagePrefix: 'services/endpoints',
  deprecated: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  defaults,
  validate: (object) => validateEndpoints(object),
  validateUpdate: validateEndpoints,
  strategy: { allowCreateOnUpdate: true, warnings },
  ownColumns: true,
  columns: [nameColumn, { name: 'Endpoints', type: 'string', cell: addressesText }, ageColumn],
});
