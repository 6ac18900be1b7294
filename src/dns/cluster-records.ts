import { endpointsOf } from '#api/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice, Service } from '#api/generated/types.ts';
import { parseIPv4 } from '#network/address.ts';
import type { DnsRecord } from '#network/dns.ts';
import { absolute, inZone } from './corefile.ts';

/** What CoreDNS knows of the cluster. */
export interface ClusterView {
  readonly synced: boolean;
  /** Seconds since the epoch: when something last changed. */
  readonly modified: number;
  hasNamespace(name: string): boolean;
  service(namespace: string, name: string): Service | undefined;
  slicesOf(namespace: string, service: string): readonly EndpointSlice[];
  servicesAt(address: string): readonly Service[];
  slicesAt(address: string): readonly EndpointSlice[];
}

/** The options of the plugin `kubernetes`. */
export interface KubernetesOptions {
  /** Absolute, the cluster's domain first. */
  readonly zones: readonly string[];
  readonly ttl: number;
  readonly pods: 'disabled' | 'insecure' | 'verified';
  /** Zones for which others are asked when nothing is found. */
  readonly fallthrough: readonly string[];
}

/** An answer, before it is put into a message. `pass`: another plugin is to be asked. */
export type ZoneAnswer =
  | {
      readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL';
      readonly answers: readonly DnsRecord[];
      readonly additional: readonly DnsRecord[];
      readonly authority: readonly DnsRecord[];
      /** A name outside the zone that the answers end with, to be looked up elsewhere. */
      readonly follow?: string;
    }
  | 'pass';

/** What is found under a name: an address or another name, and the port that SRV records tell. */
interface Found {
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

type Lookup = readonly Found[] | 'NXDOMAIN';

const MAX_CNAMES = 8;

/** Answers for the cluster's zones as CoreDNS' plugin `kubernetes` does. Follows coredns v1.12, plugin/kubernetes. */
export class ClusterRecords {
  readonly #view: ClusterView;
  readonly #options: KubernetesOptions;

  constructor(view: ClusterView, options: KubernetesOptions) {
    this.#view = view;
    this.#options = options;
  }

  answer(name: string, type: string): ZoneAnswer {
    const lower = absolute(name);
    const { zones, fallthrough } = this.#options;
    const zone = zones
      .filter((one) => inZone(lower, one))
      .sort((a, b) => b.length - a.length)
      .at(0);
    if (zone === undefined) return 'pass';
    const { records, follow } = this.#records(name, lower, zone, type, []);
    if (records === 'NXDOMAIN') {
      if (fallthrough.some((one) => inZone(lower, one))) return 'pass';
      return this.#empty(zone, this.#view.synced ? 'NXDOMAIN' : 'SERVFAIL');
    }
    const { answers, additional } = records;
    if (answers.length === 0) return this.#empty(zone, 'NOERROR');
    return { rcode: 'NOERROR', answers, additional, authority: [], ...(follow ? { follow } : {}) };
  }

