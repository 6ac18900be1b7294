import { defineResource } from '#apimachinery/resource.ts';
import { ageColumn, nameColumn } from '../../columns.ts';
import type { Ingress } from '../../generated/types.ts';
import { specGenerationAndStatus } from '../../spec-generation.ts';
import {
  INGRESS_CLASS_ANNOTATION,
  ingressStatusWarnings,
  validateIngress,
  validateIngressStatus,
  validateIngressUpdate,
} from './ingress-validation.ts';

const MAX_HOSTS = 3;

function hostsText({ spec: { rules = [] } }: Ingress): string {
  const hosts: string[] = [];
  let more = false;
  for (const { host } of rules) {
    more ||= hosts.length === MAX_HOSTS;
    if (!more && host) hosts.push(host);
  }
  if (hosts.length === 0) return '*';
  return more ? `${hosts.join(',')} + ${rules.length - MAX_HOSTS} more...` : hosts.join(',');
}

function addressText({ status }: Ingress): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []);
  return [...new Set(addresses)].sort().join(',');
}

/** Ingresses. Follows pkg/registry/networking/ingress/strategy.go, v1.33. */
export const ingresses = defineResource<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  scope: 'Namespaced',
  schema: 'io.k8s.api.networking.v1.Ingress',
  storagePrefix: 'ingress',
  validate: validateIngress,
  validateUpdate: validateIngressUpdate,
  notModelled: () => ['spec: no ingress controller is modelled, so nothing serves this Ingress'],
  strategy: {
    ...specGenerationAndStatus<Ingress>({ loadBalancer: {} }),
    warnings({ metadata, spec }, previous) {
      const isOld = metadata.annotations?.[INGRESS_CLASS_ANNOTATION] !== undefined;
      if (previous || !isOld || spec.ingressClassName !== undefined) return [];
      return [`annotation "${INGRESS_CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`];
    },
  },
  subresources: {
    status: {
      prepareForUpdate: (next, previous) => ({ ...next, spec: previous.spec }),
      validateUpdate: validateIngressStatus,
      warnings: ingressStatusWarnings,
    },
  },
  ownColumns: true,
  columns: [
    nameColumn,
    { name: 'Class', type: 'string', cell: ({ spec }) => spec.ingressClassName ?? '<none>' },
    { name: 'Hosts', type: 'string', cell: hostsText },
    { name: 'Address', type: 'string', cell: addressText },
    { name: 'Ports', type: 'string', cell: ({ spec }) => (spec.tls?.length ? '80, 443' : '80') },
    ageColumn,
  ],
});
