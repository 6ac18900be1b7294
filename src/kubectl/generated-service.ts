import type { JsonObject } from '#apimachinery/json.ts';
import { parseGoInt } from './go-int.ts';

/** `a=b,c=d`, as old flags take labels. Follows generate.ParseLabels, v1.33. */
export function parseLabelList(list: string): JsonObject {
  if (list === '') throw new Error('no label spec passed');
  const labels = list.split(',').map((spec): readonly [string, string] => {
    const parts = spec.split('=');
    if (parts.length !== 2) throw new Error(`unexpected label spec: ${spec}`);
    if (parts[0] === '') throw new Error('unexpected empty label key');
    return [parts[0] as string, parts[1] as string];
  });
  return Object.fromEntries(labels);
}

export interface ServiceSettings {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: string;
  readonly selector: string;
  /** Ports, joined with commas. */
  readonly ports: string;
  /** Empty: what `protocols` say, or TCP. */
  readonly protocol?: string;
  /** Protocols by port. */
  readonly protocols?: ReadonlyMap<string, readonly string[]>;
  readonly targetPort?: string;
  readonly externalIp?: string;
  readonly type?: string;
  readonly loadBalancerIp?: string;
  readonly sessionAffinity?: string;
  readonly clusterIp?: string;
}

/** The Service that `expose` and `run --expose` make. Follows kubectl/pkg/generate/versioned/service.go, v1.33. */
export function generateService(settings: ServiceSettings): JsonObject {
  const given = settings.ports === '' ? [] : settings.ports.split(',');
  const targetPort = settings.targetPort ?? '';
  const ports = given.flatMap((port, index) => {
    const number = parseGoInt(port);
    const known = settings.protocol ? [settings.protocol] : (settings.protocols?.get(port) ?? ['TCP']);
    return known.map((protocol) => ({
      ...(known.length > 1
        ? { name: `port-${index + 1}-${protocol.toLowerCase()}` }
        : given.length > 1
          ? { name: `port-${index + 1}` }
          : {}),
      protocol,
      port: number,
      targetPort: targetPort === '' ? number : /^[-+]?\d+$/.test(targetPort) ? parseGoInt(targetPort) : targetPort,
    }));
  });
  const { type = '', sessionAffinity = '', clusterIp = '', externalIp = '', loadBalancerIp = '' } = settings;
  if (sessionAffinity !== '' && sessionAffinity !== 'None' && sessionAffinity !== 'ClientIP')
    throw new Error(`unknown session affinity: ${sessionAffinity}`);
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: {
      name: settings.name,
      ...(settings.namespace ? { namespace: settings.namespace } : {}),
      creationTimestamp: null,
      ...(settings.labels ? { labels: parseLabelList(settings.labels) } : {}),
    },
    spec: {
      ...(ports.length > 0 ? { ports } : {}),
      selector: parseLabelList(settings.selector),
      ...(clusterIp === '' ? {} : { clusterIP: clusterIp }),
      ...(type === '' ? {} : { type }),
      ...(externalIp === '' ? {} : { externalIPs: [externalIp] }),
      ...(sessionAffinity === '' ? {} : { sessionAffinity }),
      ...(type === 'LoadBalancer' && loadBalancerIp !== '' ? { loadBalancerIP: loadBalancerIp } : {}),
    },
    status: { loadBalancer: {} },
  };
}
