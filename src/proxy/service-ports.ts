import { endpointsOf } from '#api/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice, Service, ServicePort } from '#api/generated/types.ts';
import { type Cidr, parseCidr, parseIPv4 } from '#network/address.ts';
import type { Endpoint, Protocol } from '#network/network.ts';
import { type Categories, categorizeEndpoints } from './categorize-endpoints.ts';

/** One endpoint of a Service's port, as kube-proxy sees it. */
export interface ProxyEndpoint extends Endpoint {
  readonly node: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Zones whose traffic it should get; undefined: no hint. */
  readonly zones: readonly string[] | undefined;
}

/** Where kube-proxy runs, for policies that prefer what is near. */
export interface ProxyNode {
  readonly name: string;
  readonly zone: string;
}

/**
 * One port of a Service with its endpoints: what rules are made from. It is computed once and shared by all nodes; what
 * depends on the node is found out when a node first asks. Follows pkg/proxy/serviceport.go, v1.33.
 */
export class ServicePortInfo {
  /** `namespace/name` */
  readonly service: string;
  /** `namespace/name:port`, or without the port's name if it has none. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly clusterIP: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  /** Empty: everybody. */
  readonly sourceRanges: readonly Cidr[];
  readonly externalPolicyLocal: boolean;
  readonly internalPolicyLocal: boolean;
  /** Session affinity by client, seconds; 0: none. */
  readonly stickySeconds: number;
  /** 0: none. */
  readonly healthCheckNodePort: number;
  /** All, in the order of their texts. */
  readonly endpoints: readonly ProxyEndpoint[];
  readonly #byNode = new Map<string, Categories>();
  readonly #usesHints: boolean;

  constructor(service: Service, port: ServicePort, endpoints: readonly ProxyEndpoint[]) {
    const { metadata, spec, status } = service;
    const external = spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.externalIPs?.length ?? 0) > 0;
    this.service = `${metadata.namespace}/${metadata.name}`;
    this.name = port.name ? `${this.service}:${port.name}` : this.service;
    this.protocol = (port.protocol ?? 'TCP') as Protocol;
    this.clusterIP = clusterIPOf(service) ?? '';
    this.port = port.port;
    this.nodePort = port.nodePort ?? 0;
    this.externalIPs = (spec.externalIPs ?? []).filter((ip) => parseIPv4(ip) !== undefined);
    this.loadBalancerIPs = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '', ipMode = 'VIP' }) =>
      ipMode === 'VIP' && parseIPv4(ip) !== undefined ? [ip] : [],
    );
    this.sourceRanges = (spec.loadBalancerSourceRanges ?? []).flatMap((range) => parseCidr(range.trim()) ?? []);
    this.externalPolicyLocal = external && spec.externalTrafficPolicy === 'Local';
    this.internalPolicyLocal = spec.internalTrafficPolicy === 'Local';
    this.stickySeconds =
      spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0;
    this.healthCheckNodePort =
      spec.type === 'LoadBalancer' && this.externalPolicyLocal ? (spec.healthCheckNodePort ?? 0) : 0;
    this.endpoints = endpoints;
    this.#usesHints = endpoints.some(({ zones }) => zones !== undefined);
  }

  /** Whether it can be reached by more than its cluster IP. */
  get externallyAccessible(): boolean {
    return this.nodePort !== 0 || this.loadBalancerIPs.length > 0 || this.externalIPs.length > 0;
  }

  /** Whether traffic from anywhere may go to endpoints anywhere. */
  get usesClusterEndpoints(): boolean {
    return !this.internalPolicyLocal || this.externallyAccessible;
  }

  /** Whether some traffic stays on the node where it arrives. */
  get usesLocalEndpoints(): boolean {
    return this.internalPolicyLocal || (this.externalPolicyLocal && this.externallyAccessible);
  }

  /** Which endpoints traffic on a node goes to; the same value for all nodes that nothing tells apart. */
  categories({ name, zone }: ProxyNode): Categories {
    const key = this.usesLocalEndpoints ? `${name} ${zone}` : this.#usesHints ? zone : '';
    let categories = this.#byNode.get(key);
    if (!categories) {
      categories = categorizeEndpoints(this, { name, zone });
      this.#byNode.set(key, categories);
    }
    return categories;
  }
}

/**
 * Computes Services' ports once for all who ask with the same objects. Objects are immutable, so what was computed of
 * a Service and its slices holds for as long as somebody has them.
 */
export class ServicePortCompiler {
  readonly #known = new WeakMap<
    Service,
    { readonly slices: readonly EndpointSlice[]; readonly ports: readonly ServicePortInfo[] }[]
  >();
  readonly #endpoints = new WeakMap<EndpointSlice, ReadonlyMap<string, readonly ProxyEndpoint[]>>();

  /** `slices` in the order of their names. */
  compile(service: Service, slices: readonly EndpointSlice[]): readonly ServicePortInfo[] {
    if (service.spec.type === 'ExternalName' || clusterIPOf(service) === undefined) return [];
    let known = this.#known.get(service);
    if (!known) {
      known = [];
      this.#known.set(service, known);
    }
    const found = known.find(
      (one) => one.slices.length === slices.length && one.slices.every((slice, i) => slice === slices[i]),
    );
    if (found) return found.ports;
    const ports = (service.spec.ports ?? []).map(
      (port) => new ServicePortInfo(service, port, this.#endpointsOf(slices, port)),
    );
    // Nodes are at most a few deliveries apart.
    known.unshift({ slices, ports });
    if (known.length > KEPT_VERSIONS) known.pop();
    return ports;
  }

  #endpointsOf(slices: readonly EndpointSlice[], { name = '', protocol = 'TCP' }: ServicePort): ProxyEndpoint[] {
    const byText = new Map<string, ProxyEndpoint>();
    for (const slice of slices) {
      for (const endpoint of this.#sliceEndpoints(slice).get(`${protocol}/${name}`) ?? [])
        byText.set(`${endpoint.address}:${endpoint.port}`, endpoint);
    }
    return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
  }

  /** By protocol and name of the port. */
  #sliceEndpoints(slice: EndpointSlice): ReadonlyMap<string, readonly ProxyEndpoint[]> {
    const known = this.#endpoints.get(slice);
    if (known) return known;
    const found = new Map<string, readonly ProxyEndpoint[]>();
    for (const { name, port, protocol } of slice.ports ?? []) {
      if (name === undefined || !port) continue;
      found.set(
        `${protocol ?? 'TCP'}/${name}`,
        endpointsOf(slice).flatMap(({ addresses, conditions = {}, nodeName, hints }): ProxyEndpoint[] => {
          const [address] = addresses;
          if (address === undefined) return [];
          return [
            {
              address,
              port,
              node: nodeName,
              ready: conditions.ready !== false,
              serving: conditions.serving !== false,
              terminating: conditions.terminating === true,
              zones: hints?.forZones?.length ? hints.forZones.map((zone) => zone.name) : undefined,
            },
          ];
        }),
      );
    }
    this.#endpoints.set(slice, found);
    return found;
  }
}

const KEPT_VERSIONS = 8;

/** The Service's IPv4 address; undefined if it has none. */
function clusterIPOf({ spec }: Service): string | undefined {
  return [spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])].find((ip) => parseIPv4(ip) !== undefined);
}