  #records(
    name: string,
    lower: string,
    zone: string,
    type: string,
    before: readonly DnsRecord[],
  ): {
    readonly records:
      | { readonly answers: readonly DnsRecord[]; readonly additional: readonly DnsRecord[] }
      | 'NXDOMAIN';
    readonly follow?: string;
  } {
    const { ttl } = this.#options;
    const only = (answers: readonly DnsRecord[]) => ({ records: { answers, additional: [] } });
    if (type === 'SOA') return only(lower === zone ? [this.#soa(zone)] : []);
    if (type === 'PTR') {
      const names = this.#reverse(lower);
      return names ? only(names.map((target) => ({ name, ttl, type: 'PTR', target }))) : { records: 'NXDOMAIN' };
    }
    if (type === 'TXT' && lower === `dns-version.${zone}`) return only([{ name, ttl, type: 'TXT', texts: ['1.1.0'] }]);
    const found = this.#find(lower, zone);
    if (found === 'NXDOMAIN') return { records: found };
    if (type === 'SRV') return { records: this.#serve(name, found) };
    const alias = found.find(({ host }) => parseIPv4(host) === undefined);
    if (alias) {
      const target = absolute(alias.host);
      const record: DnsRecord = { name, ttl, type: 'CNAME', target };
      if (type === 'CNAME') return only([record]);
      if (type !== 'A' && type !== 'AAAA') return only([]);
      if (target === lower || before.length >= MAX_CNAMES) return only([]);
      if (!inZone(target, zone)) return { ...only([record]), follow: target };
      const next = this.#records(target, target, zone, type, [...before, record]);
      if (next.records === 'NXDOMAIN' || next.records.answers.length === 0) return only([]);
      return { ...next, records: { answers: [record, ...next.records.answers], additional: [] } };
    }
    if (type !== 'A') return only([]);
    return only([...new Set(found.map(({ host }) => host))].map((address) => ({ name, ttl, type: 'A', address })));
  }

  #serve(name: string, found: readonly Found[]): { answers: DnsRecord[]; additional: DnsRecord[] } {
    const { ttl } = this.#options;
    const ports = found.filter(({ port }) => port >= 0);
    const weight = Math.max(1, Math.floor(100 / Math.max(1, found.length)));
    const answers = new Map<string, DnsRecord>();
    const additional = new Map<string, DnsRecord>();
    for (const { key, host, port } of ports) {
      const alias = parseIPv4(host) === undefined;
      const target = alias ? absolute(host) : key;
      answers.set(`${target} ${port}`, { name, ttl, type: 'SRV', priority: 0, weight, port, target });
      if (!alias) additional.set(`${target} ${host}`, { name: target, ttl, type: 'A', address: host });
    }
    return { answers: [...answers.values()], additional: [...additional.values()] };
  }

  /** Whose name it is: `[[port.protocol.|endpoint.]service.]namespace.svc`, or `1-2-3-4.namespace.pod`. */
  #find(lower: string, zone: string): Lookup {
    const base = lower === zone ? '' : lower.slice(0, -zone.length - 1);
    if (base === '' || base === 'svc' || base === 'pod') return [];
    const labels = base.split('.').reverse();
    const [kind, namespace, service, ...rest] = labels;
    if ((kind !== 'svc' && kind !== 'pod') || rest.length > 2) return 'NXDOMAIN';
    if (!this.#view.hasNamespace(namespace ?? '')) return 'NXDOMAIN';
    if (service === undefined) return [];
    if (kind === 'pod') return rest.length > 0 ? 'NXDOMAIN' : this.#findPod(lower, service);
    const endpoint = rest.length === 1 ? (rest[0] as string) : '';
    const [protocol = '', port = ''] = rest.length === 2 ? rest.map((label) => label.replace(/^_/, '')) : [];
    return this.#findService(namespace as string, service, endpoint, port, protocol, zone);
  }

  #findPod(lower: string, label: string): Lookup {
    if (this.#options.pods === 'disabled') return 'NXDOMAIN';
    const address = label.replaceAll('-', '.');
    return parseIPv4(address) === undefined ? 'NXDOMAIN' : [{ key: lower, host: address, port: -1 }];
  }

  #findService(
    namespace: string,
    name: string,
    endpoint: string,
    port: string,
    protocol: string,
    zone: string,
  ): Lookup {
    const service = this.#view.service(namespace, name);
    if (!service) return 'NXDOMAIN';
    const { type, clusterIP = '', clusterIPs = [clusterIP], externalName = '', ports = [] } = service.spec;
    const key = `${name}.${namespace}.svc.${zone}`;
    if (type === 'ExternalName') {
      // A name that is an address is no alias, and nothing else either.
      if (endpoint !== '' || parseIPv4(externalName) !== undefined) return 'NXDOMAIN';
      return [{ key, host: externalName, port: 0 }];
    }
    const wanted = (one: { readonly name?: string; readonly protocol?: string }) =>
      (port === '' || port === (one.name ?? '').toLowerCase()) &&
      (protocol === '' || protocol === (one.protocol ?? 'TCP').toLowerCase());
    if (clusterIP !== 'None' && endpoint === '') {
      const selected = ports.filter(wanted);
      if (selected.length === 0) return 'NXDOMAIN';
      return selected.flatMap((one) =>
        clusterIPs.filter((ip) => parseIPv4(ip) !== undefined).map((host) => ({ key, host, port: one.port })),
      );
    }
    const found = this.#view.slicesOf(namespace, name).flatMap((slice) =>
      readyEndpoints(slice)
        .filter(({ hostname }) => endpoint === '' || endpoint === hostname)
        .flatMap(({ hostname, address }) =>
          (slice.ports?.length ? slice.ports : NO_PORTS)
            .filter(wanted)
            .map((one) => ({ key: `${hostname}.${key}`, host: address, port: one.port ?? -1 })),
        ),
    );
    return found.length > 0 ? found : 'NXDOMAIN';
  }

  /** The names of an address that is given as `4.3.2.1.in-addr.arpa.`; undefined if it has none. */
  #reverse(lower: string): string[] | undefined {
    const address = /^((?:\d+\.){4})in-addr\.arpa\.$/.exec(lower)?.[1]?.split('.').slice(0, 4).reverse().join('.');
    if (address === undefined) return undefined;
    const zone = this.#options.zones[0] as string;
    const services = this.#view
      .servicesAt(address)
      .map(({ metadata }) => `${metadata.name}.${metadata.namespace}.svc.${zone}`);
    if (services.length > 0) return services;
    const names = this.#view.slicesAt(address).flatMap((slice) => {
      const service = slice.metadata.labels?.['kubernetes.io/service-name'];
      return readyEndpoints(slice)
        .filter((endpoint) => endpoint.address === address)
        .map(({ hostname }) => `${hostname}.${service}.${slice.metadata.namespace}.svc.${zone}`);
    });
    return names.length > 0 ? [...new Set(names)] : undefined;
  }

  #empty(zone: string, rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL'): ZoneAnswer {
    return { rcode, answers: [], additional: [], authority: [this.#soa(zone)] };
  }

  #soa(zone: string): DnsRecord {
    const { ttl } = this.#options;
    return {
      name: zone,
      ttl: Math.min(ttl, 300),
      type: 'SOA',
      primary: `ns.dns.${zone}`,
      mailbox: `hostmaster.${zone}`,
      serial: this.#view.modified,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    };
  }
}

/** What stands for the ports of a slice that has none. */
const NO_PORTS = [{ name: '', port: -1, protocol: '' }] as const;

function readyEndpoints(slice: EndpointSlice): { readonly hostname: string; readonly address: string }[] {
  return endpointsOf(slice).flatMap(({ addresses, conditions, hostname }) => {
    if (conditions?.ready === false) return [];
    return addresses
      .filter((address) => parseIPv4(address) !== undefined)
      .map((address) => ({ hostname: hostname?.toLowerCase() || address.replaceAll('.', '-'), address }));
  });
}
