import type { Rng } from '#base/rng.ts';
import { cidrContains, parseIPv4 } from '#network/address.ts';
import type { AddressTranslation, Flow, NetworkNamespace, Translation } from '#network/network.ts';
import type { ProxyEndpoint, ProxyNode, ServicePortInfo } from './service-ports.ts';

/** How an endpoint is chosen: as the kernel's iptables does (at random), or its IPVS scheduler `rr` (in turn). */
export type ProxyMode = 'iptables' | 'ipvs';

/** What an address and port stand for. */
type Reach = 'cluster' | 'external' | 'loadBalancer' | 'nodePort';

interface Rule {
  readonly port: ServicePortInfo;
  readonly reach: Reach;
}

/**
 * The part of a node's kernel that kube-proxy programs: it decides where new flows go, and goes on when kube-proxy does
 * not. Follows syncProxyRules of pkg/proxy/iptables/proxier.go, v1.33.
 */
export class PacketFilter {
  readonly #host: NetworkNamespace;
  /** By protocol, address and port, or for node ports protocol and port. */
  readonly #rules = new Map<string, Rule>();
  /** By the port's name and protocol: which client was sent where, and when. */
  readonly #sticky = new Map<string, Map<string, { readonly endpoint: string; readonly at: number }>>();
  readonly #turns = new Map<string, number>();
  #rng: Rng | undefined;
  #now: () => number = () => 0;
  #node: ProxyNode = { name: '', zone: '' };
  #mode: ProxyMode = 'iptables';

  constructor(host: NetworkNamespace) {
    this.#host = host;
  }

  /** How many addresses and ports it knows. */
  get size(): number {
    return this.#rules.size;
  }

  /** Takes the node's flows in hand, or goes on doing so in another way. */
  configure(options: {
    readonly node: ProxyNode;
    readonly mode: ProxyMode;
    readonly rng: Rng;
    readonly now: () => number;
  }): void {
    this.#node = options.node;
    this.#mode = options.mode;
    this.#rng = options.rng;
    this.#now = options.now;
    this.#host.translation = this.#translate;
  }

  /** Puts ports in the place of others. */
  replace(before: readonly ServicePortInfo[], after: readonly ServicePortInfo[]): void {
    for (const port of before) {
      this.#eachKey(port, (key) => {
        // An address may have passed to another Service meanwhile.
        if (this.#rules.get(key)?.port.service === port.service) this.#rules.delete(key);
      });
    }
    for (const port of after) this.#eachKey(port, (key, reach) => this.#rules.set(key, { port, reach }));
    for (const { name, protocol } of before) {
      if (after.some((port) => port.name === name && port.protocol === protocol)) continue;
      this.#sticky.delete(`${protocol} ${name}`);
      this.#turns.delete(`${protocol} ${name}`);
    }
  }

  /** Takes all rules away, as a kube-proxy does that starts anew and does not know them. */
  clear(): void {
    this.#rules.clear();
  }

  #eachKey(port: ServicePortInfo, call: (key: string, reach: Reach) => void): void {
    const { protocol } = port;
    call(`${protocol} ${port.clusterIP}:${port.port}`, 'cluster');
    for (const ip of port.externalIPs) call(`${protocol} ${ip}:${port.port}`, 'external');
    for (const ip of port.loadBalancerIPs) call(`${protocol} ${ip}:${port.port}`, 'loadBalancer');
    if (port.nodePort) call(`${protocol} ${port.nodePort}`, 'nodePort');
  }

  #translate: AddressTranslation = (flow) => {
    const { protocol, destination } = flow;
    const rule = this.#rules.get(`${protocol} ${destination.address}:${destination.port}`) ?? this.#nodePortRule(flow);
    return rule && { ...this.#decide(rule, flow), service: rule.port.service };
  };

  #nodePortRule({ protocol, destination: { address, port } }: Flow): Rule | undefined {
    const rule = this.#rules.get(`${protocol} ${port}`);
    if (!rule || !this.#host.owns(address)) return undefined;
    // IPVS does not serve node ports on the loopback.
    return this.#mode === 'ipvs' && address.startsWith('127.') ? undefined : rule;
  }

  #decide({ port, reach }: Rule, { source, arriving }: Flow): Translation {
    const { cluster, local, any } = port.categories(this.#node);
    if (!any) return { to: 'reject' };
    if (reach === 'loadBalancer' && port.sourceRanges.length > 0) {
      const address = parseIPv4(source.address) ?? -1;
      if (!port.sourceRanges.some((range) => cidrContains(range, address))) return { to: 'drop' };
    }
    let endpoints = cluster;
    let masquerade = false;
    if (reach === 'cluster') {
      if (port.internalPolicyLocal) endpoints = local;
    } else if (!port.externalPolicyLocal) masquerade = true;
    // What starts on this node counts as if it had gone out to a load balancer and come back.
    else if (arriving) endpoints = local;
    if (endpoints.length === 0) return { to: 'drop' };
    const to = this.#choose(port, endpoints, source.address);
    // An endpoint that reaches itself through its Service must not see its own address as the client's.
    return { to, masquerade: masquerade || to.address === source.address };
  }

  #choose(port: ServicePortInfo, endpoints: readonly ProxyEndpoint[], client: string): ProxyEndpoint {
    const key = `${port.protocol} ${port.name}`;
    if (port.stickySeconds === 0) return this.#next(key, endpoints);
    const now = this.#now();
    let clients = this.#sticky.get(key);
    if (!clients) {
      clients = new Map();
      this.#sticky.set(key, clients);
    }
    const last = clients.get(client);
    const stuck =
      last && now - last.at < port.stickySeconds * 1000
        ? endpoints.find((endpoint) => textOf(endpoint) === last.endpoint)
        : undefined;
    const endpoint = stuck ?? this.#next(key, endpoints);
    clients.set(client, { endpoint: textOf(endpoint), at: now });
    return endpoint;
  }

  #next(key: string, endpoints: readonly ProxyEndpoint[]): ProxyEndpoint {
    if (this.#mode === 'iptables') return (this.#rng as Rng).pick(endpoints);
    const turn = this.#turns.get(key) ?? 0;
    this.#turns.set(key, turn + 1);
    return endpoints[turn % endpoints.length] as ProxyEndpoint;
  }
}

function textOf({ address, port }: ProxyEndpoint): string {
  return `${address}:${port}`;
}
