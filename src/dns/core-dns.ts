import { namespaces } from '#api/core/v1/namespace.ts';
import { services } from '#api/core/v1/service.ts';
import { endpointSlices, endpointsOf } from '#api/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice, Service } from '#api/generated/types.ts';
import type { Process } from '#base/pump.ts';
import type { Client } from '#client/client.ts';
import type { Index } from '#client/indexer.ts';
import { InformerFactory } from '#client/informer.ts';
import { parseIPv4 } from '#network/address.ts';
import {
  decodeDns,
  DnsError,
  type DnsMessage,
  type DnsQuestion,
  encodeDns,
  frameDns,
  MAX_DNS_DATAGRAM,
  queryDns,
  type Rcode,
  readDnsFrame,
} from '#network/dns.ts';
import { type HttpAnswer, type HttpMessage, serveHttp } from '#network/http.ts';
import type { Endpoint, Listener, NetworkNamespace } from '#network/network.ts';
import { NetworkError } from '#network/network-error.ts';
import { ClusterRecords, type ClusterView, type ZoneAnswer } from './cluster-records.ts';
import { absolute, type CorefilePlugin, inZone, parseCorefile, type ServerBlock } from './corefile.ts';

/** What one CoreDNS is given. */
export interface CoreDnsOptions {
  /** It ends with this process. */
  readonly process: Process;
  readonly client: Client;
  /** Where it listens. */
  readonly network: NetworkNamespace;
  /** Of its Corefile. */
  readonly path: string;
  /** Name servers of its own /etc/resolv.conf. */
  readonly resolvers: readonly string[];
  /** Takes a line of its log; parks the calling task. */
  readonly log: (line: string) => Promise<void>;
  /** Serves HTTP on a port; where the Pod may be made to answer otherwise. */
  readonly serveHttp?: (port: number, answer: (request: HttpMessage) => HttpAnswer) => void;
  /** Awaited before a name is answered; parks the task of a Pod that is made slow. */
  readonly beforeAnswer?: () => Promise<void>;
}

/** How long it waits for the API before it serves without, ms. */
const SYNC_TIMEOUT_MS = 5_000;
/** How long one upstream has to answer, and all of them together, ms. */
const UPSTREAM_TIMEOUT_MS = 2_000;
const FORWARD_TIMEOUT_MS = 5_000;
const MODELLED = new Set([
  'cache',
  'errors',
  'forward',
  'health',
  'kubernetes',
  'loadbalance',
  'log',
  'loop',
  'prometheus',
  'ready',
  'reload',
]);

const byService: Index<EndpointSlice> = {
  name: 'kubernetes.io/service-name',
  values: ({ metadata }) => {
    const service = metadata.labels?.['kubernetes.io/service-name'];
    return service ? `${metadata.namespace}/${service}` : undefined;
  },
};
const byEndpoint: Index<EndpointSlice> = {
  name: 'endpoints.addresses',
  values: (slice) => [...new Set(endpointsOf(slice).flatMap(({ addresses }) => addresses))],
};
const byClusterIP: Index<Service> = { name: 'spec.clusterIPs', values: ({ spec }) => spec.clusterIPs };

interface Outcome {
  readonly message: DnsMessage;
  readonly problem?: string;
}

/** One server block with what its plugins do. */
interface Server {
  readonly block: ServerBlock;
  readonly records: ClusterRecords | undefined;
  readonly upstreams: readonly Endpoint[] | undefined;
  /** For which names; absolute. */
  readonly forwardFrom: string;
}

/** CoreDNS: a Corefile, made true from what the API server says. Follows coredns v1.12. */
export class CoreDns {
  readonly #options: CoreDnsOptions;
  readonly #informers: InformerFactory;
  readonly #view: ClusterView;
  #modified: number;
  #servers: readonly Server[] = [];
  #listeners: Listener[] = [];
  /** Answers so far by type and code, for the metrics. */
  readonly #counts = new Map<string, number>();

