import type { TableColumn } from '#apimachinery/resource.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type { LoadBalancerStatus, Service } from '../../generated/types.ts';

// Follows printService of pkg/printers/internalversion/printers.go, v1.33.

function ingressText({ ingress = [] }: LoadBalancerStatus): string[] {
  return [...new Set(ingress.map(({ ip, hostname }) => ip || hostname || '').filter((text) => text))].sort();
}

function externalIP({ spec, status }: Service): string {
  const { type, externalIPs = [], externalName = '' } = spec;
  if (type === 'ClusterIP' || type === 'NodePort') return externalIPs.join(',') || '<none>';
  if (type === 'LoadBalancer')
    return [...ingressText(status?.loadBalancer ?? {}), ...externalIPs].join(',') || '<pending>';
  return type === 'ExternalName' ? externalName : '<unknown>';
}

function portsText({ ports = [] }: Service['spec']): string {
  const pieces = ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`);
  return pieces.join(',') || '<none>';
}

function labelsText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`);
  return pairs.join(',') || '<none>';
}

/** The table of Services, whole. */
export const serviceColumns: readonly TableColumn<Service>[] = [
  nameColumn,
  { name: 'Type', type: 'string', cell: ({ spec }) => spec.type ?? '' },
  { name: 'Cluster-IP', type: 'string', cell: ({ spec }) => spec.clusterIPs?.[0] ?? '<none>' },
  { name: 'External-IP', type: 'string', cell: externalIP },
  { name: 'Port(s)', type: 'string', cell: ({ spec }) => portsText(spec) },
  ageColumn,
  { name: 'Selector', type: 'string', priority: 1, cell: ({ spec }) => labelsText(spec.selector) },
];
