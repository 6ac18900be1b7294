import { parseAddress } from '#apimachinery/ip-validation.ts';
import type { Service } from '../../generated/types.ts';

const NO_EFFECT = 'accepted, but not modelled: it has no effect in this cluster';
/** By which the endpointslice controller would spread traffic over zones. */
const TOPOLOGY = ['service.kubernetes.io/topology-mode', 'service.kubernetes.io/topology-aware-hints'];

const isIPv6 = (address: string): boolean => parseAddress(address)?.bytes.length === 16;

/** What a Service asks for that nothing here provides. Keep it in step with FIDELITY.md. */
export function serviceNotModelled({ metadata, spec }: Service): string[] {
  const fields = [
    ...TOPOLOGY.filter((name) => metadata.annotations?.[name]).map((name) => `metadata.annotations[${name}]`),
    ...(spec.ports ?? []).flatMap(({ protocol }, i) => (protocol === 'SCTP' ? [`spec.ports[${i}].protocol SCTP`] : [])),
    ...(spec.externalIPs ?? []).flatMap((address, i) => (isIPv6(address) ? [`spec.externalIPs[${i}]`] : [])),
    ...(spec.loadBalancerClass ? ['spec.loadBalancerClass'] : []),
  ];
  return fields.map((field) => `${field}: ${NO_EFFECT}`);
}