  constructor(options: CoreDnsOptions) {
    const { process, client } = options;
    this.#options = options;
    this.#informers = new InformerFactory(process, client);
    const now = () => Math.floor(process.clock.now() / 1000);
    this.#modified = now();
    const all = this.#informers.informer(services).addIndex(byClusterIP);
    const slices = this.#informers.informer(endpointSlices).addIndex(byService).addIndex(byEndpoint);
    const spaces = this.#informers.informer(namespaces);
    const touch = () => {
      this.#modified = now();
    };
    for (const informer of [all, slices]) informer.addHandlers({ add: touch, update: touch, delete: touch });
    const modified = () => this.#modified;
    this.#view = {
      get synced() {
        return all.synced && slices.synced && spaces.synced;
      },
      get modified() {
        return modified();
      },
      hasNamespace: (name) => spaces.lister.getByKey(name) !== undefined,
      service: (namespace, name) => all.lister.getByKey(`${namespace}/${name}`),
      slicesOf: (namespace, name) => slices.lister.byIndex(byService, `${namespace}/${name}`),
      servicesAt: (address) => all.lister.byIndex(byClusterIP, address),
      slicesAt: (address) => slices.lister.byIndex(byEndpoint, address),
    };
  }

  /** Starts to serve; parks the calling task until it does. Throws an Error with what is wrong with the Corefile, or NetworkError. */
  async start(corefile: string): Promise<void> {
    const { log, process, path } = this.#options;
    const blocks = parseCorefile(corefile, path);
    for (const { plugins } of blocks)
      for (const { name } of plugins)
        if (!MODELLED.has(name)) await log(`[WARNING] plugin/${name}: is not emulated, its lines do nothing`);
    this.#informers.start();
    this.#servers = blocks.map((block) => this.#serverOf(block));
    // Health is told from the beginning, readiness when all is there.
    this.#serveHttp('health', 8080, '/health', () => ({ status: 200, body: 'OK' }));
    this.#serveHttp('ready', 8181, '/ready', () =>
      this.#ready ? { status: 200, body: 'OK' } : { status: 503, body: 'kubernetes' },
    );
    this.#serveHttp('prometheus', 9153, '/metrics', () => ({
      status: 200,
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: this.#metrics(),
    }));
    if (this.#plugin('kubernetes')) {
      const deadline = process.clock.now() + SYNC_TIMEOUT_MS;
      if (!this.#view.synced) await log('[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server');
      while (!this.#view.synced && process.clock.now() < deadline) await process.clock.sleep(100);
      if (!this.#view.synced) await log('[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API');
    }
    for (const port of new Set(blocks.map((block) => block.port))) this.#listen(port);
    for (const { zones, port } of blocks) await log(`${zones.join(' ')}:${port}`);
    await log('CoreDNS-1.12.0\nlinux/amd64, go1.23.3, 51e11f1');
  }

  /** Serves by another Corefile from now on; throws, and goes on as before, when it cannot be read. */
  reload(corefile: string): void {
    this.#servers = parseCorefile(corefile, this.#options.path).map((block) => this.#serverOf(block));
  }

  /** How long the plugin `health` wants to go on serving after it was told to end, ms. */
  get lameduckMs(): number {
    const line = this.#plugin('health')?.lines.find(([word]) => word === 'lameduck');
    const match = /^(\d+)(ms|s|m)$/.exec(line?.[1] ?? '');
    return match ? Number(match[1]) * ({ ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'] ?? 0) : 0;
  }

  /** Whether the plugin is in the Corefile. */
  uses(plugin: string): boolean {
    return this.#plugin(plugin) !== undefined;
  }

  get #ready(): boolean {
    return !this.uses('kubernetes') || this.#view.synced;
  }

  #plugin(name: string): CorefilePlugin | undefined {
    for (const { block } of this.#servers) {
      const found = block.plugins.find((plugin) => plugin.name === name);
      if (found) return found;
    }
    return undefined;
  }

  #serverOf(block: ServerBlock): Server {
    const find = (name: string) => block.plugins.find((plugin) => plugin.name === name);
    const kubernetes = find('kubernetes');
    const forward = find('forward');
    const option = (name: string) => kubernetes?.lines.find(([word]) => word === name)?.slice(1);
    const zones = (kubernetes?.args.length ? kubernetes.args : block.zones).map(absolute);
    const fallthrough = option('fallthrough');
    return {
      block,
      records:
        kubernetes &&
        new ClusterRecords(this.#view, {
          zones,
          ttl: Number(option('ttl')?.[0] ?? 5),
          pods: (option('pods')?.[0] ?? 'disabled') as 'disabled' | 'insecure' | 'verified',
          fallthrough: fallthrough ? (fallthrough.length > 0 ? fallthrough.map(absolute) : ['.']) : [],
        }),
      upstreams: forward?.args
        .slice(1)
        .flatMap((to) => (to.startsWith('/') ? this.#options.resolvers : [to]))
        .flatMap((to) => {
          const [address = '', port = '53'] = to.replace(/^dns:\/\//, '').split(':');
          return parseIPv4(address) === undefined ? [] : [{ address, port: Number(port) }];
        }),
      forwardFrom: absolute(forward?.args[0] ?? '.'),
    };
  }

  #serveHttp(plugin: string, defaultPort: number, path: string, answer: () => HttpAnswer): void {
    const used = this.#plugin(plugin);
    if (!used) return;
    const port = Number(used.args[0]?.split(':').at(-1) || defaultPort);
    const { network, process } = this.#options;
    const serve = this.#options.serveHttp ?? ((at, handle) => serveHttp(network, process, at, handle));
    serve(port, (request) =>
      request.path.split('?')[0] === path ? answer() : { status: 404, body: '404 page not found\n' },
    );
  }

  #listen(port: number): void {
    const { network, process } = this.#options;
    this.#listeners.push(
      network.listenDatagram(process, port, async (payload, from) => {
        const answer = await this.#serve(payload, port, from, 'udp');
        return answer && fitDatagram(answer);
      }),
      network.listen(process, port, async (connection) => {
        for (let query = await readDnsFrame(connection); query; query = await readDnsFrame(connection)) {
          const answer = await this.#serve(query, port, connection.remote, 'tcp');
          if (!answer) return;
          connection.note({ rcode: answer.rcode });
          await connection.write(frameDns(encodeDns(answer)));
        }
      }),
    );
  }

  /** Undefined for what is no query: it is not answered. */
  async #serve(
    payload: Uint8Array,
    port: number,
    from: Endpoint,
    transport: 'udp' | 'tcp',
  ): Promise<DnsMessage | undefined> {
    let query: DnsMessage;
    try {
      query = decodeDns(payload);
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      return undefined;
    }
    if (query.response) return undefined;
    const [question] = query.questions;
    if (query.opcode !== 0 || !question) return replyTo(query, query.opcode !== 0 ? 'NOTIMP' : 'FORMERR');
    const name = absolute(question.name);
    const server = this.#servers
      .filter(({ block }) => block.port === port && block.zones.some((zone) => inZone(name, zone)))
      .sort((a, b) => longest(b, name) - longest(a, name))
      .at(0);
    if (!server) return replyTo(query, 'REFUSED');
    const { message, problem } = await this.#answer(server, query, question);
    await this.#options.beforeAnswer?.();
    const count = `${question.type} ${message.rcode}`;
    this.#counts.set(count, (this.#counts.get(count) ?? 0) + 1);
    const { log } = this.#options;
    const has = (plugin: string) => server.block.plugins.some((one) => one.name === plugin);
    if (has('log')) {
      const flags = ['qr', message.authoritative && 'aa', 'rd', message.recursionAvailable && 'ra'].filter(Boolean);
      await log(
        `[INFO] ${from.address}:${from.port} - ${query.id} "${question.type} IN ${name} ${transport} ${payload.length} false ${transport === 'udp' ? MAX_DNS_DATAGRAM : 65_535}" ${message.rcode} ${flags.join(',')} ${encodeDns(message).length} 0.000s`,
      );
    }
    if (problem !== undefined && has('errors'))
      await log(`[ERROR] plugin/errors: ${RCODE_NUMBER[message.rcode] ?? 2} ${name} ${question.type}: ${problem}`);
    return message;
  }

  async #answer(server: Server, query: DnsMessage, question: DnsQuestion): Promise<Outcome> {
    const found: ZoneAnswer = server.records?.answer(question.name, question.type) ?? 'pass';
    if (found === 'pass') return this.#forward(server, query, question);
    const { rcode, additional, authority, follow } = found;
    let { answers } = found;
    if (follow !== undefined) {
      // The alias leads out of the zone: what it leads to is asked for here too, as any client would.
      const next = { name: follow, type: question.type };
      const other = this.#servers
        .filter(({ block }) => block.zones.some((zone) => inZone(follow, zone)))
        .sort((a, b) => longest(b, follow) - longest(a, follow))
        .at(0);
      if (other) {
        const { message } = await this.#answer(other, { ...query, questions: [next] }, next);
        answers = [...answers, ...message.answers];
      }
    }
    if (server.block.plugins.some(({ name }) => name === 'loadbalance')) answers = this.#shuffle(answers);
    return {
      message: {
        ...replyTo(query, rcode),
        authoritative: true,
        answers,
        additional,
        authority,
      },
    };
  }

  /** Addresses in random order, aliases before them. */
  #shuffle(answers: readonly DnsMessage['answers'][number][]): DnsMessage['answers'] {
    const addresses = answers.filter(({ type }) => type === 'A');
    if (addresses.length < 2) return answers;
    const { rng } = this.#options.process;
    for (let i = addresses.length - 1; i > 0; i--) {
      const j = rng.int(i + 1);
      const one = addresses[i] as (typeof addresses)[number];
      addresses[i] = addresses[j] as (typeof addresses)[number];
      addresses[j] = one;
    }
    return [...answers.filter(({ type }) => type !== 'A'), ...addresses];
  }

  async #forward({ upstreams, forwardFrom }: Server, query: DnsMessage, { name, type }: DnsQuestion): Promise<Outcome> {
    if (!upstreams || !inZone(absolute(name), forwardFrom)) return { message: replyTo(query, 'REFUSED') };
    const { process, network } = this.#options;
    const deadline = process.clock.now() + FORWARD_TIMEOUT_MS;
    let problem = 'no healthy proxies';
    for (const upstream of upstreams) {
      const timeoutMs = Math.min(UPSTREAM_TIMEOUT_MS, deadline - process.clock.now());
      if (timeoutMs <= 0) break;
      const way = `read udp ${network.address}->${upstream.address}:${upstream.port}`;
      try {
        const answer = await queryDns(process, network, upstream, name, type, timeoutMs);
        if (answer) return { message: { ...answer, id: query.id, questions: query.questions } };
        problem = `${way}: i/o timeout`;
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        problem = `${way}: read: ${error.message.toLowerCase()}`;
      }
    }
    return { message: replyTo(query, 'SERVFAIL'), problem };
  }

  #metrics(): string {
    let text =
      "# HELP coredns_build_info A metric with a constant '1' value labeled by version, revision, and goversion from which CoreDNS was built.\n" +
      '# TYPE coredns_build_info gauge\ncoredns_build_info{goversion="go1.23.3",revision="51e11f1",version="1.12.0"} 1\n' +
      '# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.\n# TYPE coredns_dns_requests_total counter\n';
    for (const [count, value] of this.#counts) {
      const [type, rcode] = count.split(' ');
      text += `coredns_dns_requests_total{rcode="${rcode}",type="${type}"} ${value}\n`;
    }
    return text;
  }
}

const RCODE_NUMBER: Partial<Record<Rcode, number>> = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

function longest({ block }: Server, name: string): number {
  return Math.max(...block.zones.filter((zone) => inZone(name, zone)).map((zone) => zone.length));
}

function replyTo(query: DnsMessage, rcode: Rcode): DnsMessage {
  return {
    ...query,
    response: true,
    authoritative: false,
    truncated: false,
    recursionAvailable: false,
    rcode,
    answers: [],
    authority: [],
    additional: [],
  };
}

/** The message's bytes; cut, and marked so, when a datagram does not hold them. */
function fitDatagram(message: DnsMessage): Uint8Array {
  const whole = encodeDns(message);
  if (whole.length <= MAX_DNS_DATAGRAM) return whole;
  let kept = message.answers.length;
  for (;;) {
    const cut = encodeDns({ ...message, truncated: true, additional: [], answers: message.answers.slice(0, kept) });
    if (cut.length <= MAX_DNS_DATAGRAM || kept === 0) return cut;
    kept = Math.min(kept - 1, Math.floor((kept * MAX_DNS_DATAGRAM) / cut.length));
  }
}
